"""KL and its correction for length, against values worked out by hand and against every draw there is."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.heuristics.kl.divergence import cross_entropy, entropy, expected_entropy, fit_trend, reference_bits

COUNTS = st.lists(st.integers(1, 5), min_size=1, max_size=4)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def by_every_draw(counts: list[int], size: int) -> float:
    """Return the mean entropy of all draws: the definition, written out."""
    tokens = [token for token, n in enumerate(counts) for _ in range(n)]
    draws = list(itertools.combinations(tokens, size))
    return sum(entropy(ints(*Counter(draw).values())) for draw in draws) / len(draws)


def test_reference_bits_by_hand() -> None:
    # 3 and 1 occurrences, 2 tokens without any, half an occurrence added to each: of 6 in all 3.5, 1.5, 0.5 and 0.5
    bits = reference_bits(ints(3, 1, 0, 0), 4, 0.5)
    assert bits.tolist() == pytest.approx([math.log2(6 / 3.5), 2.0, math.log2(12), math.log2(12)])
    assert reference_bits(ints(3, 1), 4, 0.5).tolist() == bits[:2].tolist()


def test_kl_by_hand() -> None:
    # p = 1/2, 1/4, 1/4 and q = 1/4, 1/2, 1/4: KL = 1/2 log2(2) + 1/4 log2(1/2) + 1/4 log2(1) = 1/4 bit
    counts, bits = ints(2, 1, 1), np.array([2.0, 1.0, 2.0])
    assert cross_entropy(counts, bits) == 1.75
    assert entropy(counts) == 1.5
    assert cross_entropy(counts, bits) - entropy(counts) == 0.25


@pytest.mark.parametrize(
    ("counts", "size", "expected"),
    [
        ((2, 1, 1), 1, 0.0),  # one token has no entropy
        ((2, 1, 1), 2, 5 / 6),  # of the six pairs of aabc one is aa, with 0 bits; five have 1 bit
        ((2, 1, 1), 3, (2 * math.log2(3) + 2 * (math.log2(3) - 2 / 3)) / 4),  # aab aac twice each; abc... by symmetry
        ((2, 1, 1), 4, 1.5),  # all of it
        ((7,), 3, 0.0),
        ((1, 1, 1, 1), 2, 1.0),
    ],
)
def test_expected_entropy_by_hand(counts: tuple[int, ...], size: int, expected: float) -> None:
    assert expected_entropy(ints(*counts), size) == pytest.approx(expected, abs=1e-12)


@settings(deadline=None, max_examples=40)
@given(COUNTS, st.data())
def test_expected_entropy_is_the_mean_over_all_draws(counts: list[int], data: st.DataObject) -> None:
    size = data.draw(st.integers(1, min(6, sum(counts))))
    assert expected_entropy(ints(*counts), size) == pytest.approx(by_every_draw(counts, size), abs=1e-9)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(1, 4), min_size=2, max_size=3), st.data())
def test_a_part_of_a_text_is_expected_to_have_what_the_whole_has(counts: list[int], data: st.DataObject) -> None:
    """The correction: over all parts of a text of one length the mean is that of the text, whatever the length."""
    length = data.draw(st.integers(2, sum(counts)))
    size = data.draw(st.integers(1, length))
    tokens = [token for token, n in enumerate(counts) for _ in range(n)]
    parts = [ints(*Counter(part).values()) for part in itertools.combinations(tokens, length)]
    mean = sum(expected_entropy(part, size) for part in parts) / len(parts)
    assert mean == pytest.approx(expected_entropy(ints(*counts), size), abs=1e-9)


@pytest.mark.parametrize("size", [0, 5])
def test_more_tokens_than_there_are_cannot_be_drawn(size: int) -> None:
    with pytest.raises(ValueError, match=f"{size} tokens cannot be drawn from 4"):
        expected_entropy(ints(2, 1, 1), size)


def test_a_very_long_text_of_few_words() -> None:
    # 300,000 tokens, half of them one word: 100 of them are nearly independent, so the value is close to the binomial's
    half = sum(math.comb(100, k) / 2**100 * -2 * (k / 100) * math.log2(k / 100) for k in range(1, 101))
    assert expected_entropy(ints(150_000, 150_000), 100) == pytest.approx(half, abs=1e-5)


def test_a_line_that_outliers_do_not_bend() -> None:
    x = np.arange(9.0)
    y = 2 * x + 1
    y[[2, 7]] = 100.0, -50.0
    assert fit_trend(x, y) == (2.0, 1.0)
    order = [3, 8, 1, 0, 7, 2, 6, 5, 4]
    assert fit_trend(x[order], y[order]) == (2.0, 1.0)


def test_a_line_without_points_or_of_one_length() -> None:
    assert fit_trend(np.zeros(0), np.zeros(0)) == (0.0, 0.0)
    assert fit_trend(np.array([5.0, 5.0, 5.0]), np.array([1.0, 3.0, 2.0])) == (0.0, 2.0)


def test_of_many_points_every_second_is_taken() -> None:
    x = np.arange(3000.0)
    y = np.where(x % 2 == 0, x, -x)  # those left out would turn it
    assert fit_trend(x, y) == (1.0, -1.0)  # the intercept is that of all points: half are 0, half -2x
