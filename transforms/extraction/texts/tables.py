"""Where the cells of a table are, so that in the text each value stays under its heading.

Cells are placed as browsers place them. One that spans columns takes the first of them; one that spans rows is written
in the first and leaves an empty place in the others: its words are on the page once, and a copy in each row would count
as repetition. A column without a word in any row that is written is none, which spares the spacers and the bars of laid
out tables.

Tables that only lay out a page keep their rows as they are, without empty places: those that hold other tables, say so
(role), have mostly rows whose cells hold several blocks, or have no headings and are not filled like a table of data.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Final

from transforms.extraction.parsing.names import names
from transforms.extraction.parsing.outline import Outline

_CELLS: Final = names("td th")
_HEADINGS: Final = names("th thead caption")
_NO_DATA: Final = names("presentation none")  # roles
_MAX_COLUMNS: Final = 200  # a table with more is left as it is: one attribute can ask for 1000 (our value)
_LEVELS: Final = 8  # elements between a text and its cell
_FEW_ROWS, _FEW_COLUMNS = 3, 3  # without headings, a table of data has more than one of each and this of one (ours)
_MAX_ASIDE: Final = 4  # of so many rows without headings one may have nothing but one cell, not its first (ours)


@dataclass(frozen=True, slots=True)
class Tables:
    """The places of a page's tables of data; cells and rows are elements."""

    columns: dict[int, int] = field(default_factory=dict)  # cell -> its column
    rows: dict[int, list[str]] = field(default_factory=dict)  # row -> its cells' texts, '' where there are words


def tables_of(outline: Outline, written: Mapping[int, int], crowded: Set[int]) -> Tables:
    """Return the places of cells. `written`: the cells to be written and their rows, without those of rows that are
    `crowded`, which hold several blocks in a cell."""
    found = Tables()
    if not written:
        return found
    marks = [mark for _, mark in outline.signatures]
    seen = _Seen.of(outline)
    wordless = _wordless(outline)
    n_crowded = dict[int, int]()
    for row in crowded:
        n_crowded[seen.table_of[row]] = n_crowded.get(seen.table_of[row], 0) + 1
    filled = dict[int, list[int]]()  # table -> its cells to be written
    for cell, row in written.items():
        filled.setdefault(seen.table_of[row], []).append(cell)
    for table, cells in filled.items():
        if table < 0 or table in seen.holding or not _NO_DATA.isdisjoint(marks[outline.signature_ids[table]].split()):
            continue
        rows = {written[cell] for cell in cells}
        if n_crowded.get(table, 0) >= len(rows):
            continue
        places = _places(outline, seen.rows[table])
        if places is None:
            continue
        column_of, covered = places
        if table not in seen.headed and not _is_data(cells, rows, written, column_of, covered):
            continue
        used = sorted({column_of[cell] for cell in cells})
        rank = {column: at for at, column in enumerate(used)}
        for row in rows:
            texts = [""] * len(used)
            for cell in seen.rows[table][row]:
                column = rank.get(column_of[cell])
                if column is not None:
                    found.columns[cell] = column
                    texts[column] = "" if cell in written else wordless.get(cell, "")
            found.rows[row] = texts
    return found


@dataclass(frozen=True, slots=True)
class _Seen:
    """Tables of a page, by element."""

    table_of: list[int]  # of each element, itself included, -1: none
    rows: dict[int, dict[int, list[int]]]  # table -> row -> cells
    headed: set[int]  # tables with headings
    holding: set[int]  # tables with tables in them

    @classmethod
    def of(cls, outline: Outline) -> _Seen:
        table_of: list[int] = []
        rows: dict[int, dict[int, list[int]]] = {}
        headed, holding = set[int](), set[int]()
        tags = outline.tags
        for at, (tag, parent) in enumerate(zip(tags, outline.parents, strict=True)):
            table = table_of[parent] if parent >= 0 else -1
            if tag == "table":
                if table >= 0:
                    holding.add(table)
                table = at
            elif tag in _HEADINGS:
                headed.add(table)
            if tag == "tr":
                rows.setdefault(table, {})[at] = []
            elif tag in _CELLS and tags[parent] == "tr":
                rows[table][parent].append(at)
            table_of.append(table)
        return cls(table_of, rows, headed, holding)


def _wordless(outline: Outline) -> dict[int, str]:
    """Return the texts of cells without a word: a dash, a tick, the sign of a currency."""
    found: dict[int, str] = {}
    for at, text in outline.wordless:
        for _ in range(_LEVELS):
            if at < 0 or outline.tags[at] in _CELLS:
                break
            at = outline.parents[at]
        if at >= 0 and outline.tags[at] in _CELLS:
            found[at] = f"{found[at]} {text}" if at in found else text
    return found


def _places(outline: Outline, rows: Mapping[int, list[int]]) -> tuple[dict[int, int], set[int]] | None:
    """Return the column of each cell, and the rows of which a cell of an earlier one takes the first place; None of a
    table that is too wide."""
    column_of: dict[int, int] = {}
    covered = set[int]()
    group, number = -1, 0
    until: dict[int, int] = {}  # column -> number of the last row that a cell above takes
    for row, cells in rows.items():
        if outline.parents[row] != group:  # no cell reaches beyond its part of the table
            group, number, until = outline.parents[row], 0, {}
        if until.get(0, -1) >= number:
            covered.add(row)
        at = 0
        for cell in cells:
            while until.get(at, -1) >= number:
                at += 1
            column_of[cell] = at
            n_columns, n_rows = outline.spans.get(cell, (1, 1))
            if at + n_columns > _MAX_COLUMNS:
                return None
            if n_rows > 1:
                for column in range(at, at + n_columns):
                    until[column] = number + n_rows - 1
            at += n_columns
        number += 1
    return column_of, covered


def _is_data(
    cells: list[int],
    rows: set[int],
    written: Mapping[int, int],
    column_of: Mapping[int, int],
    covered: Set[int],
) -> bool:
    """Return whether a table without headings is filled as one of data is."""
    n_columns = len({column_of[cell] for cell in cells})
    if min(len(rows), n_columns) < 2 or (len(rows) < _FEW_ROWS and n_columns < _FEW_COLUMNS):
        return False
    if 2 * (len(cells) + len(covered & rows)) < len(rows) * n_columns:
        return False
    columns = dict[int, list[int]]()
    for cell in cells:
        columns.setdefault(written[cell], []).append(column_of[cell])
    aside = sum(len(columns[row]) == 1 and columns[row][0] > 0 and row not in covered for row in rows)
    return _MAX_ASIDE * aside <= len(rows)
