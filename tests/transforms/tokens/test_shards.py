"""The global shuffle: every token once for each copy, the same shards whatever the parts, partitions and order."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import RunError
from schemas.identity import content_id, keyed_hash
from schemas.records import TokenRow, arrow_schema
from schemas.shards import TokenizerFacts, locate
from transforms.shuffle.hash_blocks import make_block, merge_blocks, read_block, split_block
from transforms.tokens.shards import (
    CUT,
    PLACE,
    POSITION,
    SALT,
    count_tokens,
    cut_at_chunks,
    load_chunks,
    place_block,
    positions_of_places,
    sum_up,
)
from transforms.tokens.token_chunks import ChunkLayout, Load, layout_of, pack_chunk, read_chunk
from transforms.tokens.token_chunks import checksum as crc
from transforms.tokens.token_rows import ShardConfig, pack_rows

SOURCES = ("web", "wiki/en")
FACTS = TokenizerFacts(sha256="ab" * 32, vocab_size=70_000, bos_id=0, eos_id=1)
SMALL = TokenizerFacts(sha256="ab" * 32, vocab_size=65_536, bos_id=0, eos_id=1)
CONFIG = ShardConfig(row_tokens=8, rows_per_shard=3)


@dataclass(frozen=True)
class Doc:
    id: str
    source: int
    tokens: tuple[int, ...]
    copies: int


def make_docs(sizes: list[tuple[int, int, int]]) -> list[Doc]:
    """Documents from (source, number of tokens, copies); no token occurs twice."""
    first, docs = 2, []
    for n, (source, size, copies) in enumerate(sizes):
        docs.append(Doc(content_id(str(n)), source, tuple(range(first, first + size)), copies))
        first += size
    return docs


def parts_of(docs: list[Doc], n_parts: int) -> list[list[Doc]]:
    return [docs[n::n_parts] for n in range(n_parts)]


def places(part: int, docs: list[Doc]) -> bytes:
    return place_block(
        part,
        range(len(docs)),
        [doc.id for doc in docs],
        [doc.source for doc in docs],
        [len(doc.tokens) for doc in docs],
        [doc.copies for doc in docs],
    )


@dataclass(frozen=True)
class Reader:
    """Reads parts in batches of two rows."""

    parts: list[list[Doc]]

    def __call__(self, part: int) -> Iterator[pa.RecordBatch]:
        docs = self.parts[part]
        table = pa.table(
            {
                "id": pa.array([doc.id for doc in docs], pa.string()),
                "tokens": pa.array([doc.tokens for doc in docs], pa.list_(pa.uint32())),
            }
        )
        yield from table.to_batches(max_chunksize=2)


def rows_of(
    chunks: dict[int, bytes], layout: ChunkLayout, span: tuple[int, int], config: ShardConfig, facts: TokenizerFacts
) -> pa.Table:
    """The rows of tokens `span` of a source, from the files of its chunks."""
    pieces = (read_chunk(chunks[number], crc(chunks[number]), "", facts) for number in layout.numbers(*span))
    return pack_rows(pieces, *span, "shard", config, facts)


def shards_without_beam(
    parts: list[list[Doc]], n_partitions: int, config: ShardConfig, facts: TokenizerFacts, chunk_bytes: int = 16
) -> Any:
    by_partition: dict[int, list[bytes]] = {}
    for part, docs in enumerate(parts):
        for partition, data in split_block(read_block(places(part, docs), PLACE), "order", n_partitions):
            by_partition.setdefault(partition, []).append(data)
    merged = {partition: merge_blocks(data, PLACE) for partition, data in by_partition.items()}
    totals = sum_up([(n, count_tokens(block, len(SOURCES))) for n, block in merged.items()], len(SOURCES))
    by_part: dict[int, list[bytes]] = {}
    for partition, block in merged.items():
        for part, data in positions_of_places(block, totals.before[partition]):
            by_part.setdefault(part, []).append(data)
    loads: dict[tuple[int, int], list[Load]] = {}
    layout = layout_of(config, facts, chunk_bytes)
    for part, data in by_part.items():
        positions = merge_blocks(data, POSITION)
        for chunk, load in load_chunks(Reader(parts)(part), positions, layout, facts):
            loads.setdefault(chunk, []).append(load)
    files: dict[int, dict[int, bytes]] = {0: {}, 1: {}}
    for (source, number), found in loads.items():
        files[source][number] = pack_chunk(found, facts)
        assert sum(len(tokens) for _, tokens in found) <= chunk_bytes
    tables: dict[tuple[int, int], list[pa.Table]] = {}
    for source, total in enumerate(totals.total):
        for start in range(0, total, config.shard_tokens):
            bounds = [*range(start, min(start + config.shard_tokens, total), layout.group_tokens)]
            bounds.append(min(start + config.shard_tokens, total))
            spans = itertools.pairwise(bounds)
            found = [rows_of(files[source], layout, span, config, facts) for span in spans]
            tables[source, start // config.shard_tokens] = found
    return {key: pa.concat_tables(found) for key, found in tables.items()}


def expected_rows(docs: list[Doc], source: int, config: ShardConfig) -> list[dict[str, Any]]:
    """The rows of a source, token by token, as SPEC 3.4 says."""
    order = sorted(
        (keyed_hash(SALT, f"{doc.id}:{k}"), doc.id, k, doc)
        for doc in docs
        if doc.source == source
        for k in range(doc.copies)
    )
    flat = [(token, doc.id, k, at, len(doc.tokens)) for _, _, k, doc in order for at, token in enumerate(doc.tokens)]
    flat += [(FACTS.eos_id, "", 0, at, 0) for at in range(-len(flat) % config.row_tokens)]
    rows = []
    for start in range(0, len(flat), config.row_tokens):
        row = flat[start : start + config.row_tokens]
        firsts = [n for n, slot in enumerate(row) if n == 0 or slot[3] == 0 or slot[1] != row[n - 1][1]]
        firsts = [n for n in firsts if n == 0 or row[n][1] or row[n - 1][1]]  # one run of padding
        rows.append(
            {
                "tokens": [slot[0] for slot in row],
                "doc_ends": [*firsts[1:], config.row_tokens],
                "doc_ids": [row[n][1] for n in firsts],
                "doc_offsets": [row[n][3] for n in firsts],
                "cut": bool(row[-1][1]) and row[-1][3] + 1 < row[-1][4],
            }
        )
    return rows


SIZES = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 60), st.integers(0, 3)), max_size=14)


@given(SIZES, st.integers(1, 4), st.integers(1, 9), st.integers(2, 11), st.integers(1, 4), st.integers(1, 40))
@settings(deadline=None, max_examples=60)
def test_rows_are_the_documents_end_to_end_in_hash_order(
    sizes: list[tuple[int, int, int]],
    n_parts: int,
    n_partitions: int,
    row_tokens: int,
    rows_per_shard: int,
    chunk_tokens: int,
) -> None:
    docs, config = make_docs(sizes), ShardConfig(row_tokens=row_tokens, rows_per_shard=rows_per_shard)
    tables = shards_without_beam(parts_of(docs, n_parts), n_partitions, config, FACTS, 4 * chunk_tokens)
    for source in range(2):
        mine = [table for key, table in tables.items() if key[0] == source]
        assert [table.num_rows for table in mine[:-1]] == [rows_per_shard] * len(mine[:-1])
        got = [row for table in mine for row in table.to_pylist()]
        assert got == expected_rows(docs, source, config)


@given(SIZES)
@settings(deadline=None, max_examples=40)
def test_every_token_stands_once_for_each_copy_and_can_be_located(sizes: list[tuple[int, int, int]]) -> None:
    docs = make_docs(sizes)
    by_id = {doc.id: doc for doc in docs}
    found: list[int] = []
    for table in shards_without_beam(parts_of(docs, 2), 3, CONFIG, SMALL).values():
        assert table.schema.equals(arrow_schema(TokenRow), check_metadata=True)
        for row in table.to_pylist():
            for position, token in enumerate(row["tokens"]):
                doc_id, offset = locate(row, position)
                if doc_id:
                    assert by_id[doc_id].tokens[offset] == token
                    found.append(token)
                else:
                    assert token == FACTS.eos_id
    assert sorted(found) == sorted(token for doc in docs for token in doc.tokens * doc.copies)


def test_positions_count_on_from_the_partitions_before() -> None:
    block = make_block(
        PLACE,
        order=np.array([1, 2, 3, 4]),
        id_high=0,
        id_low=0,
        copy=np.array([0, 0, 1, 0]),
        source=np.array([1, 0, 1, 0]),
        n_tokens=np.array([5, 7, 2, 1]),
        part=np.array([9, 9, 3, 3]),
        row=np.array([0, 1, 2, 3]),
    )
    assert count_tokens(block, 3) == (8, 7, 0)
    got = {part: merge_blocks([data], POSITION).tolist() for part, data in positions_of_places(block, (100, 1000, 0))}
    # row, copy, source, n_tokens, start
    assert got == {3: [(2, 1, 1, 2, 1005), (3, 0, 0, 1, 107)], 9: [(0, 0, 1, 5, 1000), (1, 0, 0, 7, 100)]}


def test_totals_do_not_depend_on_the_order_of_partitions() -> None:
    totals = sum_up([(7, (1, 2)), (2, (10, 0)), (4, (0, 5))], 2)
    assert totals.before == {2: (0, 0), 4: (10, 0), 7: (10, 5)}
    assert totals.total == (11, 7)
    assert sum_up([], 2).total == (0, 0)


def test_cuts_lie_on_both_sides_of_a_chunks_end() -> None:
    positions = make_block(
        POSITION,
        row=np.arange(5),
        copy=0,
        source=2,
        n_tokens=np.array([10, 1, 0, 1, 25]),
        start=np.array([0, 9, 10, 10, 8]),
    )
    names = ["row", "chunk", "start", "offset", "n", "n_tokens"]
    cuts = cut_at_chunks(positions, ChunkLayout(10, 10, 10))
    assert cuts.dtype == CUT
    assert cuts[names].tolist() == [
        (0, 0, 0, 0, 10, 10),
        (1, 0, 9, 0, 1, 1),
        (3, 1, 10, 0, 1, 1),
        (4, 0, 8, 0, 2, 25),
        (4, 1, 10, 2, 10, 25),
        (4, 2, 20, 12, 10, 25),
        (4, 3, 30, 22, 3, 25),
    ]
    cuts = cut_at_chunks(positions[4:], ChunkLayout(10, 6, 4))  # chunks of a shard: 0-3, 4-5 | 6-9
    assert cuts[names].tolist() == [
        (4, 2, 8, 0, 2, 25),
        (4, 3, 10, 2, 4, 25),
        (4, 4, 14, 6, 2, 25),
        (4, 5, 16, 8, 4, 25),
        (4, 6, 20, 12, 4, 25),
        (4, 7, 24, 16, 2, 25),
        (4, 8, 26, 18, 4, 25),
        (4, 9, 30, 22, 3, 25),
    ]


def test_places_repeat_a_document_for_each_copy() -> None:
    ids = [content_id("a"), content_id("b"), content_id("c")]
    block = read_block(place_block(4, [5, 6, 9], ids, [0, 1, 0], [3, 4, 5], [2, 0, 1]), PLACE)
    assert block["row"].tolist() == [5, 5, 9]
    assert block["copy"].tolist() == [0, 1, 0]
    assert block["order"].tolist() == [keyed_hash(SALT, f"{ids[n]}:{k}") for n, k in ((0, 0), (0, 1), (2, 0))]
    assert set(block["part"].tolist()) == {4}
    assert place_block(0, [], [], [], [], []) == b""


@pytest.mark.parametrize("doc_id", ["", "abc", "g" * 32, "A" * 32, "é" * 32, " " * 32])
def test_ids_that_are_no_hexadecimal_digits_are_refused(doc_id: str) -> None:
    with pytest.raises(RunError, match="is not 32 hexadecimal digits"):
        place_block(0, [0], [doc_id], [0], [1], [1])


def test_a_part_that_changed_since_it_was_counted_is_refused() -> None:
    [before] = parts_of(make_docs([(0, 5, 1), (0, 6, 1), (0, 7, 1)]), 1)
    totals = sum_up([(0, count_tokens(read_block(places(0, before), PLACE), 2))], 2)
    [(_, data)] = positions_of_places(merge_blocks([places(0, before)], PLACE), totals.before[0])
    positions = merge_blocks([data], POSITION)
    layout = layout_of(CONFIG, FACTS)
    with pytest.raises(RunError, match="a part has 2 rows, but row 2 was counted"):
        list(load_chunks(Reader([before[:2]])(0), positions, layout, FACTS))
    with pytest.raises(RunError, match="not the number of tokens that was counted"):
        list(load_chunks(Reader([before[::-1]])(0), positions, layout, FACTS))
    tiny = TokenizerFacts(sha256="", vocab_size=19, bos_id=0, eos_id=1)
    with pytest.raises(RunError, match="token 19 is not of the tokenizer; its ids end at 19"):
        list(load_chunks(Reader([before])(0), positions, layout, tiny))
