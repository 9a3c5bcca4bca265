"""Files of shards: what is in them, and that any order, retry and partition writes the same."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import pathlib
import random
from dataclasses import dataclass
from typing import Any, BinaryIO

import apache_beam as beam
import pyarrow.parquet as pq
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from schemas.errors import ConfigError, RunError
from schemas.records import TokenRow, arrow_schema
from schemas.shards import shard_path
from tests.transforms.tokens.test_shards import (
    CONFIG,
    FACTS,
    SOURCES,
    Doc,
    Reader,
    expected_rows,
    make_docs,
    parts_of,
    places,
    shards_without_beam,
)
from transforms.shuffle.hash_blocks import merge_blocks
from transforms.tokens.shards import (
    PLACE,
    POSITION,
    Files,
    WriteShards,
    count_tokens,
    load_chunks,
    positions_of_places,
    sum_up,
)
from transforms.tokens.token_chunks import Load, layout_of
from transforms.tokens.token_rows import ShardConfig, open_parquet, write_rows


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
