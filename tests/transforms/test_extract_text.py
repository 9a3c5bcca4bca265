"""Bytes to characters, Markdown markers, and the characters a text may hold: the pure functions around the engine."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.extract import clean_text, decode_html, strip_markers

# ---- encodings ------------------------------------------------------------------------------------------------------

FRENCH = "<html><p>déjà vu, un café à la crème, naïveté, où êtes-vous allés cet été, garçon ?</p></html>"
RUSSIAN = "<html><p>Съешь же ещё этих мягких французских булок, да выпей чаю.</p></html>"
JAPANESE = "<html><p>こんにちは世界。これは日本語の文章です。漢字とかなが混ざっています。</p></html>"


@pytest.mark.parametrize(
    ("text", "encoding", "charset"),
    [
        (FRENCH, "utf-8", ""),
        (FRENCH, "utf-8", "utf-8"),
        (FRENCH, "utf-8", '"UTF-8"'),
        (FRENCH, "utf-8", "iso-8859-1"),  # the common lie
        (FRENCH, "utf-8", "no-such-charset"),
        (FRENCH, "cp1252", ""),
        (FRENCH, "cp1252", "iso-8859-1"),
        (FRENCH, "cp1252", "utf-8"),  # the other common lie
        (RUSSIAN, "cp1251", ""),
        (RUSSIAN, "cp1251", "windows-1251"),
        (RUSSIAN, "koi8-r", "KOI8-R"),
        (JAPANESE, "shift_jis", ""),
        (JAPANESE, "euc-jp", "euc-jp"),
        (JAPANESE, "iso2022_jp", "iso-2022-jp"),
        (JAPANESE, "utf-8-sig", ""),
        (JAPANESE, "utf-16", ""),  # with a mark
        (RUSSIAN, "utf-16-le", "utf-16"),
        (RUSSIAN, "utf-16-be", "utf-16be"),
        ("", "utf-8", "utf-8"),
        ("x", "utf-8", ""),
    ],
)
def test_decoding(text: str, encoding: str, charset: str) -> None:
    assert decode_html(text.encode(encoding), charset) == text


def test_the_pages_own_declaration_counts_when_the_server_is_silent() -> None:
    text = '<html><meta charset="windows-1250"><p>Zażółć gęślą jaźń</p>'
    assert decode_html(text.encode("cp1250")) == text
    assert decode_html(text.encode("cp1250"), "windows-1250") == text


@pytest.mark.parametrize("charset", ["", "utf-8"])
def test_a_broken_byte_costs_one_character(charset: str) -> None:
    data = RUSSIAN.encode()
    assert decode_html(data[:40] + b"\xff" + data[40:], charset).replace("\ufffd", "") == RUSSIAN


@settings(deadline=None)
@given(st.binary(max_size=400), st.text(max_size=12) | st.sampled_from(["utf-8", "utf-16", "gb2312", "iso-2022-jp"]))
def test_decoding_is_total(data: bytes, charset: str) -> None:
    assert isinstance(decode_html(data, charset), str)


# ---- markers --------------------------------------------------------------------------------------------------------


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


# ---- characters -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("", ""),
        ("\n \n", ""),
        ("a\r\nb\rc\x0bd\u2028e\x85f", "a\nb\nc\nd\ne\nf"),
        ("a \t\nb\u00a0\n\n\n\nc\n", "a\nb\n\nc"),
        ("\ta\tb", "\ta\tb"),
        ("a\x00\x07\x7f\x9f\ufeff\ufffe\ud800b", "ab"),
        ("e\x01\u0301", "é"),
        ("\u0441\u0306", "\u0441\u0306"),
        ("שלום \u200e你好 👩\u200d💻", "שלום 你好 👩\u200d💻"),
    ],
)
def test_clean_text(text: str, clean: str) -> None:
    assert clean_text(text) == clean


@settings(deadline=None, max_examples=200)
@given(st.text())
def test_clean_text_is_idempotent_and_clean(text: str) -> None:
    clean = clean_text(text)
    assert clean_text(clean) == clean
    assert unicodedata.is_normalized("NFC", clean)
    assert clean.split("\n") == clean.splitlines() or clean == ""
    clean.encode()
