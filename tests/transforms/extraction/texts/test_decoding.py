"""Bytes of a page as characters."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.extraction.texts.decoding import decode_html

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
