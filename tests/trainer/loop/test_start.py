"""How far a run has read, told by its checkpoints."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from tests.trainer.small import recipe_of, stage, train
from trainer.loop.start import Place, place_in_data, read_place, with_absolute_paths
from trainer.recipe import EvalConfig


def test_a_checkpoint_tells_how_far_its_run_has_read(data: str, tmp_path: Path) -> None:
    recipe = recipe_of(data, stage("a", 6), stage("b", 4, seq_len=32))
    train(recipe, tmp_path)
    stages, batch = tmp_path / "stages", 64
    assert read_place(stages / "00-a" / "checkpoint") == Place({"a": 6 * batch}, 3)
    assert read_place(stages / "01-b" / "model") == Place({"a": 6 * batch + 4 * 2 * batch}, 3)
    within = max((tmp_path / "checkpoints").glob("step-*"))  # of a step of the second stage
    assert read_place(within) == Place({"a": 6 * batch + (int(within.name[-9:]) - 6) * 2 * batch}, 3)
    shutil.copytree(stages / "01-b" / "model", tmp_path / "elsewhere" / "from" / "the" / "hub")
    assert read_place(tmp_path / "elsewhere" / "from" / "the" / "hub") is None
    assert read_place(tmp_path / "absent") is None
    more = dataclasses.replace(recipe, seed=8, init_from=str(stages / "00-a" / "checkpoint"))
    placed = place_in_data(more)
    assert (placed.stream_seed, placed.data_starts) == (3, {"a": 6 * batch})
    assert place_in_data(placed) == placed
    said = dataclasses.replace(more, order_seed=5)
    assert place_in_data(said) == said


def test_paths_hold_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    evaluation = EvalConfig(held_out=("held",), tasks=("t.yaml",))
    recipe = dataclasses.replace(recipe_of("data", stage("a", 1)), evaluation=evaluation, init_from="gs://b/model")
    found = with_absolute_paths(dataclasses.replace(recipe, data=("data", "s3://b/run", "/x")))
    assert found.data == (str(tmp_path / "data"), "s3://b/run", "/x")
    assert found.evaluation.held_out == (str(tmp_path / "held"),)
    assert (found.evaluation.tokenizer, found.init_from) == ("", "gs://b/model")
