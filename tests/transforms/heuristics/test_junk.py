"""Pages that are no documents, and documents that look a little like them."""

from __future__ import annotations

import dataclasses
from collections import Counter

import pytest

from schemas.records import Document
from transforms.heuristics.junk import PLAIN, SEARCH, SIGN_IN, TAGS, FilterJunk, JunkConfig, kind_of_address
from transforms.step import Draft

PROSE = "The harbour master keeps a book in which every ship is entered with its cargo and the day it left.\n"
PAGE = Document(id="1", text=PROSE * 3, url="https://example.org/a", language="en")


def reason(page: Document, **settings: object) -> str:
    draft = Draft(page)
    FilterJunk(JunkConfig(**settings)).run([draft], Counter())  # type: ignore[arg-type]
    return draft.drop.reason if draft.drop else ""


def with_text(text: str, **changes: object) -> Document:
    return dataclasses.replace(PAGE, text=text, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://www.ecosia.org/search?q=tides", SEARCH),
        ("https://shop.example/catalogsearch?query=shoes", SEARCH),
        ("https://example.org/?s=tides", SEARCH),
        ("https://example.org/search/red+shoes", SEARCH),
        ("https://zh.example.org/w/index.php?search=x&title=Special:Search", SEARCH),
        ("https://example.de/suche?text=boot", SEARCH),
        ("https://example.org/blog/search-engines-explained", PLAIN),
        ("https://example.org/research/?p=12", PLAIN),
        ("https://docs.example.org/search", PLAIN),  # what it is about may be searching
        ("https://example.org/article?s=12", PLAIN),
        ("https://example.org/index.php?q=", PLAIN),
        ("https://example.org/users/login", SIGN_IN),
        ("https://example.org/wp-login.php?redirect=1", SIGN_IN),
        ("https://example.org/how-to-login", PLAIN),
        ("https://example.org/login/why-passwords-fail", PLAIN),
        ("https://example.org/tag/boats", TAGS),
        ("https://example.org/2024/tagging", PLAIN),
        ("https://[broken", PLAIN),
        ("", PLAIN),
    ],
)
def test_addresses(url: str, kind: str) -> None:
    assert kind_of_address(url) == kind


def test_a_document_stays() -> None:
    assert reason(PAGE) == ""


def test_searches_and_tags_go() -> None:
    assert reason(with_text(PROSE, url="https://example.org/search?q=x")) == "search_results"
    assert reason(with_text(PROSE, url="https://example.org/search?q=x"), drop_search_results=False) == ""
    tags = with_text(PROSE, url="https://example.org/tag/x", page_kind="listing")
    assert reason(tags) == "tag_list"
    assert reason(dataclasses.replace(tags, page_kind="article")) == ""  # /archive/2014/ of a newspaper


@pytest.mark.parametrize(
    "line",
    ["207 Rezepte gefunden", "9,590,000 results", "12 repository results", "3.120 Ergebnisse"],
)
def test_a_line_that_counts_hits_is_of_a_search(line: str) -> None:
    assert reason(with_text(f"{line}\n{PROSE}", language="de")) == "search_results"
    assert reason(with_text(f"The search gave {line}\n{PROSE}")) == ""
    assert reason(with_text(f"{line} were not what they had hoped for\n{PROSE}")) == ""


@pytest.mark.parametrize(
    "text",
    ["Please go on.\nForgot your password?", "User name\nPassword *\nRemember me", "Username or e-mail address *"],
)
def test_sign_in_pages(text: str) -> None:
    assert reason(with_text(f"{text} The password is in your letter.\n{PROSE}")) == "sign_in_page"
    assert reason(with_text(f"{text} The password is in your letter.\n{PROSE * 20}")) == ""  # it is about signing in


@pytest.mark.parametrize(
    "line",
    [
        "404", "Page not found", "Sorry, that page does not exist", "Access denied", "Just a moment...", "Error 500",
        "The page you are looking for is no longer available.", "This domain is for sale", "Index of /pub",
        "Verify you are human", "This item does not exist", "Under construction",
    ],
)  # fmt: skip
def test_error_pages(line: str) -> None:
    assert reason(with_text(f"{line}\n{PROSE}")) == "error_page"
    assert reason(with_text(f"{PROSE}\n{PROSE}\n{PROSE}\n{line}")) == ""


def test_consent_texts() -> None:
    consent = "We and our partners store cookies on your device to personalise what you see, with your consent.\n"
    assert reason(with_text(consent * 3 + PROSE)) == "consent_text"
    assert reason(with_text(consent + PROSE * 3)) == ""


def test_interface_texts() -> None:
    buttons = "12 comments\nShare\nSign in\nAdd to cart\nPosted by anna on May 3\nRead more »\n"
    assert reason(with_text(PROSE * 4 + buttons)) == "interface_text"
    assert reason(with_text(PROSE * 40 + buttons)) == ""
    assert reason(with_text(PROSE * 4 + buttons, language="de")) == ""  # the phrases are English


def test_stuffed_keywords() -> None:
    assert reason(with_text("cheap shoes online, buy shoes, best shoes here, shoes for all, red shoes")) == (
        "stuffed_keywords"
    )
    words = ", ".join(f"term{chr(97 + n)}{chr(97 + n % 7)}" for n in range(26))
    assert reason(with_text(words)) == "stuffed_keywords"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Der Pr\ufffdsident sprach \ufffdber die L\ufffdnder. " * 4, "replacement_characters"),
        ("The shipâ€™s captain didnâ€™t say whatâ€™s next. " * 4, "mojibake"),
        ("Nous Ã©tions trÃ¨s fatiguÃ©s ce jour lÃ . " * 4, "mojibake"),
        ("Äàííûé òåêñò íàïèñàí ïî-ðóññêè è ïðî÷èòàí íåâåðíî. " * 4, "mojibake"),
        ("Nous étions très fatigués, à Nîmes, où l’été ne finit jamais ; ça s’arrête là. " * 4, ""),
        ("Über Öl und Äpfel spricht man “gern”—aber nicht zu lang. " * 4, ""),
    ],
)
def test_damaged_encodings(text: str, said: str) -> None:
    text = "\n".join(f"{text} {n}" for n in ("one two", "three four", "five six"))
    assert reason(with_text(text, language="fr"), max_word_fraction=1.0) == said


def test_what_the_extractor_doubts() -> None:
    page = dataclasses.replace(PAGE, page_kind="product", extraction_confidence=0.3)
    assert reason(page) == "doubtful_extraction"
    assert reason(dataclasses.replace(page, extraction_confidence=0.5)) == ""
    assert reason(dataclasses.replace(page, extraction_confidence=0.0)) == ""  # it does not tell
    assert reason(dataclasses.replace(page, page_kind="article")) == ""
    assert reason(page, min_confidence={}) == ""
