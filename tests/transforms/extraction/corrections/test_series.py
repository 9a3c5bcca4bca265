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


@pytest.mark.parametrize(("beside", "sliver", "goes"), [(50, 9, True), (2, 9, True), (1, 9, False), (0, 9, False)])
def test_less_than_a_fifth_goes_but_never_nine_tenths_of_a_choice(beside: int, sliver: int, *, goes: bool) -> None:
    words = np.array([beside, sliver, 50 - sliver, 900], np.int64)
    kept = np.array([True, True, False, False])
    series = np.array([-1, 2, 2, -1], np.int64)
    assert without_slivers(kept, words, series).tolist() == [True, not goes, False, False]


@pytest.mark.parametrize(("around", "goes"), [(10, True), (9, False)])
def test_a_series_that_is_the_page_is_none(around: int, *, goes: bool) -> None:
    words, series = np.array([around - 1, 1, 15, 75], np.int64), np.array([-1, -1, 2, 2], np.int64)
    kept = np.array([True, False, True, False])
    assert without_slivers(kept, words, series).tolist() == [True, False, not goes, False]


def test_a_page_without_blocks() -> None:
    nothing = np.zeros(0, np.int64)
    assert without_slivers(np.zeros(0, np.bool_), nothing, nothing).tolist() == []
