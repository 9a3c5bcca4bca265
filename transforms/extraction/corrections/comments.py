"""The comments that readers leave under a page, recognised by the names of the elements around them.

Under an article they are a choice of the configuration. The model judges block by block and takes some of them for the
article; the names tell, where the page is surely no discussion that was taken for an article, by its marks or by what
it declares; where it may be one, they tell when a third of the text is none. Under the posts of a forum it leaves most
out, as the pages do that it learnt from; those with code or formulas are what such a page is read for, and stay.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from transforms.extraction.corrections.named import innermost_named
from transforms.extraction.formulas.tex import looks_like_tex
from transforms.extraction.parsing.names import names
from transforms.extraction.parsing.outline import MIN_LEFT, Mask, Outline

SECTIONS: Final = names("comment comments commentlist commenting disqus")
THIRD: Final = 333  # thousandths of its text that are left of what may be a discussion (our value)
MIN_CHARS: Final = 25  # of a block that is a comment and no button or date below it (our value)
_CODE: Final = names("code kbd samp tt")


def comment_blocks(outline: Outline, kept: Mask) -> Mask:
    """Return which blocks are inside an element that is named after comments, each by the innermost.

    One that holds most of the kept text itself, and not in elements of that name in it, is the article, or the thread,
    regardless of its name ("tone-comment", "comments-open").
    """
    around = innermost_named(outline, SECTIONS)
    sizes = np.fromiter(map(len, outline.texts), np.int64, len(kept)) * kept
    held = np.bincount(around + 1, sizes, minlength=1)
    is_page = 2 * held > sizes.sum()
    is_page[0] = True  # of no such element
    return np.asarray(~is_page[around + 1], np.bool_)


def without_comments(outline: Outline, kept: Mask, min_left: int = 0) -> Mask:
    """Return what is left of a choice of blocks without comments; all of it when that is less than a paragraph, or than
    `min_left` thousandths of its characters."""
    left = kept & ~comment_blocks(outline, kept)
    n_left = outline.chars_of(left)
    if n_left < MIN_LEFT:
        return kept
    return left if 1000 * n_left >= min_left * outline.chars_of(kept) else kept


def with_comments(outline: Outline, kept: Mask) -> Mask:
    """Return a choice of blocks with the text of every comment: no link, no button, inside a section of comments."""
    written = comment_blocks(outline, kept)
    for block in np.flatnonzero(written & ~kept).tolist():
        text = outline.texts[block]
        written[block] = len(text) >= MIN_CHARS and 2 * outline.link_chars[block] < len(text)
    return kept | written


def with_technical_comments(outline: Outline, kept: Mask, in_form: Mask) -> Mask:
    """Return a choice of blocks with the comments that hold code or a formula, where anything is kept. `in_form`: the
    blocks of forms, which tell how to write one."""
    if not kept.any():
        return kept
    technical = np.fromiter(map(looks_like_tex, outline.texts), np.bool_, len(kept))
    for element, tag in enumerate(outline.tags):
        start = outline.starts[element]
        if tag in _CODE and outline.ends[element] == start + 1:  # what holds several blocks is a font, no code
            technical[start] = True
    return kept | (technical & comment_blocks(outline, kept) & ~in_form)
