"""Which corrections a page gets, by its kind."""

from __future__ import annotations

import numpy as np
import pytest

from transforms.extraction.choice.features import OFF_MAIN, Features
from transforms.extraction.choice.page_kind import KINDS, kind_of
from transforms.extraction.corrections.dialogs import without_dialogs
from transforms.extraction.corrections.order import corrected
from transforms.extraction.page import outline_of

X, Y = "x" * 300, "y" * 300
PAGE = outline_of(
    f"<title>Head</title><h1>Head</h1><p>{X}</p><div class=card>one</div><div class=card>two two two</div>"
    f"<div class=comment>{Y}</div><div class=comment>{Y}z <code>z</code></div><p>likely</p><p>outside</p>"
)
HEAD, TEXT, CARD, OTHER, SAID, CODED, LIKELY, OUTSIDE = range(8)
CHOSEN = {HEAD, TEXT, CARD, SAID}


def made(**scores: int) -> tuple[int, ...]:
    return tuple(scores.get(kind, -9000) for kind in KINDS)


def kept(scores: tuple[int, ...], *, comments: bool = False) -> set[int]:
    blocks = np.arange(len(PAGE.texts))
    table = np.stack((blocks == OUTSIDE, np.zeros_like(blocks))).astype(np.int64)
    words = np.array([1, 50, 1, 5, 50, 50, 1, 1], np.int64)
    series = np.where((blocks == CARD) | (blocks == OTHER), 2, -1)
    chance = np.where(blocks >= LIKELY, 30_000, 20_000)
    features = Features((OFF_MAIN, "in_form"), table, words, series)
    choice = np.isin(blocks, list(CHOSEN))
    return set(np.flatnonzero(corrected(PAGE, choice, chance, features, scores, comments=comments)).tolist())


@pytest.mark.parametrize(
    ("scores", "comments", "left"),
    [
        (made(service=0), False, CHOSEN - {CARD}),
        (made(product=0), True, CHOSEN - {CARD}),
        (made(collection=0), False, CHOSEN),
        (made(listing=0), False, CHOSEN),
        (made(documentation=0), False, CHOSEN - {CARD} | {LIKELY}),
        (made(forum=0), False, CHOSEN - {CARD} | {CODED}),
        (made(forum=0), True, CHOSEN - {CARD} | {CODED}),
        (made(article=0), False, {TEXT}),
        (made(article=0, forum=-1), False, {TEXT}),  # it may be a thread, but half of it is no comment
        (made(article=0), True, {TEXT, SAID, CODED}),
    ],
)
def test_by_kind(scores: tuple[int, ...], left: set[int], *, comments: bool) -> None:
    assert kept(scores, comments=comments) == left


@pytest.mark.parametrize(
    ("head", "n_comments", "stay"),
    [
        ("", 5, False),
        ("", 7, True),  # a thread that was taken for an article
        ('<meta property="og:type" content="article">', 9, False),
        ('<script type="application/ld+json">{"@type": "NewsArticle"}</script>', 9, False),
        ('<script type="application/ld+json">{"@type": ["BlogPosting"]}</script>', 9, False),
        ('<meta property="og:type" content="website">', 9, True),
    ],
)
def test_comments_under_what_may_be_a_thread(head: str, n_comments: int, *, stay: bool) -> None:
    said = "".join(f"<li class=comment-body>{n}{Y[:100]}</li>" for n in range(n_comments))
    page = outline_of(f"{head}<p>{X}</p><ol id=comments>{said}</ol>")
    whole = np.array([text[-1] in "xy" for text in page.texts])
    zeros = np.zeros((2, len(whole)), np.int64)
    words = np.full(len(whole), 50)
    features = Features((OFF_MAIN, "in_form"), zeros, words, words - 51)
    left = corrected(page, whole, words, features, made(article=0, forum=-1), comments=False)
    assert left.tolist() == [page.texts[block][-1] == "x" or stay for block in range(len(whole))]


def test_a_dialog_goes_when_a_page_is_behind_it() -> None:
    for dialog in ("div role=dialog", "section aria-modal=true", "dialog open", "div role=alertdialog class=cmp"):
        page = outline_of(f"<{dialog}><h2>Cookies</h2><p>{Y}{Y}</div></dialog></section><p>{X}</p>")
        kept_blocks = np.ones(3, np.bool_)
        assert without_dialogs(page, kept_blocks).tolist() == [False, False, True], dialog
        alone = outline_of(f"<{dialog}><h2>Head</h2><p>{Y}{Y}</div></dialog></section><p>short</p>")
        assert without_dialogs(alone, kept_blocks).all(), dialog
    plain = outline_of(f"<div class=dialog><h2>Act one</h2><p>{Y}</div><p>{X}</p>")
    assert without_dialogs(plain, np.ones(3, np.bool_)).all()


def test_the_first_of_equal_kinds() -> None:
    assert kind_of(made(forum=7, product=7)) == "forum"
