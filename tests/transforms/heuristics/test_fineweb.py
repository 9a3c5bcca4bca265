from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.blocks import CODE, LIST_ITEM, PARAGRAPH, QUOTATION, Blocks
from transforms.heuristics.fineweb import FineWebConfig, FineWebStats, decide, measure
from transforms.step import Drop
from transforms.text.view import TextView

GOOD = FineWebStats(
    n_lines=10,
    prose_fraction=1.0,
    short_line_char_fraction=0.1,
    terminal_line_fraction=1.0,
    duplicate_char_fraction=0.0,
    short_line_fraction=0.0,
    line_ends_per_word=0.0,
)


LINE_BY_LINE = FineWebConfig(by_blocks=False, min_lines=1)  # as the paper


def test_measures_by_hand() -> None:
    long = "This line has thirty letters.."  # 30 characters, ends in one full stop
    assert len(long) == 30
    text = f"{long}\n\n\nshort one\n{long}\nAnother short one!\nshort one"
    # 5 lines of 30, 9, 30, 18, 9 = 96 characters; extra copies 30 + 9; short: 9, 18, 9; words 5 + 2 + 5 + 3 + 2
    assert measure(TextView(text), LINE_BY_LINE) == FineWebStats(
        n_lines=5,
        prose_fraction=1.0,
        short_line_char_fraction=36 / 96,
        terminal_line_fraction=3 / 5,
        duplicate_char_fraction=39 / 96,
        short_line_fraction=3 / 5,
        line_ends_per_word=4 / 17,
    )


def test_short_is_fewer_than_thirty_characters() -> None:
    assert measure(TextView("x" * 29), LINE_BY_LINE).short_line_fraction == 1.0
    assert measure(TextView("x" * 30), LINE_BY_LINE).short_line_fraction == 0.0


def test_empty_and_one_character() -> None:
    assert measure(TextView("")) == FineWebStats(
        n_lines=0,
        prose_fraction=0.0,
        short_line_char_fraction=0.0,
        terminal_line_fraction=None,
        duplicate_char_fraction=0.0,
        short_line_fraction=0.0,
        line_ends_per_word=0.0,
    )
    assert measure(TextView("."), LINE_BY_LINE) == FineWebStats(
        n_lines=1,
        prose_fraction=1.0,
        short_line_char_fraction=1.0,
        terminal_line_fraction=1.0,
        duplicate_char_fraction=0.0,
        short_line_fraction=1.0,
        line_ends_per_word=0.0,
    )


def test_languages_without_terminal_punctuation_are_not_judged_by_it() -> None:
    stats = measure(TextView("ภาษาไทยไม่มีเครื่องหมายจบประโยคในข้อความนี้", "th"))
    assert stats.terminal_line_fraction is None
    assert decide(dataclasses.replace(GOOD, terminal_line_fraction=None), FineWebConfig()) is None
    assert measure(TextView("我喜欢编程。\n我也是", "zh")).terminal_line_fraction == 0.5


@pytest.mark.parametrize(
    ("field", "kept", "dropped", "reason", "limit"),
    [
        ("terminal_line_fraction", 0.12, 0.119, "too_few_terminal_lines", 0.12),
        ("duplicate_char_fraction", 0.15, 0.151, "too_many_duplicate_chars", 0.15),
        ("short_line_fraction", 0.67, 0.671, "too_many_short_lines", 0.67),
        ("line_ends_per_word", 0.3, 0.301, "too_many_line_ends", 0.3),
    ],
)
def test_both_sides_of_each_limit(field: str, kept: float, dropped: float, reason: str, limit: float) -> None:
    assert decide(dataclasses.replace(GOOD, **{field: kept}), FineWebConfig()) is None
    assert decide(dataclasses.replace(GOOD, **{field: dropped}), FineWebConfig()) == Drop(reason, dropped, limit)


def test_short_lines_are_judged_from_ten_on() -> None:
    short = dataclasses.replace(GOOD, short_line_fraction=1.0, short_line_char_fraction=1.0)
    assert decide(short, FineWebConfig()) == Drop("too_many_short_lines", 1.0, 0.67)
    few = dataclasses.replace(short, n_lines=9)
    assert decide(few, FineWebConfig()) is None
    assert decide(few, FineWebConfig(min_lines=9)) == Drop("too_many_short_lines", 1.0, 0.67)


def test_limit_on_a_text() -> None:
    lines = [f"a line of twenty and more letters {n:02}" for n in range(25)]
    three = "\n".join([line + "." for line in lines[:3]] + lines[3:])
    two = "\n".join([line + "." for line in lines[:2]] + lines[2:])
    assert decide(measure(TextView(three).as_prose), FineWebConfig()) is None  # 3 / 25 = 0.12
    assert decide(measure(TextView(two).as_prose), FineWebConfig()) == Drop("too_few_terminal_lines", 0.08, 0.12)


@settings(deadline=None)
@given(st.text(alphabet="ab.\n 我"))
def test_any_text(text: str) -> None:
    stats = measure(TextView(text))
    assert 0 <= stats.duplicate_char_fraction < 1
    assert 0 <= stats.short_line_fraction <= 1
    assert 0 <= stats.line_ends_per_word < 1


def test_items_that_are_sentences_speak_for_a_text_and_others_not_against_it() -> None:
    pieces = [(PARAGRAPH, "Facts"), (LIST_ITEM, "He was born at sea."), (LIST_ITEM, "tea"), (QUOTATION, "So it goes.")]
    text, spans = "", []
    for kind, piece in pieces:
        spans.append((kind, len(text), len(text) + len(piece)))
        text += f"{piece}\n"
    assert measure(TextView(text, "en", Blocks.of(spans))).terminal_line_fraction == 2 / 3


def test_short_lines_beside_much_text_do_not_speak_against_it() -> None:
    names = [f"Name {n}" for n in range(60)]
    articles = [
        f"The {n}th article says what it says in sentences: {'one more word, ' * 30}so be it." for n in range(20)
    ]
    few, many = measure(TextView("\n".join(articles + names))), measure(TextView("\n".join(articles[:3] + names)))
    assert few.short_line_char_fraction < 0.1 < many.short_line_char_fraction
    any_ends = FineWebConfig(min_terminal_line_fraction=0)
    assert few.short_line_fraction == 0.75
    assert decide(few, any_ends) is None
    assert decide(many, any_ends) == Drop("too_many_short_lines", 60 / 63, 0.67)


@pytest.mark.parametrize(
    "behind",
    [
        "[1]",
        "[12]",
        " [1][2]",
        " (Smith 1990)",
        " 😀",
        " :)",
        "*",
        " ¶",
        " —Anna",
        " – Anna Smith",
        "” - Anna",
        ")",
        "†",
    ],
)
def test_what_is_written_behind_a_mark_does_not_make_a_sentence_none(behind: str) -> None:
    text = "\n".join(f"This is sentence number {n} of a text with many of them.{behind}" for n in range(12))
    assert measure(TextView(text)).terminal_line_fraction == 1.0


@pytest.mark.parametrize(
    "line",
    [
        "to be continued...", "Read more [...]", "Share this :", "Version 2 (beta)", "12.5 (kg)",
        "The end. A well-known one", "Chapter 2 - what happened", "It ended. – So they said - Anna",
    ],
)  # fmt: skip
def test_other_lines_end_no_sentence(line: str) -> None:
    assert measure(TextView(line)).terminal_line_fraction == 0.0


def test_a_line_or_two_beside_code_are_not_judged_by_their_ends() -> None:
    code = "int main() {\n    return 0;\n}\n" * 20
    text = f"An example\n{code}"
    stats = measure(TextView(text, "en", Blocks.of([(PARAGRAPH, 0, 10), (CODE, 11, len(text))])))
    assert stats.terminal_line_fraction == 0.0
    assert decide(stats, FineWebConfig()) is None
    assert decide(stats, FineWebConfig(min_prose_fraction=0)) == Drop("too_few_terminal_lines", 0.0, 0.12)
