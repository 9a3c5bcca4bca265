"""A run that goes on at another place, where none of the paths is that it began with."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from schemas.errors import ConfigError, RunError
from tests.trainer.loop.test_run import stop_after
from tests.trainer.row_files import dialogues, row_stage, write
from tests.trainer.small import Listener, recipe_of, stage, train, write_shards
from trainer.commands.cli import _load
from trainer.evaluate.finished import opened, read_saved_recipe
from trainer.loop.loop import StoppedError
from trainer.loop.run import run
from trainer.recipe import Recipe
from trainer.stages.inputs import Inputs


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    """A run that begins with another's checkpoint, reads rows, then shards, and takes in a third model."""
    here = tmp_path / "here"
    data = write_shards(here / "shards")
    before = recipe_of(data, stage("a", 2))
    train(before, here / "before")
    init = here / "before" / "stages" / "00-a" / "checkpoint"
    other = shutil.copytree(here / "before" / "stages" / "00-a" / "model", here / "other")
    sft = row_stage("sft", "weighted_next_token", write(here / "talks", dialogues()), 3)
    soup = stage("soup", 4, begin=("sft", str(other)))
    return dataclasses.replace(before, stages=(stage("b", 3), sft, soup), init_from=str(init))


def test_a_moved_run_goes_on_from_its_own_folder(recipe: Recipe, tmp_path: Path) -> None:
    wanted = train(recipe, tmp_path / "undisturbed").weights_sha256
    with pytest.raises(StoppedError):
        train(recipe, tmp_path / "here" / "run", stop_after(7))
    there = tmp_path / "there"
    there.mkdir()
    for name in ("run", "shards"):
        shutil.move(tmp_path / "here" / name, there / name)
    shutil.rmtree(tmp_path / "here")  # with the models that it began with, and the rows that it has read

    again = _load(str(there / "run" / "recipe.json"), [str(there / "shards")])
    heard = Listener()
    assert run(again, there / "run", heard).weights_sha256 == wanted
    assert len(heard.losses) == 10 - 8
    with opened(there / "run", read_saved_recipe(there / "run")) as training:
        assert training.digest() == wanted


def test_an_input_that_has_changed_is_another_recipe(recipe: Recipe, tmp_path: Path) -> None:
    train(recipe, tmp_path / "run")
    write(tmp_path / "here" / "talks", dialogues(seed=1))
    with pytest.raises(RunError, match="made by another recipe, or with other shards"):
        train(recipe, tmp_path / "run")


def test_inputs_are_known_by_what_they_held(recipe: Recipe, tmp_path: Path) -> None:
    inputs = Inputs(tmp_path)
    talks = str(tmp_path / "here" / "talks")
    digest = inputs.digest(talks, True)
    inputs.write()
    shutil.rmtree(talks)
    assert Inputs(tmp_path).digest("/elsewhere/talks", True) == digest
    with pytest.raises(ConfigError, match="no Parquet files"):
        Inputs(tmp_path).digest("/elsewhere/others", True)
    (tmp_path / "inputs.json").write_text("[1]")
    with pytest.raises(RunError, match=r"inputs\.json: not the inputs of a run"):
        Inputs(tmp_path)


def test_a_saved_recipe_is_read_as_strictly_as_a_file(recipe: Recipe, tmp_path: Path) -> None:
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps({"name": "x", "stages": [{"name": "a", "tokkens": 1}]}))
    with pytest.raises(ConfigError, match=r"recipe\.json: stages\[0\]\.tokkens: unknown setting; did you mean"):
        _load(str(path), None)
    path.write_text("{")
    with pytest.raises(ConfigError, match=r"recipe\.json: not valid JSON"):
        _load(str(path), None)
