"""How well scores tell positive texts from others: ROC, precision and recall, with an interval, by language.

`scores` is float64 and `positive` bool, both of shape (texts,). Nothing here depends on the order of the texts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas.identity import keyed_hash

Scores = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]

REPORTED_THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(1, 20))
REPORTED_KEEP_RATES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)  # DCLM keeps 0.1 (arXiv:2406.11794, section 4.4)
REPORTED_RECALLS = tuple(round(0.1 * step, 1) for step in range(1, 11))
ALL = "all"  # the group of all languages together
RESAMPLES = 1_000
LEVEL = 0.95


@dataclass(frozen=True, kw_only=True)
class ThresholdRow:
    """What keeping held-out texts with score >= threshold gives; None where nothing is kept or nothing positive."""

    threshold: float
    kept: float  # share of all held-out texts
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True, kw_only=True)
class CurvePoint:
    """A point of the ROC and of the precision-recall curve: the highest threshold that reaches a recall."""

    threshold: float
    recall: float
    precision: float
    false_positive_rate: float


@dataclass(frozen=True, kw_only=True)
class Figures:
    """The figures of a group of texts; None where one of the two kinds is missing."""

    n: int
    n_positive: int
    auc: float | None
    auc_low: float | None  # of the 95% bootstrap interval
    auc_high: float | None
    average_precision: float | None
    average_precision_low: float | None  # of the 95% bootstrap interval
    average_precision_high: float | None
    curve: tuple[CurvePoint, ...]  # at REPORTED_RECALLS


def figures_by_language(scores: Scores, positive: Flags, languages: Sequence[str]) -> dict[str, Figures]:
    """Return the figures of all texts (`all`), then of each language where `languages` names any."""
    found = {ALL: figures(scores, positive)}
    codes = np.array(languages, dtype=np.str_)
    for code in sorted(set(languages) - {""}):
        chosen = codes == code
        found[code] = figures(scores[chosen], positive[chosen])
    return found


def figures(scores: Scores, positive: Flags) -> Figures:
    """Return the figures of one group of texts."""
    low, high = auc_interval(scores, positive)
    precision_low, precision_high = average_precision_interval(scores, positive)
    return Figures(
        n=len(scores),
        n_positive=int(positive.sum()),
        auc=area_under_curve(scores, positive),
        auc_low=low,
        auc_high=high,
        average_precision=average_precision(scores, positive),
        average_precision_low=precision_low,
        average_precision_high=precision_high,
        curve=curve(scores, positive),
    )


def at_threshold(scores: Scores, positive: Flags, threshold: float) -> ThresholdRow:
    """Return precision, recall and F1 of keeping what scores at least `threshold`."""
    kept = scores >= threshold
    hits, n_kept, n_positive = int((kept & positive).sum()), int(kept.sum()), int(positive.sum())
    return ThresholdRow(
        threshold=threshold,
        kept=n_kept / len(scores) if len(scores) else 0.0,
        precision=hits / n_kept if n_kept else None,
        recall=hits / n_positive if n_positive else None,
        f1=2 * hits / (n_kept + n_positive) if n_kept and n_positive else None,
    )


def area_under_curve(scores: Scores, positive: Flags) -> float | None:
    """Return the chance that a positive scores above a negative, ties counting half (Mann and Whitney 1947)."""
    if not _both_kinds(positive):
        return None
    hits, others = _per_value(scores, positive)[1:]
    return _area(hits, others)


def auc_interval(scores: Scores, positive: Flags) -> tuple[float, float] | tuple[None, None]:
    """Return the 95% percentile interval of the area under the curve.

    Stratified bootstrap (Efron and Tibshirani 1993, chapter 13): positives and negatives are resampled apart, 1,000
    times, as counts of each distinct score, from a generator whose seed is fixed.
    """
    return _interval(scores, positive, _area)


def auc_difference_interval(scores: Scores, others: Scores, positive: Flags) -> tuple[float, float, float] | None:
    """Return the area under the curve of `scores` less that of `others`, with its 95% interval.

    The same texts are resampled for both (paired bootstrap), as scores of the same texts rise and fall together. The
    order of the texts counts, for the resamples alone. None without both kinds.
    """
    if not _both_kinds(positive):
        return None
    places = np.flatnonzero(positive), np.flatnonzero(~positive)
    generator = np.random.default_rng(keyed_hash("classifier/paired bootstrap", b""))
    found = []
    for _ in range(RESAMPLES):
        hits, rest = (generator.choice(some, len(some)) for some in places)
        found.append(_area_of(scores[hits], scores[rest]) - _area_of(others[hits], others[rest]))
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    whole = _area_of(scores[places[0]], scores[places[1]]) - _area_of(others[places[0]], others[places[1]])
    return whole, float(low), float(high)


def average_precision_interval(scores: Scores, positive: Flags) -> tuple[float, float] | tuple[None, None]:
    """Return the 95% percentile interval of the average precision, by the same resamples as the area's."""
    return _interval(scores, positive, _average_precision)


def _interval(
    scores: Scores, positive: Flags, figure: Callable[[Counts, Counts], float]
) -> tuple[float, float] | tuple[None, None]:
    if not _both_kinds(positive):
        return None, None
    hits, others = _per_value(scores, positive)[1:]
    generator = np.random.default_rng(keyed_hash("classifier/bootstrap", b""))
    found = [
        figure(generator.multinomial(hits.sum(), hits / hits.sum()), generator.multinomial(n, others / n))
        for n in [others.sum()] * RESAMPLES
    ]
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def average_precision(scores: Scores, positive: Flags) -> float | None:
    """Return the precision at each distinct score, weighted by the recall that it adds; None without both kinds."""
    if not _both_kinds(positive):
        return None
    return _average_precision(*_per_value(scores, positive)[1:])


def curve(scores: Scores, positive: Flags) -> tuple[CurvePoint, ...]:
    """Return for each of REPORTED_RECALLS the highest threshold that reaches it; nothing without both kinds."""
    if not _both_kinds(positive):
        return ()
    values, hits, others = (found[::-1] for found in _per_value(scores, positive))
    true, false = np.cumsum(hits), np.cumsum(others)
    wanted = np.ceil(np.array(REPORTED_RECALLS) * true[-1] - 1e-9)  # .3 x 10 is 3, not 4
    return tuple(
        CurvePoint(
            threshold=float(values[at]),
            recall=float(true[at] / true[-1]),
            precision=float(true[at] / (true[at] + false[at])),
            false_positive_rate=float(false[at] / false[-1]),
        )
        for at in np.searchsorted(true, wanted)
    )


def at_keep_rate(scores: Scores, positive: Flags, rate: float) -> ThresholdRow | None:
    """Return what the highest threshold gives that keeps at least a share `rate` of the texts; None without texts."""
    if not len(scores):
        return None
    wanted = max(1, int(np.ceil(rate * len(scores) - 1e-9)))  # .3 x 10 is 3, not 4
    return at_threshold(scores, positive, float(np.sort(scores)[-wanted]))


def best_threshold(scores: Scores, positive: Flags) -> float | None:
    """Return the score that as a limit gives the best F1; of equal ones the highest. None without both kinds."""
    if not _both_kinds(positive):
        return None
    values, hits, others = _per_value(scores, positive)
    n_kept, n_hits = np.cumsum((hits + others)[::-1])[::-1], np.cumsum(hits[::-1])[::-1]
    f1 = 2 * n_hits / (n_kept + hits.sum())
    return float(values[np.flatnonzero(f1 == f1.max())[-1]])


def _both_kinds(positive: Flags) -> bool:
    return 0 < int(positive.sum()) < len(positive)


def _per_value(scores: Scores, positive: Flags) -> tuple[Scores, Counts, Counts]:
    """Return the distinct scores, lowest first, and how many positive and other texts have each."""
    values, place = np.unique(scores, return_inverse=True)
    hits = np.bincount(place[positive], minlength=len(values))
    return values, hits, np.bincount(place[~positive], minlength=len(values))


def _area(hits: Counts, others: Counts) -> float:
    """Return the area for counts of positives and of others at each distinct score, lowest first."""
    below = np.cumsum(others) - others
    return float((hits * (below + others / 2)).sum() / (hits.sum() * others.sum()))


def _area_of(hits: Scores, rest: Scores) -> float:
    """Return the area for the scores of positives and of others."""
    ordered = np.sort(rest)
    below = np.searchsorted(ordered, hits, "left") + np.searchsorted(ordered, hits, "right")
    return float(below.sum() / (2 * len(hits) * len(rest)))


def _average_precision(hits: Counts, others: Counts) -> float:
    """Return the average precision for the same counts; a resample may have none of some scores."""
    found, kept = np.cumsum(hits[::-1]), np.cumsum((hits + others)[::-1])
    return float((found / np.maximum(kept, 1) * hits[::-1]).sum() / hits.sum())
