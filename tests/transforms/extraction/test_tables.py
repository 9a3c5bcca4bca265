from __future__ import annotations

import pytest
from selectolax.lexbor import LexborHTMLParser, LexborNode

from transforms.extraction.tables import is_layout_table, table_rows


def table(inner: str, attributes: str = "") -> LexborNode:
    found = LexborHTMLParser(f"<table {attributes}>{inner}</table>").css_first("table")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("inner", "rows"),
    [
        ("", []),
        ("<tr><td></td></tr>", []),
        ("<tr><th>a<th>b<tr><td>1<td>2", [["a", "b"], ["1", "2"]]),
        ("<tfoot><tr><td>sum</tfoot><tbody><tr><td>1</tbody><thead><tr><th>n</thead>", [["n"], ["1"], ["sum"]]),
        ("<tr><td colspan=2>a<td>b<tr><td>1<td>2<td>3", [["a", "", "b"], ["1", "2", "3"]]),
        ("<tr><td rowspan=2>a<td>b<tr><td>c<tr><td>d<td>e", [["a", "b"], ["", "c"], ["d", "e"]]),
        ("<tr><td>a<td rowspan=3 colspan=2>b<td>c<tr><td>d<td>e", [["a", "b", "", "c"], ["d", "", "", "e"]]),
        ("<tr><td colspan=1000>a", [["a"]]),
        ("<tr><td colspan=x rowspan=-1>a<td colspan=0>b", [["a", "b"]]),
        ("<tr><td> a \n b <p>c</p></td><td><table><tr><td>d</td><td>e</td></tr></table>", [["a b c", "d e"]]),
        ("<caption>no row</caption><tr><td>سلام<td>日本", [["سلام", "日本"]]),
    ],
)
def test_rows(inner: str, rows: list[list[str]]) -> None:
    assert table_rows(table(inner)) == rows


def test_cells_are_written_by_the_caller() -> None:
    assert table_rows(table("<tr><td><b>a</b>"), lambda cell: cell.inner_html or "") == [["<b>a</b>"]]


def test_greedy_spans_cost_little() -> None:
    cells = "<td colspan=1000 rowspan=65534>x" * 200
    rows = table_rows(table(f"<tr>{cells}" * 20))
    assert sum(map(len, rows)) < 50_000
    assert rows[0][0] == "x"


_LONG = "word " * 100


@pytest.mark.parametrize(
    ("inner", "attributes", "layout"),
    [
        ("<tr><td>a<td>b<tr><td>1<td>2", "", False),
        ("<tr><td>a<td>b<tr><td>1<td>2", "role=presentation", True),
        ("<tr><td>a<td>b<tr><td>1<td>2", "class='ltx_equation ltx_eqn_table'", True),
        ("<tr><th>a<th>b", "", False),
        ("<tr><td>menu<td>page", "", True),
        ("<tr><td>a<tr><td>b", "", True),
        ("<tr><td>a<tr><td>b", "class=wikitable", False),
        (f"<tr><td>{_LONG}<td>{_LONG}<tr><td>{_LONG}<td>{_LONG}", "", True),
        ("<tr><td><p>a<p>b<td><p>c<p>d<tr><td><p>e<p>f<td>g", "", True),
        ("<tr><td>a<td><table><tr><td>b</table><tr><td>c<td>d", "", True),
        ("", "", True),
    ],
)
def test_layout(inner: str, attributes: str, layout: bool) -> None:
    assert is_layout_table(table(inner, attributes)) is layout
