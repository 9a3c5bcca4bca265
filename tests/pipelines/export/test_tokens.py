"""Exported tokens are those of the shards, document by document; each format is read back by its documented layout."""

from __future__ import annotations

import itertools
import json
import struct
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.export.corpus import FinishedRun
from pipelines.export.export import ExportOptions, export
from pipelines.export.token_files import FileFacts
from pipelines.export.tokens import plan_tokens, spans_of, write_file
from pipelines.runs.counts import Counts
from pipelines.runs.dataset import Dataset
from pipelines.runs.folder import DataFolder, Manifest
from schemas.errors import RunError
from schemas.shards import ShardMetadata, TokenizerFacts, shard_path
from transforms.shuffle.hash_blocks import make_block
from transforms.tokens.token_rows import HEAD, ShardConfig, documents_started, open_parquet, pack_rows, write_rows

SMALL = TokenizerFacts(sha256="a" * 64, vocab_size=400, bos_id=0, eos_id=1)
Lists = list[list[int]]


def facts(vocab_size: int = 400) -> FileFacts:
    return FileFacts(TokenizerFacts(sha256="a" * 64, vocab_size=vocab_size, bos_id=0, eos_id=1), "tokenizer/x.json")


def make_run(folder: Path, sources: dict[str, Sequence[Sequence[int]]], config: ShardConfig) -> FinishedRun:
    """Write shards of some documents with the pipeline's own code."""
    shards: list[dict[str, Any]] = []
    for source, documents in sources.items():
        flat = np.concatenate([np.array(tokens, np.uint32) for tokens in documents])
        starts = np.cumsum([0, *map(len, documents)])
        for number, base in enumerate(range(0, len(flat), config.shard_tokens)):
            end = min(base + config.shard_tokens, len(flat))
            begin, stop = np.maximum(starts[:-1], base), np.minimum(starts[1:], end)
            some = np.flatnonzero(begin < stop)
            heads = make_block(
                HEAD, start=begin[some], id_high=some + 1, id_low=0, offset=(begin - starts[:-1])[some],
                n=(stop - begin)[some], n_tokens=np.diff(starts)[some],
            )  # fmt: skip
            table = pack_rows([(heads, flat[base:end])], base, end, "a shard", config, SMALL)
            path = folder / shard_path(source, number)
            path.parent.mkdir(parents=True, exist_ok=True)
            rows = table.num_rows
            metadata = ShardMetadata(
                source=source, shard=number, source_tokens=len(flat), total_tokens=rows * config.row_tokens,
                real_tokens=end - base, row_tokens=config.row_tokens, tokenizer=SMALL,
            )  # fmt: skip
            with path.open("wb") as file, open_parquet(file, metadata.to_footer()) as parquet:
                write_rows(parquet, table)
            shards.append({
                "path": shard_path(source, number), "source": source, "shard": number, "rows": rows,
                "tokens": end - base, "padding": rows * config.row_tokens - (end - base),
                "documents": documents_started(table),
            })  # fmt: skip
    manifest = Manifest(
        stage="shards", key="k", version="0", upstream={}, config={}, inputs=[], parts=1,
        counts=Counts.of(Counter(), {}), facts={"shards": shards},
    )  # fmt: skip
    return FinishedRun(str(folder), 0, [(manifest, DataFolder(str(folder)))])


def documents_of(run: FinishedRun, file_tokens: int) -> dict[str, Lists]:
    """Return the documents of each source as the files of an export of this size hold them."""
    found: dict[str, Lists] = {}
    for file in plan_tokens([run], file_tokens):
        tokens: list[int] = []
        starts: list[int] = []
        for span in spans_of(file):
            starts += [len(tokens) + int(start) for start in span.starts]
            tokens += span.tokens.tolist()
        assert starts[0] == 0
        assert len(starts) == file.documents
        found.setdefault(file.source, []).extend(tokens[a:b] for a, b in itertools.pairwise([*starts, len(tokens)]))
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=30),
    row_tokens=st.integers(2, 17),
    rows_per_shard=st.integers(1, 3),
    file_tokens=st.integers(1, 200),
)
def test_no_document_is_lost_or_cut(
    tmp_path_factory: pytest.TempPathFactory,
    lengths: list[int],
    row_tokens: int,
    rows_per_shard: int,
    file_tokens: int,
) -> None:
    numbers = itertools.count()
    documents = [[next(numbers) % 400 for _ in range(length)] for length in lengths]
    sources = {"web": documents, "books": [documents[0], documents[0]]}
    config = ShardConfig(row_tokens=row_tokens, rows_per_shard=rows_per_shard)
    run = make_run(tmp_path_factory.mktemp("shards"), sources, config)
    assert documents_of(run, file_tokens) == sources


@pytest.mark.parametrize("length", [3, 8, 9, 16, 17, 40, 1000])
def test_a_document_longer_than_shards_and_files(tmp_path: Path, length: int) -> None:
    documents = [[7, 8], list(range(length)), [9]]
    run = make_run(tmp_path, {"web": documents}, ShardConfig(row_tokens=4, rows_per_shard=2))
    assert documents_of(run, 1) == {"web": documents}


def test_a_first_shard_that_is_missing_is_told(tmp_path: Path) -> None:
    run = make_run(tmp_path, {"web": [list(range(20)), [1, 2]]}, ShardConfig(row_tokens=4, rows_per_shard=2))
    shards = run.shards[0].facts["shards"]
    shards[1]["shard"] = 0
    del shards[0]
    (file,) = plan_tokens([run], 100)
    with pytest.raises(RunError, match="begins within a document"):
        write_file(file, "bin", facts(), str(tmp_path / "out"))


def test_a_wrong_number_of_documents_is_told(tmp_path: Path) -> None:
    run = make_run(tmp_path, {"web": [[1, 2], [3]]}, ShardConfig(row_tokens=4, rows_per_shard=2))
    run.shards[0].facts["shards"][0]["documents"] = 3
    (file,) = plan_tokens([run], 100)
    for kind in ("megatron", "nanotron", "bin"):
        with pytest.raises(RunError, match="documents begin in its shards"):
            write_file(file, kind, facts(), str(tmp_path / "out"))


def read_flat(stem: Path) -> Lists:
    said = json.loads(stem.with_suffix(".json").read_text())
    tokens = np.fromfile(stem.parent / said["tokens_file"], said["dtype"])
    ends = np.fromfile(stem.parent / said["ends_file"], "<u8")
    assert (said["tokens"], said["documents"]) == (len(tokens), len(ends))
    return [part.tolist() for part in np.split(tokens, ends[:-1].astype(np.int64))]


def read_datatrove(stem: Path) -> Lists:
    name, total, _ = Path(f"{stem}.ds.metadata").read_text().split("\n")
    size = int(name.partition("|")[2])
    tokens = np.fromfile(f"{stem}.ds", {2: "<u2", 4: "<u4"}[size])
    ends = np.fromfile(f"{stem}.ds.index", "<u8")
    assert (len(tokens), ends[-1]) == (int(total), int(total))
    return [part.tolist() for part in np.split(tokens, ends[:-1].astype(np.int64))]


def read_megatron(stem: Path) -> Lists:
    index = stem.with_suffix(".idx").read_bytes()
    assert index[:9] == b"MMIDIDX\0\0"
    version, code, sequences, documents = struct.unpack_from("<QBQQ", index, 9)
    assert (version, documents) == (1, sequences + 1)
    dtype = np.dtype({8: "<u2", 4: "<i4"}[code])
    lengths = np.frombuffer(index, "<i4", sequences, 34)
    pointers = np.frombuffer(index, "<i8", sequences, 34 + 4 * sequences)
    firsts = np.frombuffer(index, "<i8", documents, 34 + 12 * sequences)
    assert len(index) == 34 + 12 * sequences + 8 * documents
    assert firsts.tolist() == list(range(sequences + 1))
    data = stem.with_suffix(".bin").read_bytes()
    assert len(data) == dtype.itemsize * int(lengths.sum())
    return [np.frombuffer(data, dtype, n, at).tolist() for n, at in zip(lengths, pointers, strict=True)]


READERS = {"bin": read_flat, "nanotron": read_datatrove, "megatron": read_megatron}
FIRST_FILE = {"bin": ".bin", "nanotron": ".ds", "megatron": ".bin"}


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("vocab_size", [400, 65_499, 65_500, 65_536, 65_537, 128_256])
def test_every_size_of_vocabulary(tmp_path: Path, kind: str, vocab_size: int) -> None:
    top = vocab_size - 1
    documents = [[0, top, 1], [0, top - 1, top, 5, 1], [0, 1]]
    run = make_run(tmp_path, {"web": documents}, ShardConfig(row_tokens=4, rows_per_shard=1))
    (file,) = plan_tokens([run], 100)
    record = write_file(file, kind, facts(vocab_size), str(tmp_path / "out"))
    assert READERS[kind](tmp_path / "out" / file.stem) == documents
    assert record.counts == {"documents": 3, "tokens": 10}
    width = 2 if vocab_size < 65_500 or (kind != "megatron" and vocab_size <= 65_536) else 4
    assert record.files[f"{file.stem}{FIRST_FILE[kind]}"]["bytes"] == 10 * width


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("file_tokens", [0, 500])
def test_a_run_is_read_back_equal(
    exported_run: Path,
    taken: list[dict[str, Any]],
    token_lists: dict[str, list[int]],
    tmp_path: Path,
    kind: str,
    file_tokens: int,
) -> None:
    out = tmp_path / "out"
    done = export(Dataset(str(exported_run)), str(out), ExportOptions(kind=kind, file_tokens=file_tokens), quiet)
    stems = sorted(str(path).removesuffix(FIRST_FILE[kind]) for path in out.rglob(f"tokens-*{FIRST_FILE[kind]}"))
    found = [tuple(tokens) for stem in stems for tokens in READERS[kind](Path(stem))]
    wanted = Counter({tuple(token_lists[row["id"]]): row["copies"] for row in taken})
    assert Counter(found) == wanted
    assert found == in_shards(exported_run)
    assert len(stems) >= (4 if file_tokens else 2)  # a file holds one run, at most
    assert done.counts == {"documents": len(found), "tokens": sum(map(len, found))}
    assert (out / "tokenizer" / "tokenizer.json").exists()


@pytest.mark.parametrize("kind", READERS)
def test_the_same_bytes_again(exported_run: Path, tmp_path: Path, kind: str) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        export(Dataset(str(exported_run)), str(folder), ExportOptions(kind=kind, file_tokens=700), quiet)
    one, two = (
        {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in folders
    )
    assert one == two


def test_megatron_is_told_where_its_files_are(exported_run: Path, tmp_path: Path) -> None:
    export(Dataset(str(exported_run)), str(tmp_path / "out"), ExportOptions(kind="megatron", file_tokens=700), quiet)
    lines = (tmp_path / "out" / "data-args.txt").read_text().splitlines()
    for line in lines:
        weight, prefix = line.split()
        assert int(weight) == (tmp_path / "out" / f"{prefix}.bin").stat().st_size
    assert len(lines) == len(list((tmp_path / "out").rglob("*.idx")))


def test_megatrons_own_reader(exported_run: Path, tmp_path: Path) -> None:
    indexed = pytest.importorskip("megatron.core.datasets.indexed_dataset")
    export(Dataset(str(exported_run)), str(tmp_path / "out"), ExportOptions(kind="megatron"), quiet)
    found = []
    for path in sorted((tmp_path / "out").rglob("*.idx")):
        dataset = indexed.IndexedDataset(str(path.with_suffix("")))
        found += [tuple(dataset[n].tolist()) for n in range(len(dataset))]
    assert found == in_shards(exported_run)


def test_datatroves_own_reader(exported_run: Path, tmp_path: Path) -> None:
    reader = pytest.importorskip("datatrove.utils.dataset")
    export(Dataset(str(exported_run)), str(tmp_path / "out"), ExportOptions(kind="nanotron"), quiet)
    wanted = in_shards(exported_run)
    for path in sorted((tmp_path / "out" / "common_crawl").glob("*.ds")):
        whole = path.stat().st_size // 2  # one window over the whole file
        windows = reader.DatatroveFileDataset(str(path), whole - 1, token_size=2, return_positions=True)
        assert len(windows) == 1
        window = windows[0]
        n_documents = len(read_datatrove(path.with_suffix("")))
        here, wanted = wanted[:n_documents], wanted[n_documents:]
        assert window["input_ids"].tolist() == [token for tokens in here for token in tokens]
        assert window["positions"].tolist() == [n for tokens in here for n in range(len(tokens))]
    assert not wanted


def in_shards(run: Path) -> list[tuple[int, ...]]:
    """Return every copy of every document, in the order of the shards of one source."""
    found: list[tuple[int, ...]] = []
    for folder in (run, run / "runs" / "000001"):
        key = json.loads((folder / "shards" / "manifest.json").read_text())["key"]
        pieces: list[list[int]] = []
        for path in sorted((folder / "shards" / key).rglob("shard-*.parquet")):
            for row in pq.ParquetFile(path).read().to_pylist():
                start = 0
                for end, name, offset in zip(row["doc_ends"], row["doc_ids"], row["doc_offsets"], strict=True):
                    if name and not offset:
                        pieces.append([])
                    if name:
                        pieces[-1] += row["tokens"][start:end]
                    start = end
        found += map(tuple, pieces)
    return found


def quiet(done: int, files: int) -> None:
    """Tell nobody."""
