"""How far a run has read, told by its checkpoints."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from tests.trainer.small import recipe_of, stage, train, write_shards
from trainer.loop import training as training_module
from trainer.loop.checkpoints import read_state
from trainer.recipe import EvalConfig
from trainer.stages.start import Place, place_in_data, read_place, with_absolute_paths


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


def test_weights_are_drawn_once_and_not_at_all_where_they_are_read(
    data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = []
    draw = training_module.draw_weights
    monkeypatch.setattr(training_module, "draw_weights", lambda *given: drawn.append(given) or draw(*given))
    recipe = recipe_of(data, stage("a", 2), stage("b", 2), stage("c", 2, average=True, average_every=1))
    train(recipe, tmp_path / "run")
    assert len(drawn) == 1
    ended = tmp_path / "run" / "stages"
    assert not (ended / "02-c" / "average").exists()
    shutil.rmtree(ended / "01-b")
    shutil.rmtree(ended / "02-c")
    train(recipe, tmp_path / "run")
    for number, start in enumerate((ended / "00-a" / "checkpoint", ended / "00-a" / "model")):
        train(recipe_of(data, stage("d", 1), init_from=str(start)), tmp_path / f"more-{number}")
    assert len(drawn) == 1


def test_the_place_within_a_stage_is_that_in_the_shards_it_reads_behind_what_it_skips(
    data: str, tmp_path: Path
) -> None:
    shards, folder = tmp_path / "shards", tmp_path / "run"
    shutil.copytree(data, shards)
    write_shards(tmp_path / "more", source="b", documents=20)
    shutil.copytree(tmp_path / "more", shards, dirs_exist_ok=True)
    recipe = recipe_of(str(shards), stage("x", 6))
    train(recipe, folder)
    within = max((folder / "checkpoints").glob("step-*"))
    before = read_place(within)
    assert before is not None
    copies = shards / "source=b"
    shutil.copy(copies / "shard-00000.parquet", copies / "shard-00090.parquet")  # would weigh more in the mix
    assert read_place(within) == before
    state = read_state(within)
    assert state is not None
    event = {"event": "rollback", "step": 0, "stage": "x", "key": state.stage_key, "at": 1, "skip": [0, 1]}
    with (folder / "journal.jsonl").open("a") as journal:
        journal.write(json.dumps(event, separators=(",", ":")) + "\n")
    after = read_place(within)
    assert after is not None
    assert sum(after.starts.values()) == sum(before.starts.values()) + 2 * 64


def test_paths_hold_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    evaluation = EvalConfig(held_out=("held",), tasks=("t.yaml",))
    recipe = dataclasses.replace(recipe_of("data", stage("a", 1)), evaluation=evaluation, init_from="gs://b/model")
    found = with_absolute_paths(dataclasses.replace(recipe, data=("data", "s3://b/run", "/x")))
    assert found.data == (str(tmp_path / "data"), "s3://b/run", "/x")
    assert found.evaluation.held_out == (str(tmp_path / "held"),)
    assert (found.evaluation.tokenizer, found.init_from) == ("", "gs://b/model")
