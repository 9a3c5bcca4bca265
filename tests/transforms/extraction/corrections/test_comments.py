"""Which blocks are comments: by the names of the elements around them."""

from __future__ import annotations

import numpy as np
import pytest

from transforms.extraction.corrections.comments import (
    MIN_CHARS,
    MIN_LEFT,
    comment_blocks,
    with_comments,
    with_technical_comments,
    without_comments,
)
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
        ("<article class=comments-open><p>a</p><div class=comment><p>b</p></div></article>", [False, True]),
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
    assert without_comments(page, kept).tolist() == kept.tolist()


@pytest.mark.parametrize(("size", "goes"), [(MIN_LEFT, True), (MIN_LEFT - 1, False)])
def test_comments_go_unless_hardly_anything_else_is_kept(size: int, *, goes: bool) -> None:
    page = outline_of(f"<p>{'x' * size}</p><p>{'v' * 900}</p><div class=comments><p>{'y' * 900}</p><p>z</p></div>")
    kept = np.array([True, False, True, False])
    assert without_comments(page, kept).tolist() == [True, False, not goes, False]


@pytest.mark.parametrize(
    ("comment", "is_kept"),
    [
        ("Use <code>ngrok</code>", True),
        ("Use <b>the <kbd>Ctrl</kbd> key</b>", True),
        ("so $x^2$ is wrong", True),
        ("$a$ but $b_1$", True),
        ("from $5 to $6", False),
        ("thanks", False),
        ("<pre>x = 1\ny = 2</pre>", False),  # a block of its own; `with_insets` judges it
    ],
)
def test_comments_with_code_or_formulas(comment: str, is_kept: bool) -> None:
    page = outline_of(
        f"<p>b</p><div class=comments><p>first</p><p>{comment}</p></div><p><code>x</code></p><code></code>"
    )
    assert with_technical_comments(page, np.array([True, False, False, False])).tolist() == [
        True,
        False,
        is_kept,
        False,
    ]


def test_comments_alone_are_no_content() -> None:
    page = outline_of("<div class=comments><p>Use <code>ngrok</code></p></div>")
    assert with_technical_comments(page, np.array([False])).tolist() == [False]


def test_formulas_are_looked_for_in_linear_time() -> None:
    texts = ["a " * 100_000 + "$=", "$x" * 100_000 + "=", "=$x " * 100_001]
    page = outline_of(f"<p>b</p><div class=comments>{''.join(f'<p>{text}</p>' for text in texts)}</div>")
    assert with_technical_comments(page, np.array([True, False, False, False])).tolist() == [True, False, False, True]
