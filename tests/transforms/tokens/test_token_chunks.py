"""Chunks: where they end, that they cover a source once, and what their files hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import RunError
from schemas.shards import TokenizerFacts
from transforms.shuffle.hash_blocks import make_block
from transforms.tokens.token_chunks import ChunkLayout, Load, checksum, layout_of, pack_chunk, read_chunk
from transforms.tokens.token_rows import HEAD, ShardConfig, join_pieces, travel

FACTS = TokenizerFacts(sha256="", vocab_size=1000, bos_id=0, eos_id=9)
LARGE = TokenizerFacts(sha256="", vocab_size=128_256, bos_id=0, eos_id=9)


def load(*pieces: tuple[int, list[int]]) -> Load:
    """Pieces as (start in the source, tokens), each of a document of its own."""
    heads = make_block(
        HEAD,
        start=np.array([start for start, _ in pieces]),
        id_high=1,
        id_low=2,
        offset=0,
        n=np.array([len(tokens) for _, tokens in pieces]),
        n_tokens=np.array([len(tokens) for _, tokens in pieces]),
    )
    return heads.tobytes(), np.array([token for _, tokens in pieces for token in tokens], travel(FACTS)).tobytes()


@given(
    st.integers(1, 7), st.integers(1, 7), st.integers(1, 7), st.integers(1, 40), st.integers(1, 60), st.integers(0, 300)
)
@settings(deadline=None)
def test_chunks_cover_a_source_and_cross_neither_shards_nor_row_groups(
    row_tokens: int, group_rows: int, groups: int, rest: int, chunk_tokens: int, start: int
) -> None:
    group_tokens = row_tokens * group_rows
    shard_tokens = group_tokens * groups + rest % group_rows * row_tokens
    layout = ChunkLayout(shard_tokens, group_tokens, chunk_tokens)
    tokens = np.arange(3 * shard_tokens)
    numbers = layout.number(tokens)
    assert set(np.diff(numbers).tolist()) <= {0, 1}  # dense and in order
    assert numbers[-1] + 1 == 3 * layout.per_shard
    assert np.bincount(numbers).max() <= chunk_tokens
    firsts = np.flatnonzero(np.diff(numbers, prepend=-1))
    assert layout.start(np.arange(len(firsts))).tolist() == firsts.tolist()
    within = tokens % shard_tokens
    for border in np.flatnonzero((within == 0) | (within % group_tokens == 0)).tolist():
        assert border in firsts
    start = start % (3 * shard_tokens)
    assert list(layout.numbers(start, 3 * shard_tokens)) == sorted(set(numbers[start:].tolist()))


@pytest.mark.parametrize(("facts", "tokens"), [(FACTS, 1 << 20), (LARGE, 1 << 19)])
def test_a_chunk_of_the_defaults_is_two_mebibytes(facts: TokenizerFacts, tokens: int) -> None:
    layout = layout_of(ShardConfig(), facts)
    assert layout.chunk_tokens == tokens
    assert layout.per_shard == 8_388_608 // tokens
    assert layout_of(ShardConfig(rows_per_shard=3), facts).group_tokens == 3 * 131_072
    assert layout_of(ShardConfig(rows_per_shard=300), facts).group_tokens == 64 * 131_072


def test_a_file_holds_its_pieces_in_order_whatever_order_they_came_in() -> None:
    one, two = load((7, [1, 2]), (0, [3, 4, 5])), load((3, [6, 7, 8, 9]))
    data = pack_chunk([one, two], FACTS)
    assert pack_chunk(iter([two, one]), FACTS) == data
    heads, tokens = read_chunk(data, checksum(data), "here", FACTS)
    assert heads["start"].tolist() == [0, 3, 7]
    assert tokens.tolist() == [3, 4, 5, 6, 7, 8, 9, 1, 2]
    for wrong in (b"", data[:-1], data + b"0", bytes([data[0] ^ 1]) + data[1:]):
        with pytest.raises(RunError, match="here: is damaged"):
            read_chunk(wrong, checksum(data), "here", FACTS)


def test_a_file_may_hold_nothing() -> None:
    data = pack_chunk([], FACTS)
    heads, tokens = read_chunk(data, checksum(data), "", FACTS)
    assert (len(heads), len(tokens)) == (0, 0)
    assert len(join_pieces(heads)) == 0


def test_pieces_that_a_chunks_end_cut_are_joined_and_copies_are_not() -> None:
    heads = make_block(
        HEAD,
        start=np.array([10, 14, 18, 20, 25]),
        id_high=5,
        id_low=6,
        offset=np.array([3, 7, 11, 0, 5]),
        n=np.array([4, 4, 2, 5, 1]),
        n_tokens=13,
    )
    joined = join_pieces(heads)  # one copy that began at 7, and a second of the same document that began at 20
    assert joined[["start", "offset", "n"]].tolist() == [(10, 3, 10), (20, 0, 6)]
    assert heads["n"].tolist() == [4, 4, 2, 5, 1]
