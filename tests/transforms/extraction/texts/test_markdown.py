"""Markdown to plain text: markers go, what only looks like one stays."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.extraction.texts.markdown import strip_markers


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("# Title", "Title"),
        ("###### Deep title ##", "Deep title"),
        ("## About C#", "About C#"),
        ("- item", "item"),
        ("* item", "item"),
        ("  - nested item", "nested item"),
        ("    - deeper item", "deeper item"),
        ("- ", ""),
        ("*", ""),
        ("> quoted", "quoted"),
        ("> > - quoted item", "quoted item"),
        ("**bold** and *it*, ***both***", "bold and it, both"),
        ("这是**重点**内容", "这是重点内容"),
        ("**a *b* [c](http://d.e) f**", "a b c f"),
        ("~~gone~~", "gone"),
        ("see [the page](https://a.b/c?d=e 'x') now", "see [the page](https://a.b/c?d=e 'x') now"),
        ('see [the page](https://a.b/c "title") now', "see the page now"),
        ("![a picture](/img.png)", "a picture"),
        ("`code` and ```a `b` c```", "code and a `b` c"),
        ("**`*args`**", "*args"),
        ("| a | b |", "a\tb"),
        ("|  | b |", "\tb"),
        ("| a\\|b | **c** |", "a|b\tc"),
        ("| |", ""),
        ("a\n|---|:-:|\nb", "a\nb"),
        ("a\n* * *\nb\n----\n=====", "a\nb"),
        ("a\n```python\n# x\n\n- **y**\n```\n# z", "a\n# x\n\n- **y**\nz"),
        ("````\n```\n````", "```"),
        ("~~~\n# x\n~~~", "# x"),
        ("```\n# never closed", "never closed"),
        ("\\- a dash that is shown", "- a dash that is shown"),
        ("a\0b", "ab"),
    ],
)
def test_markers_go(text: str, plain: str) -> None:
    assert strip_markers(text) == plain


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "C# and F#",
        "#hashtag and #1",
        "2 * 3 * 4 = 24",
        "2**3 and 2*3*4",
        "f(*args, **kwargs)",
        "snake_case, _private, __init__ and 5_000",
        "f[x](y) and a[0](1)",
        "[citation needed] [1] (see [2])",
        "a | b | c",
        "|x| + |y| = 1",
        "x > 5 and y < 3",
        ">5 mg",
        ">>> print(1)",
        "-5 degrees",
        "+ 3 more",
        "1. numbered",
        "don`t, can`t, won`t",
        "``so'' and ``so''",
        "f**k this s**t",
        "~5 km, ~~~ and a ~ b",
        "a--b -- c",
        "    # indented code: **x**",
        "\tif x: # tab",
        "**",
        "5* hotel and 4* hotel",
        "C:\\dir\\file and \\frac{1}{2}",
        "مرحبا *",
        "名前_年齢 と ＃タグ",
        "line one\n\nline two\n",
    ],
)
def test_what_only_looks_like_a_marker_stays(text: str) -> None:
    assert strip_markers(text) == text


@pytest.mark.parametrize(
    "line",
    [
        "# x" + " " * 50_000 + "y",
        "`" * 50_000,
        " `a" * 20_000,
        "**a " * 20_000,
        '[a](/ "' * 20_000,
        "![a" * 20_000,
        "- " * 30_000,
        "|" + " " * 50_000 + "|",
        "---|" * 20_000 + "x",
        "~~ a" * 20_000,
    ],
)
def test_hostile_lines_take_linear_time(line: str) -> None:
    assert isinstance(strip_markers(line), str)


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="ab#*`~|>-_[](/) \n\t\\\0", max_size=60))
def test_stripping_is_total_and_adds_nothing(text: str) -> None:
    plain = strip_markers(text)
    assert "\0" not in plain
    rest = iter(text)
    assert all(char in rest for char in plain if not char.isspace())  # a subsequence
