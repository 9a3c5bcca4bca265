"""Links that lead away from a short article."""

from __future__ import annotations

import numpy as np
import pytest

from transforms.extraction.corrections.furniture import without_asides
from transforms.extraction.page import outline_of


@pytest.mark.parametrize(
    ("aside", "article", "left"),
    [
        ("<div class=sidebar><p><a>link</a></p></div>", "x" * 16, [True, False]),
        ("<ul class='widget related-posts'><li><a>link</a></ul>", "x" * 16, [True, False]),
        ("<div class=SIDEBAR><p><a>link</a></p></div>", "x" * 16, [True, False]),
        ("<div class=sidebar><p><a>link</a></p></div>", "x" * 17, [True, True]),  # less than a fifth
        ("<div class=sidebar><p><a>l</a>ink</p></div>", "x" * 16, [True, True]),  # no link
        ("<div class=unrelated><p><a>link</a></p></div>", "x" * 16, [True, True]),  # another word
        ("<div class=outside><p><a>link</a></p></div>", "x" * 16, [True, True]),
    ],
)
def test_links_beside_a_short_article(aside: str, article: str, left: list[bool]) -> None:
    page = outline_of(f"<div><p>{article}</p></div>{aside}")
    assert without_asides(page, np.ones(2, np.bool_)).tolist() == left


def test_a_page_of_nothing_else_keeps_it() -> None:
    page = outline_of("<div class=sidebar><p><a>link</a></p></div>")
    assert without_asides(page, np.ones(1, np.bool_)).tolist() == [True]


def test_the_whole_page_is_no_sidebar() -> None:
    page = outline_of("<body class=no-sidebar><p><a>link</a></p><p>a</p></body>")
    assert without_asides(page, np.ones(2, np.bool_)).tolist() == [True, True]
