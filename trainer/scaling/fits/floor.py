"""Losses of several mixes as floor + a / C**power, with one floor for all, and what is not known of it.

A short ladder hardly tells a floor: a power law to zero and one to two nats fit three budgets alike, and a hundred
times further they differ by tenths of a nat. So no single floor is taken. Each floor between 0 and the lowest loss is
weighed by how well it lets the lines of all mixes fit together, and forecasts are drawn over them. Given a floor, a mix
is fitted by least squares of its losses, in nats (Gauss-Newton).

The weights are the t-like posterior of normal errors of unknown size: for a floor whose lines leave `rss`, rss to the
power of -dof / 2, times how much the runs would see of it (Jeffreys' prior). With all floors alike beforehand (tried
first) intervals of a short ladder held the truth in 91 of 100 trials, so in 95 (LOG.md).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas.errors import ConfigError, InputError
from schemas.identity import keyed_hash

SALT = "trainer.scaling.win_share"
DRAWS = 10_000
GRID = 200  # floors that are tried first, evenly between 0 and the lowest loss
ZOOMS, FINER = 12, 10  # the grid is made so much finer about the best, so many times at most,
ENOUGH = 0.05  # until no floor has more than this of all weight
ROUNDS = 8  # of Gauss-Newton; it settles in three to five
TINY = 1e-28  # nats squared: exact losses leave less than rounding, and its logarithm is taken

Floats = npt.NDArray[np.float64]
Runs = Mapping[str, Sequence[tuple[float, float]]]  # of each mix: operations and loss


@dataclass(frozen=True, eq=False)
class FloorFit:
    """Each floor with the lines of all mixes below it: ln(loss - floor) = height - slope (ln C - middle)."""

    names: tuple[str, ...]
    middles: Floats  # [mixes] mean of ln C
    floors: Floats  # [floors] nats a token
    weights: Floats  # [floors] of each floor; they add up to 1
    rss: Floats  # [floors] nats squared, of all runs
    lines: Floats  # [mixes, 2, floors] height and slope
    covariances: Floats  # [mixes, 3, floors] of height, of both, of slope; in units of the variance of a loss
    dof: int  # runs less two of each mix

    @property
    def best(self) -> int:
        """Place of the floor that fits best."""
        return int(self.rss.argmin())

    def losses(self, flops: float) -> Floats:
        """Return the loss of each mix at a budget, at the floor that fits best."""
        heights, slopes = self.lines[:, 0, self.best], self.lines[:, 1, self.best]
        found: Floats = self.floors[self.best] + np.exp(heights - slopes * (math.log(flops) - self.middles))
        return found

    def drawn_floors(self, key: str) -> Floats:
        """Return DRAWS floors as often as they are likely; `key` draws them."""
        found: Floats = self.floors[self._draw(key)[0]]
        return found

    def draws(self, flops: Sequence[float], key: str) -> Floats:
        """Return [budgets, mixes, DRAWS] of losses that the runs leave possible, the same world at each place.

        It has no meaning without degrees of freedom.
        """
        at, noise, scale = self._draw(key)
        found = np.empty((len(flops), len(self.names), DRAWS))
        for n, middle in enumerate(self.middles):
            of_height, of_both, of_slope = self.covariances[n][:, at]
            height_error = np.sqrt(of_height)
            shared = of_both / height_error
            own = np.sqrt(np.maximum(of_slope - shared**2, 0.0))
            heights = self.lines[n, 0, at] + scale * height_error * noise[n, 0]
            slopes = self.lines[n, 1, at] + scale * (shared * noise[n, 0] + own * noise[n, 1])
            for place, budget in enumerate(flops):
                found[place, n] = self.floors[at] + np.exp(heights - slopes * (math.log(budget) - middle))
        return found

    def _draw(self, key: str) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
        draws = np.random.default_rng(keyed_hash(SALT, key))
        at = draws.choice(len(self.floors), DRAWS, p=self.weights)
        scale = np.sqrt(self.rss[at] / draws.chisquare(self.dof, DRAWS))
        return at, draws.standard_normal((len(self.names), 2, DRAWS)), scale


def fit_floor(runs: Runs, floor: float = 0.0) -> FloorFit:
    """Return the lines of all mixes below each floor that is likely, or below the one that is given (above 0).

    InputError when a mix has runs of less than two budgets, or when all together are too few to tell a floor;
    ConfigError for a floor that is not below every loss.
    """
    lowest = min(loss for pairs in runs.values() for _, loss in pairs)
    if lowest <= floor:
        raise ConfigError(f"floor: {floor} is not allowed; must be below every loss, and one is {lowest:.4f}")
    for name, pairs in runs.items():
        if (budgets := len({flops for flops, _ in pairs})) < 2:
            raise InputError(f"loss against operations of mix {name!r}: {budgets} budgets; a line needs 2")
    count = sum(map(len, runs.values()))
    if floor:
        return _fit(runs, np.array([floor]), lowest)
    if why := too_few(count, len(runs)):
        raise InputError(why)
    floors = np.linspace(0.0, lowest, GRID, endpoint=False)
    fit = _fit(runs, floors, lowest)
    step = lowest / GRID
    for _ in range(ZOOMS):
        if fit.weights.max() < ENOUGH:
            break
        middle, step = float(fit.floors[fit.best]), step / FINER
        finer = middle + step * np.arange(-2 * FINER, 2 * FINER + 1)
        floors = np.union1d(floors, finer[(finer >= 0) & (finer < lowest)])
        fit = _fit(runs, floors, lowest)
    return fit


def too_few(count: int, mixes: int) -> str | None:
    """Return why so many runs, of different budgets or seeds, do not tell the floor of so many mixes; None if they do.

    Each mix has two coefficients, all have one floor, and one degree of freedom is left for the noise.
    """
    if (needed := 2 * mixes + 2) <= count:
        return None
    return (
        f"{count} runs of {mixes} mixes do not tell their floor; give `floor`, or budgets or seeds until there are"
        f" {needed} runs"
    )


def _fit(runs: Runs, floors: Floats, lowest: float) -> FloorFit:
    names = tuple(sorted(runs))
    middles, lines, covariances = [], [], []
    rss, seen = np.zeros(len(floors)), np.zeros(len(floors))
    for name in names:
        flops, losses = np.array(sorted(runs[name])).T
        x = np.log(flops)
        middles.append(float(x.mean()))
        line, covariance, left, visible = _line(x - x.mean(), losses[None] - floors[:, None])
        lines.append(line)
        covariances.append(covariance)
        rss += left
        seen += visible
    dof = sum(map(len, runs.values())) - 2 * len(runs)
    logs = -dof / 2 * np.log(rss + TINY * lowest**2)
    widths = np.gradient(floors) if len(floors) > 1 else np.ones(1)
    weights = widths * np.sqrt(seen) * np.exp(logs - logs.max())
    if not weights.sum() > 0:  # a floor that is given need not be seen
        weights = np.ones(len(floors))
    return FloorFit(
        names, np.array(middles), floors, weights / weights.sum(), rss, np.stack(lines), np.stack(covariances), dof
    )


def _line(z: Floats, above: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return [2, floors] height and slope, [3, floors] their covariance, what is left, and what runs see of a floor.

    `z` is [runs] ln C about its mean, `above` [floors, runs]. What is seen is how far the losses move with the floor
    when the line follows as well as it can (squared, in units of the floor's own move).
    """
    fitted = above
    target = np.log(above)
    for _ in range(ROUNDS):
        weights = fitted**2
        sums = np.stack([weights.sum(1), (weights * z).sum(1), (weights * z * z).sum(1)])
        determinant = sums[0] * sums[2] - sums[1] ** 2
        first, second = (weights * target).sum(1), (weights * z * target).sum(1)
        slope = (sums[0] * second - sums[1] * first) / determinant
        height = (first - slope * sums[1]) / sums[0]
        logs = height[:, None] + slope[:, None] * z
        fitted = np.exp(logs)
        target = logs + np.clip((above - fitted) / fitted, -1.0, 1.0)  # a step of more than e is none of a line
    covariance = np.stack([sums[2], sums[1], sums[0]]) / determinant
    first, second = fitted.sum(1), (z * fitted).sum(1)
    hidden = sums[2] * first**2 - 2 * sums[1] * first * second + sums[0] * second**2
    seen = np.maximum(above.shape[1] - hidden / determinant, 0.0)
    return np.stack([height, -slope]), covariance, ((above - fitted) ** 2).sum(1), seen
