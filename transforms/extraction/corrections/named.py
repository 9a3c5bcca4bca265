"""Elements known by a word of their class or id, which is how comments, sidebars and the like are recognised."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from transforms.extraction.choice.lexicon import MAX_NAMES, name_words
from transforms.extraction.parsing.outline import Outline

_WHOLE = frozenset(("html", "body", "main", "article"))  # themes name the whole page after its columns, its comments


def innermost_named(outline: Outline, words: frozenset[str]) -> NDArray[np.int64]:
    """Return the innermost element around each block whose class or id holds one of `words`, -1: none. Tags that themes
    name after something in them do not count."""
    found = np.full(len(outline.texts), -1, np.int64)
    marks = [mark for _, mark in outline.signatures]
    lower = [mark.lower() for mark in marks]
    near = {n for word in words for n, mark in enumerate(lower) if word in mark}  # few need a closer look
    named = {signature for signature in near if _has(marks[signature], words)}
    if named:
        for element, signature in enumerate(outline.signature_ids):
            if signature in named and outline.tags[element] not in _WHOLE:
                found[outline.starts[element] : outline.ends[element]] = element
    return found


def _has(mark: str, words: frozenset[str]) -> bool:
    return any(word in words for name in mark.split(None, MAX_NAMES)[:MAX_NAMES] for word in name_words(name))
