"""What edits replace, and where blocks go."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.blocks import CODE, HEADING, PARAGRAPH, UNKNOWN, Blocks
from transforms.text.replacements import Replacement, explained_lines, move_blocks, replace

_LINE = st.text("ab \u6211", max_size=4)


def moved(spans: list[tuple[int, int]], *replaced: Replacement) -> list[tuple[int, int]]:
    found = move_blocks(Blocks.of((PARAGRAPH, *span) for span in spans), replaced)
    return [(start, end) for _, start, end in found.spans()]


@pytest.mark.parametrize(
    ("replaced", "spans"),
    [
        ((3, 4, "xyz"), [(1, 7), (8, 11)]),  # inside the first
        ((1, 5, "xyz"), [(1, 4), (5, 8)]),  # all of it
        ((0, 6, ""), [(0, 3)]),  # it is gone
        ((4, 7, "x"), [(1, 5), (5, 7)]),  # from one into the next: the new text is the first's
        ((5, 7, ""), [(1, 5), (5, 7)]),  # the gap and a character of the second
        ((6, 6, "xx"), [(1, 5), (6, 11)]),  # put before the second: its own
        ((5, 5, "xx"), [(1, 5), (8, 11)]),  # put into the gap: nobody's
        ((9, 10, "x"), [(1, 5), (6, 9)]),  # behind them
    ],
)
def test_two_blocks_and_one_replacement(replaced: Replacement, spans: list[tuple[int, int]]) -> None:
    assert moved([(1, 5), (6, 9)], replaced) == spans


def test_text_put_between_blocks_that_touch_is_the_second_ones() -> None:
    assert moved([(0, 3), (3, 6)], (3, 3, "xx")) == [(0, 3), (3, 8)]


def test_unknown_stays_unknown_and_nothing_replaced_changes_nothing() -> None:
    blocks = Blocks.of([(CODE, 0, 4)])
    assert move_blocks(UNKNOWN, [(0, 1, "")]) == UNKNOWN
    assert move_blocks(blocks, []) is blocks


def test_kinds_go_with_their_blocks() -> None:
    blocks = Blocks.of([(HEADING, 0, 3), (PARAGRAPH, 4, 7), (CODE, 8, 10)])
    assert move_blocks(blocks, [(3, 7, "")]).spans() == [("heading", 0, 3), ("code", 4, 6)]


@pytest.mark.parametrize(
    ("text", "lines", "replaced"),
    [
        ("a\nb\nc", ["a", "b", "c"], []),
        ("a  \nb", ["a", "b"], [(1, 3, "")]),  # the smallest: white space at the end alone
        ("a [1] b", ["a  b"], [(2, 5, "")]),
        ("a\nb\nc", ["a", None, "c"], [(2, 4, "")]),
        ("a\nb\n\nc", ["a", None, "", "c"], [(1, 3, "")]),  # a blank line follows: the line feed before goes
        ("a\nb\nc", ["a", None, None], [(1, 5, "")]),
        ("a\n", [None, ""], [(0, 2, "")]),
        ("a\nb", [None, None], [(0, 3, "")]),
    ],
)
def test_replaced_lines(text: str, lines: list[str | None], replaced: list[Replacement]) -> None:
    assert explained_lines(text, lines, [""] * len(lines))[0] == replaced


@settings(deadline=None)
@given(st.lists(st.tuples(_LINE, st.none() | _LINE | st.just("same")), min_size=1, max_size=8))
def test_replaced_lines_make_the_lines_that_stay(pairs: list[tuple[str, str | None]]) -> None:
    text = "\n".join(old for old, _ in pairs)
    lines = [old if new == "same" else new for old, new in pairs]
    replaced, _ = explained_lines(text, lines, [""] * len(lines))
    assert replace(text, replaced) == "\n".join(line for line in lines if line is not None)
    ends = [0, *(end for _, end, _ in replaced)]
    assert all(before <= start <= end <= len(text) for before, (start, end, _) in zip(ends, replaced, strict=False))


def _pairs(places: list[int]) -> list[tuple[int, int]]:
    return list(zip(places[::2], places[1::2], strict=False))


@st.composite
def _edited(draw: st.DrawFn) -> tuple[str, list[tuple[int, int]], list[Replacement]]:
    """A text of distinct characters, blocks of it, and what is replaced."""
    text = "".join(map(chr, range(0x4E00, 0x4E00 + draw(st.integers(0, 12)))))
    places = st.lists(st.integers(0, len(text)), max_size=8).map(sorted)
    blocks = [(a, b) for a, b in _pairs(draw(places)) if a < b]
    replaced = [(a, b, draw(st.text("xy", max_size=3))) for a, b in _pairs(draw(places))]
    return text, blocks, replaced


@settings(deadline=None, max_examples=500)
@given(_edited())
def test_blocks_keep_the_characters_that_stay(case: tuple[str, list[tuple[int, int]], list[Replacement]]) -> None:
    text, spans, replaced = case
    gone = {at for start, end, _ in replaced for at in range(start, end)}
    left = ["".join(text[at] for at in range(*span) if at not in gone) for span in spans]
    # Numbered in place of kinds: which block became which.
    numbered = Blocks.of((at, *span) for at, span in enumerate(spans))
    after = move_blocks(numbered, replaced)
    new = replace(text, replaced)
    found = dict.fromkeys(range(len(spans)), "")
    for number, start, end in zip(*(part.tolist() for part in (after.kinds, after.starts, after.ends)), strict=True):
        found[number] = new[start:end].replace("x", "").replace("y", "")
    assert list(found.values()) == left
    bounds = [0, *(bound for pair in zip(after.starts, after.ends, strict=True) for bound in pair), len(new)]
    assert bounds == sorted(bounds)
    assert all(start < end for start, end in zip(after.starts, after.ends, strict=True))


@pytest.mark.parametrize(
    ("text", "lines", "reasons", "replaced"),
    [
        ("a\nb\nc", ["a", None, "c"], ["", "x", ""], [((2, 4, ""), "x")]),
        ("a\nb\nc\nd", ["a", None, None, "d"], ["", "x", "y", ""], [((2, 4, ""), "x"), ((4, 6, ""), "y")]),
        ("a\nb\nc\n\nd", ["a", None, None, "", "d"], ["", "x", "y", "", ""], [((1, 3, ""), "x"), ((3, 5, ""), "y")]),
        ("a\n\nb\n\nc", ["a", None, None, None, "c"], ["", "", "x", "", ""], [((2, 6, ""), "x")]),  # blank ones join
        ("a\nb\nc", [None, None, None], ["x", "x", "y"], [((0, 4, ""), "x"), ((4, 5, ""), "y")]),
        ("a\nb\nc", ["a", None, None], ["", "x", "y"], [((1, 3, ""), "x"), ((3, 5, ""), "y")]),
        ("a [1] b", ["a  b"], ["marks"], [((2, 5, ""), "marks")]),
    ],
)
def test_lines_that_go_for_different_reasons_are_pieces_of_their_own(
    text: str, lines: list[str | None], reasons: list[str], replaced: list[tuple[Replacement, str]]
) -> None:
    assert list(zip(*explained_lines(text, lines, reasons), strict=True)) == replaced


@settings(deadline=None)
@given(
    st.lists(st.tuples(_LINE, st.none() | _LINE | st.just("same"), st.text("xy", max_size=1)), min_size=1, max_size=8)
)
def test_reasons_change_neither_the_text_nor_where_its_blocks_go(cases: list[tuple[str, str | None, str]]) -> None:
    text = "\n".join(old for old, _, _ in cases)
    lines = [old if new == "same" else new for old, new, _ in cases]
    explained, reasons = explained_lines(text, lines, [reason for _, _, reason in cases])
    plain, _ = explained_lines(text, lines, [""] * len(lines))
    assert len(explained) == len(reasons) >= len(plain)
    assert replace(text, explained) == replace(text, plain)
    blocks = Blocks.of((PARAGRAPH, at, at + 1) for at in range(len(text)))
    assert move_blocks(blocks, explained) == move_blocks(blocks, plain)
