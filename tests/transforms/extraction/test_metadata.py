"""What a page says about itself: title, date, declared texts, kind."""

from __future__ import annotations

import json

import numpy as np
import pytest

from transforms.extraction.declared import MAX_TEXTS, add_declared
from transforms.extraction.lexicon import MAX_NAMES, Lexicon, Names, mark_words, text_words
from transforms.extraction.metadata import published_date, title_of
from transforms.extraction.outline import Outline
from transforms.extraction.page import outline_of
from transforms.extraction.page_kind import KINDS, kind_scores, page_words


@pytest.mark.parametrize(
    ("metas", "linked", "day"),
    [
        ({"article:published_time": "2024-03-01T10:00:00Z"}, [], "2024-03-01"),
        ({"date": "2024/3/1"}, [], "2024-03-01"),
        ({"date": "1 March 2024"}, ['{"datePublished": "2023-12-31"}'], "2023-12-31"),
        ({"date": "2024-13-01"}, [], ""),
        ({"date": "20240301"}, [], ""),
        ({}, ["{"], ""),
    ],
)
def test_dates(metas: dict[str, str], linked: list[str], day: str) -> None:
    assert published_date(Outline(metas=metas, linked_data=linked)) == day


def test_titles() -> None:
    assert title_of(Outline(title="A | Site", metas={"og:title": " A\n b "})) == "A b"
    assert title_of(Outline(title="A | Site")) == "A | Site"
    assert title_of(Outline()) == ""


def declared(data: object, body: str = "") -> list[str]:
    script = f'<script type="application/ld+json">{json.dumps(data)}</script>'
    page = outline_of(f"<html><head>{script}</head><body>{body}</body></html>")
    assert page.ends[0] == len(page.texts)
    return [text for text, kind in zip(page.texts, page.kinds, strict=True) if kind == "declared"]


TEXT = "A lamp of oak and brass for quiet rooms"


@pytest.mark.parametrize(
    ("data", "texts"),
    [
        ({"@type": "Product", "description": TEXT}, [TEXT]),
        ({"@graph": [{"@type": "Article", "articleBody": f"<p>{TEXT}</p>one&amp;two"}]}, [TEXT, "one&two"]),
        ({"description": "Too short"}, []),
        ({"name": TEXT}, []),
        ({"description": 5, "text": [TEXT]}, []),
        ([{"description": TEXT}, {"description": TEXT}], [TEXT]),
    ],
)
def test_declared_texts(data: object, texts: list[str]) -> None:
    assert declared(data) == texts


def test_what_is_shown_is_not_declared_again() -> None:
    assert declared({"description": TEXT}, f"<p>{TEXT.replace(' ', '  ')}, and more</p>") == []


@pytest.mark.parametrize("data", ["", "{", "[" * 100_000, '"text"', "null", '{"description": "' + "a " * 9])
def test_broken_linked_data_is_none(data: str) -> None:
    page = Outline(linked_data=[data])
    add_declared(page)
    assert page.texts == []


def test_only_so_many_are_declared() -> None:
    assert len(declared([{"text": f"number {at} of a long list of words"} for at in range(MAX_TEXTS + 5)])) == MAX_TEXTS


def test_a_page_without_elements_declares() -> None:
    page = Outline(metas={"description": TEXT})
    add_declared(page)
    assert (page.tags, page.texts, page.ends) == (["html", "meta-description"], [TEXT], [1, 1])


def test_words() -> None:
    assert mark_words("div", "postContent entry-2 XMLBody postContent") == (
        ["<div>", "post", "content", "entry", "xml", "body", "post", "content"]
    )
    assert len(mark_words("a", "word " * (MAX_NAMES + 5))) == 1 + MAX_NAMES
    assert mark_words("a", "") == ["<a>"]
    assert text_words("Read 12 MORE") == ["read", "0", "more"]
    lexicon = Lexicon({}, {"read": 1, "0": 4, "more": 0}, {("0", "more"): -9}, {}, np.zeros((0, 7), np.int64), (0,) * 7)
    marked = Lexicon({"<a>": 1, "post": 4, "nav": -9}, {}, {}, {}, np.zeros((0, 7), np.int64), (0,) * 7)
    names = Names.of([("a", "post postNav other"), ("p", ""), ("a", "a\nnav")])
    assert names.names == ["post", "postNav", "other", "a", "nav"]
    assert " ".join(names.words).split(" \n") == ["post", " post nav", " other", "", " nav", ""]
    assert marked.own_weights(names) == [1 + 4 + 4 - 9, 0, 1 - 9]
    assert lexicon.said(["Read 12 MORE", "12 more", ""]) == [-4, -5, 0]
    assert text_words("") == []


def test_kinds() -> None:
    weights = np.array([[0, 0, 0, 5, 0, 0, 0]])
    lexicon = Lexicon({}, {}, {}, {"path forum": 0}, weights, (1, 0, 0, 0, 0, 0, 0))
    page = outline_of("<p class=post>x</p>")
    url = "https://a.example.org/forum/12345?x=1"
    words = page_words(page, url, Names.of(page.made))
    assert {"path forum", "path number", "path query", "path depth 2", "host example", "post", "<p>"} <= words
    assert KINDS[max(range(7), key=kind_scores(words, lexicon).__getitem__)] == "forum"
    assert kind_scores(page_words(page, "http://[", Names.of([])), lexicon) == (1, 0, 0, 0, 0, 0, 0)
