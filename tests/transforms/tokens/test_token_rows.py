"""Rows of a fixed length: hand-computed ends, offsets, cuts and padding."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from schemas.errors import ConfigError, RunError
from schemas.shards import TokenizerFacts, locate
from transforms.shuffle.hash_blocks import make_block
from transforms.tokens.token_chunks import Load, checksum, pack_chunk, read_chunk
from transforms.tokens.token_rows import HEAD, ShardConfig, documents_started, id_words, pack_rows, travel

FACTS = TokenizerFacts(sha256="", vocab_size=1000, bos_id=0, eos_id=9)
FOUR = ShardConfig(row_tokens=4, rows_per_shard=2)
A, B = "0" * 31 + "a", "f" * 31 + "b"


def load(*pieces: tuple[str, int, int, list[int], int]) -> Load:
    """Pieces as (id, start in the source, offset in the document, tokens, tokens of the document)."""
    high, low = id_words([piece[0] for piece in pieces])
    heads = make_block(
        HEAD,
        start=np.array([piece[1] for piece in pieces]),
        id_high=high,
        id_low=low,
        offset=np.array([piece[2] for piece in pieces]),
        n=np.array([len(piece[3]) for piece in pieces]),
        n_tokens=np.array([piece[4] for piece in pieces]),
    )
    tokens = [token for piece in pieces for token in piece[3]]
    return heads.tobytes(), np.array(tokens, travel(FACTS)).tobytes()


def pack_shard(
    loads: list[Load], shard: int, source_tokens: int, config: ShardConfig, facts: TokenizerFacts
) -> pa.Table:
    """The rows of a shard of one chunk."""
    data = pack_chunk(loads, facts)
    base = shard * config.shard_tokens
    end = min(base + config.shard_tokens, source_tokens)
    return pack_rows([read_chunk(data, checksum(data), "", facts)], base, end, f"shard {shard}", config, facts)


def test_a_document_over_the_end_of_a_row_is_cut_and_the_rest_is_padding() -> None:
    loads = [load((B, 3, 0, [5, 6, 7], 3)), load((A, 0, 0, [2, 3, 4], 3))]
    table = pack_shard(loads, 0, 6, FOUR, FACTS)
    assert table.to_pylist() == [
        {"tokens": [2, 3, 4, 5], "doc_ends": [3, 4], "doc_ids": [A, B], "doc_offsets": [0, 0], "cut": True},
        {"tokens": [6, 7, 9, 9], "doc_ends": [2, 4], "doc_ids": [B, ""], "doc_offsets": [1, 0], "cut": False},
    ]
    assert documents_started(table) == 2


def test_a_document_that_ends_with_the_row_is_not_cut() -> None:
    rows = pack_shard([load((A, 0, 0, [2, 3, 4, 5], 4), (B, 4, 0, [6, 7, 8, 2], 4))], 0, 8, FOUR, FACTS).to_pylist()
    assert [(row["doc_ends"], row["cut"]) for row in rows] == [([4], False), ([4], False)]


def test_a_document_that_goes_on_in_the_next_shard_is_cut() -> None:
    first = pack_shard([load((A, 0, 0, list(range(8)), 11))], 0, 11, FOUR, FACTS).to_pylist()
    assert [(row["doc_offsets"], row["cut"]) for row in first] == [([0], True), ([4], True)]
    second = pack_shard([load((A, 8, 8, [1, 2, 3], 11))], 1, 11, FOUR, FACTS)
    assert second.to_pylist() == [
        {"tokens": [1, 2, 3, 9], "doc_ends": [3, 4], "doc_ids": [A, ""], "doc_offsets": [8, 0], "cut": False}
    ]
    assert documents_started(second) == 0


def test_two_copies_side_by_side_stay_two_documents() -> None:
    [row] = pack_shard([load((A, 0, 0, [2, 3], 2)), load((A, 2, 0, [2, 3], 2))], 0, 4, FOUR, FACTS).to_pylist()
    assert (row["doc_ends"], row["doc_ids"], row["doc_offsets"]) == ([2, 4], [A, A], [0, 0])


def test_pieces_that_leave_a_gap_or_overlap_are_refused() -> None:
    whole = [load((A, 0, 0, [2, 3, 4], 3)), load((B, 3, 0, [5, 6, 7], 3))]
    assert pack_shard(whole, 0, 6, FOUR, FACTS).num_rows == 2
    for loads, total in ((whole, 5), (whole, 7), (whole[:1], 6), (whole[1:], 6), (whole * 2, 6), ([], 6)):
        with pytest.raises(RunError, match=f"the pieces of shard 0 do not add up to tokens 0 to {total} of its source"):
            pack_shard(loads, 0, total, FOUR, FACTS)


def test_locate_walks_back_to_the_document() -> None:
    row = {"doc_ends": [2, 5, 8], "doc_ids": [A, B, ""], "doc_offsets": [7, 0, 0]}
    assert [locate(row, n) for n in range(8)] == [(A, 7), (A, 8), (B, 0), (B, 1), (B, 2), ("", 0), ("", 1), ("", 2)]
    for position in (-1, 8):
        with pytest.raises(ConfigError, match=f"position {position} is not in the row; must be 0 to 7"):
            locate(row, position)


def test_tokens_travel_in_two_bytes_where_they_fit() -> None:
    sizes = [travel(TokenizerFacts(sha256="", vocab_size=n, bos_id=0, eos_id=0)).itemsize for n in (65_536, 65_537)]
    assert sizes == [2, 4]


def test_ids_keep_their_leading_zeros() -> None:
    high, low = id_words([A, B])
    assert (high.tolist(), low.tolist()) == ([0, 2**64 - 1], [10, 0xFFFFFFFFFFFFFFFB])
    with pytest.raises(RunError, match="'xyz' is not 32 hexadecimal digits"):
        id_words([A, "xyz"])


def test_wrong_sizes_are_refused() -> None:
    with pytest.raises(ConfigError, match="row_tokens: 1 is not allowed"):
        ShardConfig(row_tokens=1)
    with pytest.raises(ConfigError, match="rows_per_shard: 0 is not allowed"):
        ShardConfig(rows_per_shard=0)
    assert ShardConfig().shard_tokens == 8_388_608
