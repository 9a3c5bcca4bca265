"""Series of which little is kept."""

from __future__ import annotations

import numpy as np
import pytest

from transforms.extraction.corrections.series import without_slivers

WORDS = np.array([50, 10, 10, 10, 10, 10, 10, 30], np.int64)
SERIES = np.array([-1, 4, 4, 4, 4, 4, 9, 9], np.int64)


@pytest.mark.parametrize(
    ("kept", "left"),
    [
        ([1, 1, 0, 0, 0, 0, 1, 0], [1, 1, 0, 0, 0, 0, 1, 0]),  # a fifth, a quarter
        ([1, 0, 0, 0, 0, 0, 0, 1], [1, 0, 0, 0, 0, 0, 0, 1]),
        ([0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0]),
    ],
)
def test_what_is_kept(kept: list[int], left: list[int]) -> None:
    assert without_slivers(np.array(kept, np.bool_), WORDS, SERIES).tolist() == [bool(one) for one in left]


def test_less_than_a_fifth_goes_unless_nothing_else_is_kept() -> None:
    words, series = np.array([50, 9, 41], np.int64), np.array([-1, 2, 2], np.int64)
    assert without_slivers(np.array([True, True, False]), words, series).tolist() == [True, False, False]
    for product in (True, False):
        alone = without_slivers(np.array([False, True, False]), words, series, of_one_product=product)
        assert alone.tolist() == [False, True, False]
    assert without_slivers(np.zeros(0, np.bool_), words[:0], series[:0]).tolist() == []


@pytest.mark.parametrize(("beside", "goes"), [(3, True), (2, False)])
def test_most_of_a_choice_stays_unless_the_page_is_of_a_product(beside: int, *, goes: bool) -> None:
    words, series = np.array([beside, 7, 93], np.int64), np.array([-1, 2, 2], np.int64)
    kept = np.array([True, True, False])
    assert without_slivers(kept, words, series).tolist() == [True, not goes, False]
    assert without_slivers(kept, words, series, of_one_product=True).tolist() == [True, False, False]
