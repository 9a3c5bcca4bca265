"""Links that lead away from an article: what stands beside or under it, told by the names of the elements around them.

A list of other articles is made of the words of an article, and where the article is short the model takes it too: the
expected F1 of a few words more is high. The names tell.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from transforms.extraction.lexicon import MAX_NAMES, name_words
from transforms.extraction.names import names
from transforms.extraction.outline import Mask, Outline

ASIDE = names("sidebar related")
_WHOLE = frozenset(("html", "body", "main", "article"))  # themes name the whole page after its columns


def innermost_named(outline: Outline, words: frozenset[str]) -> NDArray[np.int64]:
    """Return the innermost element around each block whose class or id holds one of `words`, -1: none. Tags that themes
    name after something in them do not count."""
    found = np.full(len(outline.texts), -1, np.int64)
    marks = [mark for _, mark in outline.made]
    lower = [mark.lower() for mark in marks]
    near = {make for word in words for make, mark in enumerate(lower) if word in mark}  # few need a closer look
    named = {make for make in near if _has(marks[make], words)}
    if named:
        for element, make in enumerate(outline.makes):
            if make in named and outline.tags[element] not in _WHOLE:
                found[outline.starts[element] : outline.ends[element]] = element
    return found


def _has(mark: str, words: frozenset[str]) -> bool:
    return any(word in words for name in mark.split(None, MAX_NAMES)[:MAX_NAMES] for word in name_words(name))


def without_asides(outline: Outline, kept: Mask) -> Mask:
    """Return a choice of an article's blocks without links in what is named a sidebar or related, where
    those are a fifth of it or more: of less beside a longer article the model is right more often."""
    aside = innermost_named(outline, ASIDE) >= 0
    for block in np.flatnonzero(kept & aside).tolist():
        aside[block] = 2 * outline.link_chars[block] >= len(outline.texts[block])
    left = kept & ~aside
    sizes = np.array([len(text) for text in outline.texts], np.int64)
    return left if left.any() and 5 * sizes[left].sum() <= 4 * sizes[kept].sum() else kept
