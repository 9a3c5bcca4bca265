"""Lines that repeat themselves: shares by hand, both sides of each limit, what is left alone."""

from __future__ import annotations

import dataclasses

import pytest

from schemas.blocks import CODE, HEADING, LIST_ITEM, PARAGRAPH, QUOTATION, TABLE_ROW, Blocks
from schemas.errors import ConfigError
from schemas.records import Document
from transforms.heuristics.ngram_lines import NgramLinesConfig, edit, repeated_shares, repeats
from transforms.step import Draft
from transforms.text.view import TextView

DEFAULT = NgramLinesConfig()
OPEN = NgramLinesConfig(min_words=1, **{f"max_repeated_{n}_gram_fraction": 1.0 for n in range(5, 11)})
TEN = "red cat sat on a warm mat by my door"  # ten words, none of them twice
LOG = (
    "2024-03-01 12:00:01 ERROR connection to 10.0.0.7 was refused, trying again",
    "2024-03-01 12:00:06 ERROR connection to 10.0.0.7 was refused, trying again",
    "2024-03-01 12:00:11 ERROR connection to 10.0.0.9 was refused, trying again",
    "2024-03-02 07:31:40 ERROR connection to 10.0.0.7 was refused, giving up",
)


def kinds(text: str, *of: int) -> Blocks:
    """Return blocks of these kinds, one for each piece between blank lines."""
    spans, start = [], 0
    for kind, piece in zip(of, text.split("\n\n"), strict=True):
        spans.append((kind, start, start + len(piece)))
        start += len(piece) + 2
    return Blocks.of(spans)


def left_of(text: str, *of: int, config: NgramLinesConfig = DEFAULT, language: str = "en") -> str:
    blocks = kinds(text, *(of or [PARAGRAPH] * (text.count("\n\n") + 1)))
    draft = Draft(Document(id="0", text=text, language=language, blocks=blocks))
    draft.apply(edit(draft.view, config))
    return draft.document.text


@pytest.mark.parametrize(
    ("words", "shares"),
    [
        ("", {}),
        ("a b c d e f g h i j", {}),
        ("a b c d a b c d", {}),  # four words are no 5-gram
        # the second five of ten; no six words occur twice
        ("a b c d e a b c d e", {5: 0.5}),
        # of 15 characters the last ten: abcde again and again, and so abcdeabcde from the sixth on
        ("a b c d e " * 3, dict.fromkeys(range(5, 11), 10 / 15)),
        # characters, not words: 5 + 1 + 1 + 1 + 2 in the copy, of 20 + 4 in all
        ("aaaaa b c d ee f ggg aaaaa b c d ee", {5: 10 / 24}),
        # seven words twice: 5- and 6-grams are covered by the 7-gram
        ("a b c d e f g x a b c d e f g", dict.fromkeys((5, 6, 7), 7 / 15)),
        # overlapping copies count once
        ("a a a a a a a", {5: 6 / 7, 6: 6 / 7}),
        ("0 0 0 0 0 0 0 0 0 0", {}),  # no letter
        ("0 0 0 x 0 0 0 0 x 0", {5: 5 / 10}),  # 000x0 twice
    ],
)
def test_shares_by_hand(words: str, shares: dict[int, float]) -> None:
    assert repeated_shares(words.split()) == pytest.approx(shares)


def test_in_scripts_without_spaces_a_word_is_two_characters() -> None:
    # ten characters twice, and two that are new: a 5-gram of ten characters, and of twelve none
    assert repeated_shares(list("一二三四五六七八九十一二三四五六七八九十甲乙"), 2) == {5: 10 / 22}


@pytest.mark.parametrize("n", range(5, 11))
def test_both_sides_of_the_limit_of_each_n(n: int) -> None:
    # n words twice, then one more: n of 2n + 1 characters are in a repeated n-gram
    words = " ".join("abcdefghij"[:n]) + " " + " ".join("abcdefghij"[:n]) + " k"
    share = n / (2 * n + 1)
    limit = f"max_repeated_{n}_gram_fraction"
    assert not repeats(words, dataclasses.replace(OPEN, **{limit: share}))
    assert repeats(words, dataclasses.replace(OPEN, **{limit: share - 1e-9}))
    if n < 10:  # there are no longer ones
        assert not repeats(words, dataclasses.replace(OPEN, **{f"max_repeated_{n + 1}_gram_fraction": 0.0}))


@pytest.mark.parametrize(
    ("line", "goes"),
    [
        (f"{TEN} {TEN}", False),  # said twice: half of it is new
        (f"{TEN} {TEN} {TEN}", True),
        ("one two three four five " * 3, False),  # 15 words
        ("one two three four five " * 4, True),
        (f"{TEN}, once more: {TEN}!", False),
        ("Free shipping on all orders over 10 today. " * 5, True),
        ("Error 17 in line 3 of file a.c, error 18 in line 4 of file b.c, " * 3, True),
        ("12.5 13.1 12.5 13.1 " * 10, False),  # figures
        (
            "About 3 in 10 independents say that “honest” describes her better, while about 2 in 10 say it fits him"
            " better. About 3 in 10 also say that “good for democracy” describes her better, while less than 2 in 10"
            " say it describes him better.",
            False,
        ),
    ],
)
def test_a_line(line: str, goes: bool) -> None:
    text = f"Before it.\n\n{line}\n\nAfter it."
    assert left_of(text) == ("Before it.\n\nAfter it." if goes else text)


def test_digits_are_all_one() -> None:
    entry = "at {0}:0{0} job {0} failed with code {0}; "
    line = "".join(entry.format(n) for n in range(1, 6)).strip()
    assert left_of(f"What it said.\n\n{line}") == "What it said."


def test_lines_of_one_pattern() -> None:
    log = "\n".join(LOG)
    text = f"This is what the server wrote.\n\n{log}\n\nThen it stopped."
    view = TextView(text, "en", kinds(text, PARAGRAPH, PARAGRAPH, PARAGRAPH))
    found = edit(view, DEFAULT)
    assert left_of(text) == "This is what the server wrote.\n\nThen it stopped."
    assert found.counts == {"repeated_pattern": 4}
    assert set(found.reasons) == {"repeated_pattern"}
    # three are no pattern; nor are four with something between them
    assert left_of(text.replace(LOG[0] + "\n", "")) == text.replace(LOG[0] + "\n", "")
    parted = "\n\n".join((LOG[0], LOG[1], "The second node", LOG[2], LOG[3]))
    assert left_of(parted, PARAGRAPH, PARAGRAPH, HEADING, PARAGRAPH, PARAGRAPH) == parted


def test_lines_with_blank_lines_between_them_are_in_a_row() -> None:
    assert left_of("Log:\n\n" + "\n\n".join(LOG)) == "Log:"


@pytest.mark.parametrize(
    ("second", "goes"),
    [
        ("Ab cd ef gh ij kl", True),  # all of it
        ("Ab cd ef xx xx xx", True),  # begins with half of its words
        ("Ab xx xx xx ij kl", True),  # begins and ends with half of them
        ("Ab xx xx xx xx kl", False),
        ("Ab cd ef", True),  # half of the longer one
        ("Ab cd", False),
    ],
)
def test_what_a_line_is_like(second: str, goes: bool) -> None:
    config = NgramLinesConfig(min_pattern_lines=3, min_words=1, max_repeated_5_gram_fraction=0.0)
    text = f"First.\n\nAb cd ef gh ij kl\nAb cd ef gh ij kl\n{second}"
    assert left_of(text, config=config) == ("First." if goes else text)


@pytest.mark.parametrize("kind", [CODE, LIST_ITEM, TABLE_ROW, HEADING, QUOTATION])
def test_other_blocks_are_left_alone(kind: int) -> None:
    text = f"{TEN} {TEN} {TEN}\n\n" + "\n".join(LOG)
    assert left_of(text, kind, kind) == text
    assert left_of(text, kind, kind, config=NgramLinesConfig(by_blocks=False)) == ""


def test_code_where_it_is_asked_for() -> None:
    text = "Output:\n\n" + "\n".join(LOG) + "\n\nprint(1)"
    assert left_of(text, PARAGRAPH, CODE, CODE, config=NgramLinesConfig(code=True)) == "Output:\n\nprint(1)"
    assert left_of(text, PARAGRAPH, CODE, CODE) == text


def test_a_wrapped_line_is_one() -> None:
    wrapped = (
        "we ship to all of Europe and we\nship to all of Europe and we ship\nto all of Europe and we ship to\nall of it"
    )
    assert left_of(f"{wrapped}\n\nThe end.") == "The end."


def test_chinese() -> None:
    keywords = "免费在线观看高清电影网站"  # twelve characters: no 10-gram of twenty
    assert left_of(f"这是一个句子。\n\n{keywords * 5}", language="zh") == "这是一个句子。"
    assert left_of(f"这是一个句子。\n\n{keywords * 2}", language="zh") == f"这是一个句子。\n\n{keywords * 2}"


@pytest.mark.parametrize("text", ["", "a", "\n\n", "word " * 5])
def test_little_is_left_as_it_is(text: str) -> None:
    assert edit(TextView(text), DEFAULT).replaced == ()


def test_a_long_line_is_quick() -> None:
    line = "buy cheap watches online now " * 20_000
    assert left_of(f"{line}\n\nThe end.") == "The end."


def test_settings_that_cannot_be() -> None:
    with pytest.raises(ConfigError, match="max_repeated_5_gram_fraction: 2"):
        NgramLinesConfig(max_repeated_5_gram_fraction=2.0)
