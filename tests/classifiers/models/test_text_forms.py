from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.models.text_forms import in_form


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("You IDIOT!!", "you idiot !!"),
        ("don't  stop\n\nnow", "don ' t stop now"),
        ("\uff49\uff44\uff49\uff4f\uff54", "idiot"),  # full-width letters
        ("snake_case @name", "snake _ case @ name"),
        ("sh1t", "sh1t"),
        ("Straße Élan 文字", "straße élan 文字"),
        (" \n ", ""),
    ],
)
def test_words(text: str, words: str) -> None:
    assert in_form(text, "words", 100) == words
    assert in_form(text, "raw", 100) == text


def test_the_text_is_cut_before_it_is_formed() -> None:
    assert in_form("a!b!c!", "words", 3) == "a ! b"
    assert in_form("a!b!c!", "raw", 3) == "a!b"


@given(st.text(alphabet="aB!_' \n\u00a0é9", max_size=30))
def test_forming_twice_changes_nothing(text: str) -> None:
    once = in_form(text, "words", 100)
    assert in_form(once, "words", 1000) == once
