"""Series of like elements: cards, entries, posts, of which little is kept.

The model judges block by block and takes one or two of a list of other articles, or other products, whose words are
those of the page's own. What a page repeats is its content or is not, all of it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from transforms.extraction.outline import Mask

LEAST: Final = 5  # a fifth of a series' words must be kept for any of them to be (ours)
MOST: Final = 7  # tenths of a choice's words that go at most (ours)


def without_slivers(
    kept: Mask, words: NDArray[np.int64], series: NDArray[np.int64], *, of_one_product: bool = False
) -> Mask:
    """Return a choice of blocks without those of series of which less than a fifth is kept; all of it when more than
    seven tenths would go, or all: then the page may be one series and its content one entry. Not so a page of one
    product, where other products can be most of what was chosen. `words`, `series`: how many each block has, and which
    it belongs to (-1: none)."""
    at = series + 1
    whole = np.bincount(at, words)
    taken = np.bincount(at, words * kept)
    left = kept & ((series < 0) | (LEAST * taken >= whole)[at])
    gone = int((words * (kept & ~left)).sum())
    is_most = 10 * gone > MOST * int((words * kept).sum()) and not of_one_product
    return left if left.any() and not is_most else kept
