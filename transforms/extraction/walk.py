"""One walk over a parsed page: its elements as arrays and its text cut into blocks.

A block is a run of text that no block-level tag interrupts: a paragraph, a list item, a cell, a heading. What a browser
never shows as text (scripts, styles, templates, drawings, form choices) is not walked; what it may hide (`hidden`,
`display:none`, `noscript`) is, and carries a mark, since tabs and folded answers are content.

This is where a page's time goes: no node is looked at twice, and what depends on tag and class alone is asked once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from selectolax.lexbor import LexborHTMLParser

from transforms.extraction.code import CLASS_PARTS, code_of, is_code_block, may_be_code
from transforms.extraction.code import CLASSES as LISTINGS
from transforms.extraction.mathematics import CLASSES as FORMULAS
from transforms.extraction.mathematics import Formula, formula_of, may_be_formula
from transforms.extraction.names import names

SKIPPED = names(
    "script style template svg canvas iframe object embed select datalist audio video map textarea frameset noframes"
    " noembed rp title meta link base option optgroup applet portal img input wbr col source track param"
)
BLOCK_LEVEL = names(
    "address article aside blockquote body button caption center colgroup dd details dialog dir div dl dt fieldset"
    " figcaption figure footer form h1 h2 h3 h4 h5 h6 head header hgroup hr html legend li main menu nav ol p pre"
    " search section summary table tbody td tfoot th thead tr ul noscript"
)
# MediaWiki's column of links, and links to the place where they stand: "[edit | edit source]", the pilcrow.
_NEVER_TEXT = names("mw-editsection mw-cite-backlink headerlink hash-link mw-navigation mw-panel")
_WATCHED = _NEVER_TEXT | FORMULAS | LISTINGS  # class names of elements that are looked at closely
_HIDING = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_HAS_WORD = re.compile(r"[^\W_]")
_PARTING_BREAKS = 2  # line breaks in a row that part paragraphs

_NOT_WALKED, _INLINE, _LINK, _BLOCK, _BREAK, _NOTED_ONLY, _UNSEEN = range(7)
_WAYS = {
    **dict.fromkeys(("span", "b", "strong", "i", "em", "small", "sup", "code", "time", "font"), _INLINE),
    **dict.fromkeys(SKIPPED, _UNSEEN),
    **dict.fromkeys(("script", "meta", "title", "img"), _NOTED_ONLY),
    **dict.fromkeys(BLOCK_LEVEL, _BLOCK),
    "a": _LINK,
    "br": _BREAK,
}


@dataclass(slots=True)
class Outline:
    """A page as parallel lists: one entry an element in document order, one entry a block of text."""

    # elements
    tags: list[str] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)  # index of the parent element, -1 for the root
    depths: list[int] = field(default_factory=list)  # elements above it
    makes: list[int] = field(default_factory=list)  # which of `made` the element is
    hides: list[bool] = field(default_factory=list)  # the element itself says that it is not shown
    starts: list[int] = field(default_factory=list)  # the element's blocks are starts..ends
    ends: list[int] = field(default_factory=list)
    made: dict[tuple[str, str], int] = field(default_factory=dict)  # (tag; class, id, role, itemprop) -> its number
    # blocks
    texts: list[str] = field(default_factory=list)  # white space collapsed unless it is code
    owners: list[int] = field(default_factory=list)  # the element that holds the whole block
    boxes: list[int] = field(default_factory=list)  # the nearest block-level element
    link_chars: list[int] = field(default_factory=list)  # characters of the block inside links
    kinds: list[str] = field(default_factory=list)  # "", "code", or what the page declares: "declared"
    # what the head says
    title: str = ""
    language: str = ""  # the `lang` of the root element
    metas: dict[str, str] = field(default_factory=dict)  # name or property in lower case -> content, the first of each
    linked_data: list[str] = field(default_factory=list)  # the JSON of each application/ld+json script

    def add_element(self, tag: str, parent: int, mark: str, *, hides: bool) -> int:
        """Append an element that holds no block yet; return its index."""
        index = len(self.tags)
        self.tags.append(tag)
        self.parents.append(parent)
        self.depths.append(self.depths[parent] + 1 if parent >= 0 else 0)
        made = self.made
        self.makes.append(made.setdefault((tag, mark), len(made)))
        self.hides.append(hides)
        self.starts.append(len(self.texts))
        self.ends.append(len(self.texts))
        return index

    def add_block(self, text: str, owner: int, box: int, link_chars: int, kind: str) -> None:
        """Append a block."""
        self.texts.append(text)
        self.owners.append(owner)
        self.boxes.append(box)
        self.link_chars.append(link_chars)
        self.kinds.append(kind)


def outline(tree: LexborHTMLParser) -> Outline:
    """Return the elements and blocks of a parsed page."""
    walker = _Walker()
    enter, leave, add_text = walker.enter, walker.leave, walker.text
    node: Any = tree.root
    path: list[tuple[Any, int]] = []
    while node is not None:
        tag = node.tag
        if tag == "-text":
            add_text(node.text_content)
        elif tag[0] not in "-!" and (way := enter(node, tag)):
            child = node.first_child
            if child is not None:
                path.append((node, way))
                node = child
                continue
            leave(way)
        following = node.next
        while following is None and path:
            node, way = path.pop()
            leave(way)
            following = node.next
        node = following
    walker.flush()
    return walker.finished()


def _way(tag: str) -> int:
    """Return how a tag that has no way of its own is walked: custom elements are boxes, mostly."""
    return _BLOCK if "-" in tag else _INLINE


@lru_cache(maxsize=4096)
def _may_be_special(tag: str) -> bool:
    """Return whether a tag may be that of a formula or a listing."""
    return may_be_formula(tag, {}) or may_be_code(tag, {})


def _names_special(mark: str) -> bool:
    """Return whether an element's names may be those of a formula, a listing or of no text; False for nearly all."""
    lower = mark.lower()
    for part in CLASS_PARTS:  # a generator would take three times as long
        if part in lower:
            return True
    return not _WATCHED.isdisjoint(lower.split())


class _Walker:
    """Holds the open block while the walk goes on."""

    __slots__ = (
        "after_link",
        "boxes",
        "breaks",
        "element",
        "ends",
        "first",
        "in_link",
        "links",
        "made",
        "mixed",
        "open",
        "out",
        "parts",
        "rows",
        "texts",
        "watched",
    )

    def __init__(self) -> None:
        self.out = out = Outline()
        self.texts, self.ends, self.made = out.texts, out.ends, out.made
        self.rows: list[tuple[str, int, int, int, bool, int]] = []  # of each element, as the columns of Outline
        self.watched: list[bool] = []  # of each make: it may be a formula or a listing
        self.element = -1  # the innermost open element
        self.open: list[int] = [-1]  # all open elements
        self.boxes: list[int] = [-1]  # the open block-level elements
        self.in_link = 0
        self._reset()

    def _reset(self) -> None:
        self.parts: list[str] = []
        self.links = 0
        self.after_link = -1  # how many parts there were when the last link ended
        self.breaks = 0
        self.first = -1  # element of the first text of the open block
        self.mixed = False  # text of more than one element

    def enter(self, node: Any, tag: str) -> int:
        """Open an element; return how, _NOT_WALKED when its inside is not to be walked."""
        way = _WAYS.get(tag) or _way(tag)
        if way > _BLOCK:
            if way == _BREAK:
                self._line_break()
            elif way == _NOTED_ONLY:
                self._note(node, tag)
            return _NOT_WALKED
        attributes = node.attributes
        mark, hides = "", False
        if attributes:
            only = attributes.get("class") if len(attributes) == 1 else None
            mark, hides = (only, False) if only else _mark(attributes)
        make = self.made.get((tag, mark))
        if make is None:
            make = self._new_make(tag, mark, attributes)
        watched = self.watched[make] or (tag == "span" and len(attributes) > 1)
        if watched and self._is_settled(node, tag, mark, attributes):
            return _NOT_WALKED
        if way == _BLOCK and self.parts:
            self.flush()
        start, index, above = len(self.texts), len(self.rows), self.open
        self.rows.append((tag, self.element, len(above) - 1, make, hides, start))
        self.ends.append(start)
        if watched and may_be_code(tag, attributes) and is_code_block(node):
            self._code(node, index)
            return _NOT_WALKED
        if way == _BLOCK:
            self.boxes.append(index)
        elif way == _LINK:
            if self.parts and len(self.parts) == self.after_link and not self.parts[-1][-1].isspace():
                self.parts.append(" ")  # a menu without white space between its links is not one long word
            self.in_link += 1
        self.element = index
        above.append(index)
        return way

    def _is_settled(self, node: Any, tag: str, mark: str, attributes: dict[str, str | None]) -> bool:
        """Write an element that is a formula; return whether that is done, or there is nothing to write."""
        if mark and not _NEVER_TEXT.isdisjoint(mark.split()):
            return True
        formula = formula_of(node) if may_be_formula(tag, attributes) else None
        if formula is None:
            return False
        self._formula(formula)
        return True

    def _new_make(self, tag: str, mark: str, attributes: dict[str, str | None]) -> int:
        """Number a tag with its marks, and note whether it may be a formula or a listing."""
        make = self.made[tag, mark] = len(self.made)
        if tag == "html" and attributes:
            self.out.language = (attributes.get("lang") or attributes.get("xml:lang") or "")[:35]
        self.watched.append(_may_be_special(tag) or (mark != "" and _names_special(mark)))
        return make

    def leave(self, way: int) -> None:
        """Close the innermost element."""
        if way == _BLOCK:
            if self.parts:
                self.flush()
            self.boxes.pop()
        elif way == _LINK:
            self.in_link -= 1
            self.after_link = len(self.parts)
        above = self.open
        n_blocks = len(self.texts)
        self.ends[above.pop()] = n_blocks + 1 if self.parts else n_blocks  # an inline element's block is still open
        self.element = above[-1]

    def finished(self) -> Outline:
        """Return the outline of all that was walked."""
        out = self.out
        if self.rows:
            columns = map(list, zip(*self.rows, strict=True))
            out.tags, out.parents, out.depths, out.makes, out.hides, out.starts = columns
        n_blocks = len(out.texts)
        if max(out.ends, default=0) > n_blocks:  # the last open text may have held no word
            out.ends = [min(end, n_blocks) for end in out.ends]
        return out

    def _formula(self, formula: Formula) -> None:
        """Write a formula into the open block; one that is displayed stands on a line of its own."""
        if not formula.latex:
            return
        latex = " ".join(formula.latex.split())
        if formula.display:
            self.parts += ["\n", f"$${latex}$$", "\n"]
            self.breaks += 2
        else:
            self.parts.append(f"${latex}$")
        self._text_of_element()

    def _text_of_element(self) -> None:
        if self.first < 0:
            self.first = self.element
        elif self.first != self.element:
            self.mixed = True

    def _code(self, node: Any, index: int) -> None:
        """Write a listing as a block of its own."""
        self.flush()
        out = self.out
        self.rows[index] = (*self.rows[index][:-1], len(out.texts))
        tag = self.rows[index][0]
        code = code_of(node)
        if _HAS_WORD.search(code):
            out.add_block(code, index, index if tag in BLOCK_LEVEL else self.boxes[-1], 0, "code")
        out.ends[index] = len(out.texts)

    def _note(self, node: Any, tag: str) -> None:
        """Keep what the page says about itself, and the formulas among images and scripts."""
        if tag == "title":
            if not self.out.title:
                self.out.title = " ".join(node.text().split())
            return
        attributes = node.attributes
        if tag == "meta":
            name = attributes.get("property") or attributes.get("name") or attributes.get("itemprop")
            content = attributes.get("content")
            if name and content:
                self.out.metas.setdefault(name.lower(), content)
        elif may_be_formula(tag, attributes):
            if (formula := formula_of(node)) is not None:
                self._formula(formula)
        elif tag == "script" and "ld+json" in (attributes.get("type") or "").lower():
            self.out.linked_data.append(node.text())

    def _line_break(self) -> None:
        if not self.parts:
            return
        self.breaks += 1
        self.parts.append("\n")
        tail = [part for part in self.parts[-2 * _PARTING_BREAKS :] if part != " "][-_PARTING_BREAKS:]
        if tail == ["\n"] * _PARTING_BREAKS:
            self.flush()

    def text(self, text: str | None) -> None:
        """Add the text of a node to the open block."""
        if not text:
            return
        parts = self.parts
        if text.isspace():
            if parts and parts[-1] != "\n":
                parts.append(" ")
            return
        parts.append(text)
        if self.first != self.element:
            self._text_of_element()
        if self.in_link:
            self.links += len(text)

    def flush(self) -> None:
        """Close the open block, if it holds a letter or a digit."""
        if not self.parts:
            return
        text = _lines(self.parts) if self.breaks else " ".join("".join(self.parts).split())
        if _HAS_WORD.search(text):
            box = self.boxes[-1]
            owner = box if self.mixed or self.first < 0 else self.first
            self.out.add_block(text, owner, box, self.links, "")
        self._reset()


def _mark(attributes: dict[str, str | None]) -> tuple[str, bool]:
    """Return an element's class, id, role and itemprop in one, and whether it says that it is not shown."""
    get = attributes.get
    mark = get("class") or ""
    name, role, prop = get("id"), get("role"), get("itemprop")
    if name or role or prop:
        mark = " ".join([mark, *filter(None, (name, role, prop))])
    style = get("style")
    hides = (
        "hidden" in attributes
        or get("aria-hidden") == "true"
        or (style is not None and _HIDING.search(style) is not None)
    )
    return mark, hides


def _lines(parts: list[str]) -> str:
    """Return the block with a line end at each `br`, none of its source's own."""
    lines = "".join(part if part == "\n" else part.replace("\n", " ") for part in parts).split("\n")
    return "\n".join(line for raw in lines if (line := " ".join(raw.split())))
