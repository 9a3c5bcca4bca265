"""Links that lead away from an article: next to or under it, recognised by the names of the elements around them.

A list of other articles is made of the words of an article, and where the article is short the model takes it too: the
expected F1 of a few words more is high. The names tell.
"""

from __future__ import annotations

import numpy as np

from transforms.extraction.corrections.named import innermost_named
from transforms.extraction.parsing.names import names
from transforms.extraction.parsing.outline import Mask, Outline

ASIDE = names("sidebar related")


def without_asides(outline: Outline, kept: Mask) -> Mask:
    """Return a choice of an article's blocks without links in what is named a sidebar or related, where
    those are a fifth of it or more: below that, next to a longer article, the model is right more often."""
    aside = innermost_named(outline, ASIDE) >= 0
    for block in np.flatnonzero(kept & aside).tolist():
        aside[block] = 2 * outline.link_chars[block] >= len(outline.texts[block])
    left = kept & ~aside
    sizes = np.array([len(text) for text in outline.texts], np.int64)
    return left if left.any() and 5 * sizes[left].sum() <= 4 * sizes[kept].sum() else kept
