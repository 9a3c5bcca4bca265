"""Editions of Project Gutenberg to the text of their books, on books written here in every form editions have had."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from pipelines.recipes.books import OVERLAP
from schemas.records import Header
from transforms.dedup.minhash import signature
from transforms.sources.books.book import read_book
from transforms.sources.books.head import parse_head
from transforms.sources.books.markers import book_span
from transforms.sources.books.reader import BookReader, BooksFacts
from transforms.sources.books.settings import BooksReadConfig, BooksScanConfig
from transforms.sources.books.source import Books

HEAD = """\
The Project Gutenberg eBook of {title}, by Ada Long

This ebook is for the use of anyone anywhere at no cost and with almost no restrictions whatsoever.

Title: {title}
       and what came after

Author: Ada Long

Release Date: May 22, 2008 [eBook #{number}]
[Most recently updated: October 19, 2021]

Language: {language}

Character set encoding: {charset}

*** START OF THE PROJECT GUTENBERG EBOOK {capitals} ***




Produced by A Volunteer and the Online Distributed
Proofreading Team at http://www.pgdp.net



"""
TAIL = """



End of the Project Gutenberg EBook of {title}, by Ada Long

*** END OF THE PROJECT GUTENBERG EBOOK {capitals} ***

***** This file should be named 12-8.txt or 12-8.zip *****
Updated editions will replace the previous one.
"""
BODY = """\
THE RIVER

BY ADA LONG


CONTENTS

   I. The Bridge               1
  II. The Mill                12


                              I

                         The Bridge

The river was high that morning, and nobody in the village had slept well--
not even the miller, who sleeps through storms. _Nobody_ said so, for the old-
fashioned reason that nobody asked. [Illustration: The miller
at his door]

"What is it?" she asked.

    The water comes, the water goes,
        And where it ends there no one knows;
    The water comes and asks for none,
        And what is taken, that is gone.

[Pg 12]

He wrote two lines to his brother, who lived beyond the hills and had not
answered a letter in eleven years, and the brother came the same evening.



                         TRANSCRIBER'S NOTES

Obvious printer's errors have been corrected.

    page 7: changed "teh" to "the"
"""
DATA = Path(__file__).resolve().parents[4].parent / "shared" / "data" / "gutenberg"
CONFIG = BooksReadConfig()


def edition(title: str = "The River", body: str = BODY, number: int = 12, **fields: str) -> str:
    fields = {"language": "English", "charset": "UTF-8", **fields}
    named = {"title": title, "capitals": title.upper(), "number": str(number), **fields}
    return HEAD.format(**named) + body + TAIL.format(**named)


def test_what_is_around_a_book_goes_and_what_is_in_it_stays() -> None:
    book = read_book(edition().encode(), "12-0.txt", CONFIG)
    assert book.text.split("\n\n") == [
        "THE RIVER",
        "BY ADA LONG",
        "I",
        "The Bridge",
        "The river was high that morning, and nobody in the village had slept well--not even the miller, who sleeps"
        " through storms. Nobody said so, for the old-fashioned reason that nobody asked.",
        '"What is it?" she asked.',
        "The water comes, the water goes,\n    And where it ends there no one knows;\n"
        "The water comes and asks for none,\n    And what is taken, that is gone.",
        "He wrote two lines to his brother, who lived beyond the hills and had not answered a letter in eleven years,"
        " and the brother came the same evening.",
    ]
    assert [kind for kind, _, _ in book.blocks.spans()] == [
        "heading", "paragraph", "heading", "paragraph", "paragraph", "paragraph", "quotation", "paragraph"
    ]  # fmt: skip
    assert book.counts["images_removed"] == 1
    assert book.counts["notes_removed"] == 3
    assert book.counts["contents_removed"] > 0
    assert book.counts["credits_removed"] == 1


def test_what_is_to_be_kept_is_kept() -> None:
    keep = BooksReadConfig(
        join_lines=False, transcriber_notes="keep", contents="keep", captions="keep", emphasis="keep"
    )
    text = read_book(edition().encode(), "12-0.txt", keep).text
    for there in ("CONTENTS", "[Illustration: The miller\nat his door]", "_Nobody_", "Obvious printer's errors"):
        assert there in text
    assert "utenberg" not in text


def test_facts_of_a_head() -> None:
    head = parse_head(edition(language="German").replace("\n", "\r\n"), "/x/pg99.txt")
    assert (head.title, head.author, head.number) == ("The River and what came after", "Ada Long", 12)
    assert (head.language, head.charset, head.licence) == ("de", "utf-8", "public_domain_us")
    assert str(head.released)[:10] == "2008-05-22"
    assert str(head.updated)[:10] == "2021-10-19"


@pytest.mark.parametrize(
    ("text", "name", "number"),
    [
        ("Title: A\n", "pg1234.txt", 1234),
        ("Title: A\n", "/a/1234-h.htm", 1234),
        ("Title: A\n", "/a/1234-8.txt", 1234),
        ("March, 1994 [Etext #121]", "x.txt", 121),
        ("[EBook #37106]", "1.txt", 37106),
        ("[This file was first posted] [e-book 5]", "notes.txt", 5),
        ("Title: A\n", "chapter.txt", 0),
        ("Title: A\n", "2nd-book.txt", 0),
    ],
)
def test_numbers(text: str, name: str, number: int) -> None:
    assert parse_head(text, name).number == number


@pytest.mark.parametrize(
    ("name", "code"),
    [("English", "en"), ("Français", "fr"), ("en", "en"), ("English and French", ""), ("Klingon", "")],
)
def test_a_language_is_one_that_is_known_or_none(name: str, code: str) -> None:
    assert parse_head(f"Language: {name}\n").language == code


@pytest.mark.parametrize(
    "line",
    [
        "*** START OF THE PROJECT GUTENBERG EBOOK EMMA ***",
        "*** START OF THIS PROJECT GUTENBERG EBOOK EMMA ***",
        "***START OF THE PROJECT GUTENBERG EBOOK EMMA***",
        "*** START OF PROJECT GUTENBERG EBOOK, EMMA ***",
        "*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*",
        "*END THE SMALL PRINT! FOR PUBLIC DOMAIN EBOOKS*Ver.02/11/02*END*",
        "*** Start of the Project Gutenberg Etext of Emma ***",
        "**** Beginning of the Project Gutenberg EBook of Emma",
        "This is the small print for public domain etexts *v.10* *END*",
    ],
)
def test_every_wording_that_begins_a_book(line: str) -> None:
    assert book_span(["head", line, "one", "two", "three", "four"]) == (2, 6)


@pytest.mark.parametrize(
    "line",
    [
        "*** END OF THE PROJECT GUTENBERG EBOOK EMMA ***",
        "***END OF THE PROJECT GUTENBERG EBOOK EMMA***",
        "End of the Project Gutenberg EBook of Emma, by Jane Austen",
        "End of Project Gutenberg's Emma, by Jane Austen",
        "End of this Project Gutenberg Etext of Emma",
        "The end of the Project Gutenberg Etext of Emma"[4:],
        "Ende dieses Projekt Gutenberg Etextes Emma",
        "Fin du Projet Gutenberg: Emma",
        "***** This file should be named 158.txt or 158.zip *****",
        "*** START: FULL LICENSE ***",
    ],
)
def test_every_wording_that_ends_one(line: str) -> None:
    assert book_span(["one", "two", line, "licence"]) == (0, 2)


def test_words_about_the_project_within_a_book_end_nothing() -> None:
    lines = [
        "He read the Project Gutenberg edition to the end.",
        "The end of the day came.",
        "At the end of this project",
        "x",
    ]
    assert book_span(lines) == (0, 4)


def test_encodings_are_what_the_bytes_are() -> None:
    body = "Café, naïve, “quoted” and a dash — were on the page, and the old man read them all to the end of it.\n"
    for charset, codec in (("UTF-8", "utf-8"), ("ISO-8859-1", "utf-8"), ("ISO-8859-1", "cp1252"), ("ASCII", "cp1252")):
        book = read_book(edition(body=body, charset=charset).encode(codec), "1.txt", CONFIG)
        assert book.text == body.strip(), (charset, codec)
    polish = "Zażółć gęślą jaźń, powiedział stary człowiek i poszedł dalej przez las do rzeki.\n"
    data = edition(body=polish, charset="ISO-8859-2", language="Polish").encode("iso-8859-2")
    assert read_book(data, "1.txt", CONFIG).text == polish.strip()
    assert read_book(edition(body=body).encode("utf-8-sig"), "1.txt", CONFIG).text == body.strip()
    assert read_book(edition(body=body).encode("utf-16"), "1.txt", CONFIG).text == body.strip()


PAGE = """<!DOCTYPE html><html><head><title>The River</title><style>.a {{}}</style></head><body>
<section class="pg-boilerplate pgheader" id="pg-header"><p>The Project Gutenberg eBook of The River</p>
<p>This ebook is for the use of anyone anywhere at no cost.</p><p><strong>Title</strong>: The River</p>
<p><strong>Author</strong>: Ada Long</p><p>Release date: May 22, 2008 [eBook #12]</p><p>Language: English</p>
<p>*** START OF THE PROJECT GUTENBERG EBOOK THE RIVER ***</p></section>
<h1>The River</h1><p class="center">BY<br/>ADA LONG</p>
<div class="figcenter"><img src="x.png" alt="cover"/><p class="caption">The miller</p></div>
<h2>I<br/>The Bridge</h2><p>The river was <i>high</i> that
morning<span class="pagenum">[Pg 12]</span>, and nobody &amp; nothing slept.</p>
<div class="poem"><div class="stanza"><span class="i0">The water comes,<br/></span>
<span class="i2">the water goes.<br/></span></div></div>
<ul><li>one</li><li>two</li></ul><table><tr><td>a</td><td>b</td></tr></table>
<blockquote><p>A letter.</p></blockquote>
<div class="transnote"><p>Transcriber's Note: spelling was kept.</p></div>
<section class="pg-boilerplate" id="pg-footer"><p>*** END OF THE PROJECT GUTENBERG EBOOK ***</p><p>Licence</p></section>
</body></html>"""


def test_pages() -> None:
    book = read_book(PAGE.replace("{{}}", "{}").encode(), "12-h.htm", CONFIG)
    spans = [(kind, book.text[start:end]) for kind, start, end in book.blocks.spans()]
    assert spans == [
        ("heading", "The River"),
        ("paragraph", "BY\nADA LONG"),
        ("heading", "I The Bridge"),
        ("paragraph", "The river was high that morning, and nobody & nothing slept."),
        ("quotation", "The water comes,\nthe water goes."),
        ("list_item", "one"),
        ("list_item", "two"),
        ("table_row", "a\tb"),
        ("quotation", "A letter."),
    ]
    assert (book.head.title, book.head.author, book.head.number, book.head.language) == (
        "The River",
        "Ada Long",
        12,
        "en",
    )


def test_old_pages_have_their_head_in_preformatted_text() -> None:
    head, tail = edition(body="|").split("|")
    page = f"<html><body><pre>{head}</pre><h1>The River</h1><p>Text.</p><pre>{tail}</pre></body></html>"
    book = read_book(page.encode(), "12-h.htm", CONFIG)
    assert book.text == "The River\n\nText."
    assert book.head.author == "Ada Long"


def test_copies_are_books_that_share_nine_tenths() -> None:
    """Two editions of a book differ in one word of a hundred; another book by the same words and a half differ more."""
    dice = np.random.default_rng(1)
    words = ["".join(chr(97 + int(digit)) for digit in str(n)) for n in dice.integers(0, 3000, 20000)]
    other = [word if n % 100 else f"{word}z" for n, word in enumerate(words)]
    half = words[: len(words) // 2]

    def alike(a: list[str], b: list[str]) -> float:
        signed = [signature(" ".join(some), OVERLAP) for some in (a, b)]
        assert signed[0] is not None
        assert signed[1] is not None
        return float((signed[0] == signed[1]).mean())

    assert alike(words, other) >= OVERLAP.min_similarity  # 95% of the shingles are shared, a Jaccard similarity of .905
    assert alike(words, half) < OVERLAP.min_similarity
    assert alike(words, [word if n % 20 else f"{word}z" for n, word in enumerate(words)]) < OVERLAP.min_similarity


def test_a_header_says_what_an_edition_is(tmp_path: Path) -> None:
    path = tmp_path / "12-0.txt"
    path.write_bytes(edition().encode())
    (header,) = Books("books", BooksScanConfig(), BookReader(CONFIG)).scan(
        Books("books", BooksScanConfig(), BookReader(CONFIG)).parts([(str(path), path.stat().st_size)])[0]
    )
    assert isinstance(header, Header)
    assert (header.record_id, header.url) == ("12-0.txt", "https://www.gutenberg.org/ebooks/12")
    assert str(header.fetched_at)[:10] == "2021-10-19"
    assert header.length == path.stat().st_size
    assert set(BooksFacts.__slots__) >= {"title", "author", "number", "year", "licence"}


@pytest.mark.skipif(not DATA.is_dir(), reason="the folder shared/data is not beside the checkout")
def test_real_books_lose_what_is_around_them_and_nothing_else() -> None:
    paths = sorted(DATA.glob("*.txt"))
    assert len(paths) == 12
    for path in paths:
        book = read_book(path.read_bytes(), path.name, CONFIG)
        whole = path.read_text(encoding="utf-8-sig")
        inside = whole[whole.index("*** START OF TH") : whole.index("*** END OF TH")]
        assert len(book.text.split()) > 0.96 * len(inside.split()), path.name
        assert not re.search(r"gutenberg|\[illustration|transcriber|proofreading team", book.text, re.IGNORECASE), (
            path.name
        )
        assert book.head.number == int("".join(re.findall(r"\d+", path.stem.split("-")[0])))
        assert (book.head.language, book.head.licence) == ("en", "public_domain_us")
