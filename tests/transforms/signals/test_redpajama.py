"""RedPajama-v2's signals: values worked out by hand from the rules of its code, n-grams beside their definition."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.signals.redpajama import DirtyWords, lines_of, measure, normalise

# Raw words: # Hello ,  WORLD ! | Well ... see {x} 2 … ; normal words: hello world well see x 2…
TEXT = "# Hello, WORLD!\n\nWell... see {x} 2…\n"


def signal(text: str, name: str, **lists: Any) -> Any:
    return getattr(measure(text, **lists), name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ccnet_length", 36),
        ("ccnet_nlines", 4),  # a text of n line feeds has n + 1 lines
        ("rps_doc_word_count", 6),
        ("rps_doc_mean_word_length", round((5 + 5 + 4 + 3 + 1 + 2) / 6, 8)),
        ("rps_doc_frac_unique_words", 1.0),
        ("rps_doc_unigram_entropy", round(math.log(6), 8)),
        # raw words: # Hello , WORLD ! Well ... see { x } 2 …
        ("rps_doc_symbol_to_word_ratio", round(3 / 13, 8)),
        ("rps_doc_frac_all_caps_words", round(1 / 13, 8)),
        ("rps_doc_frac_no_alph_words", round(1 - 5 / 13, 8)),
        ("rps_doc_frac_lines_end_with_ellipsis", round(1 / 3, 8)),  # the empty line counts
        ("rps_doc_curly_bracket", round(2 / 36, 8)),
        ("rps_doc_num_sentences", 3),  # "Hello, WORLD!", "Well...", "see {x} 2…\n"
        ("rps_lines_ending_with_terminal_punctution_mark", (1.0, 0.0, 0.0)),
        ("rps_lines_num_words", (2.0, 0.0, 4.0)),
        ("rps_lines_uppercase_letter_fraction", (round(6 / 16, 8), 0.0, round(1 / 19, 8))),  # of the line with its feed
        ("rps_lines_numerical_chars_fraction", (0.0, 0.0, round(1 / 13, 8))),  # of "well see x 2…"
        ("rps_lines_javascript_counts", (0.0, 0.0, 0.0)),
    ],
)
def test_by_hand(name: str, value: Any) -> None:
    assert signal(TEXT, name) == value


def test_words_are_told_apart_as_there() -> None:
    assert normalise("  It's\tA-1,\u00a0Été ") == "its a1 e\u0301te\u0301"
    assert signal("Привет, мир 12", "rps_doc_frac_no_alph_words") == 1.0  # letters are A to Z
    assert lines_of("a\n\nb") == ["a\n", "\n", "b"]
    assert signal("......", "rps_doc_symbol_to_word_ratio") == 2.0  # one raw word, two ellipses


def test_lines() -> None:
    text = "• one\n – two ”\n-three\nJavaScript, javascript! javascripts\n½ 3"
    stats = measure(text)
    assert stats.rps_lines_start_with_bulletpoint == (1.0, 1.0, 0.0, 0.0, 0.0)
    assert stats.rps_lines_ending_with_terminal_punctution_mark == (0.0, 1.0, 0.0, 0.0, 0.0)
    assert stats.rps_lines_javascript_counts == (0.0, 0.0, 0.0, 2.0, 0.0)
    assert stats.rps_lines_numerical_chars_fraction[-1] == round(2 / 3, 8)


def test_lorem_ipsum() -> None:
    assert signal("Lorem, ipsum! x lorem ipsum", "rps_doc_lorem_ipsum") == round(2 / 25, 8)
    assert signal("lorem", "rps_doc_lorem_ipsum") == 0.0


def test_of_equally_frequent_ngrams_the_first_counts() -> None:
    assert signal("a b cc dd a b cc dd", "rps_doc_frac_chars_top_2gram") == round(2 * 2 / 12, 8)
    assert signal("ha ha ha", "rps_doc_frac_chars_top_2gram") == round(2 * 4 / 6, 8)  # more than 1: copies overlap
    assert signal("a b c", "rps_doc_frac_chars_top_2gram") == 0.0


def test_stop_words_are_raw_words_as_they_are_written() -> None:
    assert signal("The cat, the dog", "rps_doc_stop_word_fraction", stop_words={"the"}) == round(1 / 5, 8)
    assert signal("...", "rps_doc_stop_word_fraction", stop_words={"..."}) == 0.0  # no normal word
    assert signal("The cat", "rps_doc_stop_word_fraction") is None


def test_dirty_words() -> None:
    entries = DirtyWords(["bad", "very bad", "Capital", "e-mail", "café", "very  bad", ""])
    assert signal("Very bad! BAD; not badly. Capital e-mail café", "rps_doc_ldnoobw_words", dirty_words=entries) == 3
    assert signal("", "rps_doc_ldnoobw_words", dirty_words=entries) == 0
    assert signal("bad", "rps_doc_ldnoobw_words") is None


@pytest.mark.parametrize(("text", "ellipsis_lines"), [("", None), ("\n", 0.0), (" \n\n ", 0.0)])
def test_nothing_to_divide_by(text: str, ellipsis_lines: float | None) -> None:
    stats = measure(text)
    assert stats.rps_doc_mean_word_length is None
    assert stats.rps_doc_unigram_entropy is None
    assert stats.rps_doc_frac_all_caps_words is None
    assert stats.rps_doc_frac_lines_end_with_ellipsis == ellipsis_lines
    assert stats.rps_doc_curly_bracket == stats.rps_doc_lorem_ipsum == stats.rps_doc_frac_chars_dupe_5grams == 0.0


def shares_by_definition(words: list[str]) -> dict[str, float]:
    """Write the two rules on n-grams out as that code has them."""
    total, found = sum(map(len, words)), {}
    for n in range(2, 11):
        grams = [tuple(words[at : at + n]) for at in range(len(words) - n + 1)]
        counts = Counter(grams)
        if n <= 4:
            gram, count = counts.most_common(1)[0] if counts else ((), 0)
            found[f"rps_doc_frac_chars_top_{n}gram"] = (
                round(len("".join(gram)) * count / total, 8) if count > 1 else 0.0
            )
        else:
            marked = {at + k for at, gram in enumerate(grams) if counts[gram] > 1 for k in range(n)}
            share = sum(len(words[at]) for at in marked) / total if marked else 0.0
            found[f"rps_doc_frac_chars_dupe_{n}grams"] = round(share, 8)
    return found


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(["a", "bb", "ccc", "dddd"]), max_size=50))
def test_ngrams_equal_their_definition(words: list[str]) -> None:
    stats = dataclasses.asdict(measure(" ".join(words)))
    expected = shares_by_definition(words)
    assert {name: stats[name] for name in expected} == expected


@settings(deadline=None, max_examples=50)
@given(st.text())
def test_any_text(text: str) -> None:
    stats = measure(text, stop_words={"a"}, dirty_words=DirtyWords(["a b"]))
    assert len(stats.rps_lines_num_words) == len(stats.rps_lines_uppercase_letter_fraction) == len(lines_of(text))
    assert "".join(lines_of(text)) == text
