"""The blocks of texts that came without any."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.blocks import CODE, FORMULA, HEADING, KINDS, LIST_ITEM, PARAGRAPH, QUOTATION, TABLE_ROW
from transforms.text.guess import guess_blocks, guess_kinds

SENTENCE = "This is a sentence of prose that has more than ten words in it."


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (SENTENCE, PARAGRAPH),
        ("About us", PARAGRAPH),
        ("- one", LIST_ITEM),
        ("• one", LIST_ITEM),
        ("12. one", LIST_ITEM),
        ("a) one", LIST_ITEM),
        ("> as he said", QUOTATION),
        ("| a | b |", TABLE_ROW),
        ("a | b | c", TABLE_ROW),
        ("a\tb\tc", TABLE_ROW),
        ("x || y || z", PARAGRAPH),
        ("$$x^2$$", FORMULA),
        ("\\[ x \\]", FORMULA),
        ("## Head", HEADING),
        ("#hashtag", PARAGRAPH),
        ("3.5 percent of all", PARAGRAPH),
    ],
)
def test_single_lines(line: str, kind: int) -> None:
    assert guess_kinds([line]) == [kind]


@pytest.mark.parametrize(
    "code",
    [
        "import sys\nrows = read(sys.argv[1])\nfor row in rows[1:]:\n    print(row[0], row[2])",
        "def f(x):\n    return x",
        'int main() {\n  puts("hi");\n\n  return 0;\n}',
        "$ ls -l\n$ cat a.txt",
        ">>> 1 + 1\n>>> print(2)",
        '<div class="a">\n  <b>x</b>\n</div>',
        "SELECT a FROM b\nWHERE c = 1;",
        "```\nanything at all\n```",
        "const a = 1;\nlet b = a + 2;",
    ],
)
def test_code(code: str) -> None:
    text = f"{SENTENCE}\n{code}\n{SENTENCE}"
    at = len(SENTENCE) + 1
    assert guess_blocks(text).spans() == [
        ("paragraph", 0, len(SENTENCE)),
        ("code", at, at + len(code)),
        ("paragraph", at + len(code) + 1, len(text)),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "from the beginning we knew\nimport duties were high\nreturn to the start",
        "    An indented paragraph is no code.\n    Neither is its second line.",
        "if you go there, go soon\nfor all we know",
        "class of 1999\nclass of 2000",
        "Name: value\nOther: value",
        "(see above)\n(see below)",
    ],
)
def test_prose_is_no_code(text: str) -> None:
    assert CODE not in guess_kinds(text.split("\n"))


def test_a_heading_stands_before_prose_and_an_entry_of_a_menu_does_not() -> None:
    assert guess_kinds(["The tides", "", SENTENCE]) == [HEADING, -1, PARAGRAPH]
    assert guess_kinds([SENTENCE, "The moon", SENTENCE]) == [PARAGRAPH, HEADING, PARAGRAPH]
    assert guess_kinds(["Home", "About", "Contact", SENTENCE]) == [PARAGRAPH] * 4
    assert guess_kinds(["The tides.", SENTENCE]) == [PARAGRAPH, PARAGRAPH]


def test_a_formula_in_several_lines() -> None:
    assert guess_kinds(["\\begin{align}", "x &= 1", "\\end{align}", SENTENCE]) == [FORMULA] * 3 + [PARAGRAPH]
    assert guess_kinds(["$$ never closed", SENTENCE]) == [FORMULA, PARAGRAPH]


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet="ab .\n\t`~#>|-{};=()1$\\[]", max_size=60))
def test_any_text_has_blocks_in_order_around_all_that_is_not_blank(text: str) -> None:
    blocks = guess_blocks(text)
    end = 0
    for kind, start, stop in blocks.spans():
        assert kind in KINDS
        assert end <= start < stop <= len(text)
        assert not text[end:start].strip()
        end = stop
    assert not text[end:].strip()


def test_a_hundred_thousand_lines_take_no_square_of_time() -> None:
    for line in ("```", "~~~ x", "\\begin{a}", "    x", "$$", "x = 1", ""):
        assert len(guess_kinds([line] * 100_000)) == 100_000


@pytest.mark.parametrize(
    "line",
    [
        "the freedom to hold opinions and to seek information of every kind;",
        "das Recht auf Arbeit, auf freie Wahl des Berufes (auch im Ausland);",
        "人人有权享有主张和发表意见的自由;",
        "право на труд;",
    ],
)
def test_indented_clauses_of_a_law_are_no_code(line: str) -> None:
    text = "\n".join(f"      {line}" for _ in range(3))
    assert set(guess_kinds(text.split("\n"))) == {PARAGRAPH}
    assert set(guess_kinds([f"    {line}", "    total = 1;"])) == {CODE}  # with one line in ten of code


def test_one_line_that_looks_like_code_makes_no_code_of_a_long_indented_text() -> None:
    lines = ["    Whereas it was said so"] * 20
    assert CODE not in guess_kinds([*lines, "    article {3}"])
    assert CODE not in guess_kinds([*lines, "    x = 1;"])
    assert CODE in guess_kinds([*lines[:9], "    x = 1;"])
