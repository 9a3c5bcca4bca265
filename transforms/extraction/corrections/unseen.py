"""Blocks that nobody sees: spam on hacked pages, drafts, errors of templates.

Most that is hidden is content, behind a tab or folded under a question: of the hidden words that the model keeps, 84%
are in the pages' gold. Those have a class or an id by which a script shows them, or follow what is clicked. What is
hidden by its own style, has no name and follows a paragraph cannot be shown. What is for screen readers alone, by the
classes of the common frameworks, goes, but where a table's cell has nothing else.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from transforms.extraction.parsing.names import names
from transforms.extraction.parsing.outline import Mask, Outline
from transforms.extraction.parsing.pieces import FORMATS

_CLICKED: Final = names("h1 h2 h3 h4 h5 h6 dt summary button label a th legend b strong")
_CELLS: Final = names("td th")
_LEVELS: Final = 4  # elements between a text and its cell


def without_unseen(outline: Outline, kept: Mask) -> Mask:
    """Return a choice of blocks without those that cannot be shown, if a third is left: pages can hide as a whole."""
    if not outline.nameless and not outline.read_aloud:
        return kept
    left = kept.copy()
    for element in outline.read_aloud:
        if not _is_value(outline, element):
            _leave_out(outline, left, element)
    for element in outline.nameless:
        start = outline.starts[element]
        if start and not _is_clicked(outline, start - 1):
            _leave_out(outline, left, element)
    sizes = np.array([len(text) for text in outline.texts], np.int64)
    return left if 3 * sizes[left].sum() > sizes[kept].sum() else kept


def _leave_out(outline: Outline, left: Mask, element: int) -> None:
    """Take the blocks of an element from a choice, those at its ends only if it holds them whole."""
    first, last = outline.starts[element], outline.ends[element] - 1
    if outline.tags[element] not in FORMATS:
        left[first : last + 1] = False
        return
    left[first + 1 : last] = False
    for block in (first, last) if first <= last else ():
        at = outline.owners[block]
        for _ in range(_LEVELS):
            if at == element:
                left[block] = False
            at = outline.parents[at] if at >= 0 else -1


def _is_value(outline: Outline, element: int) -> bool:
    """Return whether what is read aloud is the value of a table's cell: of Yes others see a tick."""
    for _ in range(_LEVELS):
        if element < 0:
            return False
        if outline.tags[element] in _CELLS:
            return True
        element = outline.parents[element]
    return False


def _is_clicked(outline: Outline, block: int) -> bool:
    """Return whether a block may be what shows the next one: a heading, a button, a link."""
    tags = outline.tags
    if tags[outline.owners[block]] in _CLICKED or tags[outline.boxes[block]] in _CLICKED:
        return True
    text = outline.texts[block]
    return 2 * outline.link_chars[block] > len(text) or text.endswith("?")
