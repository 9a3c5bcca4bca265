"""Everything that is reported of one set of scores on labelled texts; the same for training and for evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from classifiers.evaluation.calibrate import CalibrationReport, calibrate
from classifiers.training.examples import Example
from classifiers.training.figures import (
    REPORTED_KEEP_RATES,
    REPORTED_THRESHOLDS,
    Figures,
    Flags,
    Scores,
    ThresholdRow,
    at_keep_rate,
    at_threshold,
    best_threshold,
    figures_by_language,
)
from schemas.identity import keyed_hash

SAMPLE_CHARS = 200  # of a text that a report quotes


@dataclass(frozen=True, kw_only=True)
class ScoredError:
    """A text whose score is far from its label."""

    label: str
    score: float
    language: str
    site: str
    text: str  # its first SAMPLE_CHARS characters


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What scores are worth on some labelled texts; None where the texts are of one kind."""

    by_language: dict[str, Figures]  # `all` is all of them
    suggested_threshold: float | None  # of the best F1
    at_suggested: ThresholdRow | None
    thresholds: tuple[ThresholdRow, ...]  # at REPORTED_THRESHOLDS
    keep_rates: tuple[ThresholdRow, ...]  # at REPORTED_KEEP_RATES of these texts
    calibration: CalibrationReport | None
    errors: tuple[ScoredError, ...]  # positives of the lowest scores, then others of the highest


def positive_of(examples: Sequence[Example], positive_label: str) -> Flags:
    """Return which examples have the positive label."""
    return np.array([one.label == positive_label for one in examples], dtype=bool)


def measured(scores: Scores, examples: Sequence[Example], positive_label: str, error_samples: int) -> Measured:
    """Return the figures of `scores`, shape (examples,); a calibration only of what lies in [0, 1]."""
    positive = positive_of(examples, positive_label)
    suggested = best_threshold(scores, positive)
    is_probability = bool(len(scores)) and scores.min() >= 0 and scores.max() <= 1
    rates = (at_keep_rate(scores, positive, rate) for rate in REPORTED_KEEP_RATES)
    return Measured(
        by_language=figures_by_language(scores, positive, [one.language for one in examples]),
        suggested_threshold=suggested,
        at_suggested=None if suggested is None else at_threshold(scores, positive, suggested),
        thresholds=tuple(at_threshold(scores, positive, t) for t in REPORTED_THRESHOLDS),
        keep_rates=tuple(row for row in rates if row is not None),
        calibration=calibrate(scores, positive, [one.group for one in examples]) if is_probability else None,
        errors=(
            *_worst(scores, 1, examples, positive, error_samples),
            *_worst(scores, -1, examples, ~positive, error_samples),
        ),
    )


def _worst(scores: Scores, sign: int, examples: Sequence[Example], chosen: Flags, n: int) -> list[ScoredError]:
    """Return the `n` chosen examples of the lowest scores, with sign -1 of the highest; ties by a hash of the text."""
    order = {at: keyed_hash("classifier/errors", examples[at].text) for at in np.flatnonzero(chosen).tolist()}
    places = sorted(order, key=lambda at: (sign * scores[at], order[at]))
    return [
        ScoredError(
            label=examples[at].label,
            score=round(float(scores[at]), 6),
            language=examples[at].language,
            site=examples[at].site,
            text=examples[at].text[:SAMPLE_CHARS],
        )
        for at in places[:n]
    ]
