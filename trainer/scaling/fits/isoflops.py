"""IsoFLOP curves: the loss of models of several sizes at one budget, and the size of data at its minimum.

L3 section 3.2.1: held-out loss against training tokens, a second-degree polynomial in their logarithm for each budget,
its minimum the compute-optimal model. L3 gives no uncertainty of a minimum; here it is the delta method on the
covariance of the fit, with the variance of a loss about its curve pooled over all budgets, since four sizes leave one
degree of freedom each.

Loss is a parabola near its minimum only: over sizes a factor of 200 apart, on surfaces whose truth is known, minima
were off by -14% to +23%, and what the curve missed was counted as noise. So a curve is fitted to the sizes within a
window about its minimum (`FitConfig.window`, ours), which moves until the minimum is that of its own window.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas.errors import InputError
from trainer.scaling.fits.lines import LEVEL, fit_line, t_quantile
from trainer.scaling.fits.settings import FitConfig
from trainer.scaling.points import Interval, Point

COEFFICIENTS = 3
LEAST_SIZES = COEFFICIENTS + 1  # of a window, where there are so many: three say nothing of their scatter (ours)
MOVES = 20  # of a window at most; it settles in two or three

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
    outside: tuple[Point, ...] = ()  # runs of the budget that the window leaves out

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

    @property
    def lowest(self) -> float:
        """Loss at the minimum, nats a token."""
        return self.c - self.b**2 / (4 * self.a)

    def lowest_error(self, variance: float, curvature: float | None = None) -> float:
        """Return the standard error of `lowest_at`, given the variance of a loss about its curve.

        `curvature` takes the place of `a`, where more is known of it than one curve tells.
        """
        gradient = np.array([self.centre - self.lowest_at, -0.5, 0.0]) @ self.solver / (curvature or self.a)
        return math.sqrt(variance * float(gradient @ gradient))


@dataclass(frozen=True)
class Minimum:
    """The compute-optimal size of data of one budget."""

    budget: float
    tokens: float
    interval: Interval | None  # None: as many runs as coefficients, so nothing is known of the spread
    loss: float
    error: float  # of ln(tokens), standard, in units of that of a loss about its curve

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


def fit_window(runs: Sequence[Point], window: float) -> Parabola:
    """Return the curve of the runs of one budget within the window about its minimum.

    The window begins at the minimum of the curve through all runs, or at the lowest run where that has none between
    them, and moves to each new curve's minimum until it holds the same runs again. It widens to the nearest
    `LEAST_SIZES` sizes. InputError as for `fit_parabola`.
    """
    ordered = sorted(runs, key=lambda p: (p.tokens, p.loss))
    x = np.log([float(p.tokens) for p in ordered])
    curve = fit_parabola(ordered[0].budget, [p.tokens for p in ordered], [p.loss for p in ordered])
    centre = curve.lowest_at if curve.is_inside else float(x[min(range(len(x)), key=lambda n: ordered[n].loss)])
    seen: set[bytes] = set()
    for _ in range(MOVES):
        inside = _inside(x, centre, math.log(window))
        if inside.tobytes() in seen:
            break
        seen.add(inside.tobytes())
        chosen = [p for p, kept in zip(ordered, inside, strict=True) if kept]
        outside = tuple(p for p, kept in zip(ordered, inside, strict=True) if not kept)
        fitted = fit_parabola(curve.budget, [p.tokens for p in chosen], [p.loss for p in chosen])
        curve = dataclasses.replace(fitted, outside=outside)
        if not curve.has_minimum:
            break
        centre = curve.lowest_at
    return curve


def _inside(x: Floats, centre: float, half: float) -> npt.NDArray[np.bool_]:
    """Return which of the places lie in the window."""
    away = np.abs(x - centre)
    nearest = np.sort(np.abs(np.unique(x) - centre))[:LEAST_SIZES]
    return away <= max(half, float(nearest[-1]))


def fit_isoflops(points: Sequence[Point], window: float = FitConfig.window, level: float = LEVEL) -> IsoFlops:
    """Return the curves of all budgets and their minima. InputError for no points or too few sizes in a budget.

    `window` is a factor of tokens, infinity for all runs; see `fit_window`.
    """
    budgets = sorted({point.budget for point in points})
    if not budgets:
        raise InputError("no runs to fit")
    curves = [fit_window([p for p in points if p.budget == budget], window) for budget in budgets]
    dof = sum(curve.dof for curve in curves)
    variance = sum(curve.rss for curve in curves) / dof if dof else 0.0
    inside = [curve for curve in curves if curve.is_inside]
    errors = _errors(inside)
    minima = tuple(_minimum(*pair, variance, dof, level) for pair in zip(inside, errors, strict=True))
    return IsoFlops(tuple(curves), minima, variance, dof)


def _errors(curves: Sequence[Parabola]) -> list[float]:
    """Return the standard errors of the minima, in units of that of a loss, by which they weigh in a law.

    The curvature is a power of the budget for any loss E + A / N**alpha + B / D**beta, so all curves together tell
    that of each. A weight from one curve's own would be noise: 95% intervals then hold the truth in 89 to 91 of 100.
    """
    if len(curves) < COEFFICIENTS:
        return [curve.lowest_error(1.0) for curve in curves]
    x, y = [math.log(curve.budget) for curve in curves], [math.log(curve.a) for curve in curves]
    line = fit_line(x, y, "curvature against operations")
    for _ in range(COEFFICIENTS):  # the weights depend on the line that they make
        errors = [
            float(np.linalg.norm(curve.solver[0])) / math.exp(line.at(at)) for curve, at in zip(curves, x, strict=True)
        ]
        line = fit_line(x, y, "curvature against operations", errors)
    return [curve.lowest_error(1.0, math.exp(line.at(at))) for curve, at in zip(curves, x, strict=True)]


def _minimum(curve: Parabola, error: float, variance: float, dof: int, level: float) -> Minimum:
    interval = None
    if dof:
        half = t_quantile(level, dof) * curve.lowest_error(variance)
        interval = Interval(exp(curve.lowest_at - half), exp(curve.lowest_at + half), level)
    return Minimum(curve.budget, math.exp(curve.lowest_at), interval, curve.lowest, error)


def exp(value: float) -> float:
    """Return e**value, infinity where that is too large: a flat curve knows no upper end."""
    return math.exp(value) if value < 709 else math.inf
