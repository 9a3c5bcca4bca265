"""The global shuffle: every token once for each copy, the same shards whatever the parts, partitions and order."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import itertools
import pathlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import ConfigError, RunError
from schemas.identity import content_id, keyed_hash
from schemas.records import TokenRow, arrow_schema
from schemas.shards import TokenizerFacts, locate, shard_path
from transforms.blocks import make_block, merge_blocks, read_block, split_block
from transforms.shards import (
    CUT,
    PLACE,
    POSITION,
    SALT,
    Files,
    WriteShards,
    count_tokens,
    cut_at_chunks,
    load_chunks,
    place_block,
    positions_of_places,
    sum_up,
)
from transforms.token_chunks import ChunkLayout, Load, layout_of, pack_chunk, read_chunk
from transforms.token_chunks import checksum as crc
from transforms.token_rows import ShardConfig, open_parquet, pack_rows, write_rows

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


@dataclass(frozen=True)
class Opener:
    """Opens files for writing, their folders made first."""

    def __call__(self, path: str) -> BinaryIO:
        target = pathlib.Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        return target.open("wb")


@dataclass(frozen=True)
class FileReader:
    def __call__(self, path: str) -> bytes:
        return pathlib.Path(path).read_bytes()


def files_in(directory: pathlib.Path) -> Files:
    return Files(str(directory), str(directory / "scratch"), Opener(), Opener(), FileReader())


def write(
    directory: pathlib.Path,
    parts: list[list[Doc]],
    n_partitions: int,
    config: ShardConfig = CONFIG,
    chunk_tokens: int = 5,
    files: Files | None = None,
) -> Any:
    layout = layout_of(config, FACTS, 4 * chunk_tokens)
    files = files or files_in(directory)
    transform = WriteShards(SOURCES, FACTS, Reader(parts), files, config, n_partitions, layout=layout)
    blocks = [places(part, docs) for part, docs in enumerate(parts)]
    report = directory / "report"
    report.mkdir(parents=True)
    with beam.Pipeline(runner=FnApiRunner(), options=PipelineOptions([])) as pipeline:
        written = pipeline | beam.Create(blocks) | WriteShards.__name__ >> transform
        _ = written | beam.Map(lambda shard: (report / shard.path.replace("/", "%")).write_text(repr(shard)))
    found = {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*.parquet"))
        if path.parent != report
    }
    return found, sorted(path.read_text() for path in report.iterdir())


def test_the_same_shards_for_any_partitions_parts_and_order(tmp_path: pathlib.Path) -> None:
    docs = make_docs([(n % 3 % 2, n * 7 % 31, n % 3) for n in range(60)])
    files, report = write(tmp_path / "a", parts_of(docs, 1), 1)
    shuffled = random.Random(1).sample(docs, len(docs))
    assert write(tmp_path / "b", parts_of(shuffled, 5), 7, chunk_tokens=1000) == (files, report)
    assert write(tmp_path / "c", parts_of(shuffled, 2), 2, chunk_tokens=1) == (files, report)
    for code, source in enumerate(SOURCES):
        paths = [shard_path(source, n) for n in range(99) if shard_path(source, n) in files]
        rows = [row for path in paths for row in pq.read_table(io.BytesIO(files[path])).to_pylist()]
        assert rows == expected_rows(docs, code, CONFIG)
    assert len(files) == len(report) > 10
    assert all(hashlib.sha256(data).hexdigest() in "".join(report) for data in files.values())


def test_the_file_says_what_it_holds(tmp_path: pathlib.Path) -> None:
    docs = make_docs([(1, 20, 1), (1, 9, 1)])
    files, report = write(tmp_path / "a", [docs], 2)
    assert sorted(files) == ["source=wiki%2Fen/shard-00000.parquet", "source=wiki%2Fen/shard-00001.parquet"]
    file = pq.ParquetFile(io.BytesIO(files["source=wiki%2Fen/shard-00001.parquet"]))
    said = {key.decode(): value.decode() for key, value in file.schema_arrow.metadata.items()}
    assert said == {
        "winnow.record": "TokenRow",
        "winnow.schema_version": "1",
        "winnow.source": "wiki/en",
        "winnow.shard": "1",
        "winnow.source_tokens": "29",
        "winnow.total_tokens": "8",
        "winnow.real_tokens": "5",
        "winnow.row_tokens": "8",
        "winnow.tokenizer_sha256": "ab" * 32,
        "winnow.vocab_size": "70000",
        "winnow.bos_id": "0",
        "winnow.eos_id": "1",
    }
    assert file.schema_arrow.equals(arrow_schema(TokenRow))
    assert "rows=1, tokens=5, padding=3, documents=0," in report[1]
    assert "rows=3, tokens=24, padding=0, documents=2," in report[0]


def test_nothing_in_nothing_out(tmp_path: pathlib.Path) -> None:
    assert write(tmp_path / "a", [], 3) == ({}, [])
    assert write(tmp_path / "b", [make_docs([(0, 5, 0), (0, 0, 1)])], 3) == ({}, [])


def test_row_groups_have_64_rows_and_are_written_as_one_table_would_be(tmp_path: pathlib.Path) -> None:
    config = ShardConfig(row_tokens=4, rows_per_shard=130)
    docs = make_docs([*((0, n % 23, 1) for n in range(46)), (0, 14, 1)])  # 520 tokens
    [table] = shards_without_beam([docs], 1, config, FACTS).values()
    [data] = write(tmp_path / "a", [docs], 1, config, chunk_tokens=7)[0].values()
    metadata = pq.ParquetFile(io.BytesIO(data)).metadata
    assert [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)] == [64, 64, 2]
    assert metadata.row_group(0).column(0).compression == "ZSTD"
    known = table.schema.metadata
    said = {key: value for key, value in pq.read_schema(io.BytesIO(data)).metadata.items() if key not in known}
    whole = io.BytesIO()
    with open_parquet(whole, said) as writer:
        write_rows(writer, table.combine_chunks())
    assert whole.getvalue() == data
    assert pq.read_table(io.BytesIO(data)).to_pylist() == table.to_pylist()


def writer_and_groups(directory: pathlib.Path, files: Files | None = None) -> tuple[Any, Any, Any]:
    """A writer of shards, the groups of its first step, and the totals, for two shards of one source."""
    docs, layout = make_docs([(0, 20, 1), (0, 23, 1)]), layout_of(CONFIG, FACTS, 4 * 5)
    merged = merge_blocks([places(0, docs)], PLACE)
    totals = sum_up([(0, count_tokens(merged, len(SOURCES)))], len(SOURCES))
    positions = merge_blocks([next(positions_of_places(merged, (0, 0)))[1]], POSITION)
    groups: dict[tuple[int, int], list[Load]] = {}
    for chunk, load in load_chunks(Reader([docs])(0), positions, layout, FACTS):
        groups.setdefault(chunk, []).append(load)
    files = files or files_in(directory)
    return WriteShards(SOURCES, FACTS, Reader([]), files, CONFIG, 1, layout=layout).writer, groups, totals


def test_bundles_that_are_run_again_write_the_same(tmp_path: pathlib.Path) -> None:
    writer, groups, totals = writer_and_groups(tmp_path)
    packed = [writer.pack(group) for group in groups.items()]
    assert [writer.pack((chunk, loads[::-1])) for chunk, loads in groups.items()] == packed
    shards = [(0, 0), (0, 1)]
    of = {shard: [record for owner, record in packed if owner == shard] for shard in shards}
    assert {owner for owner, _ in packed} == set(shards)
    told = [writer.write((shard, of[shard]), totals) for shard in shards]
    before = [(tmp_path / shard.path).read_bytes() for shard in told]
    assert [writer.write((shard, of[shard][::-1] * 2), totals) for shard in shards] == told
    assert [(tmp_path / shard.path).read_bytes() for shard in told] == before
    assert [hashlib.sha256(data).hexdigest() for data in before] == [shard.sha256 for shard in told]
    assert [len(data) for data in before] == [shard.size_bytes for shard in told]


@dataclass(frozen=True)
class FullDisk:
    def __call__(self, path: str) -> BinaryIO:
        raise OSError(28, "No space left on device", path)


def test_a_shard_that_could_not_be_written_can_be_written_later(tmp_path: pathlib.Path) -> None:
    files = files_in(tmp_path)
    failing = dataclasses.replace(files, open_shard=FullDisk())
    writer, groups, totals = writer_and_groups(tmp_path, failing)
    packed = [writer.pack(group) for group in groups.items()]
    first = ((0, 0), [record for owner, record in packed if owner == (0, 0)])
    with pytest.raises(OSError, match="No space left"):
        writer.write(first, totals)
    assert writer_and_groups(tmp_path)[0].write(first, totals).tokens == 24


def test_a_shard_with_a_gap_is_refused(tmp_path: pathlib.Path) -> None:
    writer, groups, totals = writer_and_groups(tmp_path)
    lost = {chunk: loads for chunk, loads in groups.items() if chunk != (0, 2)}
    packed = [record for owner, record in map(writer.pack, lost.items()) if owner == (0, 0)]
    with pytest.raises(RunError, match="shards: chunk 2 of source web holds no tokens"):
        writer.write(((0, 0), packed), totals)
    writer, groups, totals = writer_and_groups(tmp_path)
    for wrong in (groups[0, 2][:-1], groups[0, 2] * 2):
        packed = [record for owner, record in map(writer.pack, {**groups, (0, 2): wrong}.items()) if owner == (0, 0)]
        with pytest.raises(RunError, match="shard 0 do not add up to tokens 0 to 24 of its source"):
            writer.write(((0, 0), packed), totals)


def test_scratch_that_was_damaged_is_refused(tmp_path: pathlib.Path) -> None:
    writer, groups, totals = writer_and_groups(tmp_path)
    packed = [record for owner, record in map(writer.pack, groups.items()) if owner == (0, 0)]
    path = tmp_path / "scratch" / "source-00000-chunk-00000001"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(RunError, match=f"{path}: is damaged: its checksum is not that of what was written"):
        writer.write(((0, 0), packed), totals)


def test_too_many_sources_are_refused() -> None:
    names = [str(n) for n in range(65_537)]
    with pytest.raises(ConfigError, match="65537 sources; must be <= 65536"):
        WriteShards(names, FACTS, Reader([]), files_in(pathlib.Path()), CONFIG, 1)
