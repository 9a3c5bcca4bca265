"""Whether a measure is back where it was before a stage (L3 section 3.4.2: short-context evaluations "recovered").

Two measurements of models that are equally good differ by chance, and of eight sources one easily looks worse. How much
is measured, not assumed: each measure also keeps its means over up to 32 stretches of the same text or questions, and
the spread of the paired differences gives the standard error of the whole difference. The allowance is the gate's
tolerance and as many standard errors as let an unchanged model pass all measures together with the gate's confidence
(Student's t; Bonferroni over the measures). The number of stretches and this rule are ours.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import stdtrit

from trainer.recipe import GateConfig

PARTS = 32


@dataclass(frozen=True)
class Change:
    """How a measure has changed."""

    name: str
    worse_by: float  # nats a token for a loss, share of questions for a task; negative: better
    error: float  # standard error of that; 0 where the two measurements cannot be paired
    parts: int  # stretches that the error is estimated from
    tolerance: float  # in the same unit


def part_of(index: int, total: int) -> int:
    """Return the stretch, of `min(PARTS, total)` equal ones, in which the item `index` of `total` lies."""
    return index * min(PARTS, total) // total


def means(sums: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Return the mean of each stretch, given its sum and weight; 0 for one without weight."""
    return [float(total / weight) if weight else 0.0 for total, weight in zip(sums, weights, strict=True)]


def changes(gate: GateConfig, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Return the changes of what both measurements hold: losses at the short length, and accuracies of tasks."""
    found = []
    for source, loss in after["short_loss"].items():
        if source in before["short_loss"]:
            parts = (measured.get("short_parts", {}).get(source, ()) for measured in (before, after))
            error, n = _error(*parts)
            found.append(Change(source, loss - before["short_loss"][source], error, n, gate.tolerance))
    for task, scores in after.get("tasks", {}).items():
        former = before.get("tasks", {}).get(task)
        if former is not None:
            error, n = _error(former.get("parts", ()), scores.get("parts", ()))
            found.append(Change(task, former["acc"] - scores["acc"], error, n, gate.task_tolerance))
    return found


def not_recovered(gate: GateConfig, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Return the changes for the worse that are more than tolerance and chance allow."""
    found = changes(gate, before, after)
    share = (1 - gate.confidence) / max(1, len(found))  # of unchanged models that one measure may hold back
    return [  # also a loss that is not a number, which nothing is below
        change
        for change in found
        if not change.worse_by <= change.tolerance + _deviations(share, change) * change.error
    ]


def _deviations(share: float, change: Change) -> float:
    return float(stdtrit(change.parts - 1, 1 - share)) if change.error else 0.0


def _error(before: Sequence[float], after: Sequence[float]) -> tuple[float, int]:
    """Return the standard error of the difference of two means, from the differences of their stretches."""
    n = len(after)
    if n < 2 or len(before) != n:
        return 0.0, n
    return float(np.std(np.subtract(after, before), ddof=1)) / math.sqrt(n), n
