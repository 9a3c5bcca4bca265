"""L(N, D) = E + A / N**alpha + B / D**beta fitted to all runs at once: a second opinion beside the curves.

Approach 3 of Hoffmann et al. (arXiv:2203.15556, section 3.3): the Huber loss of ln L, minimised by L-BFGS from a grid
of starts. Besiroglu et al. (arXiv:2404.10102) found their published constants to be those of a minimiser that stopped
too early, since it saw the mean of the losses: here it sees the sum, in units of `huber`. Our choices: N is C / 6 D,
the weights that multiply, so that the law needs no table of shapes; at each start E, A and B are the best for its
exponents (non-negative least squares), so that the grid has two dimensions instead of five.

It asks for more than the curves do (one form for all budgets) and gives more for it: runs far from a minimum count as
well. Where both agree, little hangs on either's assumptions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize, nnls
from scipy.special import logsumexp

from schemas.errors import InputError
from trainer.scaling.fits.isoflops import exp
from trainer.scaling.fits.lines import LEVEL, t_quantile
from trainer.scaling.fits.settings import FitConfig
from trainer.scaling.points import Interval, Point

Floats = npt.NDArray[np.float64]

COEFFICIENTS = 5
START_EXPONENTS = (0.15, 0.3, 0.5, 0.8)  # of alpha and of beta
EXPONENT_ENDS = (1e-3, 3.0)  # a fit that ends here has not found an exponent
LEAST_FLOOR = 1e-3  # E is at least this share of the lowest loss: its logarithm is fitted
ONE_SIGMA, DENSITY_WIDTH = 0.6827, 0.5  # share of normal misfits within a standard deviation; see `_covariance`
STEP = 1e-5  # of a coefficient, in a numerical derivative


@dataclass(frozen=True)
class Surface:
    """Loss in nats a token of N weights trained on D tokens: e + a / N**alpha + b / D**beta."""

    e: float
    a: float
    alpha: float
    b: float
    beta: float

    def loss(self, parameters: float, tokens: float) -> float:
        return self.e + self.a / math.pow(parameters, self.alpha) + self.b / math.pow(tokens, self.beta)

    @property
    def exponent(self) -> float:
        """Exponent of the compute-optimal tokens: what `Law` calls alpha."""
        return self.alpha / (self.alpha + self.beta)

    def tokens(self, flops: float) -> float:
        """Return the compute-optimal training tokens of a budget, by C = 6 N D."""
        scale = math.pow(self.beta * self.b / (self.alpha * self.a), 1 / (self.alpha + self.beta))
        return scale * math.pow(flops / 6, self.exponent)

    def at_budget(self, flops: float, tokens: float) -> float:
        """Return the loss of the model that reads so many tokens within a budget."""
        return self.loss(flops / (6 * tokens), tokens)


HOFFMANN = Surface(1.69, 406.4, 0.34, 410.7, 0.28)  # arXiv:2203.15556, equation 10
BESIROGLU = Surface(1.8172, 482.01, 0.3478, 2085.43, 0.3658)  # arXiv:2404.10102, the same runs fitted anew


@dataclass(frozen=True, eq=False)
class SurfaceFit:
    """A surface and how well it is known."""

    surface: Surface
    scatter: float  # of ln(loss), standard, robust: of the middle two thirds of the runs
    dof: int
    centred: Floats  # [5] ln E, ln A', alpha, ln B', beta about the middle of ln N and ln D
    middle: tuple[float, float]
    covariance: Floats | None  # [5, 5] of `centred`; None: no degrees of freedom, or an exponent at its end

    def exponent_interval(self, level: float = LEVEL) -> Interval | None:
        """Return the interval of `Surface.exponent`."""
        return self._interval(lambda surface: surface.exponent, level)

    def tokens_interval(self, flops: float, level: float = LEVEL) -> Interval | None:
        """Return the interval of the compute-optimal tokens, by the delta method on their logarithm."""
        found = self._interval(lambda surface: math.log(surface.tokens(flops)), level)
        return None if found is None else Interval(exp(found.low), exp(found.high), level)

    def _interval(self, of: Callable[[Surface], float], level: float) -> Interval | None:
        if self.covariance is None:
            return None
        gradient = np.empty(COEFFICIENTS)
        for n in range(COEFFICIENTS):
            step = np.zeros(COEFFICIENTS)
            step[n] = STEP
            up, down = (of(_surface(self.centred + sign * step, self.middle)) for sign in (1, -1))
            gradient[n] = (up - down) / (2 * STEP)
        half = t_quantile(level, self.dof) * math.sqrt(max(0.0, float(gradient @ self.covariance @ gradient)))
        value = of(self.surface)
        return Interval(value - half, value + half, level)


def fit_surface(points: Sequence[Point], huber: float = FitConfig.huber) -> SurfaceFit:
    """Return the surface through all runs. InputError with fewer runs than coefficients, or losses not above 0."""
    ordered = sorted(points, key=lambda p: (p.budget, p.tokens, p.loss))
    losses = np.array([p.loss for p in ordered])
    if len(ordered) < COEFFICIENTS or len({p.budget for p in ordered}) < 2:
        raise InputError(
            f"{len(ordered)} runs of {len({p.budget for p in ordered})} budgets; a surface needs {COEFFICIENTS} of 2"
        )
    if not (np.isfinite(losses).all() and (losses > 0).all()):
        raise InputError("the loss of a run is not a number above 0")
    x: Floats = np.log([[(p.flops or p.budget) / (6 * p.tokens), p.tokens] for p in ordered])
    middle = x.mean(axis=0)
    y = np.log(losses)
    x -= middle
    bounds = [(math.log(LEAST_FLOOR * losses.min()), None), (None, None), EXPONENT_ENDS, (None, None), EXPONENT_ENDS]
    found = [
        minimize(_objective, start, (x, y, huber), jac=True, method="L-BFGS-B", bounds=bounds,
                 options={"maxiter": 300, "maxcor": 20, "ftol": 1e-13, "gtol": 1e-7})
        for start in _starts(x, losses)
    ]  # fmt: skip
    best = np.asarray(min(found, key=lambda one: one.fun).x, np.float64)
    dof = len(y) - COEFFICIENTS
    residuals = _predict(best, x)[0] - y
    at_end = any(not 1.01 * EXPONENT_ENDS[0] < best[n] < 0.99 * EXPONENT_ENDS[1] for n in (2, 4))
    covariance = None if at_end or not dof else _covariance(best, x, residuals, huber)
    place = (float(middle[0]), float(middle[1]))
    scatter = float(np.quantile(np.abs(residuals), ONE_SIGMA))
    return SurfaceFit(_surface(best, place), scatter, dof, best, place, covariance)


def _starts(x: Floats, losses: Floats) -> list[Floats]:
    starts = []
    for alpha in START_EXPONENTS:
        for beta in START_EXPONENTS:
            terms = np.stack([np.ones(len(x)), np.exp(-alpha * x[:, 0]), np.exp(-beta * x[:, 1])], axis=1)
            parts = np.maximum(nnls(terms, losses)[0], LEAST_FLOOR * losses.min())
            e, a, b = np.log(parts)
            starts.append(np.array([e, a, alpha, b, beta]))
    return starts


def _predict(centred: Floats, x: Floats) -> tuple[Floats, Floats]:
    """Return ln(loss) of each run, and its derivatives [n, 5] by the coefficients."""
    e, a, alpha, b, beta = centred
    terms = np.stack([np.full(len(x), e), a - alpha * x[:, 0], b - beta * x[:, 1]], axis=1)
    total = logsumexp(terms, axis=1)
    shares = np.exp(terms - total[:, None])
    slopes = np.stack(
        [shares[:, 0], shares[:, 1], -shares[:, 1] * x[:, 0], shares[:, 2], -shares[:, 2] * x[:, 1]], axis=1
    )
    return total, slopes


def _objective(centred: Floats, x: Floats, y: Floats, huber: float) -> tuple[float, Floats]:
    """Return the Huber loss of all runs in units of `huber` squared, and its gradient."""
    total, slopes = _predict(centred, x)
    misfit = (total - y) / huber
    size = np.abs(misfit)
    value = np.where(size <= 1, misfit**2 / 2, size - 0.5).sum()
    return float(value), np.clip(misfit, -1, 1) @ slopes / huber


def _covariance(centred: Floats, x: Floats, residuals: Floats, huber: float) -> Floats | None:
    """Return the covariance of the coefficients, as of any estimate by a Huber loss (Huber 1964); None if singular.

    It needs the density of misfits within `huber`. Where that is narrow the fit goes through five runs, and hardly
    another is that near: the density is counted within half a standard deviation.
    """
    slopes, n = _predict(centred, x)[1], len(x)
    information = slopes.T @ slopes
    if np.linalg.matrix_rank(information) < COEFFICIENTS:
        return None
    wide = residuals * math.sqrt(n / (n - COEFFICIENTS))
    near = max(huber, DENSITY_WIDTH * float(np.quantile(np.abs(wide), ONE_SIGMA)))
    held = huber / near * float((np.abs(wide) <= near).mean())
    spread = float((np.clip(wide, -huber, huber) ** 2).mean()) / held**2
    covariance: Floats = np.asarray(np.linalg.inv(information) * spread, np.float64)
    return covariance


def _surface(centred: Floats, middle: tuple[float, float]) -> Surface:
    e, a, alpha, b, beta = (float(value) for value in centred)
    return Surface(exp(e), exp(a + alpha * middle[0]), alpha, exp(b + beta * middle[1]), beta)
