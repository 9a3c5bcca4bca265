from __future__ import annotations

import random

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from classifiers.teacher.agreement import agreement, krippendorff

# Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), part C: four observers, twelve units.
PUBLISHED = {
    "A": {1: 1, 2: 2, 3: 3, 4: 3, 5: 2, 6: 1, 7: 4, 8: 1, 9: 2},
    "B": {1: 1, 2: 2, 3: 3, 4: 3, 5: 2, 6: 2, 7: 4, 8: 1, 9: 2, 10: 5, 12: 3},
    "C": {2: 3, 3: 3, 4: 3, 5: 2, 6: 3, 7: 4, 8: 2, 9: 2, 10: 5, 11: 1},
    "D": {1: 1, 2: 2, 3: 3, 4: 3, 5: 2, 6: 4, 7: 4, 8: 1, 9: 2, 10: 5, 11: 1},
}


def rated(n: int, seed: int, labels: str, agree: float) -> tuple[dict[str, str], dict[str, str]]:
    draws = random.Random(seed)
    a = {str(at): draws.choice(labels) for at in range(n)}
    return a, {at: label if draws.random() < agree else draws.choice(labels) for at, label in a.items()}


def test_alpha_is_the_published_one() -> None:
    judges = {name: {str(unit): str(value) for unit, value in some.items()} for name, some in PUBLISHED.items()}
    found = agreement(judges)
    assert found.documents == 11  # unit 12 was judged once
    assert found.is_interval
    assert found.alpha.value == pytest.approx(0.849, abs=5e-4)
    words = {name: {unit: f"l{value}" for unit, value in some.items()} for name, some in judges.items()}
    assert agreement(words).alpha.value == pytest.approx(0.743, abs=5e-4)


@pytest.mark.parametrize("agree", [0.0, 0.4, 0.9])
def test_kappa_is_that_of_scikit_learn(agree: float) -> None:
    a, b = rated(300, 3, "012345", agree)
    (pair,) = agreement({"a": a, "b": b}).pairs
    both = [a[at] for at in a], [b[at] for at in a]
    assert pair.cohen.value == pytest.approx(cohen_kappa_score(*both))
    assert pair.weighted is not None
    assert pair.weighted.value == pytest.approx(cohen_kappa_score(*both, weights="quadratic"))
    assert pair.equal == np.mean([x == y for x, y in zip(*both, strict=True)])
    assert sum(sum(row.values()) for row in pair.confusion.values()) == 300


def test_intervals_hold_what_they_promise() -> None:
    # Of 24 samples of two judges whose kappa is 0.5, about 95% of the intervals hold it.
    found = [agreement(dict(zip("ab", rated(100, seed, "xy", 0.5), strict=True))).pairs[0].cohen for seed in range(24)]
    held = sum(one.low <= 0.5 <= one.high for one in found)  # type: ignore[operator]
    assert 20 <= held <= 24


def test_nothing_depends_on_the_order() -> None:
    a, b = rated(50, 1, "xyz", 0.6)
    assert agreement({"a": a, "b": b}) == agreement({"a": dict(sorted(a.items(), reverse=True)), "b": b})


def test_only_shared_documents_count() -> None:
    a, b = rated(50, 1, "xy", 0.6)
    more = {**b, **{f"other {n}": "x" for n in range(50)}}
    assert agreement({"a": a, "b": b}).pairs[0].cohen == agreement({"a": a, "b": more}).pairs[0].cohen
    none = agreement({"a": {"1": "x"}, "b": {"2": "x"}})
    assert (none.pairs[0].documents, none.pairs[0].cohen.value, none.alpha.value) == (0, None, None)


def test_where_everybody_says_the_same_there_is_no_kappa() -> None:
    same = {str(n): "good" for n in range(9)}
    found = agreement({"a": same, "b": same})
    assert (found.pairs[0].equal, found.pairs[0].cohen.value, found.alpha.value) == (1.0, None, None)


def test_perfect_agreement_is_one_and_opposites_are_below_zero() -> None:
    a = {str(n): "xy"[n % 2] for n in range(20)}
    b = {at: "y" if label == "x" else "x" for at, label in a.items()}
    assert agreement({"a": a, "b": a, "c": a}).alpha.value == 1.0
    assert agreement({"a": a, "b": b}).pairs[0].cohen.value == -1.0
    matrix = np.array([[0, 1]])
    assert krippendorff(matrix, np.array([20.0]), 1 - np.eye(2)) == pytest.approx(1 - 39 * 40 / (2 * 20 * 20))
