"""Other articles in full below an article: what a page loads as its reader scrolls.

Block by block they are articles, and so the model keeps them. What tells them from sections is the heading, which
leads away (it is a link, that of the page's own article is not), and the place: an `article` of its own, an element
named after scrolling or related things, or any outside the element of the page's own headline and text.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from transforms.extraction.corrections.named import innermost_named
from transforms.extraction.parsing.names import names
from transforms.extraction.parsing.outline import MIN_LEFT, Mask, Outline

_HEADINGS: Final = names("h1 h2 h3 h4")
_NAMED: Final = names("infinite scroll related appended recommended")
_PROSE: Final = 60  # characters of a block that is a paragraph (our value)
_FULL: Final = 2  # paragraphs of an article in full; with fewer it is an entry of a list
_MANY: Final = 5  # articles; more are a list as well (our value)

_MOST: Final = 100  # headings that lead away, on a page that is looked at; with more it is a list (our value)


def without_appended(outline: Outline, kept: Mask) -> Mask:
    """Return a choice of an article's blocks without other articles behind it."""
    heading = _headings(outline)
    linked = [block for block in heading if 2 * outline.link_chars[block] >= len(outline.texts[block])]
    if not 0 < len(linked) <= _MOST or not kept.any():
        return kept
    found = frozenset(heading)
    prose = [block for block in np.flatnonzero(kept).tolist() if block not in found and _is_prose(outline, block)]
    first = prose[0] if prose else len(kept)
    linked = [block for block in linked if block > first]
    own = max((block for block in heading if block < first), default=-1)
    if own < 0 or not linked or 2 * outline.link_chars[own] >= len(outline.texts[own]):
        return kept
    main = _around(outline, own, first)
    named = innermost_named(outline, _NAMED)
    left, begin, n_articles = kept.copy(), -1, 0
    for block in linked:
        before = max((at for at in prose if at < block), default=first)
        element, is_article = _article_of(outline, block, before, linked)
        start, end = outline.starts[element], outline.ends[element]
        n_prose = sum(start <= at < end for at in prose)
        if not n_prose:
            continue
        is_outside = not outline.starts[main] <= block < outline.ends[main]
        around = int(named[block])
        is_named = around >= 0 and outline.starts[around] <= start and end <= outline.ends[around]
        n_articles += 1
        if n_prose < _FULL or n_articles > _MANY or not (is_article or is_outside or is_named):
            return kept
        begin = start if begin < 0 else begin
        left[start:end] = False
    if begin < 0 or any(left[at] for at in prose if at > begin):
        return kept
    left[begin:] = False
    return left if outline.chars_of(left) >= MIN_LEFT else kept


def _headings(outline: Outline) -> list[int]:
    """Return the blocks that are headings."""
    tags, pairs = outline.tags, zip(outline.owners, outline.boxes, strict=True)
    return [block for block, (owner, box) in enumerate(pairs) if tags[box] in _HEADINGS or tags[owner] in _HEADINGS]


def _is_prose(outline: Outline, block: int) -> bool:
    text = outline.texts[block]
    return len(text) >= _PROSE and 2 * outline.link_chars[block] < len(text)


def _around(outline: Outline, first: int, second: int) -> int:
    """Return the innermost element that holds two blocks."""
    element = outline.boxes[second]
    while element > 0 and not outline.starts[element] <= first < outline.ends[element]:
        element = outline.parents[element]
    return element


def _article_of(outline: Outline, heading: int, before: int, linked: list[int]) -> tuple[int, bool]:
    """Return the widest element around a heading that holds neither the paragraph before it nor another such heading,
    and whether it or one in it is an `article`."""
    element = outline.boxes[heading]
    is_article = outline.tags[element] == "article"
    while (parent := outline.parents[element]) > 0:
        start, end = outline.starts[parent], outline.ends[parent]
        if start <= before < end or any(start <= other < end for other in linked if other != heading):
            break
        element = parent
        is_article = is_article or outline.tags[element] == "article"
    return element, is_article
