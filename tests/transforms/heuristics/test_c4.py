from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.blocks import CODE, FORMULA, HEADING, LIST_ITEM, PARAGRAPH, QUOTATION, TABLE_ROW, Blocks
from schemas.records import Document
from transforms.heuristics.c4 import C4Config, C4Stats, decide_page, edit_lines, measure_page
from transforms.step import Draft, Drop, Edit
from transforms.text.view import TextView

# The paper's rules: the preset `c4`, here without terminal punctuation.
PAPER = C4Config(
    by_blocks=False, min_line_words=5, remove_citations="all", javascript_lines="all", policy_lines="all",
    drop_curly_brackets=True, max_source_fraction=1.0,
)  # fmt: skip
STRICT = dataclasses.replace(PAPER, require_terminal_punctuation=True)


def stats(sentences: int, *, lorem: bool = False, bracket: bool = False, source: float = 0.0) -> C4Stats:
    return C4Stats(n_sentences=sentences, has_lorem_ipsum=lorem, has_curly_bracket=bracket, source_fraction=source)


class Edited(NamedTuple):
    text: str
    counts: Mapping[str, int] = {}


def edited(text: str, config: C4Config | None = None) -> Edited:
    draft = Draft(Document(id="1", text=text, language="en"))
    edit = edit_lines(draft.view, config or PAPER)
    draft.apply(edit)
    return Edited(draft.document.text, edit.counts)


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
    assert edited(text, dataclasses.replace(PAPER, policy_lines="keep")) == Edited(text)


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
    keep = dataclasses.replace(PAPER, remove_citations="keep")
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
    assert decide_page(measure_page(TextView(edit.text)), PAPER) == Drop("too_few_sentences", 0, 3)


def test_page_measures() -> None:
    assert measure_page(TextView("One. Two.\nThree { LOREM IPSUM")) == stats(3, lorem=True, bracket=True)


@pytest.mark.parametrize(
    ("measured", "drop"),
    [
        (stats(3, lorem=False, bracket=False), None),
        (
            stats(2, lorem=False, bracket=False),
            Drop("too_few_sentences", 2, 3),
        ),
        (stats(9, lorem=True, bracket=True), Drop("lorem_ipsum")),
        (stats(9, lorem=False, bracket=True), Drop("curly_bracket")),
    ],
)
def test_page_rules(measured: C4Stats, drop: Drop | None) -> None:
    assert decide_page(measured, PAPER) == drop


def test_page_rules_can_be_turned_off() -> None:
    off = C4Config(drop_lorem_ipsum=False, max_source_fraction=1.0, min_sentences=0)
    assert decide_page(stats(0, lorem=True, bracket=True, source=1.0), off) is None


def test_a_bracket_on_a_removed_line_does_not_drop_the_page() -> None:
    text = "One two three four five. Six seven.\njavascript: function () { return 1 ; }\nEight nine ten eleven twelve."
    edit = edited(text)
    assert edit.counts == {"javascript": 1}
    assert decide_page(measure_page(TextView(edit.text)), PAPER) is None


@settings(deadline=None)
@given(st.text(alphabet="a []1.\n我\tjé"), st.booleans())
def test_a_second_edit_changes_no_line_counts(text: str, strict: bool) -> None:
    config = C4Config(require_terminal_punctuation=strict, remove_citations="keep", min_line_words=2, by_blocks=False)
    once = edited(text, config)
    assert edited(once.text, config) == Edited(once.text)
    if not once.counts:
        assert once.text == text
    n_removed = sum(once.counts.values())
    assert len(TextView(text).lines) == len(TextView(once.text).lines) + n_removed


def test_every_piece_has_the_reason_of_its_line() -> None:
    text = "Home\nAccept our use of cookies to go on.\n\nA claim[12] that has an end mark.\nIt goes on and on.  \nShare"
    edit = edit_lines(TextView(text, "en"), PAPER)
    gone = [(reason, text[start:end]) for (start, end, _), reason in zip(edit.replaced, edit.reasons, strict=True)]
    assert gone == [
        ("too_few_line_words", "Home\n"),
        ("policy_notice", "Accept our use of cookies to go on.\n"),
        ("citations", "[12]"),
        ("white_space", "  "),
        ("too_few_line_words", "\nShare"),
    ]


def blocks_of(*pieces: tuple[int, str]) -> TextView:
    """A text of blocks, a blank line between them."""
    spans, at = [], 0
    for kind, text in pieces:
        spans.append((kind, at, at + len(text)))
        at += len(text) + 2
    return TextView("\n\n".join(text for _, text in pieces), "en", Blocks.of(spans))


SHORT = [
    (HEADING, "bight"), (LIST_ITEM, "2 cups milk"), (TABLE_ROW, "| a [1] | javascript |"), (FORMULA, "$$x < y$$"),
    (CODE, "import sys\n\n\nrows = read(sys.argv[1])  \n}"), (QUOTATION, "So it goes.[2]"),
]  # fmt: skip


def test_what_is_no_paragraph_is_left_as_it_is() -> None:
    view = blocks_of(*SHORT, (PARAGRAPH, "Please enable JavaScript in your browser."))
    edit = edit_lines(view, dataclasses.replace(PAPER, by_blocks=True))
    assert edit.counts == {"javascript": 1}
    assert edit.apply(view.text).rstrip() == "\n\n".join(text for _, text in SHORT)


@pytest.mark.parametrize(
    "text",
    [
        "The first element of a row is row[0], the date.",
        "Take argv[1] and argv[2], then compare them.",
        "An empty list is written [] and a list of one [1].",
        "JavaScript runs in every browser, and its engine compiles it first.",
        "The court held that the privacy policy of the shop was void, since nobody had been told of it.",
        "2 cups milk",
        "Use {name} where the name goes; $\\frac{1}{2}$ is a half, and `f() { return 1; }` a function.",
    ],
)
def test_prose_about_code_and_policies_stays(text: str) -> None:
    assert edit_lines(TextView(text, "en"), C4Config()) == Edit()
    assert decide_page(measure_page(TextView(f"{text}\nSo it is.\nIt is so.")), C4Config()) is None


def test_citations_go_where_they_are_citations() -> None:
    text = "It was built in 1889.[1] Others say 1890,[2][3] or never.[citation needed] See note[4]."
    assert edited(text, C4Config()) == Edited(
        "It was built in 1889. Others say 1890, or never. See note.", {"citations": 5}
    )


@pytest.mark.parametrize(
    "text",
    [
        "Please enable JavaScript to view the comments.",
        "This site requires JavaScript.",
        "We use cookies to make it better.",
        "By clicking you accept our privacy policy.",
    ],
)
def test_notices_go(text: str) -> None:
    assert edit_lines(TextView(text, "en"), C4Config()).apply(text) == ""


@pytest.mark.parametrize(
    "line",
    [
        "Hello {{ user.name }}, welcome back",
        "{% for item in items %} {{ item }} {% endfor %}",
        "var _gaq = _gaq || []; (function() { var ga = 1; })();",
        ".menu { color: red; margin: 0 }",
    ],
)
def test_leaked_source_is_measured(line: str) -> None:
    prose = "A plain sentence of some length stands here."
    measured = measure_page(TextView(f"{line}\n{prose}"))
    assert measured.source_fraction == len(line) / (len(line) + len(prose))
    assert decide_page(measured, C4Config(min_sentences=0)) == Drop("leaked_source", measured.source_fraction, 0.1)
    code = blocks_of((CODE, line), (PARAGRAPH, prose))
    assert measure_page(code).source_fraction == 0.0


@pytest.mark.parametrize(("language", "word"), [("zh", "茶"), ("ja", "の"), ("am", "ሰው፡"), ("th", "ช")])
def test_a_long_paragraph_is_no_long_word_where_blanks_part_no_words(language: str, word: str) -> None:
    text = word * 1500
    assert edit_lines(TextView(text, language), C4Config()) == Edit()


@pytest.mark.parametrize(
    "text",
    [
        "You may copy it or give it away under the conditions\nset forth in the General Terms of Use part of this"
        " license, apply to\ncopying and distributing all of the works that are named in the list of this house,\nto"
        " protect what the founders of the project wanted to be known as theirs and nobody else's.",
        "The old library had a catalogue that asked its readers to have\njavascript enabled in your browser to use"
        " the new search, and those who do not\nhave it, or do not want to have it, had to go to the desk, where the"
        " old cards\nof the catalogue were still kept in drawers and somebody would always help them find their way.",
    ],
)
def test_no_piece_of_a_wrapped_line_is_a_notice(text: str) -> None:
    assert edit_lines(TextView(text, "en"), C4Config()) == Edit()


def test_a_wrapped_notice_goes_whole() -> None:
    notice = (
        "We and our partners use cookies to show you\nwhat you like; by continuing you agree to the\nuse of cookies."
    )
    text = f"The heron is a bird of the river.\n\n{notice}\n\nIt eats fish and frogs."
    edit = edit_lines(TextView(text, "en"), C4Config())
    assert edit.counts == {"policy_notice": 3}
    assert "cookies" not in edit.apply(text)


@pytest.mark.parametrize(
    "piece", ['{"status": "ok"}', "p { color: red; }", "function f(x) { return x; }", "{{ name }} and {% if x %}"]
)
def test_a_sentence_with_a_piece_of_source_is_no_leak(piece: str) -> None:
    sentence = f"The server, when it is asked in the right way, answers with {piece}, and that is all there is to it."
    other = " ".join(["The heron is a bird of the river that eats fish and frogs."] * 3)
    assert decide_page(measure_page(TextView(f"{other}\n{sentence}", "en")), C4Config()) is None
    assert measure_page(TextView(f"{other}\n{piece}", "en")).source_fraction == len(piece) / len(other + piece)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("It was built in 2012,[4]:23 and sold.[5]", "It was built in 2012, and sold."),
        ("It was built in 2012.[4]: 23–25 It was sold.[5]", "It was built in 2012. It was sold."),
        ("It was so.[[26]] However, it was not.[[27]]", "It was so. However, it was not."),
        ("It was so.[1] Put the tag [citation needed] after it.", "It was so. Put the tag [citation needed] after it."),
        ("Press the button [edit] in the bar.", "Press the button [edit] in the bar."),
        ("It was so.[citation needed] It was not.", "It was so. It was not."),
        ("History [edit]", "History"),
    ],
)
def test_a_mark_goes_whole_and_a_word_in_brackets_stays(text: str, left: str) -> None:
    assert edit_lines(TextView(text, "en"), C4Config()).apply(text) == left
