"""A least-squares line and its uncertainty: what every law here is, on its own axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from schemas.errors import InputError
from trainer.scaling.points import Interval

LEVEL = 0.95  # of every interval, where nothing else is asked for


def t_quantile(level: float, dof: int) -> float:
    """Return how many standard errors half an interval of `level` is wide (Student's t)."""
    return float(stdtrit(dof, (1 + level) / 2))


@dataclass(frozen=True)
class Line:
    """y = mean_y + slope * (x - mean_x), by least squares.

    `variance` is that of a point of mean weight about the line, with `dof` degrees of freedom; 0 of them: it is not
    known, and no interval is. Written about the (weighted) middle of the points, where the errors of slope and height
    do not depend on each other: SE(y at x) ** 2 = variance * (1 / n + (x - mean_x) ** 2 / sxx).
    """

    slope: float
    mean_x: float
    mean_y: float
    n: int
    sxx: float
    rss: float
    variance: float
    dof: int

    def at(self, x: float) -> float:
        return self.mean_y + self.slope * (x - self.mean_x)

    def leverage(self, x: float) -> float:
        """Return the variance of the line's height at `x`, in units of the variance of one point."""
        return 1 / self.n + (x - self.mean_x) ** 2 / self.sxx

    def standard_error(self, x: float) -> float | None:
        """Return the standard error of the height at `x`."""
        return math.sqrt(self.variance * self.leverage(x)) if self.dof else None

    def interval(self, x: float, level: float = LEVEL) -> Interval | None:
        """Return the interval of the line's height at `x`: of the mean there, not of one more run."""
        return self._about(self.at(x), self.standard_error(x), level)

    def slope_interval(self, level: float = LEVEL) -> Interval | None:
        return self._about(self.slope, math.sqrt(self.variance / self.sxx) if self.dof else None, level)

    def _about(self, value: float, error: float | None, level: float) -> Interval | None:
        if error is None:
            return None
        half = t_quantile(level, self.dof) * error
        return Interval(value - half, value + half, level)


def fit_line(x: Sequence[float], y: Sequence[float], what: str, errors: Sequence[float] | None = None) -> Line:
    """Return the line through points. InputError, which names `what` is fitted, with less than two different x.

    `errors` are the standard errors of y, up to a common factor: a point weighs as the square of their inverse. The
    factor is estimated from the scatter about the line.
    """
    xs, ys = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if not (np.isfinite(xs).all() and np.isfinite(ys).all()):
        raise InputError(f"{what}: a value is not finite")
    if len(np.unique(xs)) < 2:
        raise InputError(f"{what}: {len(np.unique(xs))} different places on the x axis; a line needs 2")
    weights = np.ones_like(xs) if errors is None else 1 / np.asarray(errors, np.float64) ** 2
    weights /= weights.mean()
    mean_x, mean_y = float((weights * xs).mean()), float((weights * ys).mean())
    sxx = float((weights * (xs - mean_x) ** 2).sum())
    slope = float((weights * (xs - mean_x) * (ys - mean_y)).sum()) / sxx
    rss = float((weights * (ys - mean_y - slope * (xs - mean_x)) ** 2).sum())
    dof = len(xs) - 2
    return Line(slope, mean_x, mean_y, len(xs), sxx, rss, rss / dof if dof else 0.0, dof)
