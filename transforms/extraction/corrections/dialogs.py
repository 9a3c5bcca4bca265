"""Dialogs over a page: consent, newsletters, sign-in. Recognised by what they say of themselves to screen readers.

Where a page is short, the model takes a paragraph or two of consent for a part of it. A page that is a dialog itself,
with next to nothing behind it, stays.
"""

from __future__ import annotations

from typing import Final

from transforms.extraction.parsing.outline import MIN_LEFT, Mask, Outline

_TAG: Final = "dialog"


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
    return left if outline.chars_of(left) >= MIN_LEFT else kept
