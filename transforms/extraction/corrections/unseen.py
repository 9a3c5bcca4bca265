"""Blocks that nobody sees: spam on hacked pages, drafts, errors of templates.

Most that is hidden is content, behind a tab or folded under a question: of the hidden words that the model keeps, 84%
are in the pages' gold. Those have a class or an id by which a script shows them, or follow what is clicked. What is
hidden by its own style, has no name and follows a paragraph cannot be shown.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from transforms.extraction.parsing.names import names
from transforms.extraction.parsing.outline import Mask, Outline

_CLICKED: Final = names("h1 h2 h3 h4 h5 h6 dt summary button label a th legend b strong")


def without_unseen(outline: Outline, kept: Mask) -> Mask:
    """Return a choice of blocks without those that cannot be shown, if a third is left: pages can hide as a whole."""
    if not outline.nameless:
        return kept
    left = kept.copy()
    for element in outline.nameless:
        start = outline.starts[element]
        if start and not _is_clicked(outline, start - 1):
            left[start : outline.ends[element]] = False
    sizes = np.array([len(text) for text in outline.texts], np.int64)
    return left if 3 * sizes[left].sum() > sizes[kept].sum() else kept


def _is_clicked(outline: Outline, block: int) -> bool:
    """Return whether a block may be what shows the next one: a heading, a button, a link."""
    tags = outline.tags
    if tags[outline.owners[block]] in _CLICKED or tags[outline.boxes[block]] in _CLICKED:
        return True
    text = outline.texts[block]
    return 2 * outline.link_chars[block] > len(text) or text.endswith("?")
