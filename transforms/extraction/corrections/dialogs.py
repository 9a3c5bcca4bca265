"""Dialogs over a page: consent, newsletters, sign-in. Recognised by what they say of themselves to screen readers.

Where a page is short, the model takes a paragraph or two of consent for a part of it. A page that is a dialog itself,
with next to nothing behind it, stays.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from transforms.extraction.parsing.outline import Mask, Outline

_TAG: Final = "dialog"
MIN_LEFT: Final = 200  # characters of a page without its dialogs (our value, as of comments)


def without_dialogs(outline: Outline, kept: Mask) -> Mask:
    """Return a choice of blocks without those of dialogs; all of it when less than a paragraph would be left."""
    dialogs = outline.dialogs
    if _TAG in outline.tags:
        dialogs = dialogs + [element for element, tag in enumerate(outline.tags) if tag == _TAG]
    if not dialogs:
        return kept
    left = kept.copy()
    for element in dialogs:
        left[outline.starts[element] : outline.ends[element]] = False
    n_left = sum(len(outline.texts[block]) for block in np.flatnonzero(left).tolist())
    return left if n_left >= MIN_LEFT else kept
