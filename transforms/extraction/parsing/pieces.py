"""Pieces of a sentence: elements that are boxes elsewhere, and pieces of it that nobody sees.

A custom element is a card or a tag, a button a control or the name of one: where text stands directly next to it and
it holds no block, it belongs to the sentence. A hidden inline element within a block is a sort key, a template's error
or spam, and so is what is for screen readers alone; hidden blocks are the model's business, since tabs and folded
answers are content.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from transforms.extraction.parsing.names import names
from transforms.extraction.parsing.shown import nests_deep

BOXES: Final = (
    "address, article, aside, blockquote, dd, details, div, dl, dt, fieldset, figure, footer, form, h1, h2, h3, h4, h5,"
    " h6, header, hr, iframe, li, main, nav, ol, p, pre, section, select, table, td, textarea, th, tr, ul, video"
)
_SENTENCES: Final = names(
    "p h1 h2 h3 h4 h5 h6 a b strong i em span li dd dt td th figcaption caption blockquote summary label q cite small"
)
FORMATS: Final = names("a b strong i em span code kbd samp time abbr small mark u s sub sup q cite var font bdi")
_PLAIN: Final = names("a b strong i em span small u var font bdi")  # as sentences have them, on the line
_CLOSED: Final = 3  # elements that may end or begin between a raised text and the next letter
_NOTHING: Final = frozenset({"", "-comment"})  # processing instructions have no tag
_NEAR: Final = 8  # siblings that are looked at for text
# Ways to take an element out of sight, of which the walk marks but the first two, and the one to raise it.
TELLING_STYLE: Final = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|(?:left|right|top|text-indent)\s*:\s*-\d{3,}|font-size\s*:\s*0(?![\d.])"
    r"|clip\s*:\s*rect\(\s*[01](?!\d)|(?P<high>vertical-align\s*:\s*super)",
    re.IGNORECASE,
)
_LEAVES_HOLE: Final = re.compile(r"visibility\s*:\s*hidden", re.IGNORECASE)  # nothing unfolds there
_ENDS: Final = frozenset(".!?:…。！？：؟।")
_LONGEST: Final = 200  # characters of a hidden piece; a longer one may be the rest that "read more" shows (our value)


def is_in_sentence(node: Any, tag: str) -> bool:
    """Return whether a custom element or a button is a piece of the sentence around it."""
    parent = node.parent
    around = parent.tag if parent is not None else ""
    before = _text_beside(node, around in _SENTENCES, back=True)
    if tag == "button" and not before and around != "p":
        return False
    after = _text_beside(node, around in _SENTENCES, back=False)
    if not before and not after:
        return False
    if tag == "button" and not (before and after) and not _is_incomplete(around, before, after):
        return False
    return not nests_deep(node) and node.css_first(BOXES) is None


def _is_incomplete(around: str, before: str, after: str) -> bool:
    """Return whether a paragraph lacks a word without the button at its one end."""
    return around == "p" and (before[-1] not in _ENDS if before else after[0].islower())


def _text_beside(node: Any, is_sentence: bool, *, back: bool) -> str:
    """Return the text before or after an element, '' when a box or nothing is there. In what holds sentences other
    pieces of the sentence may stand between; elsewhere only blanks."""
    beside = node
    for _ in range(_NEAR):
        beside = beside.prev if back else beside.next
        if beside is None:
            return ""
        tag = beside.tag or ""
        if tag in _NOTHING:
            continue
        if tag == "-text":
            text = (beside.text_content or "").strip()
        elif not is_sentence or not (tag in FORMATS or "-" in tag[1:]):
            return ""
        else:
            text = beside.text(deep=True).strip() if tag in FORMATS else ""
        if text:
            return str(text)
    return ""


def text_after(node: Any) -> str:
    """Return the first text that follows an element in its line, '' when a break, a box or another raised text does."""
    following = node.next
    for _ in range(_CLOSED):
        if following is not None:
            break
        node = node.parent
        if node is None or node.tag not in _PLAIN:
            return ""
        following = node.next
    for _ in range(_CLOSED):
        if following is None or following.tag not in _PLAIN:
            break
        following = following.first_child
    return str(following.text_content or "") if following is not None and following.tag == "-text" else ""


def is_hidden_piece(node: Any, *, has_text: bool) -> bool:
    """Return whether an inline element that is not shown stands within a block that is. `has_text`: the block has text
    before it."""
    following = _shown_after(node)
    if not has_text and not following:
        return False
    if nests_deep(node) or node.css_first(BOXES) is not None:
        return False
    text = node.text(deep=True)
    if len(text) <= _LONGEST or following == "-text" or _LEAVES_HOLE.search(node.attributes.get("style") or ""):
        return True
    linked = sum(len(link.text(deep=True)) for link in node.css("a"))
    return 2 * linked > len(text)


def _shown_after(node: Any) -> str:
    """Return the tag of what is shown after an element in the same line, '' when nothing is."""
    following = node
    for _ in range(_NEAR):
        following = following.next
        if following is None:
            return ""
        tag = following.tag or ""
        if tag in _NOTHING:
            continue
        if tag == "-text":
            if not (following.text_content or "").isspace():
                return str(tag)
        elif tag not in FORMATS:
            return ""
        elif not hides(following.attributes):
            return str(tag)
    return ""


def hides(attributes: Mapping[str, str | None]) -> bool:
    """Return whether an element's attributes take it out of sight, by any of the ways that styles know."""
    if "hidden" in attributes:
        return True
    style = attributes.get("style")
    found = TELLING_STYLE.search(style) if style is not None else None
    return found is not None and found.lastgroup != "high"
