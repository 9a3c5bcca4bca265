"""Which blocks are comments: by the names of the elements around them."""

from __future__ import annotations

import numpy as np
import pytest

from transforms.extraction.corrections.comments import (
    MIN_CHARS,
    comment_blocks,
    with_comments,
    with_technical_comments,
    without_comments,
)
from transforms.extraction.page import outline_of
from transforms.extraction.parsing.outline import MIN_LEFT


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
    page = outline_of(html)
    assert comment_blocks(page, np.zeros(len(page.texts), np.bool_)).tolist() == inside


@pytest.mark.parametrize("name", ["tone-comment", "post comments-open", "hentry no-comments", "section-comment"])
@pytest.mark.parametrize("lead", ["", f"<p>{'s' * 240}</p>"])
def test_an_article_that_is_named_after_comments_stays(name: str, lead: str) -> None:
    thread = f"<div class=comments><div class=comment><p>{'y' * 200}</p></div></div>"
    page = outline_of(f"{lead}<div class='{name}'><p>{'x' * 900}</p><p>{'x' * 900}</p>{thread}</div>")
    kept = np.ones(len(page.texts), np.bool_)
    assert without_comments(page, kept).tolist() == [*[True] * (len(kept) - 1), False]


def test_a_long_thread_of_comments_goes() -> None:
    thread = "".join(f"<li class=comment><p>{'y' * 200}</p></li>" for _ in range(20))
    page = outline_of(f"<p>{'x' * 900}</p><ol class=comments>{thread}</ol>")
    assert without_comments(page, np.ones(21, np.bool_)).tolist() == [True, *[False] * 20]


def test_what_is_written_and_what_is_a_button() -> None:
    texts = ["x" * MIN_CHARS, "x" * (MIN_CHARS - 1), f"<a>{'x' * MIN_CHARS}</a>", "ja"]
    page = outline_of("<p>b</p><div class=comments>" + "".join(f"<p>{text}</p>" for text in texts) + "</div>")
    kept = np.array([True, False, False, False, False])
    assert with_comments(page, kept).tolist() == [True, True, False, False, False]
    assert without_comments(page, kept).tolist() == kept.tolist()


@pytest.mark.parametrize(("size", "goes"), [(MIN_LEFT, True), (MIN_LEFT - 1, False)])
def test_comments_go_unless_hardly_anything_else_is_kept(size: int, *, goes: bool) -> None:
    thread = f"<div class=comment><p>{'y' * 150}</p></div>" * 2
    page = outline_of(f"<p>{'x' * size}</p><p>{'v' * 900}</p>{thread}")
    kept = np.array([True, False, True, True])
    assert without_comments(page, kept).tolist() == [True, False, not goes, not goes]


@pytest.mark.parametrize(
    ("comment", "is_kept"),
    [
        ("Use <code>ngrok</code>", True),
        ("Use <b>the <kbd>Ctrl</kbd> key</b>", True),
        ("so $x^2$ is wrong", True),
        ("$a$ but $b_1$", True),
        ("from $5 to $6", False),
        ("costs $5 at http://a.b/?c=d or $6 there", False),
        ("it was ^^ $20, then ^^ $30", False),
        ("<code></code>nothing in it", False),
        ("thanks", False),
        ("<pre>x = 1\ny = 2</pre>", False),  # a block of its own; `with_insets` judges it
    ],
)
def test_comments_with_code_or_formulas(comment: str, is_kept: bool) -> None:
    section = f"<div class=comments><p>first</p><p>{comment}</p></div>"
    assert technical(f"<p>b</p>{section}<p><code>x</code></p><code></code>") == [True, False, is_kept, False]


def technical(html: str) -> list[bool]:
    """Return what is kept of a page of which the first block was."""
    page = outline_of(html)
    blocks = np.arange(len(page.texts))
    in_form = np.array(["form" in text for text in page.texts])
    return with_technical_comments(page, blocks == 0, in_form).tolist()


def test_neither_forms_nor_fonts_are_code() -> None:
    assert technical("<p>b</p><div class=comment><p>In this form <code>b</code> is bold.</p></div>") == [True, False]
    assert technical("<p>b</p><div class=comment><tt>it was<div>so</div>and so</tt></div>") == [True, *[False] * 3]


def test_comments_alone_are_no_content() -> None:
    page = outline_of("<div class=comments><p>Use <code>ngrok</code></p></div>")
    nothing = np.array([False])
    assert with_technical_comments(page, nothing, nothing).tolist() == [False]


def test_formulas_are_looked_for_in_linear_time() -> None:
    texts = ["a " * 100_000 + "\\", "\\frax" * 100_000, "a_b_" * 100_000, "^ a" * 100_001]
    section = "".join(f"<p>{text}</p>" for text in texts)
    assert technical(f"<p>b</p><div class=comments>{section}</div>") == [True, *[False] * 4]
