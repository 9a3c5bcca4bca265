"""How far judges agree beyond chance: Cohen's kappa of two, Krippendorff's alpha of any number, with intervals.

* `cohen`: Cohen (1960), (observed - expected) / (1 - expected) agreement of two judges on what both judged.
* `weighted`: the same with squared differences (Cohen 1968), where all labels are whole numbers: 4 is near 5.
* `alpha`: Krippendorff (2011), 1 - observed / expected disagreement, for any number of judges, over the documents that
  two or more judged. Nominal, or of intervals where all labels are whole numbers.

Each is 1 for agreement and 0 for what chance gives; None where it is not defined, as when everybody says the same about
everything. The 95% intervals are percentiles of 1,000 bootstrap samples of the documents (Efron and Tibshirani 1993,
chapter 13), drawn as counts of each pattern of labels from a generator whose seed is fixed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from classifiers.training.figures import LEVEL, RESAMPLES
from schemas.identity import keyed_hash

Labels = Mapping[str, str]  # of one judge, by document id
Matrix = npt.NDArray[np.int64]  # [patterns, judges] numbers of labels; -1: not judged
Weights = npt.NDArray[np.float64]  # [patterns] documents with each pattern
_MISSING = -1


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A measure with its 95% interval; None where it is not defined."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two judges on the documents that both judged."""

    a: str
    b: str
    documents: int
    equal: float  # share of the documents on which they agree
    cohen: Measured
    weighted: Measured | None  # None where a label is no number
    confusion: dict[str, dict[str, int]]  # documents by label of a, then of b


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Some judges, two by two and together."""

    judges: dict[str, dict[str, int]]  # documents by label
    pairs: tuple[Pair, ...]
    documents: int  # that two or more judged
    alpha: Measured
    is_interval: bool  # whether alpha takes labels as numbers


def agreement(judges: Mapping[str, Labels]) -> Agreement:
    """Return how far two or more judges agree. Nothing depends on the order of their documents."""
    names, labels = list(judges), sorted({label for some in judges.values() for label in some.values()})
    numeric = all(label.isdecimal() for label in labels) and bool(labels)
    labels = sorted(labels, key=int) if numeric else labels
    values = np.array([float(label) for label in labels]) if numeric else None
    matrix, weights = _patterns(list(judges.values()), labels)
    pairs = [
        _pair(names[a], names[b], matrix[:, [a, b]], weights, labels, values)
        for a in range(len(names)) for b in range(a + 1, len(names))
    ]  # fmt: skip
    shared = (matrix != _MISSING).sum(axis=1) >= 2
    matrix, weights = matrix[shared], weights[shared]
    distances = _distances(len(labels), values)
    return Agreement(
        judges={name: dict(sorted(Counter(some.values()).items())) for name, some in judges.items()},
        pairs=tuple(pairs),
        documents=int(weights.sum()),
        alpha=_measured(weights, lambda some: krippendorff(matrix, some, distances)),
        is_interval=numeric,
    )


def _patterns(judges: Sequence[Labels], labels: Sequence[str]) -> tuple[Matrix, Weights]:
    """Return the different rows of labels that documents have, in order, and how many documents have each."""
    number = {label: n for n, label in enumerate(labels)}
    ids = set().union(*judges)
    counts = Counter(tuple(number.get(some.get(one, ""), _MISSING) for some in judges) for one in ids)
    rows = sorted(counts)
    matrix = np.array(rows, np.int64).reshape(len(rows), len(judges))
    return matrix, np.array([counts[row] for row in rows], np.float64)


def _pair(a: str, b: str, matrix: Matrix, weights: Weights, labels: Sequence[str], values: Weights | None) -> Pair:
    both = (matrix != _MISSING).all(axis=1)
    matrix, weights = matrix[both], weights[both]
    table = _table(matrix, weights, len(labels))
    nominal = _distances(len(labels), None)
    by_value = _distances(len(labels), values) if values is not None else None
    total = table.sum()
    return Pair(
        a=a, b=b, documents=int(total), equal=float(np.trace(table) / total) if total else 0.0,
        cohen=_measured(weights, lambda some: cohen(_table(matrix, some, len(labels)), nominal)),
        weighted=None if by_value is None else _measured(
            weights, lambda some: cohen(_table(matrix, some, len(labels)), by_value)
        ),
        confusion={
            x: {y: int(table[m, n]) for n, y in enumerate(labels) if table[m, n]} for m, x in enumerate(labels)
            if table[m].any()
        },
    )  # fmt: skip


def cohen(table: Weights, distances: Weights) -> float | None:
    """Return kappa of a table [labels of a, labels of b] of documents; None where it is not defined."""
    total = table.sum()
    if not total:
        return None
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / total
    by_chance = float((expected * distances).sum())
    return 1 - float((table * distances).sum()) / by_chance if by_chance else None


def krippendorff(matrix: Matrix, weights: Weights, distances: Weights) -> float | None:
    """Return alpha of patterns [patterns, judges], each with its documents; None where it is not defined."""
    n_labels = len(distances)
    counts = np.stack([(matrix == label).sum(axis=1) for label in range(n_labels)], axis=1).astype(np.float64)
    judged = counts.sum(axis=1)
    chosen = judged >= 2
    counts, weights, judged = counts[chosen], weights[chosen], judged[chosen]
    # Coincidences: each ordered pair of labels of a document counts 1 / (labels of it - 1).
    scale = weights / (judged - 1)
    coincidences = (counts * scale[:, None]).T @ counts - np.diag((counts * scale[:, None]).sum(axis=0))
    totals = coincidences.sum(axis=1)
    n = float(totals.sum())
    by_chance = float((np.outer(totals, totals) * distances).sum())
    if n <= 1 or not by_chance:
        return None
    return 1 - (n - 1) * float((coincidences * distances).sum()) / by_chance


def _distances(n: int, values: Weights | None) -> Weights:
    """Return how far labels are apart: 1 if they differ, or the square of their difference."""
    if values is None:
        return 1.0 - np.eye(n)
    return np.asarray((values[:, None] - values[None, :]) ** 2, np.float64)


def _table(matrix: Matrix, weights: Weights, n: int) -> Weights:
    table = np.zeros((n, n))
    np.add.at(table, (matrix[:, 0], matrix[:, 1]), weights)
    return table


def _measured(weights: Weights, measure: Callable[[Weights], float | None]) -> Measured:
    """Return a measure of documents by pattern, with its bootstrap interval over documents.

    Samples in which it is not defined are left out; without an interval when they are more than half.
    """
    value, total = measure(weights), int(weights.sum())
    if value is None:
        return Measured(value=None, low=None, high=None)
    generator = np.random.default_rng(keyed_hash("agreement/bootstrap", b""))
    draws = generator.multinomial(total, weights / weights.sum(), size=RESAMPLES)
    found = [one for one in (measure(draw.astype(np.float64)) for draw in draws) if one is not None]
    if len(found) < RESAMPLES / 2:
        return Measured(value=value, low=None, high=None)
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Measured(value=value, low=float(low), high=float(high))
