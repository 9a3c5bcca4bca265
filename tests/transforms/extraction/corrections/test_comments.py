"""Which blocks are comments: by the names of the elements around them."""

from __future__ import annotations

import numpy as np
import pytest

from transforms.extraction.corrections.comments import MIN_CHARS, comment_blocks, with_comments, without_comments
from transforms.extraction.page import outline_of


@pytest.mark.parametrize(
    ("html", "inside"),
    [
        ("<div class=comments><p>a</p></div><p>b</p>", [True, False]),
        ("<div id=disqus_thread><p>a</p></div>", [True]),
        ("<section class='post-comments wide'><div><p>a</p></div></section><p>b</p>", [True, False]),
        ("<ol class=commentList><li>a<li>b</ol>", [True, True]),
        ("<p class=commentary>a</p><p class=recommended>b</p>", [False, False]),
        ("<body class=has-comments><p>a</p></body>", [False]),
        ("<p>a</p><div class=comments></div>", [False]),
        ("", []),
    ],
)
def test_sections(html: str, inside: list[bool]) -> None:
    assert comment_blocks(outline_of(html)).tolist() == inside


def test_what_is_written_and_what_is_a_button() -> None:
    texts = ["x" * MIN_CHARS, "x" * (MIN_CHARS - 1), f"<a>{'x' * MIN_CHARS}</a>", "ja"]
    page = outline_of("<p>b</p><div class=comments>" + "".join(f"<p>{text}</p>" for text in texts) + "</div>")
    kept = np.array([True, False, False, False, False])
    assert with_comments(page, kept).tolist() == [True, True, False, False, False]
    assert without_comments(page, kept) is kept


@pytest.mark.parametrize(("article", "left"), [("xxx", [True, False, False]), ("xx", [True, True, False])])
def test_comments_go_when_they_are_not_the_larger_part(article: str, left: list[bool]) -> None:
    page = outline_of(f"<p>{article}</p><div class=comments><p>yyy</p><p>z</p></div>")
    assert without_comments(page, np.array([True, True, False])).tolist() == left
