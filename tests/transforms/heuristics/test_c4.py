from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.heuristics.c4 import C4Config, C4Stats, decide_page, edit_lines, measure_page
from transforms.step import Drop
from transforms.text.view import TextView

STRICT = C4Config(require_terminal_punctuation=True)


class Edited(NamedTuple):
    text: str
    counts: Mapping[str, int] = {}


def edited(text: str, config: C4Config | None = None) -> Edited:
    edit = edit_lines(TextView(text, "en"), config or C4Config())
    return Edited(edit.apply(text), edit.counts)


def test_each_line_rule_and_its_count() -> None:
    text = "\n".join(
        [
            "This line stays as it is.",
            "Too few words here.",
            f"A word that is far too long {'x' * 1001}.",
            "Please enable JavaScript in your browser now.",
            "Read our Privacy Policy before you go on.",
            "This site uses cookies for all its pages.",
            "A claim[12] with two[citation needed] marks stays.",
            "This line has no end mark at all",
            "This line trails off at the end...",
        ]
    )
    assert edited(text, STRICT) == Edited(
        "This line stays as it is.\nA claim with two marks stays.",
        {
            "too_few_line_words": 1,
            "too_long_word": 1,
            "javascript": 1,
            "policy_notice": 2,
            "no_terminal_punctuation": 2,
            "citations": 2,
        },
    )
    assert edited(text).text.endswith("This line has no end mark at all\nThis line trails off at the end...")
    assert "no_terminal_punctuation" not in edited(text).counts


@pytest.mark.parametrize(
    "phrase",
    ["terms of use", "Privacy Policy", "COOKIE POLICY", "uses cookies", "use of cookies", "use cookies"],
)
def test_policy_notices(phrase: str) -> None:
    text = f"We ask you: {phrase} and so on."
    assert edited(text) == Edited("", {"policy_notice": 1})
    assert edited(text, C4Config(remove_policy_lines=False)) == Edited(text)


def test_the_first_rule_in_the_order_of_the_code_counts() -> None:
    assert edited("javascript is few", STRICT).counts == {"no_terminal_punctuation": 1}
    assert edited("javascript is few.", STRICT).counts == {"too_few_line_words": 1}
    assert edited("javascript and the privacy policy.", STRICT).counts == {"javascript": 1}
    assert edited("[1] " + "x" * 1001, STRICT).counts == {"too_long_word": 1}


def test_both_sides_of_the_line_limits() -> None:
    assert edited("one two three four five") == Edited("one two three four five")
    assert edited("one two three four") == Edited("", {"too_few_line_words": 1})
    kept, lost = "a b c d " + "x" * 1000, "a b c d " + "x" * 1001
    assert edited(kept) == Edited(kept)
    assert edited(lost) == Edited("", {"too_long_word": 1})
    assert edited("我喜欢编程") == Edited("我喜欢编程")
    assert edited("我喜编程") == Edited("", {"too_few_line_words": 1})


def test_words_are_counted_after_citations_go() -> None:
    assert edited("one two three four [1]") == Edited("", {"too_few_line_words": 1})
    assert edited("one two three four five [1]") == Edited("one two three four five", {"citations": 1})
    assert edited("one two three four five.[edit]", STRICT) == Edited("one two three four five.", {"citations": 1})
    assert edited("[1]\none two three four five") == Edited("one two three four five", {"citations": 1})
    keep = C4Config(remove_citations=False)
    assert edited("one two three four [1]", keep) == Edited("one two three four [1]")


def test_untouched_text_stays_byte_for_byte() -> None:
    text = "  one two three four five  \r\n\n\n\n\tsix seven eight nine ten\n"
    assert edited(text) == Edited(text)


def test_blank_lines_part_paragraphs_still() -> None:
    text = "Menu\n\none two three four five\n\nShare\n\n  six seven eight nine ten\n\nFooter\n"
    assert edited(text) == Edited("one two three four five\n\n  six seven eight nine ten", {"too_few_line_words": 3})


@pytest.mark.parametrize("text", ["", "\n\n", "a"])
def test_tiny_texts(text: str) -> None:
    edit = edited(text)
    assert edit.text == ("" if text == "a" else text)
    assert decide_page(measure_page(TextView(edit.text)), C4Config()) == Drop("too_few_sentences", 0, 3)


def test_page_measures() -> None:
    assert measure_page(TextView("One. Two.\nThree { LOREM IPSUM")) == C4Stats(
        n_sentences=3, has_lorem_ipsum=True, has_curly_bracket=True
    )


@pytest.mark.parametrize(
    ("stats", "drop"),
    [
        (C4Stats(n_sentences=3, has_lorem_ipsum=False, has_curly_bracket=False), None),
        (
            C4Stats(n_sentences=2, has_lorem_ipsum=False, has_curly_bracket=False),
            Drop("too_few_sentences", 2, 3),
        ),
        (C4Stats(n_sentences=9, has_lorem_ipsum=True, has_curly_bracket=True), Drop("lorem_ipsum")),
        (C4Stats(n_sentences=9, has_lorem_ipsum=False, has_curly_bracket=True), Drop("curly_bracket")),
    ],
)
def test_page_rules(stats: C4Stats, drop: Drop | None) -> None:
    assert decide_page(stats, C4Config()) == drop


def test_page_rules_can_be_turned_off() -> None:
    off = C4Config(drop_lorem_ipsum=False, drop_curly_brackets=False, min_sentences=0)
    assert decide_page(C4Stats(n_sentences=0, has_lorem_ipsum=True, has_curly_bracket=True), off) is None


def test_a_bracket_on_a_removed_line_does_not_drop_the_page() -> None:
    text = "One two three four five. Six seven.\njavascript: function () { return 1 ; }\nEight nine ten eleven twelve."
    edit = edited(text)
    assert edit.counts == {"javascript": 1}
    assert decide_page(measure_page(TextView(edit.text)), C4Config()) is None


@settings(deadline=None)
@given(st.text(alphabet="a []1.\n我\tjé"), st.booleans())
def test_a_second_edit_changes_no_line_counts(text: str, strict: bool) -> None:
    config = C4Config(require_terminal_punctuation=strict, remove_citations=False, min_line_words=2)
    once = edited(text, config)
    assert edited(once.text, config) == Edited(once.text)
    if not once.counts:
        assert once.text == text
    n_removed = sum(once.counts.values())
    assert len(TextView(text).lines) == len(TextView(once.text).lines) + n_removed


def test_every_piece_has_the_reason_of_its_line() -> None:
    text = "Home\nAccept our use of cookies to go on.\n\nA claim[12] that has an end mark.\nIt goes on and on.  \nShare"
    edit = edit_lines(TextView(text, "en"), C4Config())
    gone = [(reason, text[start:end]) for (start, end, _), reason in zip(edit.replaced, edit.reasons, strict=True)]
    assert gone == [
        ("too_few_line_words", "Home\n"),
        ("policy_notice", "Accept our use of cookies to go on.\n\n"),
        ("citations", "[12]"),
        ("white_space", "  "),
        ("too_few_line_words", "\nShare"),
    ]
