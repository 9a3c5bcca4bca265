"""Which cells come along with those of their row that are kept."""

from __future__ import annotations

import numpy as np
import pytest
from selectolax.lexbor import LexborHTMLParser

from transforms.extraction.corrections.whole_rows import with_whole_rows
from transforms.extraction.parsing.walk import outline


def left(body: str, kept: list[int], words: list[int] | None = None) -> list[int]:
    page = outline(LexborHTMLParser(f"<body>{body}</body>"))
    chosen = np.array(kept, np.bool_)
    found = with_whole_rows(page, chosen, np.array(words or [1] * len(kept), np.int64))
    return [int(each) for each in found.tolist()]


_TWO_ROWS = "<table><tr><td>a<td>b<tr><td>c<td>d</table>"


@pytest.mark.parametrize(
    ("body", "kept", "words", "expected"),
    [
        (_TWO_ROWS, [1, 0, 0, 0], None, [1, 1, 0, 0]),
        (_TWO_ROWS, [1, 0, 0, 1], [2, 3, 1, 1], [1, 0, 1, 1]),  # two of five words, one of two
        (_TWO_ROWS, [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]),
        ("<p>a<p>b", [1, 0], None, [1, 0]),
        ("<table><tr><td>a<table><tr><td>b<td>c</table><td>d</table>", [1, 0, 1, 0], None, [1, 1, 1, 0]),
        ("<table><tr>" + "<td>a" * 20 + "</table>", [1] * 19 + [0], None, [1] * 20),
        ("<table><tr>" + "<td>a" * 21 + "</table>", [1] * 20 + [0], None, [1] * 20 + [0]),
    ],
)
def test_which_cells_are_kept(body: str, kept: list[int], words: list[int] | None, expected: list[int]) -> None:
    assert left(body, kept, words) == expected
