"""Exported text is what the mix took, as often as it took it, whatever the format and the size of a file."""

from __future__ import annotations

import gzip
import json
import math
import shutil
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from pipelines.export.card import Made, text_card, unit_of
from pipelines.export.corpus import FinishedRun, Part, Taken
from pipelines.export.export import ExportOptions, export
from pipelines.export.folder import Record
from pipelines.export.text import TextPlan, _json_line, _repeated, folder_of, plan_files, plan_text
from pipelines.runs.counts import Counts
from pipelines.runs.dataset import Dataset
from pipelines.runs.folder import DataFolder, Manifest
from pipelines.stages.mix import TOKENIZED
from schemas.errors import ConfigError, RunError


def write(folder: Path, to: Path, **options: Any) -> list[dict[str, Any]]:
    """Export a run, and return the rows in the order of the files."""
    export(Dataset(str(folder)), str(to), ExportOptions(**options), lambda done, files: None)
    return read(to)


def read(folder: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for path in sorted(folder.rglob("train-*")):
        if path.suffix == ".parquet":
            rows += pq.read_table(path).to_pylist()
        else:
            rows += [json.loads(line) for line in gzip.decompress(path.read_bytes()).decode().split("\n") if line]
    return rows


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", ["parquet", "jsonl", "hf"])
@pytest.mark.parametrize("file_tokens", [0, 400])
def test_each_copy_is_a_row(
    exported_run: Path, taken: list[dict[str, Any]], tmp_path: Path, kind: str, file_tokens: int
) -> None:
    rows = write(exported_run, tmp_path / "out", kind=kind, file_tokens=file_tokens)
    wanted = [(row["id"], copy, row["text"], row["n_tokens"]) for row in taken for copy in range(row["copies"])]
    assert [(row["id"], row["copy"], row["text"], row["n_tokens"]) for row in rows] == wanted
    for name in ("url", "source", "language", "record_id", "offset", "metadata", "gopher", "blocks"):
        expected = [row[name] for row in taken for _ in range(row["copies"])]
        assert [row[name] for row in rows] == expected, name
    files = list((tmp_path / "out").rglob("train-*"))
    assert len(files) >= (2 if file_tokens else 1)


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_copies_as_a_weight(exported_run: Path, taken: list[dict[str, Any]], tmp_path: Path, kind: str) -> None:
    rows = write(exported_run, tmp_path / "out", kind=kind, copies="weight", columns=("text", "id"))
    assert [set(row) for row in rows] == [{"id", "text", "n_tokens", "weight"}] * len(taken)
    assert [(row["id"], row["weight"]) for row in rows] == [(row["id"], row["copies"]) for row in taken]


def test_one_run_of_the_dataset(exported_run: Path, taken: list[dict[str, Any]], tmp_path: Path) -> None:
    first = write(exported_run, tmp_path / "first", kind="parquet", run=0)
    second = write(exported_run, tmp_path / "second", kind="parquet", run=1)
    assert Counter(row["id"] for row in first + second) == {row["id"]: row["copies"] for row in taken}
    assert {row["id"] for row in first}.isdisjoint(row["id"] for row in second)


@pytest.mark.parametrize("kind", ["parquet", "jsonl", "hf"])
def test_the_same_bytes_again(exported_run: Path, tmp_path: Path, kind: str) -> None:
    for name in ("one", "two"):
        write(exported_run, tmp_path / name, kind=kind, file_tokens=1000)
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")


def test_the_card_counts_what_is_there(exported_run: Path, taken: list[dict[str, Any]], tmp_path: Path) -> None:
    write(exported_run, tmp_path / "out", kind="hf")
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    head = yaml.safe_load(card.split("---\n")[1])
    assert head["language"] == ["en"]
    assert "*id" not in card.split("---\n")[1]
    assert [config["config_name"] for config in head["configs"]] == ["default"]
    assert [column["name"] for column in head["dataset_info"][0]["features"]][-2:] == ["n_tokens", "copy"]
    copies, tokens = sum(r["copies"] for r in taken), sum(r["copies"] * r["n_tokens"] for r in taken)
    assert f"| common_crawl | {len(taken):,} | {copies:,} | {tokens:,} | 2 |" in card
    assert "licences of their sources" in card
    assert "| dedup |" in card


def test_each_source_has_a_configuration_of_its_own() -> None:
    documents = pa.schema([("id", pa.string()), ("text", pa.large_string()), ("at", pa.timestamp("ms", "UTC"))])
    sources = ("web", "a/b", "default")
    files = plan_files([part for source in sources for part in parts(1, source=source)], "jsonl", 100)
    run = FinishedRun("run", 0, [(manifest_of("mix", {TOKENIZED: "tokenize"}), DataFolder("run"))])
    plan = plan_text("jsonl", "rows", documents, ())
    records = {unit_of(file): Record({}, {"rows": 1}) for file in files}
    head = yaml.safe_load(text_card(Made([run], "recipe", "0"), plan, files, records).split("---\n")[1])
    paths = {config["config_name"]: config["data_files"][0]["path"] for config in head["configs"]}
    assert paths == {
        "default": ["a%2Fb/train-*", "default/train-*", "web/train-*"], "a%2Fb": ["a%2Fb/train-*"],
        "source-default": ["default/train-*"], "web": ["web/train-*"],
    }  # fmt: skip
    columns = {"id": "string", "text": "large_string", "at": "string", "n_tokens": "int64", "copy": "int32"}
    for info in head["dataset_info"]:
        assert {column["name"]: column["dtype"] for column in info["features"]} == columns
    assert head["size_categories"] == ["n<1K"]


def manifest_of(stage: str, facts: dict[str, Any]) -> Manifest:
    return Manifest(
        stage=stage, key="k", version="0", upstream={}, config={}, inputs=[], parts=1,
        counts=Counts.of(Counter(), {}), facts=facts,
    )  # fmt: skip


def test_hugging_face_datasets_loads_it(exported_run: Path, taken: list[dict[str, Any]], tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    for kind in ("parquet", "jsonl", "hf"):
        rows = write(exported_run, tmp_path / kind, kind=kind, file_tokens=400)
        loaded = datasets.load_dataset(str(tmp_path / kind), cache_dir=str(tmp_path / "cache"))["train"]
        assert loaded.num_rows == len(rows)
        assert sorted(loaded["text"]) == sorted(row["text"] for row in rows)
        assert loaded.column_names == list(rows[0])


def test_another_export_in_the_same_folder_is_loaded_anew(exported_run: Path, tmp_path: Path) -> None:
    """`datasets` keeps what it loads by a hash of the card, which named the same patterns for other texts."""
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    for kind in ("parquet", "jsonl"):
        found = []
        for run in (0, 1):
            rows = write(exported_run, tmp_path / kind, kind=kind, run=run)
            loaded = datasets.load_dataset(str(tmp_path / kind), cache_dir=str(tmp_path / "cache"))["train"]
            assert sorted(loaded["id"]) == sorted(row["id"] for row in rows)
            found.append(set(loaded["id"]))
            shutil.rmtree(tmp_path / kind)
        assert found[0].isdisjoint(found[1])


@pytest.mark.parametrize(
    ("columns", "said"),
    [(("text", "txet"), "--columns txet: not in the documents; there are id, text"), (("id",), "text is missing")],
)
def test_columns_that_cannot_be(exported_run: Path, tmp_path: Path, columns: tuple[str, ...], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        write(exported_run, tmp_path / "out", kind="parquet", columns=columns)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["n_tokens", "copy"])
def test_a_column_of_a_step_is_never_replaced(name: str) -> None:
    documents = pa.schema([("id", pa.string()), ("text", pa.large_string()), (name, pa.struct([("n", pa.int64())]))])
    with pytest.raises(RunError, match=f"column {name}: a step of the run has it"):
        plan_text("parquet", "rows", documents, ())


def parts(*tokens: int, source: str = "web", run: int = 0) -> list[Part]:
    return [Part(run, n, source, 1, 1, size) for n, size in enumerate(tokens)]


@pytest.mark.parametrize(
    ("sizes", "most", "groups"),
    [
        ([5, 5, 5], 10, [[5, 5], [5]]),
        ([20, 1, 1], 10, [[20], [1, 1]]),
        ([1, 20, 1], 10, [[1], [20], [1]]),
        ([10], 10, [[10]]),
        ([0, 0, 11, 0], 10, [[0, 0], [11], [0]]),
    ],
)
def test_files_hold_whole_parts(sizes: list[int], most: int, groups: list[list[int]]) -> None:
    files = plan_files(parts(*sizes), "parquet", most)
    assert [[part.tokens for part in file.parts] for file in files] == groups
    assert [file.path for file in files] == [
        f"web/train-{n:05d}-of-{len(groups):05d}.parquet" for n in range(len(groups))
    ]


def test_files_hold_one_source_and_one_run() -> None:
    mixed = [*parts(1, 1, source="web"), *parts(1, 1, source="books"), *parts(1, source="web", run=1)]
    files = plan_files(mixed, "jsonl", 100)
    assert [(file.source, {part.run for part in file.parts}, file.documents) for file in files] == [
        ("books", {0}, 2), ("web", {0}, 2), ("web", {1}, 1)
    ]  # fmt: skip


@pytest.mark.parametrize(
    "source", ["web", "a/b", "..", ".", ".hidden", "tokenizer", "ü", "a b", "README.md", "", "%2E", "a*[b]?"]
)
def test_the_folder_of_any_source_is_a_plain_name(source: str) -> None:
    name = folder_of(source)
    assert name == Path(name).name
    assert name[0] != "."
    assert name not in ("tokenizer", "")
    assert not set(name) & set("/*?[]")


def test_the_folders_of_sources_differ() -> None:
    sources = ["tokenizer", "%74okenizer", "", "%", ".a", "%2Ea", "a/b", "a%2Fb"]
    assert len({folder_of(source) for source in sources}) == len(sources)


def test_copies_of_many_are_made_a_few_at_a_time() -> None:
    documents = pa.record_batch({"id": ["a", "b"], "text": pa.array(["x" * 1000, "y"], pa.large_string())})
    taken = Taken(documents, np.array([1000, 1]), np.array([7, 3]))
    plan = plan_text("parquet", "rows", documents.schema, ())
    batches = list(_repeated(taken, plan))
    assert max(batch.num_rows for batch in batches) == 64
    rows = [row for batch in batches for row in batch.to_pylist()]
    assert [row["copy"] for row in rows] == [*range(1000), 0]
    assert [row["n_tokens"] for row in rows] == [7] * 1000 + [3]


def test_a_column_that_one_branch_lacks_is_null() -> None:
    schema = pa.schema([("id", pa.string()), ("text", pa.large_string()), ("post", pa.struct([("n", pa.int64())]))])
    documents = pa.record_batch({"id": ["a"], "text": pa.array(["x"], pa.large_string())})
    plan = TextPlan("parquet", "rows", plan_text("parquet", "rows", schema, ()).schema)
    (batch,) = _repeated(Taken(documents, np.array([1]), np.array([7])), plan)
    assert batch.to_pylist() == [{"id": "a", "text": "x", "post": None, "n_tokens": 7, "copy": 0}]


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (math.nan, None),
        ([1.5, math.inf, {"x": -math.inf}], [1.5, None, {"x": None}]),
        (datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC), "2020-01-02T03:04:05+00:00"),
        ("line\u2028separator \x00 \U0001f600 \r\n", "line\u2028separator \x00 \U0001f600 \r\n"),
        (None, None),
        (2**63 - 1, 2**63 - 1),
    ],
)
def test_any_value_is_one_line_of_json(value: Any, kept: Any) -> None:
    line = _json_line({"value": value})
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert json.loads(line, parse_constant=lambda name: pytest.fail(name)) == {"value": kept}
