"""Inputs from the Hugging Face Hub, and an export to it: one commit, or nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.export.export import Exported, ExportOptions, export
from pipelines.runs.dataset import Dataset
from schemas.errors import RunError
from tests.hub import Hub, hub

constants = pytest.importorskip("huggingface_hub.constants")

TO = "hf://datasets/me/corpus"
NEW = {".gitattributes": b"*.parquet filter=lfs\n"}
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # huggingface_hub's own


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with hub(me__corpus=NEW) as served:
        monkeypatch.setattr(constants, "ENDPOINT", served.url)
        template = served.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)  # made from it on import
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        yield served


def make(run: Path, to: object, kind: str, **options: Any) -> Exported:
    return export(Dataset(str(run)), str(to), ExportOptions(kind=kind, **options), lambda done, files: None)


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", ["hf", "nanotron"])
def test_the_same_bytes_as_on_a_disk_in_one_commit(exported_run: Path, served: Hub, tmp_path: Path, kind: str) -> None:
    make(exported_run, tmp_path / "out", kind, file_tokens=800)
    assert make(exported_run, TO, kind, file_tokens=800).is_new
    assert served.repositories["me/corpus"] == {**NEW, **bytes_of(tmp_path / "out")}
    assert len(served.commits) == 1
    assert not make(exported_run, TO, kind, file_tokens=800).is_new
    assert len(served.commits) == 1


def test_another_export_replaces_one(exported_run: Path, served: Hub, tmp_path: Path) -> None:
    make(exported_run, TO, "hf", file_tokens=800)
    make(exported_run, tmp_path / "out", "jsonl", columns=("id", "text"))
    make(exported_run, TO, "jsonl", columns=("id", "text"))
    assert served.repositories["me/corpus"] == {**NEW, **bytes_of(tmp_path / "out")}


def test_a_folder_of_a_repository(exported_run: Path, served: Hub, tmp_path: Path) -> None:
    served.repositories["me/corpus"]["notes.txt"] = b"mine"
    make(exported_run, tmp_path / "out", "tokenizer")
    make(exported_run, f"{TO}/tokenizer", "tokenizer")
    below = {f"tokenizer/{name}": data for name, data in bytes_of(tmp_path / "out").items()}
    assert served.repositories["me/corpus"] == {**NEW, "notes.txt": b"mine", **below}


def test_files_of_somebody_else_are_refused(exported_run: Path, served: Hub) -> None:
    served.repositories["me/corpus"]["README.md"] = b"mine"
    with pytest.raises(RunError, match="not empty and not written by winnow export"):
        make(exported_run, TO, "hf")
    assert not served.commits


def test_a_commit_that_is_refused_changes_nothing(exported_run: Path, served: Hub) -> None:
    served.fault = lambda method, path: 403 if "/commit/" in path else 0
    with pytest.raises(RunError, match=f"{TO}: cannot be written: .*403"):
        make(exported_run, TO, "hf")
    assert served.repositories["me/corpus"] == NEW


def test_a_repository_that_is_not_there_is_told_before_any_work(
    exported_run: Path, served: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.export.export.write_file", lambda *_: pytest.fail("worked in vain"))
    with pytest.raises(RunError, match="hf://datasets/me/none: no such repository on the Hub"):
        make(exported_run, "hf://datasets/me/none", "hf")


def test_the_command_writes_there_and_a_run_does_not(exported_run: Path, served: Hub, call: Any) -> None:
    said = call("export", exported_run, "--to", f"{TO}/", "--format", "tokenizer")
    assert (said.code, said.out.partition(":")[0]) == (0, "hf")
    said = call("plan", "--input", exported_run / "config.yaml", "--output", TO)
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert f"{TO}: cannot be a run's folder, as each file would be a commit; winnow export writes there" in said.err


@pytest.mark.slow
def test_a_run_reads_its_inputs_from_the_hub(
    jsonl: Path, config: Path, tmp_path: Path, command: Any, served: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = jsonl.read_bytes().splitlines(keepends=True)
    served.repositories["me/rows"] = {"data/a.jsonl": b"".join(lines[:8]), "data/b.jsonl": b"".join(lines[8:])}
    served.token = "hf_secret"
    for name, value in {"HF_ENDPOINT": served.url, "HF_TOKEN": "hf_secret", "HF_HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    out = tmp_path / "run"
    said = command("run", "--input", "hf://datasets/me/rows/data/*.jsonl", "--output", out, "--config", config)
    assert said.code == 0, said.out + said.err
    inputs = json.loads((out / "inputs.json").read_text())["inputs"]
    assert [entry["path"] for entry in inputs] == [f"hf://datasets/me/rows/data/{name}.jsonl" for name in "ab"]
    assert all("blob_id=" in entry["checksum"] for entry in inputs)
    book = json.loads(command("ledger", out, "--json").out)
    assert book["stages"][0]["read"] == len(lines)
    assert "hf_secret" not in said.out + said.err + (out / "config.yaml").read_text()
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    refused = command("plan", "--input", "hf://datasets/me/rows/data", "--output", tmp_path / "other")
    assert (refused.code, refused.err.count("\n")) == (1, 1)
    assert "hf://datasets/me/rows/data" in refused.err
