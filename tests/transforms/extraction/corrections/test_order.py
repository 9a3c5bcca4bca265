"""Which corrections a page gets, by its kind."""

from __future__ import annotations

import numpy as np
import pytest

from transforms.extraction.choice.features import OFF_MAIN, Features
from transforms.extraction.choice.page_kind import KINDS, kind_of
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
        (made(article=0, forum=-1), False, {TEXT, SAID}),  # it may be a thread
        (made(article=0), True, {TEXT, SAID, CODED}),
    ],
)
def test_by_kind(scores: tuple[int, ...], left: set[int], *, comments: bool) -> None:
    assert kept(scores, comments=comments) == left


def test_the_first_of_equal_kinds() -> None:
    assert kind_of(made(forum=7, product=7)) == "forum"
