"""Other articles below an article, and sections, lists and teasers, which are none."""

from __future__ import annotations

import numpy as np
import pytest

from transforms.extraction.corrections.appended import without_appended
from transforms.extraction.page import outline_of

OWN = "".join(f"<p>{'x' * 150}{n}</p>" for n in range(2))
HEAD = "<h1>The page</h1>"


def other(n: int, opened: str = "<article>", closed: str = "</article>", paragraphs: int = 3, head: str = "") -> str:
    text = "".join(f"<p>{'y' * 150}{n}{at}</p>" for at in range(paragraphs))
    return f"{opened}{head or f'<h2><a href=/{n}>Another {n}</a></h2>'}<span>By the desk</span>{text}{closed}"


def left(html: str) -> str:
    """Return the first letters of the long blocks that are left of a page of which everything is kept."""
    page = outline_of(html)
    kept = without_appended(page, np.ones(len(page.texts), np.bool_))
    return "".join(page.texts[block][0] for block in np.flatnonzero(kept).tolist() if len(page.texts[block]) > 100)


@pytest.mark.parametrize(
    "html",
    [
        f"<article>{HEAD}{OWN}</article>{other(1)}{other(2)}",
        f"<article>{HEAD}{OWN * 5}</article><div class=infinite-scroll>{other(1)}{other(2)}</div>",
        f"<main><div>{HEAD}{OWN}</div>{other(1, '<div>', '</div>')}{other(2, '<div>', '</div>')}</main>",
        f"<div>{HEAD}<div>{OWN}</div></div><div class=related-posts>{other(1, '<div>', '</div>')}</div>",
        f"<div>{HEAD}<div>{OWN}</div><section class='related posts'>{other(1, '<div>', '</div>')}</section></div>",
        f"<article>{HEAD}{OWN}<article>{other(1)[9:]}</article>",
        f"<article>{HEAD}<h2>A section</h2>{OWN}</article>{other(1)}<ul><li><h3><a>More</a></h3></ul>",
    ],
)
def test_other_articles_go(html: str) -> None:
    assert set(left(html)) == {"x"}


@pytest.mark.parametrize(
    "html",
    [
        f"<article>{HEAD}{OWN}{other(1, '<div>', '</div>')}{other(2, '<div>', '</div>')}</article>",  # sections
        f"<article>{HEAD}{OWN}</article>{other(1)}<p>{'z' * 150}</p>",  # what follows is the page's own
        f"<article>{HEAD}{OWN}</article>{other(1, paragraphs=1)}{other(2, paragraphs=1)}",  # a list of teasers
        f"<article>{HEAD}{OWN}</article>{''.join(other(n) for n in range(9))}",  # a list of pages
        f"{other(0)}{other(1)}{other(2)}",  # a blog
        f"<article>{HEAD}{OWN}</article>{other(1, head='<h2>Another section</h2>')}",
        f"<article>{HEAD}<p>{'x' * 150}</p></article>{other(1)}",  # next to nothing of its own
        f"{OWN}{other(1)}",  # no headline
        "",
    ],
)
def test_what_is_no_other_article_stays(html: str) -> None:
    page = outline_of(html)
    assert without_appended(page, np.ones(len(page.texts), np.bool_)).all()


def test_nothing_is_kept() -> None:
    page = outline_of(f"<article>{HEAD}{OWN}</article>{other(1)}")
    assert not without_appended(page, np.zeros(len(page.texts), np.bool_)).any()
