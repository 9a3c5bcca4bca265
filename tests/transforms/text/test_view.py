from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.blocks import CODE, HEADING, LIST_ITEM, PARAGRAPH, TABLE_ROW, UNKNOWN_KIND, Blocks
from transforms.text.sentences import (
    count_ellipses,
    count_sentences,
    ends_with_ellipsis,
    ends_with_terminal,
    starts_with_bullet,
)
from transforms.text.view import TextView, has_unspaced, normal_words, split_words


def test_lines_and_paragraphs() -> None:
    view = TextView("  One \r\n\n\n two\n \t\nthree\x0bstill three\n")
    assert view.lines == ["One", "two", "three\x0bstill three"]
    assert view.paragraphs == ["One", "two", "three\x0bstill three"]
    assert TextView("a\nb\n\nc").paragraphs == ["a\nb", "c"]


def test_words_ids_counts_and_lengths() -> None:
    view = TextView('The cat, "the" dog - the CAT!')
    assert view.words == ["The", "cat,", '"the"', "dog", "-", "the", "CAT!"]
    assert view.n_word_chars == 3 + 4 + 5 + 3 + 1 + 3 + 4
    assert view.normal_words == ["the", "cat", "the", "dog", "the", "cat"]
    assert dict(view.vocabulary) == {"the": 0, "cat": 1, "dog": 2}
    assert view.word_ids.tolist() == [0, 1, 0, 2, 0, 1]
    assert view.word_counts.tolist() == [3, 2, 1]
    assert view.word_chars.tolist() == [3, 3, 3, 3, 3, 3]
    assert "absent" not in view.vocabulary


@pytest.mark.parametrize("text", ["", " \n\t\n ", "\u3000"])
def test_empty(text: str) -> None:
    view = TextView(text)
    assert (view.lines, view.paragraphs, view.words, view.normal_words) == ([], [], [], [])
    assert view.word_ids.tolist() == view.word_counts.tolist() == view.word_chars.tolist() == []
    assert not view.unspaced
    assert view.n_word_chars == 0


def test_scripts_without_spaces() -> None:
    assert split_words("我喜欢Python编程。") == ["我", "喜", "欢", "Python", "编", "程。"]
    assert split_words("กำ นี้") == ["ก", "ำ", "นี้"]
    assert split_words("한국어 문장") == ["한국어", "문장"]
    assert normal_words("《我》 ok。") == ["我", "ok"]
    assert TextView("我喜欢Python编程。").unspaced
    assert not TextView("learn the word 我 today").unspaced
    assert not TextView("“curly” — עברית हिन्दी café").has_unspaced
    assert has_unspaced("𠀀")
    assert has_unspaced("ｱ")


def test_half_is_not_unspaced() -> None:
    assert not TextView("a b 我们").unspaced  # 2 of 4
    assert TextView("a b 我们们").unspaced  # 3 of 5


def test_right_to_left() -> None:
    view = TextView("שלום, עולם! שלום")
    assert view.normal_words == ["שלום", "עולם", "שלום"]
    assert view.word_ids.tolist() == [0, 1, 0]


@pytest.mark.parametrize("line", ["• a.", "* a.", "+ a.", "• a", "•a", "- a", "* a", "+ a", "– a", "▪ a", "●"])
def test_bullet(line: str) -> None:
    assert starts_with_bullet(line)


@pytest.mark.parametrize(
    "line",
    ["", "-", "-5 degrees", "*note", "a - b", "— Bonjour", "1. a", "+1", "– Con đi đâu đấy?", "- Nur kurz.", "– हाँ।"],
)
def test_no_bullet(line: str) -> None:
    assert not starts_with_bullet(line)


def test_line_ends() -> None:
    assert all(map(ends_with_terminal, ["a.", "a?", "a!", 'a."', "a.”", "了。", "है।", "ما؟"]))
    assert not any(map(ends_with_terminal, ["", "a", "a:", "a,", "a...", "a…", "。。。", "a.)"]))
    assert all(map(ends_with_terminal, ["„so“", "»so«", "‘So.’", "「はい」", "ནི།", "ᐃᓄᒃ᙮", "ᱥ᱾", "ကောင်းတယ်။"]))
    assert not any(map(ends_with_terminal, ["the boys’", "so; no:", "a | b"]))
    assert all(map(ends_with_ellipsis, ["a...", "…", "a....", "对。。。"]))
    assert not any(map(ends_with_ellipsis, ["", "a..", "a… b"]))


@pytest.mark.parametrize(
    ("text", "count"), [("", 0), ("a.. b", 0), ("a... b", 1), ("a...... b", 1), ("a…… b… c...", 3), ("嗯。。。", 1)]
)
def test_count_ellipses(text: str, count: int) -> None:
    assert count_ellipses(text) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("No end", 1),
        ("One. Two! Three?", 3),
        ("One.  two", 1),
        ('He said "Go." Then left.', 2),
        ("Dr. Who met Mr. J. Smith at St. Mary.", 1),
        ("Version 3.5 of it, e.g. This.", 1),
        ("One\nTwo.", 2),
        ("一。二！三？", 3),
        ("他说：“走。”然后走了。", 2),
        ("。" * 5, 1),
    ],
)
def test_count_sentences(text: str, count: int) -> None:
    assert count_sentences(TextView(text).lines) == count


def test_attributes_are_computed_once() -> None:
    view = TextView("some words")
    assert view.words is view.words
    assert view.word_ids is view.word_ids
    assert view.lines is view.lines


def test_runs_of_marks_cost_linear_time() -> None:
    for text in ("。" * 300_000, ". " * 200_000, "\n " * 200_000, '."' * 200_000, "…" * 300_000, "x" * 1_000_000):
        view = TextView(text)
        assert count_sentences(view.lines) <= len(text) + 1
        assert count_ellipses(text) <= 1
        assert len(view.paragraphs) <= 1
        assert len(view.word_ids) == len(view.normal_words)


@settings(deadline=None)
@given(st.text())
def test_any_text(text: str) -> None:
    view = TextView(text)
    assert "".join(view.words) == "".join(text.split())
    assert all(view.words)
    assert all(view.normal_words)
    assert [list(view.vocabulary)[i] for i in view.word_ids] == view.normal_words
    assert view.word_counts.sum() == len(view.normal_words)
    assert [len(word) for word in view.normal_words] == view.word_chars.tolist()
    assert count_sentences(view.lines) >= len(view.lines)


@settings(deadline=None)
@given(st.text(alphabet="ab .我กำ。,\n"))
def test_words_of_mixed_scripts_cover_the_text(text: str) -> None:
    assert "".join(split_words(text)) == "".join(text.split())


def test_a_lone_surrogate_is_a_character() -> None:
    assert TextView("\ud800 x").words == ["\ud800", "x"]


def test_kinds_of_lines() -> None:
    text = "Head\n\n  if x:\n\n    y\n\n \nloose\n- a\n- b\n"
    code, item = text.index("  if"), text.index("- b")
    blocks = Blocks.of([(HEADING, 0, 4), (CODE, code, text.index("y") + 1), (LIST_ITEM, item, item + 3)])
    view = TextView(text, "", blocks)
    assert view.lines == ["Head", "if x:", "y", "loose", "- a", "- b"]
    assert view.kinds_of_lines == [HEADING, CODE, CODE, UNKNOWN_KIND, UNKNOWN_KIND, LIST_ITEM]
    assert TextView("a\n\nb").kinds_of_lines == [PARAGRAPH, PARAGRAPH]  # a guess
    assert TextView("", "", blocks).kinds_of_lines == []


def test_a_line_feed_at_a_blocks_end_gives_it_no_further_line() -> None:
    assert TextView("a\nb", "", Blocks.of([(CODE, 0, 2)])).kinds_of_lines == [CODE, UNKNOWN_KIND]
    assert TextView("a\nb", "", Blocks.of([(CODE, 1, 3)])).kinds_of_lines == [UNKNOWN_KIND, CODE]


@settings(deadline=None)
@given(st.lists(st.tuples(st.text("ab \n", min_size=1, max_size=6), st.integers(0, 6)), max_size=6))
def test_each_line_of_a_block_is_of_its_kind(pieces: list[tuple[str, int]]) -> None:
    texts = [text.strip() for text, _ in pieces]
    starts = [sum(len(text) + 1 for text in texts[:at]) for at in range(len(texts))]
    spans = [(kind, start, start + len(text)) for (_, kind), start, text in zip(pieces, starts, texts, strict=True)]
    view = TextView("\n".join(texts), "", Blocks.of(span for span in spans if span[1] < span[2]))
    expected = [
        kind for (_, kind), text in zip(pieces, texts, strict=True) for line in text.split("\n") if line.strip()
    ]
    assert view.kinds_of_lines == expected


def test_prose_is_paragraphs_with_their_wrapped_lines_joined() -> None:
    text = "Title\nThe line was wrapped\nby hand and goes\non.\nanother begins small\n\nsmall after a blank\nNew"
    view = TextView(text, "en", Blocks.of([(HEADING, 0, 5), (PARAGRAPH, 6, len(text))]))
    assert view.prose == [
        "The line was wrapped by hand and goes on.", "another begins small", "small after a blank", "New"
    ]  # fmt: skip
    assert view.as_prose.prose == view.lines


def test_what_is_left_without_code_and_tables() -> None:
    text = "Say:\n\nx = 1\n\na | b\n\nDone."
    spans = [(PARAGRAPH, 0, 4), (CODE, 6, 11), (TABLE_ROW, 13, 18), (PARAGRAPH, 20, 25)]
    view = TextView(text, "en", Blocks.of(spans))
    assert view.without_code.lines == ["Say:", "a | b", "Done."]
    assert view.in_words.lines == ["Say:", "Done."]
    assert view.in_words.kinds_of_lines == [PARAGRAPH, PARAGRAPH]
    assert view.as_prose.in_words is view.as_prose


@pytest.mark.parametrize(
    ("typed", "right"),
    [
        ("नाव चली गई| हम रुके| शाम हुई|", "नाव चली गई। हम रुके। शाम हुई।"),
        ("নাও গেল | আমরা থামলাম | সন্ধ্যা হল |", "নাও গেল। আমরা থামলাম। সন্ধ্যা হল।"),
        ("ਬੇੜੀ ਗਈ|| ਅਸੀਂ ਰੁਕੇ|| ਸ਼ਾਮ ਹੋਈ||", "ਬੇੜੀ ਗਈ॥ ਅਸੀਂ ਰੁਕੇ॥ ਸ਼ਾਮ ਹੋਈ॥"),
        ("ጀልባው ሄደ፡፡ ቆየን፡፡ መሸ፡፡", "ጀልባው ሄደ። ቆየን። መሸ።"),
        ("ጀልባው ሄደ:: ቆየን :: መሸ::", "ጀልባው ሄደ። ቆየን። መሸ።"),
        ("वह 1947 में आया (भाग 2)| सन् 1950| उसका घर NASA |", "वह आया। सन्। घर।"),
        ("ዓመተ ምሕረት 2010:: በ 12:: ዓ.ም.::", "ዓመተ። በ። ዓ።"),
        ("Նավը գնաց: Մենք մնացինք: Երեկո է:", "Նավը գնաց։ Մենք մնացինք։ Երեկո է։"),
        ("Έφυγε η βάρκα; Μείναμε; Βράδιασε;", "Έφυγε η βάρκα? Μείναμε? Βράδιασε?"),
    ],
)
def test_sentence_marks_as_they_are_typed(typed: str, right: str) -> None:
    assert ends_with_terminal(typed)
    assert ends_with_terminal(right)
    assert count_sentences([typed]) == count_sentences([right]) == 3


@pytest.mark.parametrize(
    "line", ["| नाव | घर |", "Home | About |", "नाव | Home |", "Contents:", "ratio 3::", "int x;", "ጀልባ:", "नाव:"]
)
def test_what_only_looks_like_such_a_mark(line: str) -> None:
    assert not ends_with_terminal(line)


@pytest.mark.parametrize(
    ("text", "count"),
    [("ནི་དང་། ནི་དང་།", 2), ("ᐃᓄᒃ᙮ ᐃᓄᒃ᙮", 2), ("ᱥᱟ᱾ ᱱᱛ᱾ ᱟᱲ᱾", 3), ("一。二。三", 3), ("ᐃᓄᒃ᙮ ᐃᓄᒃ", 1)],
)
def test_sentence_marks_of_rarer_scripts(text: str, count: int) -> None:
    assert count_sentences([text]) == count  # looked for where one of them ends a line


def test_the_ethiopic_wordspace_is_white_space() -> None:
    view = TextView("ሰው፡ሁሉ፡እኩል፡ነው፡፡ ሰላም")
    assert view.words == ["ሰው", "ሁሉ", "እኩል", "ነው", "ሰላም"]
    assert view.normal_words == view.words
    assert view.n_word_chars == 2 + 3 + 3 + 2 + 2


@pytest.mark.parametrize(
    ("text", "language", "english"),
    [("boat", "en", True), ("boat", "", True), ("12", "", True), ("лодка", "", False), ("boat", "de", False),
     ("boat", "und", False), ("лодка", "en", True)],
)  # fmt: skip
def test_a_text_of_unknown_language_in_latin_letters_is_taken_as_english(
    text: str, language: str, english: bool
) -> None:
    assert TextView(text, language).is_english is english


@pytest.mark.parametrize(
    ("text", "stretch"), [("我喜欢编程", 2), ("ฉันรักคุณ", 4), ("ꆈꌠꁱꂷ", 2), ("boat", 1), ("배가 떠난다", 1), ("", 1)]
)
def test_words_of_unspaced_scripts_for_one_of_english(text: str, stretch: int) -> None:
    assert TextView(text).stretch == stretch


@settings(deadline=None)
@given(st.text() | st.text(alphabet="aİß፡ \u3000\x85我ก。,\n"))
def test_words_are_counted_alike_however_they_were_told_apart(text: str) -> None:
    view, other = TextView(text), TextView(text)
    assert len(view.word_ids) <= view.n_words == other.n_words == len(other.words)
    assert view.n_word_chars == sum(map(len, other.words))
