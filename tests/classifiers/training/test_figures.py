from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.training.figures import (
    ALL,
    CurvePoint,
    area_under_curve,
    at_keep_rate,
    auc_interval,
    average_precision,
    average_precision_interval,
    curve,
    figures,
    figures_by_language,
)

SCORES = np.array([0.9, 0.8, 0.8, 0.3, 0.1])
POSITIVE = np.array([True, False, True, True, False])


def test_average_precision_by_hand() -> None:
    # at 0.9: 1/1, one of three found; at 0.8: 2/3, one more; at 0.3: 3/4, one more; at 0.1 none
    assert average_precision(SCORES, POSITIVE) == pytest.approx((1 + 2 / 3 + 3 / 4) / 3)
    assert average_precision(SCORES, np.ones(5, dtype=bool)) is None


def test_curve_by_hand() -> None:
    points = curve(SCORES, POSITIVE)
    assert [point.recall for point in points] == pytest.approx([1 / 3] * 3 + [2 / 3] * 3 + [1.0] * 4)
    assert points[0] == CurvePoint(threshold=0.9, recall=1 / 3, precision=1.0, false_positive_rate=0.0)
    assert points[3] == CurvePoint(threshold=0.8, recall=2 / 3, precision=2 / 3, false_positive_rate=0.5)
    assert points[-1] == CurvePoint(threshold=0.3, recall=1.0, precision=0.75, false_positive_rate=0.5)
    assert curve(SCORES, np.zeros(5, dtype=bool)) == ()


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.booleans()), max_size=30))
def test_a_point_is_the_highest_threshold_that_reaches_its_recall(pairs: list[tuple[float, bool]]) -> None:
    scores = np.array([score for score, _ in pairs], dtype=float)
    positive = np.array([flag for _, flag in pairs], dtype=bool)
    for share, point in zip(range(1, 11), curve(scores, positive), strict=False):
        reached = [t for t in sorted(set(scores)) if 10 * (positive & (scores >= t)).sum() >= share * positive.sum()]
        assert point.threshold == max(reached)
        kept = scores >= point.threshold
        assert point.precision == pytest.approx(positive[kept].mean())
        assert point.false_positive_rate == pytest.approx(kept[~positive].mean())


def test_the_interval_holds_the_area_and_shrinks_with_more_texts() -> None:
    generator = np.random.default_rng(0)
    widths = []
    for n in (100, 2_500):
        positive = np.arange(n) % 2 == 0
        scores = generator.normal(positive.astype(float))
        low, high = auc_interval(scores, positive)
        assert low is not None
        assert high is not None
        area = area_under_curve(scores, positive)
        assert area is not None
        assert low < area < high
        order = generator.permutation(n)
        assert auc_interval(scores[order], positive[order]) == (low, high)
        widths.append(high - low)
    assert widths[0] / widths[1] == pytest.approx(5, rel=0.3)  # by the root of 25


def test_the_interval_is_that_of_hanley_and_mcneil_roughly() -> None:
    """Normal scores one standard deviation apart: area .76; their formula gives an error of .0213 for 250 each."""
    generator = np.random.default_rng(1)
    positive = np.arange(500) % 2 == 0
    low, high = auc_interval(generator.normal(positive.astype(float)), positive)
    assert low is not None
    assert high is not None
    assert (high - low) / (2 * 1.96) == pytest.approx(0.0213, rel=0.15)


def test_the_interval_of_the_average_precision_holds_it() -> None:
    generator = np.random.default_rng(2)
    positive = np.arange(400) % 4 == 0
    scores = generator.normal(positive.astype(float)).round(1)  # with ties
    low, high = average_precision_interval(scores, positive)
    found = average_precision(scores, positive)
    assert low is not None
    assert high is not None
    assert found is not None
    assert low < found < high
    assert high - low < 0.2
    assert average_precision_interval(scores, np.ones(400, dtype=bool)) == (None, None)


def test_the_threshold_of_a_keep_rate_by_hand() -> None:
    at = [at_keep_rate(SCORES, POSITIVE, rate) for rate in (0.2, 0.21, 0.6, 0.61, 1.0)]
    assert [row.threshold for row in at if row] == [0.9, 0.8, 0.8, 0.3, 0.1]
    assert [row.kept for row in at if row] == [0.2, 0.6, 0.6, 0.8, 1.0]  # a tie keeps more than was asked for
    assert at_keep_rate(np.array([]), np.array([], dtype=bool), 0.1) is None


def test_by_language() -> None:
    found = figures_by_language(SCORES, POSITIVE, ["en", "en", "de", "de", ""])
    assert list(found) == [ALL, "de", "en"]
    assert found[ALL] == figures(SCORES, POSITIVE)
    assert (found["en"].n, found["en"].n_positive, found["en"].auc) == (2, 1, 1.0)
    assert (found["de"].n, found["de"].auc, found["de"].auc_low, found["de"].curve) == (2, None, None, ())
    assert list(figures_by_language(np.array([]), np.array([], dtype=bool), [])) == [ALL]
