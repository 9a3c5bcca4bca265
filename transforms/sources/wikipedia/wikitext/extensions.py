"""Comments and extension tags: what MediaWiki takes out of wikitext before it looks at any other markup.

Their content is no wikitext (code, formulas, <nowiki>) or is not read (footnotes, galleries, maps), so it is kept as a
piece or removed here, and no bracket in it can close one outside. A tag that is never closed loses its tag alone; a
footnote also ends, unclosed, where the next one or a section begins. One pass over the tags: linear in any case.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import Final

from transforms.sources.wikipedia.wikitext.marks import (
    CODE,
    DISPLAY,
    FORMULA,
    GONE,
    LITERAL,
    POEM,
    POEM_END,
    Context,
)

_REMOVED: Final = (
    "ref references gallery timeline hiero score graph imagemap inputbox templatedata templatestyles mapframe maplink "
    "categorytree section includeonly indicator phonos rss quiz dynamicpagelist"
).split()
_CODE: Final = ("syntaxhighlight", "source", "pre")
_FORMULAS: Final = ("math", "chem", "ce")
_NAMES: Final = (*_REMOVED, *_CODE, *_FORMULAS, "nowiki", "poem")
_TAG: Final = re.compile(rf"<!--|-->|<(/?)({'|'.join(_NAMES)})(?=[\s/>])([^<>]*)>", re.IGNORECASE)
_REST_OF_LINE: Final = re.compile(r"[ \t]*\n")
_NOWIKI: Final = re.compile(r"</?nowiki\s*/?>", re.IGNORECASE)
_BLANKS: Final = re.compile(r"\s+")


class _Tags:
    """The tags of a text in order, and where each kind of them closes."""

    def __init__(self, text: str) -> None:
        self.tags = list(_TAG.finditer(text))
        self._ends: dict[str, list[tuple[int, int]]] = {}  # by name: (first, last) character of closing tags
        self._references: list[int] = []  # where footnotes open
        for tag in self.tags:
            name = (tag.group(2) or "").lower()
            if tag.group() == "-->" or tag.group(1):
                self._ends.setdefault(name, []).append(tag.span())
            elif name == "ref" and not tag.group(3).rstrip().endswith("/"):
                self._references.append(tag.start())

    def end_of(self, name: str, at: int) -> tuple[int, int] | None:
        """Return the closing tag of an element whose content begins at `at`."""
        ends = self._ends.get(name, [])
        number = bisect_left(ends, (at, 0))
        return ends[number] if number < len(ends) else None

    def reference_begins(self, lo: int, hi: int) -> bool:
        """Return whether a footnote opens in [lo, hi)."""
        number = bisect_left(self._references, lo)
        return number < len(self._references) and self._references[number] < hi


def take_extensions(text: str, context: Context) -> str:
    """Return wikitext without comments and extension tags: removed, or signs for pieces that are stored."""
    if "<" not in text:
        return text
    tags = _Tags(text)
    out: list[str] = []
    at = 0
    for tag in tags.tags:
        if tag.start() < at:
            continue
        before = text[at : tag.start()]
        name = (tag.group(2) or "").lower()
        if tag.group() == "<!--":
            before, at = _without_comment(text, before, tag.start(), tags, fresh=not out or out[-1].endswith("\n"))
            out += (before, "" if before.endswith("\n") or not before else GONE)
            continue
        out.append(before)
        at = tag.end()
        if tag.group() == "-->" or (tag.group(1) and name != "poem"):
            continue  # closes nothing
        if name == "poem":
            out.append(f"\n{POEM_END if tag.group(1) else POEM}\n")
            continue
        if tag.group(3).rstrip().endswith("/"):
            context.counts["references"] += name == "ref"
            out.append("" if name == "nowiki" else GONE)
            continue
        end = tags.end_of(name, at)
        if end is None or (name == "ref" and _runs_on(text, at, end[0], tags)):
            context.counts["unclosed_removed"] += 1
            continue
        out.append(_element(name, tag.group(3), text[at : end[0]], context))
        at = end[1]
    out.append(text[at:])
    return "".join(out)


def _without_comment(text: str, before: str, start: int, tags: _Tags, *, fresh: bool) -> tuple[str, int]:
    """Return what comes before a comment and where the text goes on: a line that holds only comments goes whole."""
    end = tags.end_of("", start + 4)
    if end is None:
        newline = text.find("\n", start)
        return before, newline if newline >= 0 else len(text)
    stripped = before.rstrip(" \t")
    if stripped.endswith("\n") or (not stripped and fresh):
        rest = _REST_OF_LINE.match(text, end[1])
        if rest:
            return stripped, rest.end()
    return before, end[1]


def _runs_on(text: str, start: int, end: int, tags: _Tags) -> bool:
    return tags.reference_begins(start, end) or text.find("\n==", start, end) >= 0


def _element(name: str, attributes: str, content: str, context: Context) -> str:
    if name == "nowiki":
        return context.store(LITERAL, content)
    if name in _FORMULAS:
        return _formula(name, attributes, content, context)
    if name in _CODE:
        content = _NOWIKI.sub("", content)
        if "inline" in attributes.lower():
            return context.store(LITERAL, content)
        return f"\n{context.store(CODE, content)}\n"
    context.counts["references" if name == "ref" else "extension_removed"] += 1
    return GONE


def _formula(name: str, attributes: str, content: str, context: Context) -> str:
    latex = _BLANKS.sub(" ", content).strip()
    if not latex:
        return GONE
    if name != "math":
        latex = f"\\ce{{{latex}}}"
    if "block" in attributes.lower() and "display" in attributes.lower():
        return f"\n{context.store(DISPLAY, latex)}\n"
    return context.store(FORMULA, latex)
