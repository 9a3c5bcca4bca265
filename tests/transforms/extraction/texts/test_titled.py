"""A title before the text that lacks it."""

from __future__ import annotations

import pytest

from schemas.blocks import CODE, HEADING, LIST_ITEM, PARAGRAPH, UNKNOWN, Blocks
from transforms.extraction.extract import ExtractConfig, text_of_page
from transforms.extraction.texts.titled import has_title, with_title

TITLE = "A crane with oranges in the air"
TEXT = "The crane stopped.\n\nRepair\n\nIt has to come from abroad."
BLOCKS = Blocks.of([(PARAGRAPH, 0, 18), (HEADING, 20, 26), (PARAGRAPH, 28, 55)])


def test_the_title_is_the_first_block_and_the_others_move() -> None:
    text, blocks = with_title(TEXT, BLOCKS, TITLE)
    assert text == f"{TITLE}\n\n{TEXT}"
    assert [(kind, text[start:end]) for kind, start, end in blocks.spans()] == [
        ("heading", TITLE),
        *((kind, TEXT[start:end]) for kind, start, end in BLOCKS.spans()),
    ]
    assert with_title(text, blocks, TITLE) == (text, blocks)  # not twice


def test_unknown_blocks_stay_unknown() -> None:
    assert with_title(TEXT, UNKNOWN, TITLE) == (f"{TITLE}\n\n{TEXT}", UNKNOWN)


@pytest.mark.parametrize(("text", "title"), [("", TITLE), (TEXT, ""), ("", "")])
def test_nothing_stays_nothing(text: str, title: str) -> None:
    assert with_title(text, UNKNOWN, title) == (text, UNKNOWN)


@pytest.mark.parametrize(
    ("text", "title", "has"),
    [
        (f"{TITLE}\n\nText.", TITLE, True),
        ("a CRANE with oranges, in the air!\n\nText.", TITLE, True),
        (f"Home\nNews\n{TITLE}\n\nText.", TITLE, True),
        (f"News: {TITLE} (with pictures)\n\nText.", TITLE, True),
        ("A crane with oranges\n\nText.", TITLE, True),  # most of it
        ("A crane\n\nText.", TITLE, False),
        (f"{TITLE} was what we saw. Then it fell.", TITLE, True),
        ("Python is a language.", "Python", False),  # by chance
        ("Python\nA language.", "Python", True),
        ("Python tutorial\nA language.", "Python", False),
        ("Text.", TITLE, False),
        ("Line.\n" * 8 + TITLE, TITLE, False),  # too far down for a text whose headings are unknown
        ("港で見た大きな船の話\n本文です。", "港で見た大きな船の話", True),
        ("昨日、港で見た大きな船の話を書く。", "港で見た大きな船の話", True),
        ("港の話です。", "港で見た大きな船の話", False),
        ("昨天傍晚，老码头的灯没有亮起来。", "老码头的灯", False),
        ("كيف تزرع الطماطم\nالنص.", "كيف تزرع الطماطم", True),
        ("x" * 100_000, TITLE, False),
        ("\n" * 100_000, TITLE, False),
    ],
)
def test_has_title(text: str, title: str, has: bool) -> None:
    assert has_title(text, UNKNOWN, title) is has


def test_a_heading_anywhere_is_the_title_but_no_other_block() -> None:
    before = "Item.\n" * 20
    text = f"{before}{TITLE}"
    for kind, has in ((HEADING, True), (PARAGRAPH, False), (CODE, False)):
        blocks = Blocks.of([(LIST_ITEM, 0, len(before) - 1), (kind, len(before), len(text))])
        assert has_title(text, blocks, TITLE) is has


PROSE = "".join(
    f"<p>Sentence {n} of the article on the crane is long enough to be kept, with commas.</p>" for n in range(9)
)


def page(head: str, body: str) -> str:
    return f"<html lang=en><head>{head}</head><body><article>{body}{PROSE}</article></body></html>"


@pytest.mark.parametrize(
    ("head", "body", "first", "is_new"),
    [
        (f"<title>{TITLE} | The Quay</title>", "", TITLE, True),
        (f"<title>{TITLE} | The Quay</title>", f"<h1>{TITLE}</h1>", TITLE, True),
        (f"<title>{TITLE}</title>", f"<h2>{TITLE}</h2>", TITLE, False),
        (
            f"<title>{TITLE}</title>",
            f"<p><b>{TITLE}</b> is what we saw on Monday, said the men of the quay.</p>",
            TITLE,
            False,
        ),
        ("<title>Home</title>", "", "Sentence 0", False),
        ("<title>The Quay</title>", "", "Sentence 0", False),
        ("<title>https://quay.example/a</title>", "", "Sentence 0", False),
        ("", "", "Sentence 0", False),
        ("<title>" + "word " * 3000 + "</title>", "", "Sentence 0", False),
        ("<title>Tom &amp; Jerry on the quay</title>", "", "Tom & Jerry on the quay", True),
    ],
)
def test_pages(head: str, body: str, first: str, is_new: bool) -> None:
    url = "https://the-quay.example/a"
    on, off = (
        text_of_page(page(head, body).encode(), "utf-8", url, ExtractConfig(put_title=put)) for put in (True, False)
    )
    assert on.text.startswith(first)
    assert on.text.count(TITLE) <= 1
    assert on.has_new_title is is_new
    assert on.text == (f"{first}\n\n{off.text}" if is_new else off.text)
    assert on.facts == off.facts
    spans = on.blocks.spans()
    assert [on.text[start:end] for _, start, end in spans[is_new:]] == [
        off.text[start:end] for _, start, end in off.blocks.spans()
    ]
    if is_new:
        assert spans[0] == ("heading", 0, len(first))


def test_a_page_without_text_gets_no_title() -> None:
    found = text_of_page(b"<title>A crane with oranges</title><body></body>", "", "", ExtractConfig())
    assert (found.text, found.has_new_title) == ("", False)
    assert found.facts is not None
    assert found.facts.title == "A crane with oranges"


def test_a_second_opinion_gets_the_title_too() -> None:
    config = ExtractConfig(second_opinion_below=1.0)
    found = text_of_page(page(f"<title>{TITLE}</title>", "").encode(), "", "https://a.example/b", config)
    assert found.is_second
    assert found.text.startswith(f"{TITLE}\n\nSentence 0")
    assert not len(found.blocks)


def test_engines_of_others_tell_nothing() -> None:
    found = text_of_page(page(f"<title>{TITLE}</title>", "").encode(), "", "", ExtractConfig(engine="resiliparse"))
    assert (found.facts, found.has_new_title) == (None, False)
