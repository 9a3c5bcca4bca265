"""Whether a measure has recovered: an unchanged model passes, a worse one does not, however many sources there are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from trainer.evaluate.recovery import PARTS, changes, means, not_recovered, part_of
from trainer.recipe import GateConfig

TRIALS = 1000


def measured(draw: np.random.Generator, sources: int, wobble: float, shift: float = 0.0) -> dict[str, Any]:
    """Return losses whose stretches wobble about the same text's own levels."""
    levels = np.linspace(1.0, 3.0, PARTS)
    parts = {str(n): (levels + shift + wobble * draw.normal(size=PARTS)).tolist() for n in range(sources)}
    return {"short_loss": {name: float(np.mean(found)) for name, found in parts.items()}, "short_parts": parts}


def share_open(gate: GateConfig, sources: int, wobble: float, shift: float = 0.0) -> float:
    draw = np.random.default_rng(sources)
    pairs = ((measured(draw, sources, wobble), measured(draw, sources, wobble, shift)) for _ in range(TRIALS))
    return sum(not not_recovered(gate, before, after) for before, after in pairs) / TRIALS


@pytest.mark.parametrize("sources", [1, 4, 8])
@pytest.mark.parametrize("wobble", [0.001, 0.05])
def test_an_unchanged_model_passes_as_often_as_the_gate_says(sources: int, wobble: float) -> None:
    """Also without a tolerance, and where the wobble is five times the default one: chance is measured."""
    strict = GateConfig(enabled=True, tolerance=0.0)
    assert share_open(strict, sources, wobble) == pytest.approx(0.99, abs=0.01)
    assert share_open(GateConfig(enabled=True), sources, wobble) >= 0.985


@pytest.mark.parametrize(("wobble", "shift"), [(0.001, 0.02), (0.05, 0.08)])
def test_a_worse_model_is_held_back(wobble: float, shift: float) -> None:
    assert share_open(GateConfig(enabled=True), 4, wobble, shift) < 0.01


@pytest.mark.parametrize("wobble", [0.0, 0.01])
def test_losses_that_are_no_numbers_are_held_back(wobble: float) -> None:
    draw = np.random.default_rng(0)
    before, spoilt = measured(draw, 1, wobble), measured(draw, 1, np.nan)
    assert [change.name for change in not_recovered(GateConfig(enabled=True), before, spoilt)] == ["0"]


def test_without_stretches_the_tolerance_alone_counts() -> None:
    gate = GateConfig(enabled=True, tolerance=0.1)
    before = {"short_loss": {"a": 2.0, "gone": 1.0}}
    for loss, held_back in ((2.0999, []), (2.11, ["a"]), (1.0, [])):
        worse = not_recovered(gate, before, {"short_loss": {"a": loss, "new": 9.0}})
        assert [change.name for change in worse] == held_back


def test_stretches_that_cannot_be_paired_are_not() -> None:
    before = {"short_loss": {"a": 2.0}, "short_parts": {"a": [1.0, 3.0, 2.0]}}
    after = {"short_loss": {"a": 2.0}, "short_parts": {"a": [1.0, 3.0]}}
    assert [change.error for change in changes(GateConfig(), before, after)] == [0.0]
    assert [change.error for change in changes(GateConfig(), after, after)] == [0.0]
    again = {"short_loss": {"a": 2.5}, "short_parts": {"a": [1.0, 4.0]}}
    assert [change.error for change in changes(GateConfig(), after, again)] == [pytest.approx(0.5)]


def tasks(acc: float, parts: list[float]) -> dict[str, Any]:
    return {"short_loss": {}, "tasks": {"facts": {"acc": acc, "parts": parts}}}


def test_the_accuracy_of_a_task_has_to_recover_too() -> None:
    gate = GateConfig(enabled=True)
    before, after = tasks(0.8, [0.8] * 32), tasks(0.4, [0.4, 0.3, 0.5, 0.4] * 8)
    assert [(c.name, c.worse_by) for c in not_recovered(gate, before, after)] == [("facts", pytest.approx(0.4))]
    assert not not_recovered(gate, after, before)
    # A question more or less in 32 stretches is chance.
    assert not not_recovered(gate, before, tasks(0.79375, [0.8] * 31 + [0.6]))
    assert not_recovered(gate, tasks(0.8, []), tasks(0.79, []))
    assert not not_recovered(GateConfig(task_tolerance=0.02), tasks(0.8, []), tasks(0.79, []))


def test_stretches_are_equal_to_an_item() -> None:
    places = [part_of(n, 100) for n in range(100)]
    assert places == sorted(places)
    assert set(np.bincount(places)) <= {3, 4}
    assert [part_of(n, 5) for n in range(5)] == [0, 1, 2, 3, 4]
    assert means([4.0, 0.0], [2.0, 0.0]) == [2.0, 0.0]
