"""What a page of documentation keeps beside the choice."""

from __future__ import annotations

import numpy as np

from transforms.extraction.corrections.documentation import LEAST, with_likely_blocks


def test_likely_blocks_of_the_main_element() -> None:
    kept = np.array([True, False, False, False, False])
    chance = np.array([LEAST, LEAST + 1, LEAST, LEAST + 1, 0])
    in_main = np.array([False, True, True, False, True])
    assert with_likely_blocks(kept, chance, in_main).tolist() == [True, True, False, False, False]
