"""Blank lines of a text: transforms.text.blank_lines."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.blocks import CODE, HEADING, PARAGRAPH, UNKNOWN, Blocks
from schemas.records import Document
from transforms.step import Draft, Edit
from transforms.text.blank_lines import without_blank_runs
from transforms.text.replacements import explained_lines


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("", ""),
        ("a", "a"),
        ("a\nb", "a\nb"),
        ("a\n\nb", "a\n\nb"),
        ("a\n\n\nb", "a\n\nb"),
        ("a\n \t\n\u00a0\n\n  b", "a\n\n  b"),
        ("\n\na", "a"),
        (" \n\t\n  a", "  a"),
        ("a\n\n", "a"),
        ("a  \n ", "a"),
        ("a  ", "a  "),  # no line of its own
        ("\n", ""),
        (" \n \n ", ""),
        ("a\n\n\nb\n\n\n\nc\n", "a\n\nb\n\nc"),
        ("a\u2028\u2028b", "a\u2028\u2028b"),
    ],
)
def test_texts(text: str, left: str) -> None:
    found, blocks = without_blank_runs(text, UNKNOWN)
    assert (found, blocks) == (left, UNKNOWN)


def test_code_keeps_its_blank_lines_and_blocks_move() -> None:
    pieces = [
        (HEADING, "Title"),
        (CODE, "def a():\n\n\n    b()\n\n\n\nc = 1"),
        (PARAGRAPH, "One\n\n\nparagraph."),
        (CODE, "\n\n\nd"),
    ]
    text, spans = "\n\n", []
    for kind, piece in pieces:
        spans.append((kind, len(text), len(text) + len(piece)))
        text += piece + "\n\n\n\n"
    found, blocks = without_blank_runs(text, Blocks.of(spans))
    assert found == "Title\n\ndef a():\n\n\n    b()\n\n\n\nc = 1\n\nOne\n\nparagraph.\n\nd"
    assert [found[start:end] for _, start, end in blocks.spans()] == [
        "Title", "def a():\n\n\n    b()\n\n\n\nc = 1", "One\n\nparagraph.", "d",
    ]  # fmt: skip


def draft(*pieces: str) -> Draft:
    """Paragraphs with a blank line between them."""
    text, spans = "", []
    for piece in pieces:
        text += "\n\n" if text else ""
        spans.append((PARAGRAPH, len(text), len(text) + len(piece)))
        text += piece
    return Draft(Document(id="0" * 32, text=text, blocks=Blocks.of(spans)))


@pytest.mark.parametrize("gone", [{0}, {1}, {2}, {0, 1}, {1, 2}, {0, 2}, {0, 1, 2}])
def test_paragraphs_that_go_leave_one_blank_line(gone: set[int]) -> None:
    pieces = ["first", "second", "third"]
    one = draft(*pieces)
    lines = one.document.text.split("\n")
    kept = [None if line and pieces.index(line) in gone else line for line in lines]
    one.apply(Edit(explained_lines(one.document.text, kept, [""] * len(kept))[0]))
    left = [piece for n, piece in enumerate(pieces) if n not in gone]
    assert one.document.text == "\n\n".join(left)
    assert [one.document.text[start:end] for _, start, end in one.document.blocks.spans()] == left


def test_what_no_edit_touches_stays() -> None:
    one = draft("a\n\n\nb")
    one.apply(Edit())
    assert one.document.text == "a\n\n\nb"


@given(st.text("a \n\t", max_size=30), st.lists(st.integers(0, 30), max_size=6))
def test_any_text(text: str, cuts: list[int]) -> None:
    bounds = sorted({min(cut, len(text)) for cut in cuts})
    spans = [(PARAGRAPH, start, end) for start, end in itertools.pairwise(bounds)]
    found, blocks = without_blank_runs(text, Blocks.of(spans))
    assert "".join(found.split()) == "".join(text.split())
    lines = found.split("\n")
    assert not any(not one.strip() and not two.strip() for one, two in itertools.pairwise(lines))
    assert found == text or (bool(lines[0].strip()) and bool(lines[-1].strip())) or not found.strip()
    assert without_blank_runs(found, blocks)[0] == found
    words, kept = (
        [word for start, end in places if (word := "".join(of[start:end].split()))]
        for of, places in ((text, itertools.pairwise(bounds)), (found, [span[1:] for span in blocks.spans()]))
    )
    assert kept == words
