from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from classifiers.evaluation.calibrate import (
    MIN_TEXTS,
    brier_score,
    calibrate,
    calibration_error,
    fit_isotonic,
    fit_platt,
    reliability,
)
from classifiers.models.calibration import ISOTONIC, PLATT, calibrated, log_odds

Texts = tuple[np.ndarray, np.ndarray, list[str]]


def drawn(n: int, true_probability: str, seed: int = 0) -> Texts:
    """Scores drawn evenly, and labels by a true probability that is a function of the score."""
    generator = np.random.default_rng(seed)
    scores = generator.uniform(0.01, 0.99, n)
    true = {"squared": scores**2, "steps": np.where(scores < 0.5, 0.1, 0.8), "sharp": 1 / (1 + (1 / scores - 1) ** 3)}
    return scores, generator.uniform(size=n) < true[true_probability], [f"site{k % 97}" for k in range(n)]


def test_reliability_and_its_error_by_hand() -> None:
    probabilities = np.array([0.05, 0.05, 0.95, 0.95, 1.0])
    positive = np.array([False, True, True, True, True])
    low, high = reliability(probabilities, positive)
    assert (low.n, low.mean_probability, low.positive_share) == (2, 0.05, 0.5)
    assert (high.n, high.mean_probability, high.positive_share, high.high) == (3, 0.966667, 1.0, 1.0)
    assert calibration_error(probabilities, positive) == pytest.approx(0.4 * 0.45 + 0.6 * 0.033333, abs=1e-6)
    assert brier_score(probabilities, positive) == pytest.approx((0.0025 + 0.9025 + 0.0025 * 2 + 0) / 5)


def test_platt_is_logistic_regression_on_the_log_odds() -> None:
    scores, positive, _ = drawn(2_000, "sharp")
    ours = fit_platt(scores, positive)
    theirs = LogisticRegression(C=1e9, tol=1e-10).fit(log_odds(scores)[:, None], positive)
    # Platt's targets draw a little to the middle
    assert ours.slope == pytest.approx(float(theirs.coef_[0, 0]), rel=0.03)
    assert ours.intercept == pytest.approx(float(theirs.intercept_[0]), abs=0.02)
    assert ours.slope == pytest.approx(3, rel=0.1)  # what was planted


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=60))
def test_isotonic_is_that_of_scikit_learn(pairs: list[tuple[int, bool]]) -> None:
    scores = np.array([score / 20 for score, _ in pairs])
    positive = np.array([flag for _, flag in pairs])
    ours = calibrated(scores, fit_isotonic(scores, positive))
    theirs = IsotonicRegression(y_min=0, y_max=1).fit(scores, positive.astype(float)).predict(scores)
    assert ours == pytest.approx(theirs, abs=1e-6)


@pytest.mark.parametrize(("kind", "better"), [("steps", ISOTONIC), ("sharp", PLATT)])
def test_the_better_method_is_chosen_and_mends_the_error(kind: str, better: str) -> None:
    report = calibrate(*drawn(4_000, kind))
    assert report is not None
    assert report.chosen.method == better
    assert report.brier[better] < report.brier["none"]
    assert report.calibration_error[better] < 0.03 < report.calibration_error["none"]
    assert sum(one.n for one in report.reliability) == 4_000
    scores, positive, _ = drawn(4_000, kind, seed=1)  # others of the same kind
    assert calibration_error(calibrated(scores, report.chosen), positive) < 0.03


def test_the_order_of_the_texts_does_not_count() -> None:
    scores, positive, groups = drawn(300, "squared")
    order = np.random.default_rng(2).permutation(300)
    assert calibrate(scores[order], positive[order], [groups[at] for at in order]) == calibrate(
        scores, positive, groups
    )


def test_scores_that_say_nothing_or_the_contrary_keep_their_order() -> None:
    scores, positive, _ = drawn(500, "squared")
    for wrong in (1 - scores, np.full(500, 0.3)):
        for fit in (fit_platt, fit_isotonic):
            found = calibrated(np.sort(wrong), fit(wrong, positive))
            assert (np.diff(found) >= 0).all()
            assert found.mean() == pytest.approx(positive.mean(), abs=0.01)


def test_perfect_scores_have_a_finite_slope() -> None:
    positive = np.arange(100) % 2 == 0
    assert 0 < fit_platt(np.where(positive, 1.0, 0.0), positive).slope < 100


def test_too_few_texts_have_none() -> None:
    scores, positive, groups = drawn(MIN_TEXTS, "steps")
    assert calibrate(scores, positive, groups) is not None
    assert calibrate(scores[1:], positive[1:], groups[1:]) is None
    assert calibrate(scores, np.arange(MIN_TEXTS) < 4, groups) is None  # fewer positives than folds
    assert calibrate(scores, positive, ["one"] * MIN_TEXTS) is None  # one site: nothing is left to judge by
