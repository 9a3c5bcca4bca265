"""Table rows that are kept in part: one of which the most is kept is kept whole, so that its cells mean something."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from transforms.extraction.parsing.outline import Mask, Outline

_MAX_BLOCKS: Final = 20  # of a row; one with more lays out a page (our value)


def with_whole_rows(outline: Outline, kept: Mask, words: NDArray[np.int64]) -> Mask:
    """Return the kept blocks and the rest of the table rows of which they are at least half the words.

    A row around another table's rows is not looked at.
    """
    if "tr" not in outline.tags:
        return kept
    rows = [element for element, tag in enumerate(outline.tags) if tag == "tr"]
    start = np.array([outline.starts[row] for row in rows], np.int64)
    end = np.array([outline.ends[row] for row in rows], np.int64)
    is_outer = np.append(start[1:] < end[:-1], False)
    total, taken = np.append(0, np.cumsum(words)), np.append(0, np.cumsum(words * kept))
    hits = taken[end] - taken[start]
    size = end - start
    is_most = (hits > 0) & (2 * hits >= total[end] - total[start])
    chosen = is_most & (size > 1) & (size <= _MAX_BLOCKS) & ~is_outer
    added = kept.copy()
    for first, last in zip(start[chosen].tolist(), end[chosen].tolist(), strict=True):
        added[first:last] = True
    return added
