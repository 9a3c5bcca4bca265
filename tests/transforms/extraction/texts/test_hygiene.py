from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from transforms.extraction.texts.hygiene import clean_text, clean_unicode

_UNSEEN = (
    "\x00\x07\x1b\x7f\x80\x9f\u00ad\u061c\u180e\u200e\u200f\u202a\u202e\u2060\u2064\u2066\u2069\ufeff\ud800\ufdd0"
    "\ufff9\uffff\U000e0041"
)
_FLAG = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


@pytest.mark.parametrize("char", _UNSEEN)
def test_unseen_characters_go(char: str) -> None:
    assert clean_unicode(f"a{char}b é") == "ab é"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("", ""),
        ("plain\n  indented\t\n\n\n\nend  ", "plain\n  indented\t\n\n\n\nend  "),
        ("a\r\nb\rc\x0bd\x0ce\x85f\u2028g\u2029h", "a\nb\nc\nd\ne\nf\ng\nh"),
        ("e\u0301", "é"),
        ("e\x01\u0301 \u0441\u0306", "é \u0441\u0306"),
        ("\u1100\u1161", "가"),
        ("a\u00a0b\u3000c\ufffdd\ue000", "a\u00a0b\u3000c\ufffdd\ue000"),
        # joiners: Persian, Hindi, Malayalam at the end of a word, emoji; junk in Latin
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("क्\u200dष", "क्\u200dष"),
        ("ന്\u200d ", "ന്\u200d "),
        ("👩\u200d🚀 ❤\ufe0f\u200d🔥", "👩\u200d🚀 ❤\ufe0f\u200d🔥"),
        ("Auf\u200clage a\u200db \u200cx", "Auflage ab x"),
        ("zero\u200bwidth", "zerowidth"),
        ("ภาษา\u200bไทย", "ภาษา\u200bไทย"),
        ("ภาษา\u200b end\u200b", "ภาษา end"),
        (_FLAG, _FLAG),
        ("\u202eسلام\u202c", "سلام"),
    ],
)  # fmt: skip
def test_characters(text: str, clean: str) -> None:
    assert clean_unicode(text) == clean


@pytest.mark.parametrize(
    ("broken", "text"),
    [
        ("Ãœber das schÃ¶ne StraÃŸe", "Über das schöne Straße"),
        ("donâ€™t â€œquoteâ€\x9d", "don’t “quote”"),
        ("Â£5 for the cafÃ©", "£5 for the café"),
        ("CreditÃ\x81ngel Franco", "CreditÁngel Franco"),
        ("à¤¨à¤®à¤¸à¥\x8dà¤¤à¥‡", "नमस्ते"),
        ("РџСЂРёРІРµС‚ РјРёСЂ", "Привет мир"),
        ("1%Â â\x80\x93Â over 8Â â\x80\x93Â of", "1%\xa0–\xa0over 8\xa0–\xa0of"),
        ("1%Â â€“Â over 8Â â€“Â of usÂ â€™", "1%\xa0–\xa0over 8\xa0–\xa0of us\xa0’"),
        # a sound template around broken text
        ("Café – Bücher\nDas schÃ¶ne StraÃŸe, grÃ¼n", "Café – Bücher\nDas schöne Straße, grün"),
        ("News – Home\nSo â€“ they said â€“ it isnâ€™t", "News – Home\nSo – they said – it isn’t"),
        ("Café, Thé\nle cafÃ© est dÃ©jÃ\xa0 fermÃ© Ã\xa0 prÃ©sent", "Café, Thé\nle café est déjà fermé à présent"),
    ],
)
def test_mojibake_is_repaired(broken: str, text: str) -> None:
    assert clean_unicode(broken) == text


@pytest.mark.parametrize(
    "text",
    [
        "Über das schöne Straße — “quoted” … ‘so’",
        "Привет, мир! Рівне, Сіверськ «цитата» №5",
        "Îles, Çà et là, naïve, Ångström, São Tomé, ÃO",
        "Tiếng Việt: Ắ Ằ Ẵ, Âu Ấ",
        "日本語テキスト。中文文本。한국어",
        "שלום עולם سلام دنیا",
        "x̂ ≤ ∑ €5 ™ œuvre Š",
        "A\u00a0“quote”\u00a0»",
        'the word "café" becomes "cafÃ©", "naïve" becomes "naÃ¯ve" and "Köln" "KÃ¶ln"',
        "It reads cafÃ©, dÃ©jÃ\xa0 and Ã©tÃ©\nfor café, déjà and été",
        "Why do I get Ã© instead of é?\nAnd Ã¼ instead of ü, Ã¶ instead of ö?",
        "“â€œ” and “â€™” is what Windows shows for “quotes”, ’, isnâ€™t for isn’t, â€¦ for …",
        "Привет shows as РџСЂРёРІРµС‚\nмир as РјРёСЂ",
        "é\tÃ©\nè\tÃ¨\nç\tÃ§\nö\tÃ¶",
        "I saw “Ã¤” instead of “ä”, and “Ã¶” instead of “ö”: märchenhaft schöne Möbel",
    ],
)
def test_what_is_right_stays(text: str) -> None:
    assert clean_unicode(text) == unicodedata.normalize("NFC", text)


@given(st.text(max_size=200))
@settings(deadline=None)
def test_any_text_comes_out_clean_and_the_same_twice(text: str) -> None:
    once = clean_unicode(text)
    assert unicodedata.is_normalized("NFC", once)
    assert not any(char in once for char in _UNSEEN[:-1])
    assert "\r" not in once
    assert clean_unicode(once) == once


def test_a_long_text_is_whole() -> None:
    text = "слово 日本 " * 100_000
    assert clean_unicode(text) == text


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("", ""),
        ("\n \n", ""),
        ("a \t\nb\u00a0\n\n\n\nc\n", "a\nb\n\nc"),
        ("\ta\tb", "\ta\tb"),
        ("a\x07\u2028\x85\r\n\x0cb", "a\n\nb"),
    ],
)
def test_clean_text(text: str, clean: str) -> None:
    assert clean_text(text) == clean


@settings(deadline=None, max_examples=200)
@example("\x80Â\xa0\x80\x80Â\xa0\x80¡")
@example("\xa0\xa0\xa0ÀÂ\xa0Â\xa00\xa0")
@example("Ã\x07©Ã\x07©Ã\x07©")
@example("Ã\u200b\x83\x07Â\u200b©" * 3)
@given(st.text() | st.text("ÃÂâ\x80\x83\xa0\xa9\xad\x07\u200b\u200d¡©€™a e\u0301", max_size=20))
def test_clean_text_is_idempotent_and_clean(text: str) -> None:
    clean = clean_text(text)
    assert clean_text(clean) == clean
    assert unicodedata.is_normalized("NFC", clean)
    assert clean.split("\n") == clean.splitlines() or clean == ""
    clean.encode()
