"""IsoFLOP curves: the loss of models of several sizes at one budget, and the size of data at its minimum.

L3 section 3.2.1: held-out loss against training tokens, a second-degree polynomial in their logarithm for each budget,
its minimum the compute-optimal model. L3 gives no uncertainty of a minimum; here it is the delta method on the
covariance of the fit, with the variance of a loss about its curve pooled over all budgets, since four sizes leave one
degree of freedom each.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas.errors import InputError
from trainer.scaling.fits.lines import LEVEL, t_quantile
from trainer.scaling.points import Interval, Point

COEFFICIENTS = 3

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Parabola:
    """loss = a z**2 + b z + c with z = ln(tokens) - centre, through the runs of one budget."""

    budget: float
    log_tokens: Floats
    losses: Floats
    centre: float
    a: float
    b: float
    c: float
    solver: Floats  # [3, n] losses -> a, b, c
    rss: float

    @property
    def dof(self) -> int:
        return len(self.losses) - COEFFICIENTS

    @property
    def has_minimum(self) -> bool:
        return self.a > 0

    @property
    def lowest_at(self) -> float:
        """ln(tokens) of the minimum; it has one only when a > 0."""
        return self.centre - self.b / (2 * self.a)

    @property
    def is_inside(self) -> bool:
        """The minimum lies between the runs, not beyond them."""
        return self.has_minimum and bool(self.log_tokens.min() <= self.lowest_at <= self.log_tokens.max())

    def at(self, log_tokens: Floats) -> Floats:
        z = log_tokens - self.centre
        values: Floats = self.a * z**2 + self.b * z + self.c
        return values

    def lowest_error(self, variance: float) -> float:
        """Return the standard error of `lowest_at`, given the variance of a loss about its curve."""
        gradient = np.array([self.b / (2 * self.a**2), -1 / (2 * self.a), 0.0]) @ self.solver
        return math.sqrt(variance * float(gradient @ gradient))


@dataclass(frozen=True)
class Minimum:
    """The compute-optimal size of data of one budget."""

    budget: float
    tokens: float
    interval: Interval | None  # None: as many runs as coefficients, so nothing is known of the spread
    loss: float

    @property
    def parameters(self) -> float:
        """Return the size of model that C = 6 N D gives."""
        return self.budget / (6 * self.tokens)


@dataclass(frozen=True)
class IsoFlops:
    """The curves of all budgets, ascending, and those minima that lie between the runs."""

    curves: tuple[Parabola, ...]
    minima: tuple[Minimum, ...]
    variance: float  # of a loss about its curve
    dof: int

    @property
    def without_minimum(self) -> tuple[float, ...]:
        """Budgets whose minimum is no minimum, or lies outside the sizes that were run: they do not count."""
        return tuple(curve.budget for curve in self.curves if not curve.is_inside)


def fit_parabola(budget: float, tokens: Sequence[float], losses: Sequence[float]) -> Parabola:
    """Return the curve of one budget. InputError with less than three sizes, or a loss that is not finite."""
    x, y = np.log(np.asarray(tokens, np.float64)), np.asarray(losses, np.float64)
    if not np.isfinite(y).all():
        raise InputError(f"budget {budget:.3g}: the loss of a run is not finite")
    if len(np.unique(x)) < COEFFICIENTS:
        raise InputError(f"budget {budget:.3g}: runs of {len(np.unique(x))} sizes; a parabola needs {COEFFICIENTS}")
    z = x - x.mean()
    solver: Floats = np.linalg.pinv(np.stack([z**2, z, np.ones_like(z)], axis=1))
    a, b, c = (float(value) for value in solver @ y)
    rss = float(((y - (a * z**2 + b * z + c)) ** 2).sum())
    return Parabola(budget, x, y, float(x.mean()), a, b, c, solver, rss)


def fit_isoflops(points: Sequence[Point], level: float = LEVEL) -> IsoFlops:
    """Return the curves of all budgets and their minima. InputError for no points or too few sizes in a budget."""
    budgets = sorted({point.budget for point in points})
    if not budgets:
        raise InputError("no runs to fit")
    curves = []
    for budget in budgets:
        runs = sorted((p.tokens, p.loss) for p in points if p.budget == budget)
        curves.append(fit_parabola(budget, [tokens for tokens, _ in runs], [loss for _, loss in runs]))
    dof = sum(curve.dof for curve in curves)
    variance = sum(curve.rss for curve in curves) / dof if dof else 0.0
    minima = tuple(_minimum(curve, variance, dof, level) for curve in curves if curve.is_inside)
    return IsoFlops(tuple(curves), minima, variance, dof)


def _minimum(curve: Parabola, variance: float, dof: int, level: float) -> Minimum:
    interval = None
    if dof:
        half = t_quantile(level, dof) * curve.lowest_error(variance)
        interval = Interval(exp(curve.lowest_at - half), exp(curve.lowest_at + half), level)
    loss = float(curve.at(np.array([curve.lowest_at]))[0])
    return Minimum(curve.budget, math.exp(curve.lowest_at), interval, loss)


def exp(value: float) -> float:
    """Return e**value, infinity where that is too large: a flat curve knows no upper end."""
    return math.exp(value) if value < 709 else math.inf
