"""Tables: which ones hold data, and their rows of cells in reading order.

A table that only places things on the page (mail archives, LaTeXML's and ProofWiki's equations, old layouts) is no
table to a reader: its cells are blocks like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from selectolax.lexbor import LexborNode

from transforms.extraction.names import class_names, names
from transforms.extraction.shown import shown_text

_LAYOUT_CLASSES: Final = names(
    "ltx_equation ltx_equationgroup ltx_eqn_table ltx_eqn_align ltx_eqn_gather eqn eqnarray layout layout-table"
)
_DATA_CLASSES: Final = names("wikitable infobox sortable datatable dataframe table-bordered table-striped")
_BLOCKS: Final = "p, ul, ol, h1, h2, h3, h4, form, article, section, blockquote, pre, iframe"
_LONG_CELL: Final = 400  # characters of an average cell, beyond which cells are columns of a page (ours)
_MAX_ROWS_LOOKED_AT: Final = 50
_MAX_SPAN: Final = 50  # columns a cell may claim to cover (ours); pages that say 1000 mean "all"
_MAX_ROWSPAN: Final = 1000
_MAX_EMPTY: Final = 20_000  # empty places of one table, beyond which spans count as one (ours)


def is_layout_table(node: LexborNode) -> bool:
    """Return whether a table only lays out the page."""
    attributes = node.attributes
    classes = class_names(attributes.get("class"))
    if (attributes.get("role") or "").lower() in ("presentation", "none") or attributes.get("datatable") == "0":
        return True
    if not classes.isdisjoint(_LAYOUT_CLASSES):
        return True
    if not classes.isdisjoint(_DATA_CLASSES) or (attributes.get("role") or "") in ("grid", "table", "treegrid"):
        return False
    rows = _rows(node)[:_MAX_ROWS_LOOKED_AT]
    cells = [cell for row in rows for cell in _cells(row)]
    if not cells:
        return True
    if any(cell.tag == "th" for cell in cells) or any(child.tag in ("caption", "thead") for child in node.iter()):
        return False
    if node.css_first("table") is not None and node.css_first("td table") is not None:
        return True
    if len(cells) == len(rows) or len(rows) == 1:  # one column, or one row
        return True
    n_blocks = sum(len(cell.css(_BLOCKS)) > 1 for cell in cells)
    n_chars = sum(len(cell.text(deep=True)) for cell in cells)
    return 2 * n_blocks > len(cells) or n_chars > _LONG_CELL * len(cells)


def _rows(table: LexborNode) -> list[LexborNode]:
    """Return a table's own rows, head first and foot last as browsers show them."""
    parts: dict[str, list[LexborNode]] = {"thead": [], "": [], "tfoot": []}
    for child in table.iter():
        if child.tag == "tr":
            parts[""].append(child)
        elif child.tag in ("thead", "tbody", "tfoot"):
            part = "" if child.tag == "tbody" else child.tag
            parts[part] += [row for row in child.iter() if row.tag == "tr"]
    return [*parts["thead"], *parts[""], *parts["tfoot"]]


def _cells(row: LexborNode) -> Iterator[LexborNode]:
    return (cell for cell in row.iter() if cell.tag in ("td", "th"))


def _span(cell: LexborNode, name: str, limit: int) -> int:
    value = (cell.attributes.get(name) or "1").strip()
    return min(int(value), limit) if value.isascii() and value.isdigit() and len(value) < 9 and int(value) else 1


def _plain(cell: LexborNode) -> str:
    return shown_text(cell, " ")


def table_rows(node: LexborNode, cell_text: Callable[[LexborNode], str] = _plain) -> list[list[str]]:
    """Return the text of a table's cells, row by row; rows without text are left out.

    A cell stands once, in its first place; the other places that its spans cover are empty, so that columns keep their
    order, and empty places at the end of a row are left out. `cell_text` writes a cell, nested tables included.
    """
    written: list[list[str]] = []
    n_empty = 0
    covered: dict[int, int] = {}  # column: rows below that a cell above still covers
    for row in _rows(node):
        texts: list[str] = []
        below: dict[int, int] = {}
        for cell in _cells(row):
            n_empty += _skip_covered(texts, covered)
            wide = _span(cell, "colspan", _MAX_SPAN if n_empty < _MAX_EMPTY else 1)
            n_empty += wide - 1
            tall = _span(cell, "rowspan", _MAX_ROWSPAN)
            if tall > 1:
                below |= dict.fromkeys(range(len(texts), len(texts) + wide), tall)
            texts += [" ".join(cell_text(cell).split()), *[""] * (wide - 1)]
        covered = {column: left - 1 for column, left in (covered | below).items() if left > 1 and n_empty < _MAX_EMPTY}
        while texts and not texts[-1]:
            texts.pop()
        if texts:
            written.append(texts)
    return written


def _skip_covered(texts: list[str], covered: dict[int, int]) -> int:
    """Add the places that a cell above covers, and return how many."""
    before = len(texts)
    while covered.get(len(texts), 0):
        texts.append("")
    return len(texts) - before
