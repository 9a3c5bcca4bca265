"""Gates of long-context stages: what must hold, and what a run does while it does not."""

from __future__ import annotations

import dataclasses
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from schemas.errors import ConfigError, RunError
from tests.trainer.small import Listener, averaged_weights, recipe_of, stage, train, write_shards
from trainer.evaluate.gates import Gatekeeper
from trainer.evaluate.measure import measure
from trainer.faults.watchdog import Watchdog
from trainer.loop.journal import read_journal
from trainer.loop.loop import StoppedError
from trainer.loop.training import Training
from trainer.recipe import EvalConfig, GateConfig, Recipe, ScheduleConfig

GATE = GateConfig(enabled=True, tolerance=0.1, needle_accuracy=0.9)


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    data = write_shards(tmp_path / "shards", documents=120)
    return recipe_of(
        data, stage("short", 4), stage("long", 20, seq_len=32, gate=GATE),
        evaluation=EvalConfig(held_out_shards=1, tokens=256, needle_depths=2),
    )  # fmt: skip


def _measured(monkeypatch: pytest.MonkeyPatch, needles: list[float]) -> None:
    """Let the gate measure these one after the other, and then the last of them again and again."""
    left = list(needles)

    def measure(self: Gatekeeper, seq_len: int) -> dict[str, Any]:
        needle = left.pop(0) if len(left) > 1 else left[0]
        return {"seq_len": seq_len, "short_loss": {"a": 2.0}, "loss": {"a": 2.0}, "needle": needle, "tasks": {}}

    monkeypatch.setattr(Gatekeeper, "measure", measure)


def test_a_stage_goes_on_by_tenths_until_its_gate_opens(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _measured(monkeypatch, [0.0, 0.0, 0.5, 1.0])  # after the first stage, and three times after the second
    heard = Listener()
    state = train(recipe, tmp_path / "run", heard)
    assert state.taken == (4, 24)
    told = [(event["step"], event["open"]) for event in read_journal(tmp_path / "run") if event["event"] == "eval"]
    assert told == [(4, True), (24, False), (26, False), (28, True)]
    assert [line for line in heard.said if "the stage goes on" in line] == [
        "long, step 24: held-out loss of a 2.0000, needles 0%, the stage goes on",
        "long, step 26: held-out loss of a 2.0000, needles 50%, the stage goes on",
    ]


def test_a_gate_says_what_is_worse_than_before(recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    losses = [2.0, 2.5, 2.0]  # before the stage, at its end, and a tenth later
    monkeypatch.setattr(
        Gatekeeper, "measure",
        lambda self, length: {"short_loss": {"a": losses.pop(0)}, "loss": {}, "needle": 1.0, "tasks": {}},
    )  # fmt: skip
    heard = Listener()
    assert train(recipe, tmp_path / "run", heard).taken == (4, 22)
    assert [line for line in heard.said if "worse" in line] == [
        "long, step 24: held-out loss of a 2.5000, needles 100%, the stage goes on, a worse by 0.5000 (± 0.0000)"
    ]
    evals = read_journal(tmp_path / "run", only=("eval",))
    assert [event.get("worse") for event in evals] == [None, {"a": 0.5}, None]


def test_a_gate_that_never_opens_ends_the_run(recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _measured(monkeypatch, [0.0])
    with pytest.raises(RunError, match=r"stage long: its gate is still shut after 40 steps \(gate\.max_tokens\)"):
        train(recipe, tmp_path / "run")


def test_what_is_measured_at_the_ends_of_stages_and_on_the_way(recipe: Recipe, tmp_path: Path) -> None:
    evaluation = dataclasses.replace(recipe.evaluation, every_steps=8)
    open_gate = dataclasses.replace(GATE, needle_accuracy=0.0, tolerance=9.0)
    stages = (recipe.stages[0], dataclasses.replace(recipe.stages[1], gate=open_gate))
    train(dataclasses.replace(recipe, evaluation=evaluation, stages=stages), tmp_path / "run")
    evals = [event for event in read_journal(tmp_path / "run") if event["event"] == "eval"]
    assert [(event["step"], event["open"]) for event in evals] == [(4, True), (12, None), (20, None), (24, True)]
    assert evals[-1]["short_loss"]["a"] < evals[0]["short_loss"]["a"]
    assert evals[-1]["loss"].keys() == {"a"}
    parts = evals[-1]["short_parts"]["a"]  # 256 tokens in sequences of 16, each a stretch
    assert len(parts) == 16
    assert sum(parts) / 16 == pytest.approx(evals[-1]["short_loss"]["a"], rel=0.05)
    assert 0 <= evals[-1]["needle"] <= 1


def _on_from(recipe: Recipe, folder: Path, peak: float) -> Recipe:
    """Return a recipe whose only stage, a gated one, begins with a trained model."""
    train(dataclasses.replace(recipe, stages=(recipe.stages[0],)), folder)
    gate = GateConfig(enabled=True, tolerance=0.1, needle_accuracy=0.0)
    schedule = ScheduleConfig(kind="constant", peak=peak)
    return dataclasses.replace(
        recipe, stages=(stage("long", 6, seq_len=32, gate=gate, schedule=schedule),),
        init_from=str(folder / "stages" / "00-short" / "model"),
    )  # fmt: skip


def test_the_gate_of_a_first_stage_compares_with_the_model_that_it_began_with(recipe: Recipe, tmp_path: Path) -> None:
    wrecked = _on_from(recipe, tmp_path / "base", peak=0.5)
    with pytest.raises(RunError, match="stage long: its gate is still shut"):
        train(wrecked, tmp_path / "wrecked")
    gentle = _on_from(recipe, tmp_path / "base", peak=1e-5)
    train(gentle, tmp_path / "gentle")
    for name, opened in (("wrecked", False), ("gentle", True)):
        first, *later = read_journal(tmp_path / name, only=("eval",))
        assert (first["stage"], first["number"], first["step"], first["open"]) == ("init_from", -1, 0, None)
        assert {event["open"] for event in later} == {opened}
        assert (later[0]["short_loss"]["a"] > first["short_loss"]["a"] + 0.1) is not opened


def test_what_a_gate_compares_with_is_measured_once(recipe: Recipe, tmp_path: Path) -> None:
    gentle, folder = _on_from(recipe, tmp_path / "base", peak=1e-5), tmp_path / "run"
    with pytest.raises(StoppedError):
        train(gentle, folder, Listener(lambda event: signal.raise_signal(signal.SIGTERM)))
    train(gentle, folder)
    assert [event["number"] for event in read_journal(folder, only=("eval",))] == [-1, 0]


def test_a_gate_that_has_nothing_to_compare_with_says_so_before_it_trains_on(recipe: Recipe, tmp_path: Path) -> None:
    gentle, folder = _on_from(recipe, tmp_path / "base", peak=1e-5), tmp_path / "run"
    with pytest.raises(StoppedError):
        train(gentle, folder, Listener(lambda event: signal.raise_signal(signal.SIGTERM)))
    lines = (folder / "journal.jsonl").read_text().splitlines(keepends=True)
    (folder / "journal.jsonl").write_text("".join(line for line in lines if '"eval"' not in line))
    with pytest.raises(RunError, match=r"stage long: its gate has nothing to compare with in journal\.jsonl"):
        train(gentle, folder, Listener(lambda event: pytest.fail("a step was taken")))


def test_measuring_and_hashing_count_as_progress(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither writes to the journal while it lasts, which can be longer than the watchdog waits."""
    beats: list[str] = []
    within: dict[str, list[int]] = {"measure": [], "digest": []}

    def counted(owner: type, name: str) -> None:
        honest = getattr(owner, name)

        def wrapper(*args: Any) -> Any:
            before = len(beats)
            found = honest(*args)
            within[name].append(len(beats) - before)
            return found

        monkeypatch.setattr(owner, name, wrapper)

    monkeypatch.setattr(Watchdog, "beat", lambda self: beats.append("beat"))
    counted(Gatekeeper, "measure")
    counted(Training, "digest")
    train(dataclasses.replace(recipe, stages=(recipe.stages[0],)), tmp_path / "run")
    needles, held_out = 2, 1
    assert min(within["measure"]) >= needles + held_out
    assert min(within["digest"]) >= 2 * 9 + 3  # weights of a model of two blocks


def test_a_gate_needs_shards_that_are_held_out(recipe: Recipe, tmp_path: Path) -> None:
    bare = dataclasses.replace(recipe, evaluation=EvalConfig())
    with pytest.raises(ConfigError, match=r"evaluation\.held_out: none, but the gate of stage long needs some"):
        train(bare, tmp_path / "run")
    many = dataclasses.replace(recipe, evaluation=EvalConfig(held_out_shards=99))
    with pytest.raises(ConfigError, match=r"evaluation\.held_out_shards: 99 is not allowed; source a has \d+ shards"):
        train(many, tmp_path / "run")


def test_what_is_measured_last_is_the_averaged_model_and_that_is_exported(recipe: Recipe, tmp_path: Path) -> None:
    averaged = dataclasses.replace(recipe, stages=(stage("a", 12, average=True, average_every=1),))
    train(averaged, tmp_path / "run")
    evals = [event for event in read_journal(tmp_path / "run") if event["event"] == "eval"]
    found = measure(tmp_path / "run", averaged, 16)
    assert evals[-1]["loss"]["a"] == pytest.approx(found["loss"]["a"], abs=1e-6)
    assert evals[-1]["loss"]["a"] != pytest.approx(evals[0]["loss"]["a"], abs=1e-3)  # of the last step's weights


def test_the_steps_that_a_gate_adds_are_averaged(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _measured(monkeypatch, [0.0, 0.0, 1.0])
    kept = averaged_weights(monkeypatch)
    gated = stage("a", 25, gate=GATE, average=True)  # kept each 2 steps, extended by 2 at a time
    state = train(dataclasses.replace(recipe, stages=(gated,)), tmp_path / "run")
    assert state.taken == (29,)
    assert list(kept) == [*range(2, 29, 2), 29]
    model = load_file(tmp_path / "run" / "stages" / "00-a" / "model" / "model.safetensors")
    name = "lm_head.weight"
    assert torch.allclose(model[name], torch.stack([weights[name] for weights in kept.values()]).mean(0), atol=1e-7)
