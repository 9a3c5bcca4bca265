"""Calibration: from the score of a classifier to the probability that a text has the positive label.

* `platt`: a logistic function of the score's log-odds, 1 / (1 + exp(-(slope * log-odds + intercept))) (Platt 1999).
  Deviation: Platt fits the score of a support vector machine; ours is a probability already, so its log-odds are taken.
* `isotonic`: linear between points of which both scores and probabilities ascend, constant beyond the outer ones
  (Zadrozny and Elkan 2002).

It is a group of settings, not a file: `winnow train-classifier --pin` writes it next to the model's SHA-256, so that a
stage's key holds it and no worker has to fetch it. How it is fitted: classifiers/evaluation/calibrate.py.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas.errors import ConfigError
from schemas.settings import setting, validate

Floats = npt.NDArray[np.float64]

PLATT, ISOTONIC = "platt", "isotonic"
METHODS = (PLATT, ISOTONIC)
EDGE = 1e-6  # scores are cut to [EDGE, 1 - EDGE] before the logarithm: fastText writes 1.0 for what it is sure of
DIGITS = 6  # of a calibrated probability; coarser than any difference between runs, finer than any calibration


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """A function from scores to probabilities; the default changes nothing."""

    method: str = setting(PLATT, "kind of the function", choices=METHODS)
    slope: float = setting(1.0, "platt: factor of the score's log-odds", ge=0.0)
    intercept: float = setting(0.0, "platt: what is added to them")
    scores: tuple[float, ...] = setting((), "isotonic: scores of the points, ascending")
    probabilities: tuple[float, ...] = setting((), "isotonic: their probabilities, never descending", ge=0.0, le=1.0)

    def __post_init__(self) -> None:
        validate(self)
        if len(self.scores) != len(self.probabilities):
            raise ConfigError(f"probabilities: {len(self.probabilities)} of them is not allowed; {len(self.scores)}, "
                              "as there are scores")  # fmt: skip
        if self.method == ISOTONIC and not self.scores:
            raise ConfigError("scores: [] is not allowed for method isotonic; must have at least one point")
        if _descends(self.scores, strictly=True) or _descends(self.probabilities, strictly=False):
            raise ConfigError("scores, probabilities: are not allowed to descend; expected an ascending function")


def _descends(values: Sequence[float], *, strictly: bool) -> bool:
    return any(low >= high if strictly else low > high for low, high in itertools.pairwise(values))


def log_odds(scores: Floats) -> Floats:
    """Return the log-odds of scores in [0, 1], which are cut to [EDGE, 1 - EDGE] before."""
    cut = np.clip(scores, EDGE, 1 - EDGE)
    odds: Floats = np.log(cut) - np.log1p(-cut)
    return odds


def calibrated(scores: Floats, calibration: Calibration) -> Floats:
    """Return the probability for each score, both float64 of shape (texts,), rounded to DIGITS."""
    if calibration.method == PLATT:
        found = 1 / (1 + np.exp(-(calibration.slope * log_odds(scores) + calibration.intercept)))
    else:
        found = np.interp(scores, calibration.scores, calibration.probabilities)
    rounded: Floats = np.round(found, DIGITS)
    return rounded
