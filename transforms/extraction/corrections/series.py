"""Series of like elements: cards, entries, posts, of which little is kept.

The model judges block by block and takes one or two of a list of other articles, or other products, whose words are
those of the page's own. What a page repeats is its content or is not, all of it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from transforms.extraction.choice.features import share
from transforms.extraction.parsing.outline import Mask

# In thousandths of words; our values, by cross-validation.
MIN_KEPT: Final = 200  # of a series: if less of it is kept, it is no content
MAX_SERIES: Final = 900  # of a page: a series with more of it is the page
MIN_LEFT: Final = 100  # of a choice: with less, its content is one entry of many


def without_slivers(kept: Mask, words: NDArray[np.int64], series: NDArray[np.int64]) -> Mask:
    """Return a choice of blocks without those of series of which little is kept; all of it if it would lose too much.

    `words`: of each block; `series`: the element whose like children a block's topmost one is among, -1: none.
    """
    at = series + 1
    whole = np.bincount(at, words).astype(np.int64)
    taken = np.bincount(at, words * kept).astype(np.int64)
    stays = (share(taken, whole) >= MIN_KEPT) | (share(whole, int(words.sum())) > MAX_SERIES)
    left = kept & ((series < 0) | stays[at])
    return left if 1000 * (words * left).sum() > MIN_LEFT * (words * kept).sum() else kept
