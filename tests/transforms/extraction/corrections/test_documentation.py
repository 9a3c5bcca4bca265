"""What a page of documentation keeps beside the choice."""

from __future__ import annotations

import numpy as np

from transforms.extraction.corrections.documentation import MIN_CHANCE, with_likely_blocks


def test_likely_blocks_of_the_main_element() -> None:
    kept = np.array([True, False, False, False, False])
    chance = np.array([MIN_CHANCE, MIN_CHANCE + 1, MIN_CHANCE, MIN_CHANCE + 1, 0])
    in_main = np.array([False, True, True, False, True])
    assert with_likely_blocks(kept, chance, in_main).tolist() == [True, True, False, False, False]


def test_a_page_that_is_all_main_element_has_none() -> None:
    kept = np.array([True, False])
    assert with_likely_blocks(kept, np.array([MIN_CHANCE, MIN_CHANCE + 1]), np.ones(2, np.bool_)).tolist() == [
        True,
        False,
    ]
