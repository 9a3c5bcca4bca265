"""Runs whose weights a batch really wrecks: its own loss is ordinary, and only later steps show the harm."""

from __future__ import annotations

import dataclasses
import random
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.trainer.shards import write_source
from tests.trainer.small import FACTS, Listener, recipe_of, stage, train, write_shards
from trainer.data.batches import Batch
from trainer.loop.checkpoints import State
from trainer.loop.journal import Journal, read_journal
from trainer.loop.loop import StoppedError
from trainer.loop.step import Stepper, StepResult
from trainer.recipe import FaultConfig, Recipe

STEPS = 34
WATCH = {"stall_s": 60.0, "spike_window": 8, "spike_steps": 2, "spike_back": 5}
EACH_STEP, NEVER = FaultConfig(checkpoint_s=1e-9, **WATCH), FaultConfig(checkpoint_s=1e9, **WATCH)


@pytest.fixture(scope="module")
def long_data(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Shards of so many random documents that no batch of these tests comes twice."""
    draw, folder = random.Random(1), tmp_path_factory.mktemp("long")
    documents = [[0, *(draw.randrange(2, 64) for _ in range(40)), 1] for _ in range(150)]
    write_source(folder, "a", documents, row_tokens=64, tokenizer=FACTS)
    return str(folder)


def _recipe(data: str, faults: FaultConfig) -> Recipe:
    return recipe_of(data, stage("a", STEPS), faults=faults)


@pytest.fixture
def wrecking(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[bytes]], list[bytes]]:
    """Let the updates of these batches be a thousand times too large; returns all batches that are trained on."""

    def install(harmful: list[bytes]) -> list[bytes]:
        seen: list[bytes] = []
        honest, gentle = Stepper.backward, Stepper.apply

        def backward(self: Stepper, batch: Batch, sequences: int) -> StepResult:
            seen.append(batch.tokens.tobytes())
            return honest(self, batch, sequences)

        def apply(self: Stepper, learning_rate: float) -> None:
            gentle(self, learning_rate * (1000 if seen[-1] in harmful else 1))

        monkeypatch.setattr(Stepper, "backward", backward)
        monkeypatch.setattr(Stepper, "apply", apply)
        return seen

    return install


def _without(recipe: Recipe, folder: Path, skip: list[int]) -> State:
    """Train a run that never sees some batches."""
    folder.mkdir()
    journal = Journal(folder)
    journal.write("rollback", step=0, stage="a", skip=skip)
    journal.close()
    return train(recipe, folder)


def _rollbacks(folder: Path) -> list[dict[str, Any]]:
    return read_journal(folder, only=("rollback",))


@pytest.fixture(scope="module")
def batches(long_data: str, tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The batches of an undisturbed run by their numbers."""
    seen: list[bytes] = []
    honest = Stepper.backward

    def backward(self: Stepper, batch: Batch, sequences: int) -> StepResult:
        seen.append(batch.tokens.tobytes())
        return honest(self, batch, sequences)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stepper, "backward", backward)
        train(_recipe(long_data, NEVER), tmp_path_factory.mktemp("batches"))
    assert len(set(seen)) == STEPS
    return seen


@pytest.mark.parametrize("faults", [EACH_STEP, NEVER], ids=["a checkpoint each step", "no checkpoint"])
@pytest.mark.parametrize(("harmful", "last", "landmark"), [(20, 22, 16), (32, 33, 26)])
def test_the_batch_that_did_the_harm_is_skipped_whenever_checkpoints_were_due(
    long_data: str, batches: list[bytes], tmp_path: Path, wrecking: Callable[..., list[bytes]],
    faults: FaultConfig, harmful: int, last: int, landmark: int,
) -> None:  # fmt: skip
    """The loss is high one step after the harm; after 32 the stage ends with its first high loss."""
    first = harmful + 1 - 5
    recipe, skip = _recipe(long_data, faults), list(range(first, last + 1))
    wanted = _without(recipe, tmp_path / "without", skip)
    seen = wrecking([batches[harmful]])
    state = train(recipe, tmp_path / "run")
    [back] = _rollbacks(tmp_path / "run")
    assert (back["at"], back["skip"]) == (last, skip)
    assert back["step"] == (landmark if faults is EACH_STEP else 0)
    assert seen.count(batches[harmful]) == 1
    assert state.weights_sha256 == wanted.weights_sha256


def test_trouble_that_returns_goes_further_back(
    long_data: str, batches: list[bytes], tmp_path: Path, wrecking: Callable[..., list[bytes]]
) -> None:
    recipe = _recipe(long_data, EACH_STEP)
    wanted = _without(recipe, tmp_path / "without", list(range(7, 26)))
    wrecking([batches[20], batches[23]])  # the second is the first batch after those that are skipped at first
    state = train(recipe, tmp_path / "run")
    told = [(back["at"], back["skip"]) for back in _rollbacks(tmp_path / "run")]
    assert told == [(22, list(range(16, 23))), (18, [*range(7, 16), *range(23, 26)])]
    assert state.weights_sha256 == wanted.weights_sha256


@pytest.mark.parametrize("faults", [EACH_STEP, NEVER], ids=["a checkpoint each step", "no checkpoint"])
@pytest.mark.parametrize("nth", [22, 23, 30])
def test_a_run_that_is_stopped_in_trouble_or_after_it_ends_with_the_same_bits(
    long_data: str, batches: list[bytes], tmp_path: Path, wrecking: Callable[..., list[bytes]],
    faults: FaultConfig, nth: int,
) -> None:  # fmt: skip
    """The 22nd step is the first with a high loss, the 23rd rolls back, the 30th is the seventh after that."""
    recipe = _recipe(long_data, faults)
    wrecking([batches[20]])
    wanted = train(recipe, tmp_path / "undisturbed")
    heard = Listener()

    def stop(_event: Mapping[str, Any]) -> None:
        if len(heard.losses) == nth:
            signal.raise_signal(signal.SIGTERM)

    heard._on_step = stop
    folder = tmp_path / "run"
    with pytest.raises(StoppedError):
        train(recipe, folder, heard)
    saved = [int(path.name.removeprefix("step-")) for path in (folder / "checkpoints").glob("step-*")]
    if nth == 22:
        assert max(saved, default=0) <= 21
    assert train(recipe, folder).weights_sha256 == wanted.weights_sha256
    assert len(_rollbacks(folder)) == 1


def test_another_mix_in_the_next_stage_is_no_spike(tmp_path: Path) -> None:
    data = write_shards(tmp_path / "shards", "a", documents=200)
    draw = random.Random(2)
    write_source(tmp_path / "shards", "b", [[0, *(draw.randrange(2, 64) for _ in range(30)), 1] for _ in range(60)],
                 row_tokens=64, tokenizer=FACTS)  # fmt: skip
    first, second = stage("first", 160, mix={"a": 1.0}), stage("second", 20, mix={"b": 1.0})
    state = train(recipe_of(data, first, second, faults=NEVER), tmp_path / "run")
    steps = read_journal(tmp_path / "run", only=("step",))
    assert steps[160]["loss"] > max(event["loss"] for event in steps[140:160]) + 2
    assert _rollbacks(tmp_path / "run") == []
    assert state.taken == (160, 20)


@pytest.mark.parametrize("skip", [[3, 4, 5], [17, 18, 19]])
def test_the_next_stage_trains_on_nothing_that_this_one_took_or_skipped(
    long_data: str, tmp_path: Path, wrecking: Callable[..., list[bytes]], skip: list[int]
) -> None:
    recipe = recipe_of(long_data, stage("a", 20), stage("b", 8), faults=NEVER)
    seen = wrecking([])
    _without(dataclasses.replace(recipe, stages=(stage("a", 23),)), tmp_path / "all", [])
    everything = set(_sequences(seen))
    seen.clear()
    _without(recipe, tmp_path / "run", skip)
    of_second = _sequences(seen[20:])
    assert len(of_second) == 8 * 4
    assert not everything & set(of_second)


def _sequences(batches: list[bytes]) -> list[bytes]:
    """Return the sequences of batches of four."""
    return [batch[n * len(batch) // 4 : (n + 1) * len(batch) // 4] for batch in batches for n in range(4)]
