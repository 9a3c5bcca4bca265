"""Which elements of a page are blocks of code; `listing` writes their text.

Known by their tags and class names (`code_names`). What none of them names: a table whose first cells count its
rows is a listing even without a name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from selectolax.lexbor import LexborNode

from transforms.extraction.parsing.code_names import SURE, WRAPPERS, names_code
from transforms.extraction.parsing.listing import (
    FEWEST,
    PRE,
    classes_of,
    code_of,
    counting_firsts,
    first_element,
    holds,
    styled_as_code,
)
from transforms.extraction.parsing.names import names
from transforms.extraction.parsing.shown import nests_deep

_LISTED: Final = PRE | {"code", "samp"}
_CODE_BOX: Final = re.compile(r"(?<!bb)code[-_]?(?:box|block|snippet|listing)", re.IGNORECASE)  # of one line, too
_TITLES: Final = names("h1 h2 h3 h4 h5 h6 a button label summary input")
_CODE_SIGN: Final = re.compile(r"[;{}\[\]=<>|]|\w\(|^\s*(?://|#|--|\$ |>>> )|\)$|:$|^\s+\S")
_SENTENCE: Final = re.compile(r"^[A-Z]\w* \w+ \w+.*[a-z)]\.$|https?://")
_LANGUAGE: Final = re.compile(r"(?:^|\s)(?:language-|lang-|hljs|brush|prettyprint|source)")
_PLAIN_WORD: Final = re.compile(r"(?<!\S)[^\W\d_]+(?=[\s,.;:!?]|$)")
_PROSE_WORDS: Final = 5  # (our value)
_LONGEST: Final = 200_000  # characters of a listing that is none by its tags (our value)


def may_be_code(tag: str, attributes: Mapping[str, str | None]) -> bool:
    """Return whether `is_code_block` is worth calling for an element; False for nearly every one."""
    if tag in _LISTED or tag == "table":
        return True
    classes = attributes.get("class") if attributes else None
    return classes is not None and names_code(classes)


def is_code_block(node: LexborNode) -> bool:
    """Return whether an element is a listing, so that `code_of` writes the whole of it."""
    tag = node.tag or ""
    if tag in PRE:
        return True
    if tag in ("code", "samp"):
        return _is_listing_in_code(node)
    classes = classes_of(node)
    if nests_deep(node):
        return False
    if tag == "table" and not _may_be_listing(node, classes):
        return False
    if node.css_first("h1, h2, h3, article, form, nav") is not None:
        return False
    if classes.isdisjoint(WRAPPERS):
        if tag == "table" and _is_numbered_table(node):
            return True
        return names_code(node.attributes.get("class") or "") and _is_listing_by_name(node)
    if not classes.isdisjoint(SURE):
        return True
    n_pre = len(node.css("pre"))
    if node.css_first("table") is not None or tag == "table":
        return n_pre > 0 or any(
            node.css_first(f".{name}") is not None for name in ("blob-code", "lines-code", "code", "line")
        )
    return n_pre == 0 and (node.css_first(".line") is not None) and node.css_first("p") is None


def _is_listing_in_code(node: LexborNode) -> bool:
    """Return whether `code` outside `pre` has lines of its own: breaks, or a source that is laid out as code."""
    text = node.text(deep=True).strip()
    if node.css_first("br") is not None and len(text) > 1:
        return True
    if "\n" not in text:
        return node.css_first("div, .line, .token-line") is not None
    lines = [line for line in text.split("\n") if line.strip()]
    indented = sum(line[0] in " \t" for line in lines)
    if len(lines) > 3 and 0 < indented < len(lines) - 1:
        return True
    alone = not _has_text(node.prev) and not _has_text(node.next)
    return alone and (len(lines) > 2 or _LANGUAGE.search(node.attributes.get("class") or "") is not None)


def _may_be_listing(table: LexborNode, classes: frozenset[str]) -> bool:
    """Return whether a table is worth a closer look: it has a name, or its first row is a 1 and something else."""
    if not classes.isdisjoint(WRAPPERS) or names_code(table.attributes.get("class") or ""):
        return True
    row = table.css_first("tr")
    cell = first_element(row) if row is not None else None
    return cell is not None and cell.tag == "td" and cell.text(deep=True)[:12].strip(" \n\t.:") == "1"


def _is_numbered_table(table: LexborNode) -> bool:
    """Return whether a table is lines of code with a cell for the number before each."""
    rows = table.css("tr")
    if len(rows) < FEWEST or holds(table, "th, table, p, ul, img, td + td + td"):
        return False
    if len(counting_firsts(rows)) != len(rows):
        return False
    lines = [line for line in code_of(table).split("\n") if line]
    return 2 * sum(map(_is_code_like, lines)) > len(lines)


def _is_listing_by_name(node: LexborNode) -> bool:
    """Return whether an element that calls itself code holds lines of code and nothing else."""
    if node.tag in _TITLES or node.css_first("pre, p, ul, img, input, iframe, th, td + td") is not None:
        return False
    text = node.text(deep=True)
    if len(text) > _LONGEST or not text.strip():
        return False
    in_code = sum(len(part.text(deep=True).strip()) for part in node.css("code"))
    if in_code:
        return (
            in_code * 1.1 >= len("".join(text.split()))
            and len(node.css("code")) > 1
            and len(node.css("div, li, br")) > 1
        )
    lines = [line for line in code_of(node).split("\n") if line]
    is_box = _CODE_BOX.search(node.attributes.get("class") or "") is not None
    n_code = sum(map(_is_code_like, lines))
    if holds(node, "br, div, li, tr"):
        return 2 * n_code > len(lines) > (0 if is_box else 1)
    if len(lines) < 2 or node.css_first("a") is not None:
        return False
    if not styled_as_code(node):  # what all HTML is indented by says nothing
        n_code = sum(_is_code_like(line.strip()) for line in lines)
    return 2 * n_code > len(lines) or (is_box and n_code > 0 and not any(map(_is_prose, lines)))


def _is_code_like(line: str) -> bool:
    return _CODE_SIGN.search(line) is not None and not _SENTENCE.search(line)


def _is_prose(line: str) -> bool:
    """Return whether a line without a sign of code is words, as of a sentence that its source wraps."""
    return len(_PLAIN_WORD.findall(line)) >= _PROSE_WORDS and not _is_code_like(line)


def _has_text(node: LexborNode | None) -> bool:
    return node is not None and node.tag == "-text" and bool((node.text_content or "").strip())
