"""Runs that are stopped, torn, poisoned or given again, beside one that nothing disturbed."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import shutil
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch.distributed.checkpoint import FileSystemReader

from schemas.errors import ConfigError, InputError, RunError
from tests.trainer.small import MODEL, Listener, averaged_weights, recipe_of, stage, train
from trainer.commands.status import status
from trainer.data.batches import Batch
from trainer.loop.checkpoints import State
from trainer.loop.journal import Journal, read_journal
from trainer.loop.loop import StoppedError
from trainer.loop.step import Stepper, StepResult
from trainer.model.averages import averaged_steps
from trainer.recipe import FaultConfig, LocalConfig, Recipe, ScheduleConfig

STEPS = 14


@pytest.fixture(scope="module")
def recipe(data: str) -> Recipe:
    linear = ScheduleConfig(kind="linear", floor=0.0)
    return recipe_of(
        data, stage("short", STEPS), stage("long", 6, seq_len=32), stage("anneal", 6, schedule=linear, average=True)
    )


@pytest.fixture(scope="module")
def undisturbed(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, State]:
    folder = tmp_path_factory.mktemp("undisturbed")
    return folder, train(recipe, folder)


def stop_after(step: int) -> Listener:
    """Return a listener that asks the run to stop, as the machine's owner would, after a step of the run."""

    def on_step(event: Mapping[str, Any]) -> None:
        if event["step"] == step:
            signal.raise_signal(signal.SIGTERM)

    return Listener(on_step)


def newest(folder: Path) -> Path:
    return max((folder / "checkpoints").glob("step-*"))


def test_loss_falls_and_all_is_told(recipe: Recipe, undisturbed: tuple[Path, State]) -> None:
    folder, state = undisturbed
    steps = [event for event in read_journal(folder) if event["event"] == "step"]
    assert [event["step"] for event in steps] == list(range(STEPS + 12))
    assert steps[-1]["loss"] < steps[0]["loss"] - 0.15
    assert state.tokens == STEPS * 64 + 6 * 128 + 6 * 64 == sum(event["tokens"] for event in steps)
    assert state.taken == (STEPS, 6, 6)
    found = status(folder)
    assert (found["finished"], found["step"], found["tokens"]) == (True, STEPS + 12, state.tokens)
    assert found["weights"]["sha256"] == state.weights_sha256
    assert found["time"]["effective"] > 0


def test_a_finished_run_is_not_trained_again(recipe: Recipe, undisturbed: tuple[Path, State]) -> None:
    folder, state = undisturbed
    assert train(recipe, folder, Listener(lambda event: pytest.fail("a step was taken"))) == state


def test_the_same_recipe_gives_the_same_bits(recipe: Recipe, undisturbed: tuple[Path, State], tmp_path: Path) -> None:
    assert train(recipe, tmp_path).weights_sha256 == undisturbed[1].weights_sha256
    other = train(dataclasses.replace(recipe, seed=4), tmp_path / "other")
    assert other.weights_sha256 != undisturbed[1].weights_sha256


@pytest.mark.parametrize("step", [0, 5, STEPS - 1, STEPS, STEPS + 9])
def test_a_signal_saves_and_the_run_goes_on_to_the_same_bits(
    recipe: Recipe, undisturbed: tuple[Path, State], tmp_path: Path, step: int
) -> None:
    rare = dataclasses.replace(recipe, faults=FaultConfig(checkpoint_s=1e9, stall_s=60.0))
    with pytest.raises(StoppedError):
        train(rare, tmp_path, stop_after(step))
    assert status(tmp_path)["weights"]["step"] == step + 1
    assert read_journal(tmp_path)[-1]["event"] == "stop"
    resumed = Listener()
    assert train(rare, tmp_path, resumed).weights_sha256 == undisturbed[1].weights_sha256
    assert len(resumed.losses) == STEPS + 12 - step - 1


def _truncate(folder: Path) -> None:
    file = next(folder.glob("*.distcp"))
    file.write_bytes(file.read_bytes()[:-100])


def _lose_metadata(folder: Path) -> None:
    (folder / ".metadata").unlink()


def _lose_state(folder: Path) -> None:
    (folder / "state.json").unlink()


def _spoil_state(folder: Path) -> None:
    (folder / "state.json").write_text('{"stage": 0, "ta')


@pytest.mark.parametrize("tear", [_truncate, _lose_metadata, _lose_state, _spoil_state])
def test_a_torn_checkpoint_is_passed_over(
    recipe: Recipe, undisturbed: tuple[Path, State], tmp_path: Path, tear: Callable[[Path], None]
) -> None:
    with pytest.raises(StoppedError):
        train(recipe, tmp_path, stop_after(9))
    torn = newest(tmp_path)
    tear(torn)
    resumed = Listener()
    assert train(recipe, tmp_path, resumed).weights_sha256 == undisturbed[1].weights_sha256
    assert f"{torn}: torn or unfinished, passed over" in resumed.said
    assert len(resumed.losses) > STEPS + 12 - 10


def test_weights_that_have_changed_are_not_trained_on(
    recipe: Recipe, undisturbed: tuple[Path, State], tmp_path: Path
) -> None:
    with pytest.raises(StoppedError):
        train(recipe, tmp_path, stop_after(STEPS - 1))
    with pytest.raises(StoppedError):
        train(recipe, tmp_path, stop_after(STEPS))
    shutil.rmtree(tmp_path / "checkpoints")  # the second stage begins anew, from the end of the first
    ended = tmp_path / "stages" / "00-short"
    needle = load_file(ended / "model" / "model.safetensors")["lm_head.weight"].numpy().tobytes()
    file = next(path for path in ended.glob("checkpoint/*.distcp") if needle in path.read_bytes())
    stored = bytearray(file.read_bytes())
    stored[stored.index(needle) + 2] ^= 1
    file.write_bytes(bytes(stored))
    with pytest.raises(RunError, match="00-short/checkpoint: files have changed since they were saved"):
        train(recipe, tmp_path)
    stored[stored.index(needle[4:]) - 2] ^= 1
    file.write_bytes(bytes(stored))
    assert train(recipe, tmp_path).weights_sha256 == undisturbed[1].weights_sha256


def test_moments_that_have_changed_are_not_trained_on(
    recipe: Recipe, undisturbed: tuple[Path, State], tmp_path: Path
) -> None:
    with pytest.raises(StoppedError):
        train(recipe, tmp_path, stop_after(9))
    folder = newest(tmp_path)
    places = FileSystemReader(str(folder)).read_metadata().storage_data
    place = next(place for index, place in places.items() if index.fqn.endswith("exp_avg_sq"))
    file = folder / place.relative_path
    stored = bytearray(file.read_bytes())
    stored[place.offset + place.length - 2] ^= 1  # the last number's
    file.write_bytes(bytes(stored))
    with pytest.raises(RunError, match=rf"{folder.name}: files have changed since they were saved \({file.name}\)"):
        train(recipe, tmp_path)
    shutil.rmtree(folder)
    assert train(recipe, tmp_path).weights_sha256 == undisturbed[1].weights_sha256


def test_without_any_whole_checkpoint_the_stage_begins_anew(
    recipe: Recipe, undisturbed: tuple[Path, State], tmp_path: Path
) -> None:
    with pytest.raises(StoppedError):
        train(recipe, tmp_path, stop_after(STEPS + 2))
    for folder in (tmp_path / "checkpoints").glob("step-*"):
        _lose_metadata(folder)
    resumed = Listener()
    assert train(recipe, tmp_path, resumed).weights_sha256 == undisturbed[1].weights_sha256
    assert len(resumed.losses) == 12


@pytest.mark.parametrize("micro", [1, 3])
def test_another_micro_batch_takes_up_the_run(
    recipe: Recipe, undisturbed: tuple[Path, State], tmp_path: Path, micro: int
) -> None:
    with pytest.raises(StoppedError):
        train(recipe, tmp_path, stop_after(4))
    resumed = Listener()
    train(dataclasses.replace(recipe, local=LocalConfig(threads=1, micro_sequences=micro)), tmp_path, resumed)
    steps = [event["loss"] for event in read_journal(undisturbed[0]) if event["event"] == "step"]
    assert resumed.losses == pytest.approx(steps[5:], abs=1e-5)


def _digest(batch: Batch) -> str:
    return hashlib.sha256(batch.tokens.tobytes()).hexdigest()


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> Callable[[set[int], float], list[str]]:
    """Give the steps of these numbers another loss, in this and in any later run, and keep what was trained on."""
    seen: list[str] = []
    spoilt: set[str] = set()

    def install(numbers: set[int], factor: float) -> list[str]:
        honest = Stepper.backward

        def backward(self: Stepper, batch: Batch, sequences: int) -> StepResult:
            result = honest(self, batch, sequences)
            if len(seen) in numbers:
                spoilt.add(_digest(batch))
            seen.append(_digest(batch))
            return dataclasses.replace(result, loss=result.loss * factor) if _digest(batch) in spoilt else result

        monkeypatch.setattr(Stepper, "backward", backward)
        return seen

    return install


def test_batches_that_are_not_finite_are_rolled_back_and_passed_over_for_good(
    data: str, tmp_path: Path, poison: Callable[[set[int], float], list[str]]
) -> None:
    faults = FaultConfig(checkpoint_s=1e-9, stall_s=60.0, bad_steps=2, spike_back=2)
    recipe = recipe_of(data, stage("a", 20), faults=faults)
    expected = tmp_path / "expected"
    expected.mkdir()
    journal = Journal(expected)
    journal.write("rollback", step=0, stage="a", skip=[7, 8, 9, 10])
    journal.close()
    wanted = train(recipe, expected).weights_sha256

    seen = poison({9, 10}, math.nan)
    with pytest.raises(StoppedError):
        train(recipe, tmp_path / "run", stop_after(12))
    backs = [event for event in read_journal(tmp_path / "run") if event["event"] == "rollback"]
    assert [(event["stage"], event["skip"]) for event in backs] == [("a", [7, 8, 9, 10])]
    assert backs[0]["step"] == 7
    resumed = Listener()
    assert train(recipe, tmp_path / "run", resumed).weights_sha256 == wanted
    assert not set(seen[7:11]) & set(seen[11:])
    found = status(tmp_path / "run")
    assert (found["rollbacks"], found["step"]) == (1, 20)
    assert found["time"]["lost"] > 0


def test_one_bad_step_is_not_applied_and_the_run_goes_on(
    data: str, tmp_path: Path, poison: Callable[[set[int], float], list[str]]
) -> None:
    poison({3}, math.inf)
    recipe = recipe_of(data, stage("a", 8))
    state = train(recipe, tmp_path)
    steps = [event for event in read_journal(tmp_path) if event["event"] == "step"]
    assert [event["applied"] for event in steps] == [n != 3 for n in range(8)]
    assert state.tokens == 8 * 64


def test_too_many_roll_backs_end_the_run(
    data: str, tmp_path: Path, poison: Callable[[set[int], float], list[str]]
) -> None:
    poison(set(range(2, 100)), math.nan)
    faults = FaultConfig(checkpoint_s=1e-9, stall_s=60.0, bad_steps=1, max_rollbacks=2)
    with pytest.raises(RunError, match=r"stage a: step 0 is bad again after 2 roll-backs \(faults\.max_rollbacks\)"):
        train(recipe_of(data, stage("a", 8), faults=faults), tmp_path)


def test_the_result_of_an_averaged_stage_is_the_mean_of_its_checkpoints(
    data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = averaged_weights(monkeypatch)
    anneal = stage("a", 6, average=True, average_every=2)
    train(recipe_of(data, anneal), tmp_path)
    assert list(kept) == averaged_steps(anneal, 6) == [2, 4, 6]
    model = load_file(tmp_path / "stages" / "00-a" / "model" / "model.safetensors")
    for name, tensor in model.items():
        mean = torch.stack([weights[name].double() for weights in kept.values()]).mean(0)
        assert torch.allclose(tensor.double(), mean, atol=1e-9)
    assert not torch.equal(kept[2]["lm_head.weight"], kept[6]["lm_head.weight"])
    assert not (tmp_path / "stages" / "00-a" / "average").exists()


def test_an_averaged_stage_of_a_model_with_tied_embeddings(
    data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = averaged_weights(monkeypatch)
    tied = dataclasses.replace(MODEL, tied_embeddings=True)
    train(recipe_of(data, stage("a", 3, average=True), model=tied), tmp_path)
    written = load_file(tmp_path / "stages" / "00-a" / "model" / "model.safetensors")
    assert "lm_head.weight" not in written
    assert list(kept) == [1, 2, 3]


def test_two_processes_do_not_train_in_one_folder(recipe: Recipe, tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    with pytest.raises(RunError, match="another process trains here"):
        train(recipe, tmp_path)
    journal.close()


def test_what_cannot_be_trained_is_one_line(recipe: Recipe, data: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="stages: none; a recipe has at least one"):
        train(dataclasses.replace(recipe, stages=()), tmp_path)
    with pytest.raises(ConfigError, match="data: none; give outputs of Winnow"):
        train(dataclasses.replace(recipe, data=()), tmp_path)
    with pytest.raises(InputError, match=r"no token shards \(source=NAME/shard-\*\.parquet\) here"):
        train(dataclasses.replace(recipe, data=(str(tmp_path),)), tmp_path)
    with pytest.raises(ConfigError, match=r"mix\.b: no such source; allowed: a"):
        train(recipe_of(data, stage("x", 2, mix={"b": 1.0})), tmp_path)


def test_the_recipe_of_a_run_is_kept(recipe: Recipe, undisturbed: tuple[Path, State]) -> None:
    plain = json.loads((undisturbed[0] / "recipe.json").read_bytes())
    assert (plain["name"], len(plain["stages"]), plain["model"]["dim"]) == ("small", 3, 32)
