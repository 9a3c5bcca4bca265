"""The comments that readers leave under a page, told by the names of the elements around them.

Under an article they are a choice of the configuration. The model judges block by block and takes some of them for the
article; the names tell.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from transforms.extraction.lexicon import name_words
from transforms.extraction.names import names
from transforms.extraction.walk import Outline

SECTIONS = names("comment comments commentlist commenting disqus")
MIN_CHARS = 25  # of a block that is a comment and no button or date below it, ours
_MAX_NAMES = 40  # of an element that are looked at


def comment_blocks(outline: Outline) -> NDArray[np.bool_]:
    """Return which blocks stand inside an element that is named after comments."""
    inside = np.zeros(len(outline.texts), np.bool_)
    named = {make for (tag, mark), make in outline.made.items() if "om" in mark or "isqus" in mark if _is_named(mark)}
    if named:
        for element, make in enumerate(outline.makes):
            if make in named and outline.tags[element] not in ("html", "body"):
                inside[outline.starts[element] : outline.ends[element]] = True
    return inside


def _is_named(mark: str) -> bool:
    return any(word in SECTIONS for name in mark.split(None, _MAX_NAMES)[:_MAX_NAMES] for word in name_words(name))


def without_comments(outline: Outline, kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return what is left of a choice of blocks without comments; all of it when they are its larger part: then the
    page is a discussion that was taken for an article."""
    left = kept & ~comment_blocks(outline)
    if left.sum() == kept.sum():
        return kept
    sizes = np.array([len(text) for text in outline.texts], np.int64)
    return left if 2 * sizes[left].sum() >= sizes[kept].sum() else kept


def with_comments(outline: Outline, kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return a choice of blocks with the text of every comment: no link, no button, inside a section of comments."""
    written = comment_blocks(outline)
    for block in np.flatnonzero(written & ~kept).tolist():
        text = outline.texts[block]
        written[block] = len(text) >= MIN_CHARS and 2 * outline.link_chars[block] < len(text)
    return kept | written
