"""Texts that a page shows twice: the teaser above and the paragraph below, the same review in two tabs, slide shows."""

from __future__ import annotations

from itertools import compress
from typing import Final

from transforms.extraction.parsing.outline import Mask, Outline

_LONG: Final = 100  # characters of a text that is kept once only; shorter ones are names and labels (our value)


def without_repeats(outline: Outline, kept: Mask) -> Mask:
    """Return the kept blocks but the repeats of a long text, of which the first stays. Listings may be quoted again."""
    found: set[str] = set()
    repeats: list[int] = []
    for block in compress(range(len(outline.texts)), kept.tolist()):
        text = outline.texts[block]
        if len(text) < _LONG or outline.kinds[block] == "code":
            continue
        if text in found:
            repeats.append(block)
        found.add(text)
    if not repeats:
        return kept
    left = kept.copy()
    left[repeats] = False
    return left
