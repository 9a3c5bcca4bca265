"""What a page says of its language and its contents."""

from __future__ import annotations

import pytest

from transforms.extraction.declared.metadata import declared_language, description_of
from transforms.extraction.page import extract_source, outline_of
from transforms.extraction.parsing.outline import Outline


@pytest.mark.parametrize(
    ("page", "language"),
    [
        ("<html lang=en>", "en"),
        ("<html lang='en-GB, fr'>", "en-GB"),
        ("<html lang=EN-us>", "en-US"),
        ("<html lang=pt_BR>", "pt-BR"),
        ("<html lang=zh-hans-cn>", "zh-Hans-CN"),
        ("<html lang=es-419>", "es-419"),
        ("<html lang=de-DE-1996>", "de-DE"),
        ("<html lang=' ar '>", "ar"),
        ("<html xml:lang=fr>", "fr"),
        ("<html lang=''><meta http-equiv=content-language content='nl-BE'>", "nl-BE"),
        ("<html><meta http-equiv='Content-Language' content='de; q=1'>", "de"),
        ("<html><meta name=content-language content='gsw, de'>", "gsw"),
        ("<html lang=english>", ""),
        ("<html lang=x-default>", ""),
        ("<html lang=und>", ""),
        ("<html lang='{{ lang }}'>", ""),
        ("<html lang=" + "en-" * 10_000 + ">", "en-EN"),
        ("<html>", ""),
        ("", ""),
    ],
)
def test_declared_language(page: str, language: str) -> None:
    assert declared_language(outline_of(page)) == language


@pytest.mark.parametrize(
    ("metas", "description"),
    [
        ({"description": " Of  cranes\nand\toranges. "}, "Of cranes and oranges."),
        ({"og:description": "Shared.", "description": "Of cranes."}, "Of cranes."),
        (
            {"og:description": "Shared &amp;#8211; twice escaped.", "description": "\u200b \x00"},
            "Shared – twice escaped.",
        ),
        ({"twitter:description": "Short."}, "Short."),
        ({"description": "word " * 5000}, ("word " * 200).strip()),
        ({"keywords": "crane"}, ""),
        ({}, ""),
    ],
)
def test_description(metas: dict[str, str], description: str) -> None:
    if "og:description" in metas:
        metas["og:description"] = metas["og:description"].replace("&amp;", "&")
    assert description_of(Outline(metas=metas)) == description


def test_a_page_gives_all_of_it() -> None:
    page = (
        "<!DOCTYPE html><html lang=en-GB><head><title>A crane with oranges - The Quay</title>"
        "<meta name=description content='Of a crane.'><meta property=og:site_name content='The Quay'>"
        "<meta property=article:published_time content=2024-03-05T10:00:00Z></head>"
        "<body><article><p>The small crane on the west quay stopped on Monday with oranges in the air.</p></article>"
    )
    found = extract_source(page, "https://quay.example/a")
    assert (found.title, found.is_heading, found.unreadable_date) == ("A crane with oranges", True, False)
    facts = found.facts
    assert (facts.title, facts.published) == ("A crane with oranges", "2024-03-05")
    assert (facts.declared_language, facts.description) == ("en-GB", "Of a crane.")
    nothing = extract_source("<p>The small crane on the west quay stopped on Monday.</p>").facts
    assert {nothing.title, nothing.published, nothing.declared_language, nothing.description} == {None}
