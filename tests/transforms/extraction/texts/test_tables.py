"""Cells of tables in their columns: in tables of data each value stays under its heading, others gain no tabs."""

from __future__ import annotations

import pytest
from selectolax.lexbor import LexborHTMLParser

from transforms.extraction.formulas.tex import tex_dialect
from transforms.extraction.parsing.walk import outline
from transforms.extraction.texts.write import blocks_to_write, text_of

_HEAD = "<tr><th>City<th>2019<th>2020<th>2021"


def written(rows: str, left_out: tuple[str, ...] = (), attributes: str = "") -> str:
    """Return a table's text, with arrows for tabs."""
    page = outline(LexborHTMLParser(f"<html><body><table {attributes}>{rows}</table></body></html>"))
    kept = [at for at, text in enumerate(page.texts) if text not in left_out]
    return text_of(blocks_to_write(page, kept, tex_dialect(rows)))[0].replace("\t", "→")


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ("<tr><td>Bonn<td><td>3.1<td>3.2", "Bonn→→3.1→3.2"),
        ("<tr><td>Bonn<td>&nbsp;<td><!-- none --><td>3.2", "Bonn→→→3.2"),
        ("<tr><td>Bonn<td><img src=x><td>3.1<td>", "Bonn→→3.1"),
        ("<tr><td><td>3.0<td>3.1<td>3.2", "→3.0→3.1→3.2"),
        # no word in it
        ("<tr><td>Bonn<td>-<td>–<td>3.2", "Bonn→-→–→3.2"),
        ("<tr><td>Bonn<td><p>✓</p><td><b>$</b><td>?", "Bonn→✓→$→?"),
        ("<tr><td>Bonn<td>-<span style='display:none'>-</span><td>3.1<td>3.2", "Bonn→-→3.1→3.2"),
        # several columns, several rows
        ("<tr><td>Bonn<td colspan=2>3<td>4", "Bonn→3→→4"),
        ("<tr><td colspan=3>Bonn<td>4", "Bonn→→→4"),
        ("<tr><td colspan=4>The west<tr><td>Bonn<td>1<td>2<td>3", "The west\nBonn→1→2→3"),
        ("<tr><td rowspan=2>Bonn<td>1<td>2<td>3<tr><td>4<td>5<td>6", "Bonn→1→2→3\n→4→5→6"),
        ("<tr><td>Bonn<td rowspan=2>1<td>2<td>3<tr><td>Kiel<td>5<td>6", "Bonn→1→2→3\nKiel→→5→6"),
        ("<tr><td>Bonn<td rowspan=2 colspan=2>1<td>3<tr><td>Kiel<td>6", "Bonn→1→→3\nKiel→→→6"),
        ("<tr><td rowspan=0>Bonn<td>1<td>2<td>3<tr><td>4<tr><td><td>5", "Bonn→1→2→3\n→4\n→→5"),
        ("<tr><td rowspan=9>Bonn<td>1<tbody><tr><td>Kiel<td>2", "Bonn→1\nKiel→2"),
        ("<tr><td colspan=x>Bonn<td colspan=0>1<td colspan=-1>2<td>3", "Bonn→1→2→3"),
        # rows with nothing in them
        ("<tr><td><td><td><td><tr><td>-<td>-<td>-<td>-<tr><td>Bonn<td>1", "Bonn→1"),
    ],
)
def test_values_stay_under_their_headings(rows: str, text: str) -> None:
    assert written(_HEAD + rows) == f"City→2019→2020→2021\n{text}"


@pytest.mark.parametrize("first", ["<th>", "<td>", "<th>&nbsp;", "<td>-"])
def test_an_empty_corner(first: str) -> None:
    corner = "-" if "-" in first else ""
    rows = f"<tr>{first}<th>2019<th>2020<tr><th>Bonn<td>1<td>2"
    assert written(rows) == f"{corner}→2019→2020\nBonn→1→2"


def test_headings_of_several_rows() -> None:
    head = "<tr><th rowspan=2>City<th colspan=2>Women<th colspan=2>Men<tr><th>2019<th>2020<th>2019<th>2020"
    text = "City→Women→→Men\n→2019→2020→2019→2020\nBonn→1→2→3→4"
    assert written(head + "<tr><td>Bonn<td>1<td>2<td>3<td>4") == text


def test_a_cell_that_is_left_out_leaves_its_place() -> None:
    rows = f"{_HEAD}<tr><td>Bonn<td>1<td>ad<td>3"
    assert written(rows, ("ad",)) == "City→2019→2020→2021\nBonn→1→→3"
    assert written(rows, ("2020", "ad")) == "City→2019→2021\nBonn→1→3"


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ("<tr><td>City<td>2019<td>2020<tr><td>Bonn<td><td>3.1", "City→2019→2020\nBonn→→3.1"),
        ("<tr><td>A<td>1<tr><td>B<td>2<tr><td rowspan=2>C<td>3<tr><td>4", "A→1\nB→2\nC→3\n→4"),
        ("<tr><td><td>2019<td>2020<tr><td>Bonn<td>1<td>2", "→2019→2020\nBonn→1→2"),
    ],
)
def test_tables_of_data_without_headings(rows: str, text: str) -> None:
    assert written(rows) == text


@pytest.mark.parametrize(
    ("rows", "attributes", "text"),
    [
        # a spacer, a bar, an image in each row
        ("<tr><th>a<th>|<th>b<tr><td>c<td>|<td>d", "", "a→b\nc→d"),
        ("<tr><th>a<th><th>b<tr><td>c<td><img src=x><td>d", "", "a→b\nc→d"),
        # lists of links with a line of small print below each
        ("<tr><td>1.<td>one<tr><td><td>9 points<tr><td>2.<td>two<tr><td><td>5 points", "",
         "1.→one\n9 points\n2.→two\n5 points"),
        # pages in one
        ("<tr><td><td>Search<tr><td>Menu<td>Welcome", "", "Search\nMenu→Welcome"),
        ("<tr><td>a<td><td>b<td><tr><td><td>c<td><td><tr><td><td><td><td>d", "", "a→b\nc\nd"),
        ("<tr><th>a<th>b<tr><td>c<td><tr><td><td>d", "role=presentation", "a→b\nc\nd"),
        ("<tr><th>a<th>b<tr><td><table><tr><td>c</table><tr><td><td>d", "", "a→b\nc\nd"),
        ("<tr><th>Author<th>Post<tr><td>Ann<p>Berlin<td>one<tr><td>Bob<p>Bonn<td>two<tr><td><td>Top", "",
         "Author→Post\n\nAnn\n\nBerlin\n\none\n\nBob\n\nBonn\n\ntwo\n\nTop"),
        # more columns than anybody reads
        ("<tr><th colspan=1000>a<th>b<tr><td>c<td><td>d", "", "a→b\nc→d"),
    ],
)  # fmt: skip
def test_tables_that_lay_out_a_page_gain_no_tabs(rows: str, attributes: str, text: str) -> None:
    assert written(rows, attributes=attributes) == text
