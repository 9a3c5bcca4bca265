"""Fit a calibration to held-out texts, and say how far probabilities are from what happened.

Both methods are fitted, and the better one by this rule is taken: the lower Brier score (mean squared error of the
probability), each text judged by a function fitted to four fifths of the texts that do not hold it; Platt's where
they are equal. Texts of one group (a site) are in one fifth. What is stored is then fitted to all texts. An error
measured on the texts of the fit itself would always favour the isotonic one, which can follow any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from classifiers.models.calibration import DIGITS, ISOTONIC, METHODS, PLATT, Calibration, calibrated, log_odds
from schemas.identity import keyed_hash

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

FOLDS = 5
MIN_TEXTS = 50  # with fewer texts, or fewer than FOLDS of a kind, no calibration is fitted; ours
BINS = 10  # of equal width, of the expected calibration error
UNCALIBRATED = "none"
_NEWTON_ROUNDS = 100
_NEWTON_STEP = 1e-10  # where Newton's method is done
_RIDGE = 1e-9  # so that its matrix can be inverted where all scores are equal


@dataclass(frozen=True, kw_only=True)
class ReliabilityBin:
    """The texts whose probability lies in [low, high)."""

    low: float
    high: float
    n: int
    mean_probability: float
    positive_share: float


@dataclass(frozen=True, kw_only=True)
class CalibrationReport:
    """The function that was chosen and the errors of each; all errors out of fold."""

    chosen: Calibration
    n: int  # texts it was fitted to
    brier: Mapping[str, float]  # by method, `none` for the scores as they are
    calibration_error: Mapping[str, float]
    reliability: tuple[ReliabilityBin, ...]  # of the chosen
    reliability_before: tuple[ReliabilityBin, ...]  # of the scores as they are


def calibrate(scores: Floats, positive: Flags, groups: Sequence[str]) -> CalibrationReport | None:
    """Return the better calibration, or None with too few texts. Does not depend on the order of the texts.

    `scores` and `positive` have shape (texts,); `groups` names what may not be split, a site or the text itself.
    """
    n_positive = int(positive.sum())
    if len(scores) < MIN_TEXTS or min(n_positive, len(scores) - n_positive) < FOLDS:
        return None
    folds = np.array([keyed_hash("classifier/calibration", group) % FOLDS for group in groups])
    if len(np.unique(folds)) < 2:  # of one or two sites
        return None
    fitted: dict[str, Floats] = {UNCALIBRATED: scores}
    for method in METHODS:
        fitted[method] = _out_of_fold(_FITS[method], scores, positive, folds)
    brier = {method: round(brier_score(found, positive), DIGITS) for method, found in fitted.items()}
    best = min(METHODS, key=lambda method: brier[method])
    return CalibrationReport(
        chosen=_FITS[best](scores, positive),
        n=len(scores),
        brier=brier,
        calibration_error={method: round(calibration_error(p, positive), DIGITS) for method, p in fitted.items()},
        reliability=reliability(fitted[best], positive),
        reliability_before=reliability(scores, positive),
    )


def fit_platt(scores: Floats, positive: Flags) -> Calibration:
    """Return the logistic function of the greatest likelihood, by Newton's method.

    Targets are Platt's, (n+ + 1) / (n+ + 2) and 1 / (n- + 2) instead of 1 and 0, so that scores that separate the kinds
    perfectly have a finite slope. A slope below 0, of scores that mislead, is 0: no calibration reverses an order.
    """
    scores, positive = _ordered(scores, positive)
    x = np.stack([log_odds(scores), np.ones(len(scores))], axis=1)
    n_positive = int(positive.sum())
    target = np.where(positive, (n_positive + 1) / (n_positive + 2), 1 / (len(scores) - n_positive + 2))
    weights = np.array([0.0, np.log((n_positive + 1) / (len(scores) - n_positive + 1))])
    for _ in range(_NEWTON_ROUNDS):
        p = 1 / (1 + np.exp(-(x @ weights)))
        curvature = (x * (p * (1 - p))[:, None]).T @ x + _RIDGE * np.eye(2)
        step = np.linalg.solve(curvature, x.T @ (target - p))
        longest = np.abs(step).max()
        weights = weights + step * min(1.0, 2.0 / max(longest, 2.0))  # at most 2: Newton's method can overshoot
        if longest < _NEWTON_STEP:
            break
    slope, intercept = (float(value) for value in weights)
    if slope < 0:
        share = target.mean()
        slope, intercept = 0.0, float(np.log(share) - np.log1p(-share))
    return Calibration(method=PLATT, slope=round(slope, 9), intercept=round(intercept, 9))


def fit_isotonic(scores: Floats, positive: Flags) -> Calibration:
    """Return the ascending function of the least squared error, by pooling adjacent violators (Ayer et al. 1955).

    Each pool gives the points at its lowest and its highest score; between pools the function is linear.
    """
    values, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    hits = np.bincount(place[positive], minlength=len(values))
    pools: list[list[float]] = []  # hits, texts, lowest score, highest score
    for value, hit, count in zip(values.tolist(), hits.tolist(), counts.tolist(), strict=True):
        pools.append([hit, count, value, value])
        while len(pools) > 1 and pools[-2][0] * pools[-1][1] >= pools[-1][0] * pools[-2][1]:
            hit, count, _, high = pools.pop()
            pools[-1] = [pools[-1][0] + hit, pools[-1][1] + count, pools[-1][2], high]
    points: dict[float, float] = {}
    for hit, count, low, high in pools:
        points[low] = points[high] = round(hit / count, DIGITS)
    return Calibration(method=ISOTONIC, scores=tuple(points), probabilities=tuple(points.values()))


def brier_score(probabilities: Floats, positive: Flags) -> float:
    """Return the mean squared difference between probability and outcome."""
    return float(np.mean(np.sort((probabilities - positive) ** 2)))


def calibration_error(probabilities: Floats, positive: Flags) -> float:
    """Return the expected calibration error (Naeini et al. 2015; Guo et al. 2017, arXiv:1706.04599, equation 3).

    The mean, over the texts, of the difference between mean probability and share of positives in a text's bin; there
    are BINS bins of equal width.
    """
    return sum(
        abs(one.mean_probability - one.positive_share) * one.n / len(probabilities)
        for one in reliability(probabilities, positive)
    )


def reliability(probabilities: Floats, positive: Flags) -> tuple[ReliabilityBin, ...]:
    """Return the bins that have a text, lowest first."""
    probabilities, positive = _ordered(probabilities, positive)
    places = np.minimum((probabilities * BINS).astype(np.int64), BINS - 1)
    found = []
    for place in np.unique(places).tolist():
        chosen = places == place
        found.append(
            ReliabilityBin(
                low=place / BINS,
                high=(place + 1) / BINS,
                n=int(chosen.sum()),
                mean_probability=round(float(probabilities[chosen].mean()), DIGITS),
                positive_share=round(float(positive[chosen].mean()), DIGITS),
            )
        )
    return tuple(found)


def _out_of_fold(
    fit: Callable[[Floats, Flags], Calibration], scores: Floats, positive: Flags, folds: npt.NDArray[np.int64]
) -> Floats:
    """Return the probability of each text by a function fitted to the other folds."""
    found = np.zeros(len(scores))
    for fold in range(FOLDS):
        apart = folds == fold
        if apart.any():
            found[apart] = calibrated(scores[apart], fit(scores[~apart], positive[~apart]))
    return found


def _ordered(scores: Floats, positive: Flags) -> tuple[Floats, Flags]:
    """Return both in the order of the scores: sums of floats depend on their order."""
    order = np.lexsort((positive, scores))
    return scores[order], positive[order]


_FITS: Mapping[str, Callable[[Floats, Flags], Calibration]] = {PLATT: fit_platt, ISOTONIC: fit_isotonic}
