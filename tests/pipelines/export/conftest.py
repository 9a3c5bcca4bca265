"""A dataset of two runs with several shards, documents that shards cut, and documents that the mix takes often."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipelines.export.corpus import FinishedRun, finished_runs
from pipelines.runs.dataset import Dataset
from tests.pipelines.conftest import rows, sentences

SETTINGS = ("shards.row_tokens=128", "shards.rows_per_shard=3", "mix.token_budget=4000", "mix.max_epochs=3")


@pytest.fixture(scope="session")
def exported_run(jsonl: Path, config: Path, command: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the dataset; tests must not change it."""
    folder = tmp_path_factory.mktemp("export")
    more = [
        {"text": sentences(seed, 5 + seed % 7), "url": f"https://more-{seed}.example/", "id": f"more-{seed}"}
        for seed in range(400, 412)
    ]
    old, new = folder / "a.jsonl", folder / "b.jsonl"
    old.write_text("".join(json.dumps(row) + "\n" for row in rows()), encoding="utf-8")
    new.write_text("".join(json.dumps(row) + "\n" for row in more), encoding="utf-8")
    sets = [word for setting in SETTINGS for word in ("--set", setting)]
    out = folder / "run"
    for inputs in ((old,), ("--new", old, new)):
        flags = [item for item in inputs if item == "--new"]
        paths = [item for item in inputs if item != "--new"]
        said = command("run", "--input", *paths, "--output", out, "--config", config, *flags, *sets)
        assert said.code == 0, said.out + said.err
    return out


@pytest.fixture(scope="session")
def runs(exported_run: Path) -> list[FinishedRun]:
    return finished_runs(Dataset(str(exported_run)))


@pytest.fixture(scope="session")
def taken(runs: list[FinishedRun]) -> list[dict[str, Any]]:
    """Each document that the mix took, with its copies and tokens: from the tables, by their ids."""
    found = []
    for run in runs:
        (before,) = run.tokenized[0].upstream
        documents = next(data for other, data in run.chain if other.stage == before)
        by_id = {row["id"]: row for row in _table(documents.table("documents"))}
        found += [
            {**by_id[row["id"]], "copies": row["copies"], "n_tokens": row["n_tokens"]}
            for row in _table(run.mix[1].table("mixed"))
        ]
    assert len(found) > 12
    assert {row["copies"] for row in found} >= {1, 2}
    return found


@pytest.fixture(scope="session")
def token_lists(runs: list[FinishedRun]) -> dict[str, list[int]]:
    """The tokens of each document by id, from the table of the tokenize stage."""
    return {row["id"]: row["tokens"] for run in runs for row in _table(run.tokenized[1].table("tokens"))}


def _table(folder: str) -> list[dict[str, Any]]:
    return [row for path in sorted(Path(folder).glob("*.parquet")) for row in pq.read_table(path).to_pylist()]
