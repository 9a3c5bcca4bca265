"""One walk over a parsed page: its elements as arrays and its text cut into blocks.

What a browser never shows as text (scripts, styles, templates, drawings, form choices) is not walked; what it may hide
(`hidden`, `display:none`, `noscript`) is, and carries a mark, since tabs and folded answers are content.

This is where a page's time goes: no node is looked at twice, what depends on tag and class alone is asked once, and the
loop over the nodes calls no Python function of this package for most of them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from selectolax.lexbor import LexborHTMLParser

from transforms.extraction.formulas.mathematics import CLASSES as FORMULAS
from transforms.extraction.formulas.mathematics import Formula, formula_of, may_be_formula
from transforms.extraction.parsing.code import CLASS_PARTS, code_of, is_code_block, may_be_code
from transforms.extraction.parsing.code import CLASSES as LISTINGS
from transforms.extraction.parsing.dates import DATED, note_date
from transforms.extraction.parsing.names import names
from transforms.extraction.parsing.outline import Outline

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
_WATCHED = _NEVER_TEXT | FORMULAS | LISTINGS | DATED  # class names of elements that are looked at closely
_TELLING = names("id role itemprop style hidden aria-hidden")  # attributes that carry information besides the class
_HIDING = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_HAS_WORD = re.compile(r"[^\W_]")
_NO_TAG = "!"  # of processing instructions
_PARTING_BREAKS = 2  # line breaks in a row that part paragraphs

_INLINE, _LINK, _BLOCK, _BREAK, _NOTED_ONLY, _UNSEEN = range(6)


class _Ways(dict[str, int]):
    """How each tag is walked."""

    def __missing__(self, tag: str) -> int:
        if tag[0] in "-!":  # comments, types of documents
            return _UNSEEN
        return _BLOCK if "-" in tag else _INLINE  # custom elements are boxes, mostly


_WAYS = _Ways(
    {
        **dict.fromkeys(("span", "b", "strong", "i", "em", "small", "sup", "code", "time", "font"), _INLINE),
        **dict.fromkeys(SKIPPED, _UNSEEN),
        **dict.fromkeys(("script", "meta", "title", "img"), _NOTED_ONLY),
        **dict.fromkeys(BLOCK_LEVEL, _BLOCK),
        "a": _LINK,
        "br": _BREAK,
    }
)


def outline(tree: LexborHTMLParser) -> Outline:
    """Return the elements and blocks of a parsed page."""
    walker = _Walker()
    walker.walk(tree.root)
    return walker.out


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
    """Holds the open block during the walk. The loop keeps local references to its lists: never rebind them."""

    __slots__ = ("boxes", "links", "out", "parts", "sources", "watched")

    def __init__(self) -> None:
        self.out = Outline()
        self.watched: list[bool] = []  # of each signature: it may be a formula, a listing or no text
        self.boxes: list[int] = [-1]  # the open block-level elements
        # of the open block
        self.parts: list[str] = []
        self.sources: list[int] = []  # the elements its texts stand in
        self.links: list[int] = []  # sizes of its texts inside links

    def walk(self, node: Any) -> None:  # noqa: C901
        """Walk everything below a node. One loop: calls to enter, to leave and to add a text took a sixth more."""
        out, parts, sources, boxes, watched = self.out, self.parts, self.sources, self.boxes, self.watched
        tags, parents, signature_ids = out.tags, out.parents, out.signature_ids
        starts, ends, signatures, texts = out.starts, out.ends, out.signatures, out.texts
        path: list[tuple[Any, int]] = []  # the open nodes, and how each is walked
        element = -1  # the innermost open element
        in_link = 0
        after_link = -1  # how many parts there were when the last link ended
        while node is not None:
            tag = node.tag or _NO_TAG
            is_open = False
            if tag == "-text":
                text = node.text_content
                if text and not text.isspace():
                    parts.append(text)
                    sources.append(element)
                    if in_link:
                        self.links.append(len(text))
                elif text and parts and parts[-1] != "\n":
                    parts.append(" ")
            elif (way := _WAYS[tag]) == _BREAK:
                self._line_break()
                after_link = -1
            elif way == _NOTED_ONLY:
                self._note(node, tag, element)
            elif way != _UNSEEN:
                attributes = node.attributes
                mark, hidden = attributes.get("class") or "", False
                if not _TELLING.isdisjoint(attributes):
                    mark, hidden = _mark(attributes)
                signature = signatures.get((tag, mark))
                if signature is None:
                    signature = self._new_signature(tag, mark, attributes)
                watch = watched[signature] or (tag == "span" and len(attributes) > 1)
                if not watch or not self._is_settled(node, tag, mark, attributes, element):
                    if way == _BLOCK and parts:
                        self.flush()
                        after_link = -1
                    index = len(tags)
                    tags.append(tag)
                    parents.append(element)
                    signature_ids.append(signature)
                    starts.append(len(texts))
                    ends.append(len(texts))
                    if hidden:
                        out.hidden.append(index)
                    if watch and may_be_code(tag, attributes) and is_code_block(node):
                        self._code(node, index)
                        after_link = -1
                    else:
                        is_open = True
                        element = index
                        if way == _BLOCK:
                            boxes.append(index)
                        elif way == _LINK:
                            if parts and len(parts) == after_link and not parts[-1][-1].isspace():
                                parts.append(" ")  # a menu without white space between its links is not one long word
                            in_link += 1
            if is_open:
                path.append((node, way))
                node = node.first_child
            else:
                node = node.next
            while node is None and path:
                node, way = path.pop()
                if way == _BLOCK:
                    if parts:
                        self.flush()
                        after_link = -1
                    boxes.pop()
                elif way == _LINK:
                    in_link -= 1
                    after_link = len(parts)
                ends[element] = len(texts) + 1 if parts else len(texts)  # an inline element's block is still open
                element = parents[element]
                node = node.next
        if parts:
            self.flush()
        n_blocks = len(texts)
        if max(ends, default=0) > n_blocks:  # the last open text may have held no word
            out.ends = [min(end, n_blocks) for end in ends]

    def _new_signature(self, tag: str, mark: str, attributes: dict[str, str | None]) -> int:
        """Number a tag with its marks, and note whether it may be a formula or a listing."""
        out = self.out
        signature = out.signatures[tag, mark] = len(out.signatures)
        if tag == "html" and attributes:
            out.language = (attributes.get("lang") or attributes.get("xml:lang") or "")[:35]
        self.watched.append(tag == "time" or _may_be_special(tag) or (mark != "" and _names_special(mark)))
        return signature

    def _is_settled(self, node: Any, tag: str, mark: str, attributes: dict[str, str | None], element: int) -> bool:
        """Write an element that is a formula; return whether that is done, or there is nothing to write."""
        note_date(self.out, node, tag, mark, attributes)
        if mark and not _NEVER_TEXT.isdisjoint(mark.split()):
            return True
        formula = formula_of(node) if may_be_formula(tag, attributes) else None
        if formula is None:
            return False
        self._formula(formula, element)
        return True

    def _formula(self, formula: Formula, element: int) -> None:
        """Write a formula into the open block; a displayed one goes on a line of its own."""
        if not formula.latex:
            return
        latex = " ".join(formula.latex.split())
        if formula.display:
            self.parts += ["\n", f"$${latex}$$", "\n"]
        else:
            self.parts.append(f"${latex}$")
        self.sources.append(element)

    def _code(self, node: Any, index: int) -> None:
        """Write a listing as a block of its own."""
        self.flush()
        out = self.out
        out.starts[index] = len(out.texts)
        code = code_of(node)
        if _HAS_WORD.search(code):
            box = index if out.tags[index] in BLOCK_LEVEL else self.boxes[-1]
            out.add_block(code, index, box, 0, "code")
        out.ends[index] = len(out.texts)

    def _note(self, node: Any, tag: str, element: int) -> None:
        """Keep what the page says about itself, and the formulas among images and scripts."""
        if tag == "title":
            if not self.out.title:
                self.out.title = " ".join(node.text().split())
            return
        attributes = node.attributes
        if tag == "meta":
            get = attributes.get
            name = get("property") or get("name") or get("itemprop") or get("http-equiv")
            content = attributes.get("content")
            if name and content:
                self.out.metas.setdefault(name.lower(), content)
        elif may_be_formula(tag, attributes):
            if (formula := formula_of(node)) is not None:
                self._formula(formula, element)
        elif tag == "script" and "ld+json" in (attributes.get("type") or "").lower():
            self.out.linked_data.append(node.text())

    def _line_break(self) -> None:
        if not self.parts:
            return
        self.parts.append("\n")
        tail = [part for part in self.parts[-2 * _PARTING_BREAKS :] if part != " "][-_PARTING_BREAKS:]
        if tail == ["\n"] * _PARTING_BREAKS:
            self.flush()

    def flush(self) -> None:
        """Close the open block, if it holds a letter or a digit."""
        parts, sources = self.parts, self.sources
        text = _lines(parts) if "\n" in parts else " ".join("".join(parts).split())
        if text and (text[0].isalnum() or _HAS_WORD.search(text)):
            box = self.boxes[-1]
            is_of_one = sources and sources.count(sources[0]) == len(sources)
            self.out.add_block(text, sources[0] if is_of_one else box, box, sum(self.links), "")
        parts.clear()
        sources.clear()
        self.links.clear()


def _mark(attributes: dict[str, str | None]) -> tuple[str, bool]:
    """Return an element's class, id, role and itemprop in one, and whether it says that it is not shown."""
    get = attributes.get
    mark = get("class") or ""
    if name := get("id"):
        mark = f"{mark} {name}"
    if role := get("role"):
        mark = f"{mark} {role}"
    if prop := get("itemprop"):
        mark = f"{mark} {prop}"
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
