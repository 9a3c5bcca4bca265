"""From compute to the accuracy of a benchmark, in two steps (L3 section 3.2.1, figure 4).

1. The normalised negative log-likelihood of the correct answer, nats per character, is a straight line in the logarithm
   of the training FLOPs: fitted to the scaling-law models alone.
2. Accuracy is a sigmoid of that likelihood: fitted to the scaling-law models and to larger ones that exist (Llama 2 in
   the report), which is where accuracy leaves chance.

The report extrapolates over four orders of magnitude in this way, with a slight underestimate. Our choices: the ends
of the sigmoid are given (chance and 1), not fitted, since few models are near either; and the interval, by the delta
method from both fits.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import OptimizeWarning, curve_fit
from scipy.special import expit

from schemas.errors import ConfigError, InputError
from schemas.settings import setting, validate
from trainer.scaling.fits.lines import LEVEL, Line, fit_line, t_quantile
from trainer.scaling.points import Interval, read_table

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One model on one benchmark."""

    name: str = setting("", "of the model")
    flops: float = setting(0.0, "operations of its training; 0: an anchor, for the sigmoid alone", ge=0)
    nll_per_char: float = setting(0.0, "nats a character of the correct answer", ge=0)
    accuracy: float = setting(0.0, "share of correct answers", ge=0, le=1)

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, eq=False)
class Sigmoid:
    """accuracy = chance + (ceiling - chance) / (1 + exp((nll - middle) / width))."""

    middle: float
    width: float
    chance: float
    ceiling: float
    covariance: Floats  # [2, 2] of middle and width
    dof: int

    def at(self, nll: float) -> float:
        return float(_sigmoid(np.array([nll]), self.middle, self.width, self.chance, self.ceiling)[0])

    def gradient(self, nll: float) -> tuple[float, Floats]:
        """Return the derivatives of accuracy: by nll, and by (middle, width)."""
        share = (self.at(nll) - self.chance) / (self.ceiling - self.chance)
        slope = -(self.ceiling - self.chance) * share * (1 - share) / self.width
        return slope, np.array([-slope, -slope * (nll - self.middle) / self.width])


@dataclass(frozen=True)
class Forecast:
    """What a benchmark is expected to show at some budget."""

    flops: float
    nll_per_char: float
    nll_interval: Interval | None
    accuracy: float
    accuracy_interval: Interval | None


@dataclass(frozen=True)
class Downstream:
    """Both fits."""

    line: Line  # nll against ln(operations)
    sigmoid: Sigmoid

    def forecast(self, flops: float, level: float = LEVEL) -> Forecast:
        """Return likelihood and accuracy at a budget, with intervals where there are degrees of freedom."""
        x = math.log(flops)
        nll, accuracy = self.line.at(x), self.sigmoid.at(self.line.at(x))
        error = self.line.standard_error(x)
        interval = None
        if error is not None and self.sigmoid.dof:
            slope, by_fit = self.sigmoid.gradient(nll)
            variance = (slope * error) ** 2 + float(by_fit @ self.sigmoid.covariance @ by_fit)
            half = t_quantile(level, min(self.line.dof, self.sigmoid.dof)) * math.sqrt(variance)
            interval = Interval(max(0.0, accuracy - half), min(1.0, accuracy + half), level)
        return Forecast(flops, nll, self.line.interval(x, level), accuracy, interval)


def fit_downstream(models: Sequence[Measured], chance: float, ceiling: float = 1.0) -> Downstream:
    """Return both fits. `chance` is the accuracy of guessing, `ceiling` that of the best possible model.

    InputError with less than two budgets or two likelihoods, or when no sigmoid fits.
    """
    ladder = [model for model in models if model.flops > 0]
    line = fit_line(
        [math.log(model.flops) for model in ladder], [m.nll_per_char for m in ladder], "likelihood against operations"
    )
    return Downstream(
        line, fit_sigmoid([m.nll_per_char for m in models], [m.accuracy for m in models], chance, ceiling)
    )


def fit_sigmoid(nll: Sequence[float], accuracy: Sequence[float], chance: float, ceiling: float = 1.0) -> Sigmoid:
    """Return the sigmoid from likelihood to accuracy. InputError with less than two likelihoods, or none that fits."""
    if not 0 <= chance < ceiling <= 1:
        raise ConfigError(f"chance: {chance} is not allowed; must be >= 0 and below the ceiling, {ceiling}")
    x, y = np.asarray(nll, np.float64), np.asarray(accuracy, np.float64)

    def shape(values: Floats, middle: float, width: float) -> Floats:
        return _sigmoid(values, middle, width, chance, ceiling)

    start = _start(x, y, chance, ceiling)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", OptimizeWarning)  # two points: exact, no covariance
            (middle, width), covariance = curve_fit(shape, x, y, p0=start, maxfev=10_000)
    except RuntimeError as error:
        raise InputError(f"accuracy against likelihood: no sigmoid fits: {' '.join(str(error).split())}") from None
    return Sigmoid(float(middle), float(width), chance, ceiling, np.asarray(covariance, np.float64), len(x) - 2)


def _sigmoid(nll: Floats, middle: float, width: float, chance: float, ceiling: float) -> Floats:
    values: Floats = chance + (ceiling - chance) * expit((middle - nll) / width)
    return values


def _start(x: Floats, y: Floats, chance: float, ceiling: float) -> tuple[float, float]:
    """Return where the fit begins: a straight line through the logits. InputError where it does not fall."""
    share = np.clip((y - chance) / (ceiling - chance), 1e-4, 1 - 1e-4)
    line = fit_line(x.tolist(), np.log(share / (1 - share)).tolist(), "accuracy against likelihood")
    if line.slope >= 0:
        raise InputError("accuracy against likelihood: accuracy does not fall as the answers grow less likely")
    return line.mean_x - line.mean_y / line.slope, -1 / line.slope


def read_measured(path: Path) -> list[Measured]:
    """Return the models of a table. InputError when it cannot be read, ConfigError naming the line that is wrong."""
    return read_table(path, Measured(), ("nll_per_char", "accuracy"))
