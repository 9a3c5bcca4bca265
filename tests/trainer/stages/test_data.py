"""Runs whose data or recipe changes between two commands: nothing that was trained is lost, or trained again."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from schemas.errors import ConfigError, RunError
from tests.trainer.loop.test_run import stop_after
from tests.trainer.small import Listener, recipe_of, stage, train, write_shards
from trainer.commands.progress import Silent
from trainer.data.sources import training_shards
from trainer.evaluate.finished import read_saved_recipe
from trainer.evaluate.measure import measure
from trainer.loop.checkpoints import State
from trainer.loop.journal import read_journal
from trainer.loop.loop import StoppedError
from trainer.loop.run import plan_jobs, run
from trainer.recipe import EvalConfig, Recipe
from trainer.stages.data import Frozen, StageData, plan_data, read_frozen, training_paths


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    return recipe_of(write_shards(tmp_path / "shards"), stage("a", 12), stage("b", 6))


def add_shard(recipe: Recipe, tmp_path: Path) -> None:
    """Add a shard of other documents after those of source a."""
    write_shards(tmp_path / "more", seed=1)
    folder = Path(recipe.data[0]) / "source=a"
    shutil.copy(tmp_path / "more" / "source=a" / "shard-00000.parquet", folder / "shard-00090.parquet")


def checkpoints(folder: Path) -> set[str]:
    return {path.name for path in (folder / "checkpoints").glob("step-*")}


def test_shards_that_come_later_change_nothing_for_a_run_under_way(recipe: Recipe, tmp_path: Path) -> None:
    wanted = train(recipe, tmp_path / "undisturbed").weights_sha256
    with pytest.raises(StoppedError):
        train(recipe, tmp_path / "run", stop_after(8))
    add_shard(recipe, tmp_path)
    resumed = Listener()
    assert train(recipe, tmp_path / "run", resumed).weights_sha256 == wanted
    assert len(resumed.losses) == 18 - 9
    assert train(recipe, tmp_path / "run", Listener(lambda event: pytest.fail("a step was taken"))).stage == 2


def test_a_finished_run_goes_on_with_a_longer_stage_alone(recipe: Recipe, tmp_path: Path) -> None:
    before = train(recipe, tmp_path / "run")
    done = (tmp_path / "run" / "stages" / "01-b" / "done.json").read_bytes()
    longer = dataclasses.replace(recipe, stages=(*recipe.stages, stage("c", 4, seq_len=64, sequences=2)))
    resumed = Listener()
    after = train(longer, tmp_path / "run", resumed)
    assert (len(resumed.losses), after.taken) == (4, (12, 6, 4))
    assert (tmp_path / "run" / "stages" / "01-b" / "done.json").read_bytes() == done
    [job] = plan_jobs(longer, training_shards(longer), tmp_path / "run")[2:]
    begun = job.start(State(), {0: before, 1: before})
    assert begun.starts == before.starts  # it goes on where the stage before stopped
    assert after.starts["a"] >= before.starts["a"] + 4 * 128


def test_a_stage_that_is_added_reads_new_shards_alone(recipe: Recipe, tmp_path: Path) -> None:
    before = train(recipe, tmp_path / "run")
    add_shard(recipe, tmp_path)
    longer = dataclasses.replace(recipe, stages=(*recipe.stages, stage("c", 4), stage("d", 2)))
    after = train(longer, tmp_path / "run")
    planned = plan_jobs(longer, training_shards(longer), tmp_path / "run")
    names = [[name for name, _ in job.data.shards["a"]] for job in planned]
    assert names[0] == names[1]
    assert "shard-00090.parquet" not in names[0]
    assert names[2] == names[3] == ["shard-00090.parquet"]
    assert planned[2].start(State(), {0: before, 1: before}).starts == {}
    assert after.starts == {"a": 6 * 64}  # the last stage went on where the third had stopped


def test_what_stages_read_as_data_alone() -> None:
    recipe = recipe_of("nowhere", stage("x", 1), stage("y", 1, seq_len=32), stage("z", 1))
    one, two, kept = ("1", 10), ("2", 10), ("held", 10)
    frozen = Frozen({"x": StageData(16, {"a": (one,), "b": (one,)})}, {"a": (kept,)})
    found = plan_data(recipe, {"a": (one, two, kept), "b": (one,), "c": (one,)}, frozen)
    assert [data.unit for data in found] == [16, 32, 32]
    assert [data.shards for data in found] == [
        {"a": (one,), "b": (one,)},
        {"a": (two,), "b": (one,), "c": (one,)},
        {"a": (two,), "b": (one,), "c": (one,)},
    ]
    anew = plan_data(recipe, {"a": (one, two)}, frozen, keep=0)
    assert [(data.unit, data.shards) for data in anew] == [(32, {"a": (one, two)})] * 3


def test_two_shards_of_one_name_and_size_are_two() -> None:
    paths = {"a": ["here/shard-0", "there/shard-0"]}
    present = {"a": (("shard-0", 10), ("shard-0", 10))}
    assert training_paths(StageData(16, present), paths, present) == paths
    with pytest.raises(RunError, match="source a: shard-0 of 10 bytes, which this run reads, is gone"):
        training_paths(StageData(16, present), {"a": paths["a"][:1]}, {"a": present["a"][:1]})


def test_another_recipe_is_refused_and_takes_over_only_when_asked_to(recipe: Recipe, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(StoppedError):
        train(recipe, folder, stop_after(14))  # amid the second stage
    there = checkpoints(folder)
    other = dataclasses.replace(recipe, stages=(recipe.stages[0], stage("b", 8)))
    with pytest.raises(RunError) as caught:
        train(other, folder)
    assert "made by another recipe, or with other shards (differing: stages.1.tokens); give another" in str(
        caught.value
    )
    assert "\n" not in str(caught.value)
    assert checkpoints(folder) == there
    resumed = Listener()
    run(other, folder, resumed, anew=True)
    assert len(resumed.losses) == 8  # the first stage is of this recipe, too
    assert train(other, tmp_path / "alone").weights_sha256 == run(other, folder, Silent()).weights_sha256


def test_a_recipe_that_differs_from_the_first_stage_on_begins_with_it(recipe: Recipe, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(StoppedError):
        train(recipe, folder, stop_after(6))
    other = dataclasses.replace(recipe, seed=9)
    with pytest.raises(RunError, match=r"\(differing: seed\)"):
        train(other, folder)
    resumed = Listener()
    run(other, folder, resumed, anew=True)
    assert len(resumed.losses) == 18


def test_a_shard_that_is_gone_is_one_line(recipe: Recipe, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(StoppedError):
        train(recipe, folder, stop_after(6))
    (Path(recipe.data[0]) / "source=a" / "shard-00001.parquet").unlink()
    there = checkpoints(folder)
    with pytest.raises(
        RunError, match=r"source a: shard-00001\.parquet of [\d,]+ bytes, which this run reads, is gone"
    ):
        train(recipe, folder)
    assert checkpoints(folder) == there
    resumed = Listener()
    run(recipe, folder, resumed, anew=True)
    assert len(resumed.losses) == 18


def test_a_run_is_measured_on_what_it_was_measured_on_at_its_beginning(recipe: Recipe, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    held = dataclasses.replace(recipe, evaluation=EvalConfig(held_out_shards=1, tokens=128, needle_depths=1))
    with pytest.raises(StoppedError):
        train(held, folder, stop_after(13))
    first = read_frozen(folder).held_out
    add_shard(recipe, tmp_path)
    train(held, folder)
    assert read_frozen(folder).held_out == first
    longer = dataclasses.replace(held, stages=(*held.stages, stage("c", 2)))
    train(longer, folder)
    losses = [event["loss"]["a"] for event in read_journal(folder, only=("eval",))]
    assert len(losses) == 3
    assert not set(first["a"]) & {shard for data in read_frozen(folder).stages.values() for shard in data.shards["a"]}


def test_what_is_held_out_at_the_beginning_is_left_out_and_measured_to_the_end(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluation = EvalConfig(held_out_shards=1, tokens=128, needle_depths=1, needles=1)
    held = dataclasses.replace(recipe, data=("shards",), evaluation=evaluation)
    monkeypatch.chdir(tmp_path)
    wanted = train(held, tmp_path / "undisturbed").weights_sha256
    folder = tmp_path / "run"
    with pytest.raises(StoppedError):
        train(held, folder, stop_after(8))
    source = tmp_path / "shards" / "source=a"
    shutil.copy(source / "shard-00000.parquet", source / "shard-00090.parquet")  # what is trained on, now the last
    assert train(held, folder).weights_sha256 == wanted
    last = read_journal(folder, only=("eval",))[-1]
    assert measure(folder, read_saved_recipe(folder), 16)["loss"] == pytest.approx(last["loss"], abs=1e-6)
    write_shards(tmp_path / "other", source="b", seed=2)
    found = measure(folder, read_saved_recipe(folder), 16, [str(tmp_path / "other")])["loss"]
    assert found.keys() == {"a", "b"}
    assert found["a"] == pytest.approx(last["loss"]["a"], abs=1e-6)


def test_the_same_paths_from_another_folder_are_no_difference(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(dataclasses.replace(recipe, stages=(stage("a", 1),)), tmp_path / "base")
    write_shards(tmp_path / "kept", seed=2, documents=20)
    model, evaluation = "base/stages/00-a/model", EvalConfig(held_out=("kept",), tokens=64, needle_depths=1)
    here = dataclasses.replace(recipe, data=("shards",), init_from=model, evaluation=evaluation)
    there = dataclasses.replace(
        recipe, data=(str(tmp_path / "shards"),), init_from=str(tmp_path / model),
        evaluation=dataclasses.replace(evaluation, held_out=(str(tmp_path / "kept"),)),
    )  # fmt: skip
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoppedError):
        train(here, tmp_path / "run", stop_after(8))
    asked = read_frozen(tmp_path / "run").asked
    with pytest.raises(RunError, match=r"\(differing: seed\)"):
        train(dataclasses.replace(there, seed=9), tmp_path / "run")
    resumed = Listener()
    train(there, tmp_path / "run", resumed)
    assert len(resumed.losses) == 18 - 9
    assert read_frozen(tmp_path / "run").asked == asked


def test_what_a_run_trains_on_cannot_be_held_out_later(recipe: Recipe, tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        train(recipe, tmp_path / "run", stop_after(6))
    held = dataclasses.replace(recipe, evaluation=EvalConfig(held_out_shards=1))
    with pytest.raises(ConfigError, match=r"evaluation\.held_out: .*\.parquet is one that this run trains on"):
        train(held, tmp_path / "run")


def test_the_folder_says_what_was_read(recipe: Recipe, tmp_path: Path) -> None:
    train(recipe, tmp_path / "run")
    plain = json.loads((tmp_path / "run" / "shards.json").read_bytes())
    assert list(plain["stages"]) == ["a", "b"]
    (tmp_path / "run" / "shards.json").write_text('{"stages": []}')
    with pytest.raises(RunError, match=r"shards\.json: not the shards of a run"):
        train(recipe, tmp_path / "run")
