from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.blocks import CODE, PARAGRAPH, TABLE_ROW, Blocks
from transforms.heuristics.repetition import (
    RepetitionConfig,
    RepetitionStats,
    decide,
    duplicate_shares,
    measure,
    ngram_shares,
)
from transforms.step import Drop
from transforms.text.view import TextView

PAPER = RepetitionConfig(by_blocks=False, min_duplicate_words=1, count_first_copy=True)


def reference(words: list[str], count_first_copy: bool = True) -> dict[str, float]:
    """The definitions, written out: what the fast version must equal exactly."""
    total = sum(map(len, words))
    shares: dict[str, float] = {}
    for n in range(2, 11):
        grams = [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
        counts = Counter(grams)
        if not counts or max(counts.values()) < 2:
            continue
        if n <= 4:
            most = max(counts.values())
            chars = max(sum(map(len, gram)) for gram, count in counts.items() if count == most)
            shares[f"top_{n}_gram_fraction"] = min(1.0, chars * most / total)
        else:
            duplicates = (i for i, gram in enumerate(grams) if counts[gram] > 1)
            later = (i for i in duplicates if count_first_copy or gram_is_before(grams, i))
            marked = {i + k for i in later for k in range(n)}
            shares[f"duplicate_{n}_gram_fraction"] = sum(len(words[i]) for i in marked) / total
    return shares


def gram_is_before(grams: list[tuple[str, ...]], at: int) -> bool:
    return grams[at] in grams[:at]


def shares_of(text: str, count_first_copy: bool = True) -> dict[str, float]:
    view = TextView(text)
    return ngram_shares(view.word_ids, view.word_chars, count_first_copy=count_first_copy)


def test_lines_and_paragraphs_by_hand() -> None:
    stats = measure(TextView("aaaa\nbb\n\naaaa\nbb\n\nc\n\nbb"), PAPER)
    # lines aaaa bb aaaa bb c bb: five of six repeat, 14 of 15 characters
    assert stats.duplicate_line_fraction == 5 / 6
    assert stats.duplicate_line_char_fraction == 14 / 15
    # paragraphs "aaaa\nbb" twice, "c", "bb": 14 of 17 characters
    assert stats.duplicate_paragraph_fraction == 2 / 4
    assert stats.duplicate_paragraph_char_fraction == 14 / 17


def test_duplicate_shares() -> None:
    assert duplicate_shares([]) == (0.0, 0.0)
    assert duplicate_shares(["a"]) == (0.0, 0.0)
    assert duplicate_shares(["a", "A"]) == (0.0, 0.0)
    assert duplicate_shares(["ab", "ab", "c", "d"]) == (0.5, 4 / 6)


def test_duplicate_ngrams_by_hand() -> None:
    # 5-grams: "one two three four five" twice; the text has 12 words
    text = "one two three four five six One, two three four FIVE seven"
    chars = 2 * (3 + 3 + 5 + 4 + 4) + 3 + 5
    assert shares_of(text) == {
        "top_2_gram_fraction": 2 * (5 + 4) / chars,  # three four; every 2-gram of the run occurs twice
        "top_3_gram_fraction": 2 * (5 + 4 + 4) / chars,
        "top_4_gram_fraction": 2 * (3 + 5 + 4 + 4) / chars,
        "duplicate_5_gram_fraction": (chars - 8) / chars,
    }


def test_characters_of_overlapping_ngrams_count_once() -> None:
    # six words twice: two 5-grams repeat and overlap in four words; all twelve words are covered, each once
    shares = shares_of("a b c d e f x a b c d e f")
    assert shares["duplicate_5_gram_fraction"] == 12 / 13
    assert shares["duplicate_6_gram_fraction"] == 12 / 13
    assert "duplicate_7_gram_fraction" not in shares


def test_top_ngram() -> None:
    assert shares_of("aa bb cc dd") == {}  # no n-gram occurs twice
    assert shares_of("aa bb cc aa bb") == {"top_2_gram_fraction": 8 / 10}
    # "a b" and "long words" occur twice each: the longer one counts
    assert shares_of("a b x long words y a b z long words")["top_2_gram_fraction"] == 18 / 25
    # "a b" three times beats the longer one
    assert shares_of("a b x long words y a b z long words a b")["top_2_gram_fraction"] == 6 / 27
    assert shares_of("ha ha ha ha")["top_2_gram_fraction"] == 1.0  # 3 times 4 of 8 characters


@pytest.mark.parametrize("text", ["", "a", "...", "\n\n", "שלום עולם", "我们"])
def test_small_texts_measure_zero(text: str) -> None:
    assert measure(TextView(text)) == RepetitionStats()
    assert decide(measure(TextView(text)), RepetitionConfig()) is None


def test_scripts_without_spaces_are_measured_in_stretches_of_two_characters() -> None:
    stats = measure(TextView("天地玄黄宇宙洪荒日月x天地玄黄宇宙洪荒日月"), PAPER)
    assert stats.top_2_gram_fraction == 8 / 21
    assert stats.duplicate_5_gram_fraction == 20 / 21  # 10 characters twice
    assert stats.duplicate_6_gram_fraction == 0.0
    short = measure(TextView("天地玄黄宇宙x天地玄黄宇宙"), PAPER)
    assert short.duplicate_5_gram_fraction == 0.0
    assert short.top_3_gram_fraction == 12 / 13


@pytest.mark.parametrize(
    ("measured", "reason"),
    [
        ("duplicate_line_fraction", "duplicate_lines"),
        ("duplicate_line_char_fraction", "duplicate_line_chars"),
        ("duplicate_paragraph_fraction", "duplicate_paragraphs"),
        ("duplicate_paragraph_char_fraction", "duplicate_paragraph_chars"),
        *((f"top_{n}_gram_fraction", f"top_{n}_gram") for n in (2, 3, 4)),
        *((f"duplicate_{n}_gram_fraction", f"duplicate_{n}_grams") for n in range(5, 11)),
    ],
)
def test_both_sides_of_each_limit(measured: str, reason: str) -> None:
    config = RepetitionConfig()
    limit = getattr(config, f"max_{measured}")
    assert decide(dataclasses.replace(RepetitionStats(), **{measured: limit}), config) is None
    assert decide(dataclasses.replace(RepetitionStats(), **{measured: limit + 0.01}), config) == Drop(
        reason, limit + 0.01, limit
    )


A1 = [0.3, 0.3, 0.2, 0.2, 0.2, 0.18, 0.16, 0.15, 0.14, 0.13, 0.12, 0.11, 0.1]


def test_the_limits_are_those_of_table_a1_and_twice_those_of_duplicate_ngrams() -> None:
    config = dataclasses.asdict(RepetitionConfig())
    limits = [limit for name, limit in config.items() if name.startswith("max")]
    assert limits == A1[:7] + [2 * limit for limit in A1[7:]]


def test_copies_after_the_first_are_half_of_what_is_said_twice() -> None:
    text = "one two three four five six seven eight nine ten eleven twelve thirteen"
    twice = TextView(f"{text}\n\n{text}").as_prose
    assert measure(twice, PAPER).duplicate_5_gram_fraction == 1.0
    once = measure(twice)
    assert once.duplicate_5_gram_fraction == once.duplicate_line_fraction == once.duplicate_paragraph_fraction == 0.5


def test_labels_code_and_tables_are_no_repetition() -> None:
    pieces = [
        (PARAGRAPH, "Price:"),
        (CODE, "}\n}\n}\n}"),
        (TABLE_ROW, "a b c d e f"),
    ] * 4
    text, spans = "", []
    for kind, piece in pieces:
        spans.append((kind, len(text), len(text) + len(piece)))
        text += f"{piece}\n\n"
    view = TextView(text, "en", Blocks.of(spans))
    labels = {"top_2_gram_fraction", "top_3_gram_fraction"}  # "price price price price"
    stats = dataclasses.asdict(measure(view, RepetitionConfig(min_duplicate_words=2)))
    assert {name for name, value in stats.items() if value} == labels
    assert decide(measure(view, RepetitionConfig(by_blocks=False)), RepetitionConfig()) is not None


def test_limit_on_a_text() -> None:
    lines = [f"line number {n}" for n in range(10, 27)]
    three = "\n".join(["twin"] * 3 + lines[:7])
    four = "\n".join(["twin"] * 4 + lines[:6])
    loose = RepetitionConfig(max_top_2_gram_fraction=1)
    assert decide(measure(TextView(three), PAPER), loose) is None  # 3 of 10 lines
    assert decide(measure(TextView(four), PAPER), loose) == Drop("duplicate_lines", 0.4, 0.3)


def test_a_huge_repetitive_text() -> None:
    stats = measure(TextView("buy now " * 100_000), PAPER)
    assert stats.duplicate_10_gram_fraction == 1.0
    assert stats.top_4_gram_fraction == 1.0


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(["a", "bb", "ccc", "dddd"]), max_size=60), st.booleans())
def test_equals_the_definition(words: list[str], count_first_copy: bool) -> None:
    assert shares_of(" ".join(words), count_first_copy) == reference(words, count_first_copy)


@settings(deadline=None)
@given(st.lists(st.integers(0, 400), max_size=30), st.integers(1, 3))
def test_equals_the_definition_with_repeated_passages(numbers: list[int], times: int) -> None:
    words = [f"w{n}" for n in numbers] * times
    assert shares_of(" ".join(words)) == reference(words)


@settings(deadline=None)
@given(st.text())
def test_any_text(text: str) -> None:
    for value in dataclasses.astuple(measure(TextView(text))):
        assert 0.0 <= value <= 1.0


def test_no_words() -> None:
    assert ngram_shares(np.zeros(0, np.int64), np.zeros(0, np.int64)) == {}
