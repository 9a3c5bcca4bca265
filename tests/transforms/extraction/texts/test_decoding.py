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


# What browsers read in these encodings and Python's codecs of the same names do not.
WEB = [
    ("shift_jis", "㈱山田 ①②③ № Ⅰ ㎏ 髙﨑", "cp932"),
    ("x-sjis", "～５㎡、㈲港町商店", "cp932"),
    ("euc-kr", "똠방각하 펲시콜라", "cp949"),
    ("ks_c_5601-1987", "햏 뷁", "cp949"),
    ("big5", "我哋嘅茶餐廳喺碼頭隔籬", "big5hkscs"),
    ("gb2312", "由本地工匠王䶮先生修復", "gb18030"),
    ("gbk", "朱镕基 々", "gb18030"),
    ("windows-874", "ราคา “๑๐๐ บาท” …", "cp874"),
    ("tis-620", "ราคา ‘๒๐’ €", "cp874"),
]


@pytest.mark.parametrize("places", ["server", "meta", "server meta"])
@pytest.mark.parametrize(("label", "text", "codec"), WEB)
def test_encodings_are_the_webs(label: str, text: str, codec: str, places: str) -> None:
    head = f"<meta charset={label}>" if "meta" in places else ""
    page = f"<html>{head}<p>{text}</p></html>"
    assert decode_html(page.encode(codec), label if "server" in places else "") == page


@pytest.mark.parametrize(
    ("label", "data", "text"),
    [
        ("gbk", b"12 \x80\xa3\xac\xd1\xa7\xc9\xfa", "12 €，学生"),
        ("gb2312", b"\x80\xa8\xbc\xfe\x59", "€ḿ龴"),
        ("euc-jp", b"\xad\xa1\xad\xb5\xad\xea \xfc\xe2\xf9\xf1", "①Ⅰ㈱ 髙岺"),
        ("euc-jp", b"\x8f\xb0\xa1\x8e\xb1", "丂ｱ"),  # JIS X 0212, half-width kana
        ("big5", b"\xa3\xe1 \xc6\xd3 \xa1\x45", "€ 无 ‧"),
        ("windows-1252", b"a\x81 \xe9\x9d", "a\x81 é\x9d"),
        ("windows-1251", b"\x98 \xcf\xf0\xe8", "\x98 При"),
    ],
)
def test_characters_that_pythons_codecs_lack(label: str, data: bytes, text: str) -> None:
    assert decode_html(data, label) == text


@pytest.mark.parametrize(
    ("label", "data", "text"),
    [
        ("shift_jis", b"\x83\x41\x81<b>\x83\x41", "ア\ufffd<b>ア"),  # a broken pair leaves ASCII alone
        ("euc-kr", b"\xb0\xa1\xff\xb0\xa1", "가\ufffd가"),
        ("gbk", b"\xb0\xa1\xff<i>\xb0\xa1", "啊\ufffd<i>啊"),
    ],
)
def test_one_broken_byte_among_many_of_what_is_declared(label: str, data: bytes, text: str) -> None:
    assert decode_html(data[:2] * 200 + data, label) == text[0] * 200 + text


GERMAN = "<p>Die Fähre fährt nun täglich um Viertel nach sieben, außer an Feiertagen. Größere Gruppen melden sich an."
KOREAN = "<p>오늘은 비가 온 뒤라 그런지 공기가 참 맑고 새 소리도 잘 들렸어요. 그래서 공원에서 산책을 했습니다."
CHINESE = "<p>今天天气很好，我们去公园散步，看到了很多花。门票为十二元，学生半价。由本地工匠修复。"


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        (GERMAN, "cp1252"),
        (FRENCH, "latin-1"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8-r"),
        (JAPANESE, "cp932"),
        (JAPANESE, "euc_jp"),
        (KOREAN, "cp949"),
        (CHINESE, "gb18030"),
    ],
)
@pytest.mark.parametrize(("server", "meta"), [("utf-8", ""), ("", "utf-8"), ("utf-8", "utf-8"), ("", "utf-16")])
def test_bytes_tell_what_a_wrong_declaration_does_not(text: str, codec: str, server: str, meta: str) -> None:
    page = f"<html><meta charset='{meta}'>{text}"
    assert decode_html(page.encode(codec), server) == page


@pytest.mark.parametrize(
    ("text", "codec", "server", "meta"),
    [
        (JAPANESE, "euc_jp", "shift_jis", ""),
        (JAPANESE, "cp932", "", "euc-jp"),
        (RUSSIAN, "cp1251", "iso-8859-1", "windows-1251"),  # what servers say of everything, and what the author knew
        (CHINESE, "gb18030", "iso-8859-1", "gb2312"),
    ],
)
def test_declarations_that_disagree(text: str, codec: str, server: str, meta: str) -> None:
    page = f"<html><meta charset='{meta}'>{text}"
    assert decode_html(page.encode(codec), server) == page


def test_a_server_that_knows_is_believed_before_the_page() -> None:
    page = f"<html><meta charset=windows-1252>{RUSSIAN}"
    assert decode_html(page.encode("koi8-r"), "koi8-r") == page


@pytest.mark.parametrize("server", ["", "iso-8859-1", "windows-1251", "shift_jis"])
def test_nearly_utf8_is_utf8(server: str) -> None:
    data = f"<html><meta charset=gbk>{RUSSIAN}".encode()
    assert decode_html(data[:60] + b"\xff" + data[60:], server).replace("\ufffd", "") == data.decode()


def test_one_broken_byte_of_a_legacy_page() -> None:
    page = f"<html><meta charset=gb2312>{CHINESE}"
    data = page.encode("gb18030")
    assert decode_html(data + b"\xff", "") == page + "\ufffd"


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "text", ["<html><p>plain</p>", RUSSIAN + GERMAN, "<!DOCTYPE html><title>今天</title>" + CHINESE]
)
@pytest.mark.parametrize("server", ["", "utf-8", "iso-8859-1"])
def test_utf16_without_a_mark(text: str, codec: str, server: str) -> None:
    assert decode_html(text.encode(codec), server) == text
    assert decode_html(text.encode(codec)[: -1 if codec == "utf-16-le" else None], server)[:5] == text[:5]


def test_zeros_alone_make_no_utf16() -> None:
    assert decode_html(b"\0<html>") == "\0<html>"
    assert decode_html(b"a\0b\0\0\0\0\0c" + b"words " * 20) == "a\0b\0\0\0\0\0c" + "words " * 20


@pytest.mark.parametrize("charset", ["", "utf-8"])
def test_a_broken_byte_costs_one_character(charset: str) -> None:
    data = RUSSIAN.encode()
    assert decode_html(data[:40] + b"\xff" + data[40:], charset).replace("\ufffd", "") == RUSSIAN


@settings(deadline=None)
@given(st.binary(max_size=400), st.text(max_size=12) | st.sampled_from(["utf-8", "utf-16", "gb2312", "iso-2022-jp"]))
def test_decoding_is_total(data: bytes, charset: str) -> None:
    assert isinstance(decode_html(data, charset), str)
