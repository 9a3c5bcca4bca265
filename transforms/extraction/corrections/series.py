"""Series of like elements: cards, entries, posts, of which little is kept.

The model judges block by block and takes one or two of a list of other articles, or other products, whose words are
those of the page's own. What a page repeats is its content or is not, all of it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from transforms.extraction.outline import Mask

MIN_KEPT: Final = 5  # a series of which less than a fifth of the words is kept is none of the content (ours)
MOST: Final = 10  # nine tenths: a series with more of the words is the page; a choice never loses as much (ours)


def without_slivers(kept: Mask, words: NDArray[np.int64], series: NDArray[np.int64]) -> Mask:
    """Return a choice of blocks without those of series of which less than a fifth is kept.

    All of it when nine tenths of its words or more would go: then its content may be one entry of many. `words`: of
    each block; `series`: the element whose like children a block's topmost one is among, -1: none.
    """
    at = series + 1
    whole = np.bincount(at, words)
    taken = np.bincount(at, words * kept)
    stays = (MIN_KEPT * taken >= whole) | (MOST * whole > (MOST - 1) * whole.sum())
    left = kept & ((series < 0) | stays[at])
    n_left, n_kept = int((words * left).sum()), int((words * kept).sum())
    return left if MOST * n_left > n_kept else kept
