"""From scores to chosen blocks."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.extraction.choice.decide import ONE, UNIT, decide, probabilities


def test_probabilities_of_scores() -> None:
    scores = np.array([0, UNIT, -UNIT, 10 * UNIT, -10 * UNIT, 10**9, -(10**9)])
    assert probabilities(scores).tolist() == [50_000, 73_106, 26_894, 99_995, 5, 99_995, 5]


@pytest.mark.parametrize(
    ("chance", "words", "kept", "confidence"),
    [
        ([], [], [], 0.0),
        ([0], [7], [True], 0.0),
        ([ONE, 0], [10, 10], [True, False], 1.0),
        ([ONE // 2], [10], [True], 2 / 3),
        ([ONE, ONE // 2], [10, 10], [True, True], 30 / 35),
        ([ONE, ONE // 4], [10, 10], [True, False], 20 / 22.5),
        ([ONE // 2, ONE // 2], [5, 5], [True, True], 2 / 3),
    ],
)
def test_the_best_choice(chance: list[int], words: list[int], kept: list[bool], confidence: float) -> None:
    found, expected = decide(np.array(chance, np.int64), np.array(words, np.int64))
    assert found.tolist() == kept
    assert expected == pytest.approx(confidence)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, ONE), st.integers(1, 50)), min_size=1, max_size=8))
def test_no_choice_is_better(blocks: list[tuple[int, int]]) -> None:
    chance, words = (np.array(column, np.int64) for column in zip(*blocks, strict=True))
    total = int((chance * words).sum())

    def worth(choice: tuple[bool, ...]) -> float:
        chosen = np.array(choice)
        hits, taken = int((chance * words)[chosen].sum()), int(words[chosen].sum()) * ONE
        return 2 * hits / max(1, taken + total)

    _, confidence = decide(chance, words)
    best = max(worth(choice) for choice in itertools.product((False, True), repeat=len(blocks)))
    assert confidence == pytest.approx(best)
