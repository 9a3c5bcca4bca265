"""The comments that readers leave under a page, told by the names of the elements around them.

Under an article they are a choice of the configuration. The model judges block by block and takes some of them for the
article; the names tell, where the page is surely no discussion that was taken for an article. Under the posts of a
forum it leaves most out, as the pages do that it learnt from; those with code or formulas are what such a page is
read for, and stay.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from transforms.extraction.corrections.furniture import blocks_inside
from transforms.extraction.names import names
from transforms.extraction.outline import Mask, Outline

SECTIONS = names("comment comments commentlist commenting disqus")
_WHOLE = frozenset(("html", "body", "main", "article"))  # "comments-open", say themes of the whole article
MIN_LEFT = 200  # characters of a page without its comments, ours
MIN_CHARS = 25  # of a block that is a comment and no button or date below it, ours
_CODE: Final = names("code kbd samp tt")
_FORMULA: Final = re.compile(r"\$[^$\\^_=]*[\\^_=][^$]*\$")  # "$5 and $6" are none


def comment_blocks(outline: Outline) -> Mask:
    """Return which blocks stand inside an element that is named after comments."""
    return blocks_inside(outline, SECTIONS, _WHOLE)


def without_comments(outline: Outline, kept: Mask) -> Mask:
    """Return what is left of a choice of blocks without comments; all of it when that would be less than a paragraph:
    then what is named after comments is the page."""
    left = kept & ~comment_blocks(outline)
    n_left = sum(len(outline.texts[block]) for block in np.flatnonzero(left).tolist())
    return left if n_left >= MIN_LEFT else kept


def with_comments(outline: Outline, kept: Mask) -> Mask:
    """Return a choice of blocks with the text of every comment: no link, no button, inside a section of comments."""
    written = comment_blocks(outline)
    for block in np.flatnonzero(written & ~kept).tolist():
        text = outline.texts[block]
        written[block] = len(text) >= MIN_CHARS and 2 * outline.link_chars[block] < len(text)
    return kept | written


def with_technical_comments(outline: Outline, kept: Mask) -> Mask:
    """Return a choice of blocks with the comments that hold code or a formula, where anything is kept."""
    if not kept.any():
        return kept
    technical = np.fromiter((_FORMULA.search(text) is not None for text in outline.texts), np.bool_, len(kept))
    for element, tag in enumerate(outline.tags):
        if tag in _CODE and (start := outline.starts[element]) < len(kept):
            technical[start] = True
    return kept | (technical & comment_blocks(outline))
