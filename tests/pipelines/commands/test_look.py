"""`winnow ledger`, `show` and `plan` on a dataset of two runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipelines.cli import app
from pipelines.runs.dataset import Dataset
from pipelines.stages.tokens import tokenizer_of
from tests.pipelines.conftest import rows, sentences

Call = Any


@pytest.fixture(scope="module")
def inputs(jsonl: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the inputs of the dataset are: those of `small_run` and six documents, a copy, and a newer address."""
    folder = tmp_path_factory.mktemp("inputs")
    shutil.copy(jsonl, folder / "a.jsonl")
    old = rows()
    texts = [sentences(seed) for seed in range(200, 206)] + [f"{old[3]['text']}\nMenu", sentences(300)]
    more = [
        {"text": text, "url": f"https://new-{n}.example/page", "id": f"new-{n}", "date": f"2021-01-{n + 1:02d}"}
        for n, text in enumerate(texts)
    ]
    more[-1]["url"] = old[4]["url"]
    (folder / "b.jsonl").write_text("".join(json.dumps(row) + "\n" for row in more))
    return folder


@pytest.fixture(scope="module")
def dataset(inputs: Path, config: Path, command: Call, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of two runs; tests must not change it."""
    folder = tmp_path_factory.mktemp("dataset") / "out"
    given = ("--input", inputs, "--output", folder, "--config", config, "--max-inputs", 1)
    for number in range(2):
        said = command("run", "--new", *given)
        assert said.code == 0, said.out + said.err
        assert f"{Dataset(str(folder)).run(number).path}: done in " in said.out
    return folder


@pytest.fixture
def book(call: Call, dataset: Path) -> dict[str, Any]:
    said = call("ledger", dataset, "--json")
    assert (said.code, said.err) == (0, "")
    found: dict[str, Any] = said.json
    return found


def fates(stages: list[dict[str, Any]]) -> dict[str, tuple[int, int]]:
    return {stage["name"]: (stage["read"], stage["kept"]) for stage in stages}


def test_the_ledger_is_the_sum_and_each_run(book: dict[str, Any], dataset: Path) -> None:
    first, second = (fates(run["stages"]) for run in book["runs"])
    assert first["web/index"] == (16, 14)
    assert second["web/index"] == (8, 7)
    assert second["dedup"][1] == 6
    assert fates(book["stages"]) == {
        name: (first[name][0] + second[name][0], first[name][1] + second[name][1]) for name in first
    }
    for stage in book["stages"]:
        assert stage["read"] == stage["kept"] + sum(stage["dropped"].values()) + sum(stage["failed"].values())
    assert [(run["run"], run["path"], run["finished"], run["inputs"]) for run in book["runs"]] == [
        (0, str(dataset), True, 1), (1, f"{dataset}/runs/000001", True, 1)
    ]  # fmt: skip


def test_the_ledger_lists_the_shards_of_all_runs(book: dict[str, Any], dataset: Path) -> None:
    paths = [Path(shard["path"]) for shard in book["shards"]]
    assert len(paths) == 2
    assert all(path.is_file() for path in paths)
    assert paths[0].is_relative_to(dataset / "shards")
    assert paths[1].is_relative_to(dataset / "runs" / "000001" / "shards")


def test_the_ledger_of_one_run_is_its_own(call: Call, book: dict[str, Any], dataset: Path) -> None:
    for run in book["runs"]:
        one = call("ledger", dataset, "--run", run["run"], "--json").json
        assert one == {name: run[name] for name in ("stages", "shards", "mix", "former", "skipped_inputs")}
    said = call("ledger", dataset, "--run", 2)
    assert (said.code, said.err) == (1, f"winnow: --run 2: no such run in {dataset}; there are runs 0, 1\n")


def test_a_later_run_is_a_run_folder_to_look_at(call: Call, book: dict[str, Any], dataset: Path) -> None:
    alone = call("ledger", dataset / "runs" / "000001", "--json").json
    assert alone["stages"] == book["runs"][1]["stages"]


def test_the_mix_of_a_dataset_is_of_all_its_tokens(book: dict[str, Any]) -> None:
    mix, runs = book["mix"], [run["mix"] for run in book["runs"]]
    for name in ("budget", "available_tokens", "reached_tokens", "shortfall_tokens"):
        assert mix[name] == sum(run[name] for run in runs)
    assert mix["reached_tokens"] == sum(shard["tokens"] for shard in book["shards"])
    for row in mix["rows"]:
        assert row["epochs"] == row["reached_tokens"] / row["available_tokens"]
        assert row["reached_share"] == row["reached_tokens"] / mix["reached_tokens"]
    assert {row["axis"] for row in mix["rows"]} == {"source", "language", "quality", "group"}


def test_a_person_sees_the_runs(call: Call, dataset: Path) -> None:
    said = call("ledger", dataset)
    assert said.code == 0
    assert "2 shards" in said.out
    assert "  runs/000001" in said.out
    assert "not finished" not in said.out


def test_show_looks_through_all_runs(call: Call, dataset: Path) -> None:
    found = call("show", dataset, "--limit", 0, "--json").json
    assert [row["run"] for row in found].count(0) == 9
    assert [row["run"] for row in found].count(1) == 6
    assert not any("run" in row for row in call("show", dataset, "--run", 1, "--json").json)
    sample = call("show", dataset, "--random", 8, "--json").json
    assert {row["run"] for row in sample} == {0, 1}
    assert [row["id"] for row in call("show", dataset, "--url", "new-", "--limit", 2, "--json").json] == [
        row["id"] for row in found if "new-" in row["url"]
    ][:2]


@pytest.mark.parametrize(("record", "run"), [("row-05", 0), ("new-2", 1)])
def test_show_finds_a_record_of_any_run(call: Call, dataset: Path, record: str, run: int) -> None:
    (found,) = call("show", dataset, "--id", record, "--json").json
    assert (found["run"], found["record_id"]) == (run, record)


def test_what_a_later_run_dropped_for_an_earlier_one_leads_there(call: Call, dataset: Path) -> None:
    dropped = call("show", dataset, "--table", "rejected", "--run", 1, "--limit", 0, "--json").json
    assert len(dropped) == 2, [row["reason"] for row in dropped]
    (copy,) = [row for row in dropped if row["stage"] == "dedup"]
    (kept,) = call("show", dataset, "--id", copy["detail"], "--json").json
    assert (kept["run"], kept["url"]) == (0, "https://site-3.example/page")


def test_a_token_of_any_run_leads_to_its_record(call: Call, dataset: Path, book: dict[str, Any]) -> None:
    for number, prefix in ((0, "row-"), (1, "new-")):
        (found,) = call("show", dataset, "--token", f"{number}:0:40", "--json").json
        assert found["run"] == number
        assert found["record_id"].startswith(prefix)
        assert found["shard"] == book["shards"][number]["path"]
        assert call("show", dataset, "--token", f"{found['shard']}:0:40", "--json").json == [found]
    name = "/".join(Path(book["shards"][0]["path"]).parts[-2:])
    said = call("show", dataset, "--token", f"{name}:0:0")
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert "2 runs have such a shard" in said.err


def test_both_runs_have_one_tokenizer(call: Call, dataset: Path, book: dict[str, Any]) -> None:
    runs = [{m.stage: (m, d) for m, d in run.committed()} for run in Dataset(str(dataset)).runs()]
    (first, data), (second, _) = (run["tokenize"] for run in runs)
    assert first.facts["tokenizer"]["sha256"] == second.facts["tokenizer"]["sha256"]
    tokenizer = tokenizer_of(first, data)
    texts = {row["id"]: row["text"] for row in call("show", dataset, "--run", 1, "--limit", 0, "--json").json}
    row = pq.ParquetFile(book["shards"][1]["path"]).read().to_pylist()[0]
    start = 0
    for end, document_id, offset in zip(row["doc_ends"], row["doc_ids"], row["doc_offsets"], strict=True):
        if offset == 0 and end < len(row["tokens"]) and document_id:
            assert tokenizer.decode(row["tokens"][start:end]) == texts[document_id]
        start = end


def test_another_tokenizer_is_refused_before_anything_runs(
    command: Call, inputs: Path, config: Path, dataset: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(dataset, tmp_path / "out")
    (tmp_path / "c.jsonl").write_text(json.dumps(rows()[0]) + "\n")
    given = ("run", "--new", "--input", inputs, tmp_path / "c.jsonl", "--output", copy, "--config", config)
    said = command(*given, "--set", "tokenizer.vocab_size=500")
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert "tokenizer.vocab_size: 500 is not allowed; it is 400 in this dataset's tokenizer, SHA-256 " in said.err
    assert not list((copy / "runs" / "000002").rglob("*.parquet"))


def test_plan_says_what_is_new(call: Call, inputs: Path, config: Path, dataset: Path, tmp_path: Path) -> None:
    given = ("plan", "--new", "--output", dataset, "--config", config)
    plan = call(*given, "--input", inputs, "--json").json
    assert plan == {"run": "", "unfinished": False, "new_inputs": 0, "inputs": [], "stages": []}
    assert call(*given, "--input", inputs).out == "nothing new: 2 inputs are all in committed runs\n"
    (tmp_path / "c.jsonl").write_text("{}\n")
    plan = call(*given, "--input", inputs, tmp_path / "c.jsonl", "--json").json
    assert (plan["run"], plan["new_inputs"]) == (f"{dataset}/runs/000002", 1)
    assert plan["inputs"] == [{"path": str(tmp_path / "c.jsonl"), "size": 3}]
    assert {(stage["run"], stage["why"]) for stage in plan["stages"]} == {(True, "not done yet")}
    said = call(*given, "--input", inputs, tmp_path / "c.jsonl")
    assert f"{dataset}/runs/000002: the next run" in said.out


def test_what_would_change_an_earlier_run_is_refused(call: Call, inputs: Path, config: Path, dataset: Path) -> None:
    given = ("--input", inputs / "a.jsonl", "--output", dataset, "--config", config, "--set", "lines.max_copies=1")
    for name in ("plan", "run"):
        said = call(name, *given)
        assert (said.code, said.err.count("\n")) == (1, 1)
        assert "stage dedup would be redone (changed: lines.max_copies: 6 -> 1)" in said.err
    said = call("run", "--new", "--input", inputs, "--output", dataset / "runs" / "000001")
    assert said.code == 1
    assert "is a run of the dataset" in said.err


def test_a_limit_without_new_is_wrong_usage(call: Call, inputs: Path, tmp_path: Path) -> None:
    for name in ("plan", "run"):
        said = call(name, "--input", inputs, "--output", tmp_path / "d", "--max-inputs", 1)
        assert (said.code, said.err.count("\n")) == (2, 1)
        assert "--max-inputs goes with --new" in said.err
        assert call(name, "--new", "-i", inputs, "-o", tmp_path / "d", "--max-inputs", 0).code == 2


def test_a_dataset_of_another_version_can_be_looked_at(call: Call, dataset: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(dataset, tmp_path / "out")
    marker = json.loads((copy / "winnow.json").read_text())
    (copy / "winnow.json").write_text(json.dumps({**marker, "version": "0.0.1"}))
    assert call("ledger", copy, "--json").code == 0
    (copy / "winnow.json").write_text(json.dumps({**marker, "format": 0}))
    assert "format 0; this is Winnow" in call("ledger", copy).err


def test_the_commands_are_these() -> None:
    names = [command.name for command in app.registered_commands]
    assert names == [
        "run", "plan", "ledger", "show", "compare", "whatif", "tune", "export", "drop-former", "config", "recipes",
        "train-classifier", "evaluate-classifier", "train-perplexity", "label", "agreement", "demo-web",
    ]  # fmt: skip
