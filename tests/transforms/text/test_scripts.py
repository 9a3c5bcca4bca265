from __future__ import annotations

import re
import unicodedata

import pytest

from transforms.text import scripts
from transforms.text.scripts import LANGUAGES, SCRIPT_CODES, SCRIPTS, WORD_CHARS, Script, script_of
from transforms.text.view import split_words

# Unicode's names of letters that do not begin with the script's own name
_OTHER_NAMES = {"Han": ("CJK", "IDEOGRAPHIC"), "Kana": ("HIRAGANA", "KATAKANA", "HALFWIDTH", "HENTAIGANA")}


def letters(script: Script) -> list[str]:
    wanted = re.compile(f"[{script.ranges}]")
    return [char for char in map(chr, range(0x40000)) if wanted.match(char) and unicodedata.category(char) == "Lo"]


def test_letters_of_a_script_have_its_name_and_no_character_is_in_two_scripts() -> None:
    seen: set[str] = set()
    for name, script in SCRIPTS.items():
        found = letters(script)
        assert found
        for letter in found:
            assert unicodedata.name(letter).startswith(_OTHER_NAMES.get(name, (name.upper(),))), (name, letter)
        assert not seen.intersection(found)
        seen.update(found)


def test_languages_are_of_scripts_in_the_table() -> None:
    assert set(LANGUAGES.values()) <= set(SCRIPTS)
    assert set(scripts.UNSPACED_LANGUAGES) == {"bo", "ja", "km", "lo", "my", "th", "wuu", "yue", "zh"}
    assert set(scripts.SCRIPTS_WITHOUT_SENTENCE_MARKS) == {"Laoo", "Thai"}


def test_the_classes_differ_where_the_scripts_do() -> None:
    han, tibetan, thai, hangul = "我", "ཀ", "ก", "한"
    table = {"UNSPACED": han + tibetan + thai, "UNMARKED": han + thai, "ZERO_WIDTH_SPACED": tibetan + thai}
    for name, members in table.items():
        found = re.findall(f"[{getattr(scripts, name)}]", han + tibetan + thai + hangul + "a")
        assert "".join(found) == members, name


def test_tai_letters_are_words() -> None:
    assert split_words("ᦀᦁ ok") == ["ᦀ", "ᦁ", "ok"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", ""),
        ("12 - 3", ""),
        ("The 12 boats", "Latn"),
        ("Čeština a ñandú", "Latn"),
        ("Лодка и dog", "Cyrl"),
        ("η βάρκα", "Grek"),
        ("배가 떠난다", "Hang"),
        ("船开了，我们走吧。", "Hani"),
        ("船が出たので帰ります。", "Jpan"),
        ("フネ", "Jpan"),
        ("ﾌﾈ", "Jpan"),
        ("王小明喜欢喝の字牌的茶也喜欢下雨的日子和旧书店", "Hani"),  # one Kana among twenty
        ("ጀልባው ሄደ።", "Ethi"),
        ("नाव चली गई।", "Deva"),
        ("ফুল", "Beng"),
        ("படகு போனது", "Taml"),
        ("വള്ളം പോയി", "Mlym"),
        ("เรือออกแล้ว", "Thai"),
        ("ລາວ", "Laoo"),
        ("ᥖᥭᥰ", "Tale"),
        ("ᨲᩫ᩠ᩅ", "Lana"),
        ("ꪼꪕ", "Tavt"),
        ("ᐃᓄᒃᑎᑐᑦ", "Cans"),
        ("ᏣᎳᎩ", "Cher"),
        ("ߒߞߏ", "Nkoo"),
        ("ᱥᱟᱱᱛᱟᱲᱤ", "Olck"),
        ("ꆈꌠ", "Yiii"),
        ("𐓀𐒻", "Osge"),
        ("𐎀𐎁", ""),  # Ugaritic is not in the table
        ("المركب abc", "Arab"),
    ],
)
def test_the_script_of_a_text(text: str, code: str) -> None:
    assert script_of(text) == code
    assert not code or code in SCRIPT_CODES


def test_the_script_of_a_long_text_is_told_by_a_sample_of_all_of_it() -> None:
    assert script_of("a" * 4_000 + "б" * 6_000) == "Cyrl"
    assert script_of("a" * 6_000 + "б" * 4_000) == "Latn"


def test_scripts_without_spaces_say_what_a_word_is() -> None:
    assert set(WORD_CHARS) <= SCRIPT_CODES
    assert (WORD_CHARS["Hani"], WORD_CHARS["Jpan"], WORD_CHARS["Thai"]) == (2, 2, 4)
