"""Kept blocks as text: a line a paragraph, list item or table row; blank lines between, none in lists and tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from transforms.extraction.extracted import Block
from transforms.extraction.formulas.tex import TexDialect, normalised_tex
from transforms.extraction.parsing.outline import Outline
from transforms.extraction.texts.hygiene import clean_unicode

_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_LISTS = frozenset({"li", "dt", "dd"})
_CELLS = frozenset({"td", "th"})
_QUOTES = frozenset({"blockquote", "q"})
_STOPS = frozenset({"body", "main", "article", "section", "table"})
_LEVELS = 200  # elements around a block that are asked what it is: pages nested by the thousand cost no more (ours)


def blocks_to_write(outline: Outline, kept: Sequence[int], dialect: TexDialect) -> list[Block]:
    """Return the kept blocks, in order, cells of a row joined."""
    places = [_place(outline, block) for block in kept]
    cells = Counter(cell for kind, _, cell in places if kind == "table")
    crowded = {row for kind, row, cell in places if kind == "table" and cells[cell] > 1}
    written: list[Block] = []
    open_row = -1
    for block, (kind, row, _) in zip(kept, places, strict=True):
        raw = outline.texts[block]
        text = clean_unicode(raw if kind == "code" else normalised_tex(raw, dialect))
        if text != raw and kind != "code":
            text = "\n".join(line for raw in text.split("\n") if (line := _one_line(raw)))
        if not text:
            continue
        if kind == "table" and row in crowded:
            kind = "paragraph"
        if kind == "table" and row == open_row:
            written[-1] = Block("table", f"{written[-1].text}\t{_one_line(text)}")
            continue
        open_row = row if kind == "table" else -1
        if kind == "paragraph" and text.startswith("$$") and text.endswith("$$") and text.count("$$") == 2:
            kind = "formula"
        written.append(Block(kind, _one_line(text) if kind == "table" else text))
    return written


def _place(outline: Outline, block: int) -> tuple[str, int, int]:
    """Return what a block is, and of a table's cell the row and the cell."""
    if outline.kinds[block] == "code":
        return "code", -1, -1
    tags, parents = outline.tags, outline.parents
    at = outline.owners[block]
    kind, cell = "", -1
    for _ in range(_LEVELS):
        if at < 0:
            break
        tag = tags[at]
        if tag in _HEADINGS:
            return "heading", -1, -1
        if tag in _CELLS:
            cell = at
        elif tag == "tr" and cell >= 0:
            return "table", at, cell
        elif tag in _LISTS and not kind:
            kind = "list"
        elif tag in _QUOTES:
            return "quote", -1, -1
        elif tag in _STOPS:
            break
        at = parents[at]
    return kind or "paragraph", -1, -1


def _one_line(text: str) -> str:
    return " ".join(text.split())


def text_of(blocks: Sequence[Block]) -> str:
    """Return the blocks as one text."""
    pieces: list[str] = []
    before = ""
    for block in blocks:
        if pieces:
            pieces.append("\n" if block.kind == before and before in ("list", "table") else "\n\n")
        pieces.append(block.text)
        before = block.kind
    return "".join(pieces)
