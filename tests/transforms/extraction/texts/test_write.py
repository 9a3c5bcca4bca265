"""Chosen blocks to text."""

from __future__ import annotations

import pytest
from selectolax.lexbor import LexborHTMLParser

from schemas.blocks import UNKNOWN
from transforms.extraction.extracted import Block
from transforms.extraction.formulas.tex import tex_dialect
from transforms.extraction.parsing.walk import outline
from transforms.extraction.texts.write import blocks_to_write, text_of


def written(body: str, left_out: tuple[int, ...] = ()) -> list[Block]:
    page = outline(LexborHTMLParser(f"<html><body>{body}</body></html>"))
    kept = [at for at in range(len(page.texts)) if at not in left_out]
    return blocks_to_write(page, kept, tex_dialect(body))


@pytest.mark.parametrize(
    ("body", "blocks"),
    [
        ("<h2>Head</h2><p>one<br>two</p>", [("heading", "Head"), ("paragraph", "one\ntwo")]),
        ("<ul><li>a</li><li><p>b</p></li></ul>", [("list_item", "a"), ("list_item", "b")]),
        ("<dl><dt>a</dt><dd>b</dd></dl>", [("list_item", "a"), ("list_item", "b")]),
        ("<blockquote><p>said</p></blockquote>", [("quotation", "said")]),
        ("<pre>if x:\n    y</pre>", [("code", "if x:\n    y")]),
        ("<table><tr><td>a<td>b<tr><td>c<td>d</table>", [("table_row", "a\tb"), ("table_row", "c\td")]),
        ("<table><tr><td><p>a</p><p>b</p></td><td>c</td></tr></table>", [("paragraph", x) for x in "abc"]),
        ("<p>$$x^2$$</p>", [("formula", "$$x^2$$")]),
        ("<p>e\u0301 \u200b\x07x</p>", [("paragraph", "\u00e9 x")]),
        ("", []),
    ],
)
def test_kinds(body: str, blocks: list[tuple[str, str]]) -> None:
    assert written(body) == [Block(*block) for block in blocks]


def test_a_cell_left_out() -> None:
    assert written("<table><tr><td>a<td>b<td>c</table>", left_out=(1,)) == [Block("table_row", "a\tc")]


def test_lines_of_the_text() -> None:
    kinds = ("heading", "list_item", "list_item", "paragraph", "table_row", "table_row", "list_item")
    text, spans = text_of([Block(kind, kind[0]) for kind in kinds])
    assert text == "h\n\nl\nl\n\np\n\nt\nt\n\nl"
    assert [(kind, text[start:end]) for kind, start, end in spans.spans()] == [(kind, kind[0]) for kind in kinds]
    assert text_of([]) == ("", UNKNOWN)
