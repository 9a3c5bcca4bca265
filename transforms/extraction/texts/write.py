"""Kept blocks as text: a line a paragraph, list item or table row; blank lines between, none in lists and tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from schemas.blocks import KINDS, Blocks
from transforms.extraction.extracted import Block
from transforms.extraction.formulas.tex import TexDialect, normalised_tex
from transforms.extraction.parsing.outline import Outline
from transforms.extraction.texts.hygiene import clean_unicode
from transforms.extraction.texts.tables import tables_of

_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_LISTS = frozenset({"li", "dt", "dd"})
_CELLS = frozenset({"td", "th"})
_QUOTES = frozenset({"blockquote", "q"})
_STOPS = frozenset({"body", "main", "article", "section", "table"})
_CLOSE = frozenset({"list_item", "table_row"})  # no blank line between two of them
_NUMBERS = {name: number for number, name in enumerate(KINDS)}
_LEVELS = 200  # elements around a block that are asked what it is: pages nested by the thousand cost no more (ours)


def blocks_to_write(outline: Outline, kept: Sequence[int], dialect: TexDialect) -> list[Block]:
    """Return the kept blocks, in order, cells of a row joined."""
    places = [_place(outline, block) for block in kept]
    cells = Counter(cell for kind, _, cell in places if kind == "table_row")
    crowded = {row for kind, row, cell in places if kind == "table_row" and cells[cell] > 1}
    tables = tables_of(
        outline, {cell: row for kind, row, cell in places if kind == "table_row" and row not in crowded}, crowded
    )
    written: list[tuple[str, str, list[str]]] = []  # of each block its kind, its text, the cells of a row
    open_row = -1
    for block, (kind, row, cell) in zip(kept, places, strict=True):
        raw = outline.shown.get(block) or outline.texts[block]
        text = clean_unicode(raw if kind == "code" else normalised_tex(raw, dialect))
        if text != raw and kind != "code":
            text = "\n".join(line for raw in text.split("\n") if (line := _one_line(raw)))
        if not text:
            continue
        if kind == "table_row" and row in crowded:
            kind = "paragraph"
        if kind == "table_row":
            if row != open_row:
                written.append((kind, "", tables.rows.get(row, [])))
            _add_cell(written[-1][2], tables.columns.get(cell), _one_line(text))
            open_row = row
            continue
        open_row = -1
        if kind == "paragraph" and text.startswith("$$") and text.endswith("$$") and text.count("$$") == 2:
            kind = "formula"
        written.append((kind, text, []))
    return [Block(kind, text or "\t".join(cells).rstrip("\t")) for kind, text, cells in written]


def _add_cell(cells: list[str], column: int | None, text: str) -> None:
    """Put a cell's text into its row: where it belongs in a table of data, at the end elsewhere."""
    if column is None:
        cells.append(text)
    else:
        cells[column] = text


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
            return "table_row", at, cell
        elif tag in _LISTS and not kind:
            kind = "list_item"
        elif tag in _QUOTES:
            return "quotation", -1, -1
        elif tag in _STOPS:
            break
        at = parents[at]
    return kind or "paragraph", -1, -1


def _one_line(text: str) -> str:
    return " ".join(text.split())


def text_of(blocks: Sequence[Block]) -> tuple[str, Blocks]:
    """Return the blocks as one text, and where in it they are."""
    pieces: list[str] = []
    spans: list[tuple[int, int, int]] = []
    before, end = "", 0
    for block in blocks:
        if pieces:
            gap = "\n" if block.kind == before and before in _CLOSE else "\n\n"
            pieces.append(gap)
            end += len(gap)
        pieces.append(block.text)
        spans.append((_NUMBERS[block.kind], end, end + len(block.text)))
        before, end = block.kind, end + len(block.text)
    return "".join(pieces), Blocks.of(spans)
