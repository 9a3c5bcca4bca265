"""Texts that a page declares and need not show."""

from __future__ import annotations

import json

import pytest

from transforms.extraction.declared.texts import MAX_TEXTS, add_declared
from transforms.extraction.page import outline_of
from transforms.extraction.parsing.outline import Outline


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
