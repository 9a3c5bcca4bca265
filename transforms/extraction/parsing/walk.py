"""One walk over a parsed page: its elements as arrays and its text cut into blocks.

What a browser never shows as text (scripts, styles, templates, drawings, form choices) is not walked; what it may hide
(`hidden`, `display:none`, `noscript`) is, and carries a mark, since tabs and folded answers are content. Of hidden
pieces amid a sentence the model is told, as it was when it learnt, but they are not written. The readings of ruby go,
and so do the notes of LaTeXML, which stand amid their sentence.

This is where a page's time goes: no node is looked at twice, what depends on tag and class alone is asked once, and the
loop over the nodes calls no Python function of this package for most of them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from selectolax.lexbor import LexborHTMLParser

from transforms.extraction.declared.dates import DATED, note_date
from transforms.extraction.formulas.mathematics import CLASSES as FORMULAS
from transforms.extraction.formulas.mathematics import Formula, formula_of, may_be_formula
from transforms.extraction.parsing.code import is_code_block, may_be_code
from transforms.extraction.parsing.code_names import CLASS_PARTS, WRAPPERS
from transforms.extraction.parsing.listing import code_of
from transforms.extraction.parsing.marks import (
    ALOUD,
    DIALOG,
    HIDES,
    HIGH,
    READ_ALOUD,
    SPANS,
    TELLING,
    UNSHOWN,
    mark_of,
    spans_of,
)
from transforms.extraction.parsing.names import names
from transforms.extraction.parsing.outline import Outline
from transforms.extraction.parsing.pieces import BOXES, is_hidden_piece, is_in_sentence, text_after
from transforms.extraction.parsing.raised import BEFORE, LONGEST, lowered, raised
from transforms.extraction.parsing.shown import nests_deep
from transforms.extraction.parsing.spaces import collapsed, lines_of

SKIPPED = names(
    "script style svg canvas iframe object embed select datalist audio video map textarea frameset noframes"
    " noembed rp rt rtc title meta link base option optgroup applet portal img input wbr col source track param"
)
BLOCK_LEVEL = names(
    "address article aside blockquote body button caption center colgroup dd details dialog dir div dl dt fieldset"
    " figcaption figure footer form h1 h2 h3 h4 h5 h6 head header hgroup hr html legend li main menu nav ol p pre"
    " search section summary table tbody td tfoot th thead tr ul noscript"
)
# MediaWiki's column of links, and links to the place where they stand: "[edit | edit source]", the pilcrow; LaTeXML's
# notes, whose mark, type and text are pieces of the sentence they belong to.
_NEVER_TEXT = names("mw-editsection mw-cite-backlink headerlink hash-link mw-navigation mw-panel ltx_note gist-meta")
_WATCHED = _NEVER_TEXT | FORMULAS | WRAPPERS | DATED | READ_ALOUD  # class names of elements that are looked at closely
_NAMELESS = frozenset({"style", "hidden", "aria-hidden", "align", "dir", "lang"})  # no script finds an element by these
_NOT_RAISED = ", ".join([BOXES, "math", "br", "template", *sorted(SKIPPED)])  # not a short text alone
_HAS_WORD = re.compile(r"[^\W_]")
_TEMPLATE = re.compile(r'<template(?:[^>"]|"[^"]*")*>')
_NO_TAG = "!"  # of processing instructions
_PARTING_BREAKS = 2  # line breaks in a row that part paragraphs

# How a node is walked; the first means that `_way_of` says.
_ASKED, _INLINE, _LINK, _RAISED, _PIECE, _BLOCK, _SHADOW, _BREAK, _NOTED_ONLY, _UNSEEN = range(10)
_MAX_SHADOWS = 8  # shadow roots in each other; each is parsed on its own (our value)


class _Ways(dict[str, int]):
    """How each tag is walked."""

    def __missing__(self, tag: str) -> int:
        if tag[0] in "-!":  # comments, types of documents
            return _UNSEEN
        return _ASKED if "-" in tag else _INLINE


_WAYS = _Ways(
    {
        **dict.fromkeys(("span", "b", "strong", "i", "em", "small", "code", "time", "font"), _INLINE),
        **dict.fromkeys(SKIPPED, _UNSEEN),
        **dict.fromkeys(("script", "meta", "title", "img"), _NOTED_ONLY),
        **dict.fromkeys(BLOCK_LEVEL, _BLOCK),
        **dict.fromkeys(("button", "sub", "sup", "template"), _ASKED),
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

    __slots__ = ("boxes", "links", "out", "parts", "sources", "unseen", "watched")

    def __init__(self) -> None:
        self.out = Outline()
        self.watched: list[bool] = []  # of each signature: it may be a formula, a listing or no text
        self.boxes: list[int] = [-1]  # the open block-level elements
        # of the open block
        self.parts: list[str] = []
        self.sources: list[int] = []  # the elements its texts stand in
        self.links: list[int] = []  # sizes of its texts inside links
        self.unseen: list[int] = []  # where in `parts` its hidden pieces begin and end

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
                    parts.append("\r" if "\n" in text and len(parts) != after_link else " ")
            elif (way := _WAYS[tag] or self._way_of(node, tag)) == _BREAK:
                self._line_break()
                after_link = -1
            elif way == _NOTED_ONLY:
                self._note(node, tag, element)
            elif way != _UNSEEN:
                attributes = node.attributes
                mark, hidden = attributes.get("class") or "", 0
                if not TELLING.isdisjoint(attributes):
                    mark, hidden = mark_of(attributes)
                signature = signatures.get((tag, mark))
                if signature is None:
                    signature = self._new_signature(tag, mark, attributes)
                if watched[signature] and not READ_ALOUD.isdisjoint(mark.split()):
                    hidden |= ALOUD
                watch = watched[signature] or (tag == "span" and len(attributes) > 1)
                if not watch or not self._is_settled(node, tag, mark, attributes, element):
                    if way >= _BLOCK and parts:
                        self.flush()
                        after_link = -1
                    index = len(tags)
                    tags.append(tag)
                    parents.append(element)
                    signature_ids.append(signature)
                    starts.append(len(texts))
                    ends.append(len(texts))
                    if hidden:
                        way = self._way_by_style(node, index, way, hidden, attributes)
                    if watch and may_be_code(tag, attributes) and is_code_block(node):
                        self._code(node, index)
                        after_link = -1
                    else:
                        is_open = True
                        element = index
                        if way >= _BLOCK:
                            boxes.append(index)
                        elif way != _INLINE:
                            if way == _RAISED:
                                self._raise(node, index)
                                is_open = False
                                element = parents[index]
                            elif way == _PIECE:
                                self.unseen.append(len(parts))
                                in_link += tag == "a"
                            else:
                                if parts and len(parts) == after_link and not parts[-1][-1].isspace():
                                    parts.append(" ")  # a menu without white space between its links is no long word
                                in_link += 1
            if is_open:
                path.append((node, way))
                node = node.first_child if way != _SHADOW else self._shadow_of(node)
            else:
                node = node.next
            while node is None and path:
                node, way = path.pop()
                if way >= _BLOCK:
                    if parts:
                        self.flush()
                        after_link = -1
                    boxes.pop()
                elif way == _LINK:
                    in_link -= 1
                    after_link = len(parts)
                elif way == _PIECE:
                    in_link -= tags[element] == "a"
                    if len(self.unseen) % 2:
                        self.unseen.append(len(parts))
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

    def _way_of(self, node: Any, tag: str) -> int:
        """Return how an element is walked of which not its tag alone tells."""
        if tag == "template":
            attributes = node.attributes
            if "shadowrootmode" not in attributes and "shadowroot" not in attributes:
                return _UNSEEN
            tags = self.out.tags
            n_open = sum(tags[box] == tag for box in self.boxes[1:])
            return _SHADOW if n_open < _MAX_SHADOWS else _UNSEEN
        if tag in ("sup", "sub"):
            return _RAISED if _is_simple(node) else _INLINE
        if not is_in_sentence(node, tag):
            return _BLOCK
        if self.parts and self.parts[-1][-1].islower() and (node.text(deep=True)[:1]).isupper():
            self.parts.append(" ")  # what has a margin is written without blanks
        return _INLINE

    def _way_by_style(self, node: Any, index: int, way: int, shown: int, attributes: dict[str, str | None]) -> int:
        """Keep what an element says of how it is shown; return how it is walked, if that says more than its tag."""
        if shown & HIDES:
            self.out.hidden.append(index)
        if shown & DIALOG:
            self.out.dialogs.append(index)
        if shown & SPANS:
            self.out.spans[index] = spans_of(attributes)
        if shown & UNSHOWN and way <= _BLOCK and attributes.keys() <= _NAMELESS:
            self.out.nameless.append(index)
        if shown & ALOUD and (nests_deep(node) or node.css_first("math") is not None):
            shown ^= ALOUD  # pages that show a formula as an image keep it there
        if way <= _LINK and shown & (UNSHOWN | ALOUD) and is_hidden_piece(node, has_text=bool(self.parts)):
            return _PIECE
        if shown & ALOUD:
            self.out.read_aloud.append(index)
        if way > _LINK:
            return way
        return _RAISED if shown & HIGH and way == _INLINE and _is_simple(node) else way

    def _shadow_of(self, node: Any) -> Any:
        """Return the first node of a declarative shadow root, whose content the parser keeps out of the tree."""
        inner = _TEMPLATE.sub("", (node.html or ""), count=1).removesuffix("</template>")
        body = LexborHTMLParser(f"<body>{inner}</body>").body
        return body.first_child if body is not None else None

    def _raise(self, node: Any, index: int) -> None:
        """Write what is raised or lowered into the open block."""
        shown = node.text(deep=True)
        text = collapsed(shown)
        if not text:
            return
        parts, tags = self.parts, self.out.tags
        link = node.css_first("a")
        parent = node.parent
        is_link = link is not None or (parent is not None and parent.tag == "a")
        is_sub = tags[index] == "sub"
        if len(text) <= LONGEST:
            after = text_after(node)[:BEFORE]
            if is_sub:
                written = lowered(text, "".join(parts[-3:])[-BEFORE:], after)
                text = written if written != text else shown
            else:
                has_index = parts and self.sources and tags[self.sources[-1]] == "sub" and not parts[-1].isspace()
                before = "".join(parts[-4:-1] if has_index else parts[-3:])
                text = raised(text, before[-BEFORE:], after, is_link=is_link)
        parts.append(text)
        self.sources.append(index)
        if is_link:
            self.links.append(len(text))
        self.out.ends[index] = len(self.out.texts) + 1

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
                self.out.title = collapsed(node.text())
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
        tail = [part for part in self.parts[-2 * _PARTING_BREAKS :] if part not in (" ", "\r")][-_PARTING_BREAKS:]
        if tail == ["\n"] * _PARTING_BREAKS:
            self.flush()

    def flush(self) -> None:
        """Close the open block, if it holds a letter or a digit."""
        parts, sources = self.parts, self.sources
        if "\n" in parts:
            text = lines_of(parts)
        else:
            text = "".join(parts)
            text = " ".join(text.split()) if text.isascii() else collapsed(text)
        if text and (text[0].isalnum() or _HAS_WORD.search(text)):
            box = self.boxes[-1]
            is_of_one = sources and sources.count(sources[0]) == len(sources)
            if self.unseen and (shown := self._shown()):
                self.out.shown[len(self.out.texts)] = shown
            self.out.add_block(text, sources[0] if is_of_one else box, box, sum(self.links), "")
        elif text and (shown := self._shown() if self.unseen else text):
            self.out.wordless.append((self.boxes[-1], shown))
        parts.clear()
        sources.clear()
        self.links.clear()
        self.unseen.clear()

    def _shown(self) -> str:
        """Return the text of the open block without its hidden pieces."""
        bounds = [0, *self.unseen, len(self.parts)]  # of what is shown; of a piece that is still open there is no end
        shown = [part for at in range(0, len(bounds) - 1, 2) for part in self.parts[bounds[at] : bounds[at + 1]]]
        return lines_of(shown) if "\n" in shown else collapsed("".join(shown))


def _is_simple(node: Any) -> bool:
    """Return whether what is raised is a short text alone; one that nobody closed may hold half the page."""
    return not nests_deep(node) and node.css_first(_NOT_RAISED) is None and len(node.text(deep=True)) <= 2 * LONGEST
