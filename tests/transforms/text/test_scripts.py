from __future__ import annotations

import re
import unicodedata

from transforms.text import scripts
from transforms.text.scripts import LANGUAGES, SCRIPTS, Script
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
    assert set(scripts.LANGUAGES_WITHOUT_SENTENCE_MARKS) == {"lo", "th"}


def test_the_classes_differ_where_the_scripts_do() -> None:
    han, tibetan, thai, hangul = "我", "ཀ", "ก", "한"
    table = {"UNSPACED": han + tibetan + thai, "UNMARKED": han + thai, "ZERO_WIDTH_SPACED": tibetan + thai}
    for name, members in table.items():
        found = re.findall(f"[{getattr(scripts, name)}]", han + tibetan + thai + hangul + "a")
        assert "".join(found) == members, name


def test_tai_letters_are_words() -> None:
    assert split_words("ᦀᦁ ok") == ["ᦀ", "ᦁ", "ok"]
