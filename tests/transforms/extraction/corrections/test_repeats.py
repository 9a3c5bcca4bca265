"""A text that stands twice on a page is written once."""

from __future__ import annotations

import numpy as np
import pytest
from selectolax.lexbor import LexborHTMLParser

from transforms.extraction.corrections.repeats import without_repeats
from transforms.extraction.parsing.walk import outline

LONG = "x" * 100
SHORT = "x" * 99


@pytest.mark.parametrize(
    ("body", "kept", "left"),
    [
        (f"<p>{LONG}</p><p>{LONG}</p><p>{LONG}</p>", [1, 1, 1], [1, 0, 0]),
        (f"<p>{LONG}</p><p>{LONG}</p>", [0, 1], [0, 1]),
        (f"<p>{SHORT}</p><p>{SHORT}</p>", [1, 1], [1, 1]),
        (f"<pre>{LONG}</pre><pre>{LONG}</pre>", [1, 1], [1, 1]),
        (f"<p>{LONG}</p><p>{LONG}.</p>", [1, 1], [1, 1]),
    ],
)
def test_which_blocks_are_left(body: str, kept: list[int], left: list[int]) -> None:
    page = outline(LexborHTMLParser(f"<body>{body}</body>"))
    assert without_repeats(page, np.array(kept, np.bool_)).tolist() == [bool(each) for each in left]


def test_a_choice_without_repeats_is_returned_as_it_is() -> None:
    page = outline(LexborHTMLParser(f"<p>{LONG}</p><p>other</p>"))
    kept = np.array([True, True])
    assert without_repeats(page, kept) is kept
