"""Scripts and languages that are written differently from what most rules expect: the one table for all of them.

Rules about words, sentences or zero-width spaces look here, so that no two of them disagree about Khmer. The exception
is `transforms/extraction/choice/features.py`: its character classes belong to a trained model and change only with it.

Languages have the codes of lid.176, which are mostly ISO 639-1 (see classifiers/steps/language.py).
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import Final

UNDETERMINED: Final = "und"  # the language of a text that no model recognises (ISO 639-2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A script written without spaces between words."""

    code: str  # ISO 15924
    ranges: str  # its letters, digits and signs, as they are written inside a character class
    # Letters, marks above and below not counted, that say as much as a word of English: those of the Universal
    # Declaration by the words of the English one, rounded (Chinese 1.5, Yi 1.8, Japanese 2.2, Khmer 3.6, Burmese and
    # Tibetan 3.7, Thai 4.1, Lao 4.5).
    word_chars: int = 2
    zero_width_spaces: bool = False  # U+200B marks where a line may break; in Han and Kana it is only debris
    syllable_marks: bool = False  # a punctuation mark separates syllables
    sentence_marks: bool = True  # a mark ends each sentence


# Hangul is missing: Korean has spaces between words.
SCRIPTS: Final = {
    "Han": Script(code="Hani", ranges="\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"),
    "Kana": Script(
        code="Jpan", ranges="\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f\U0001b000-\U0001b16f"
    ),  # Hiragana, Katakana
    "Khmer": Script(code="Khmr", word_chars=4, ranges="\u1780-\u17ff", zero_width_spaces=True),
    "Lao": Script(code="Laoo", word_chars=4, ranges="\u0e80-\u0eff", zero_width_spaces=True, sentence_marks=False),
    "Myanmar": Script(
        code="Mymr", word_chars=4, ranges="\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f", zero_width_spaces=True
    ),
    "New Tai Lue": Script(code="Talu", word_chars=4, ranges="\u1980-\u19df", zero_width_spaces=True),
    "Tai Le": Script(code="Tale", word_chars=4, ranges="\u1950-\u197f", zero_width_spaces=True),
    "Tai Tham": Script(code="Lana", word_chars=4, ranges="\u1a20-\u1aaf", zero_width_spaces=True),
    "Tai Viet": Script(code="Tavt", word_chars=4, ranges="\uaa80-\uaadf", zero_width_spaces=True),
    "Thai": Script(code="Thai", word_chars=4, ranges="\u0e00-\u0e7f", zero_width_spaces=True, sentence_marks=False),
    "Tibetan": Script(code="Tibt", word_chars=4, ranges="\u0f00-\u0fff", zero_width_spaces=True, syllable_marks=True),
    "Yi": Script(code="Yiii", ranges="\ua000-\ua4cf"),
}

# Languages of lid.176 by the script they are written in without spaces. Japanese also uses Han.
LANGUAGES: Final = {
    "bo": "Tibetan",
    "ja": "Kana",
    "km": "Khmer",
    "lo": "Lao",
    "my": "Myanmar",
    "th": "Thai",
    "wuu": "Han",
    "yue": "Han",
    "zh": "Han",
}

# Insides of character classes.
UNSPACED: Final = "".join(script.ranges for script in SCRIPTS.values())
# One character is the smallest unit: no space, and no mark either, separates words or syllables.
UNMARKED: Final = "".join(script.ranges for script in SCRIPTS.values() if not script.syllable_marks)
ZERO_WIDTH_SPACED: Final = "".join(script.ranges for script in SCRIPTS.values() if script.zero_width_spaces)

UNSPACED_LANGUAGES: Final = frozenset(LANGUAGES)
# A rule on terminal punctuation does not apply to these.
SCRIPTS_WITHOUT_SENTENCE_MARKS: Final = frozenset(
    script.code for script in SCRIPTS.values() if not script.sentence_marks
)
WORD_CHARS: Final = {script.code: script.word_chars for script in SCRIPTS.values()}

# ISO 15924 codes by the first word of Unicode's name of a letter. Han alone is Hani, with Kana it is Jpan.
_CODES: Final = {
    "ADLAM": "Adlm", "ARABIC": "Arab", "ARMENIAN": "Armn", "BALINESE": "Bali", "BAMUM": "Bamu", "BATAK": "Batk",
    "BENGALI": "Beng", "BOPOMOFO": "Bopo", "BUGINESE": "Bugi", "BUHID": "Buhd", "CANADIAN": "Cans", "CHAKMA": "Cakm",
    "CHAM": "Cham", "CHEROKEE": "Cher", "CJK": "Hani", "COPTIC": "Copt", "CYRILLIC": "Cyrl", "DEVANAGARI": "Deva",
    "ETHIOPIC": "Ethi", "FULLWIDTH": "Latn", "GEORGIAN": "Geor", "GLAGOLITIC": "Glag", "GOTHIC": "Goth",
    "GREEK": "Grek", "GUJARATI": "Gujr", "GURMUKHI": "Guru", "HALFWIDTH": "Jpan", "HANGUL": "Hang", "HANUNOO": "Hano",
    "HEBREW": "Hebr", "HIRAGANA": "Jpan", "IDEOGRAPHIC": "Hani", "JAVANESE": "Java", "KANNADA": "Knda",
    "KATAKANA": "Jpan", "KAYAH": "Kali", "KHMER": "Khmr", "LAO": "Laoo", "LATIN": "Latn", "LEPCHA": "Lepc",
    "LIMBU": "Limb", "LISU": "Lisu", "MALAYALAM": "Mlym", "MEETEI": "Mtei", "MODI": "Modi", "MONGOLIAN": "Mong",
    "MYANMAR": "Mymr", "NEW": "Talu", "NKO": "Nkoo", "OL": "Olck", "ORIYA": "Orya", "OSAGE": "Osge",
    "PHAGS-PA": "Phag", "REJANG": "Rjng", "RUNIC": "Runr", "SAMARITAN": "Samr", "SAURASHTRA": "Saur",
    "SINHALA": "Sinh", "SUNDANESE": "Sund", "SYLOTI": "Sylo", "SYRIAC": "Syrc", "TAGALOG": "Tglg", "TAGBANWA": "Tagb",
    "TAI": "Tavt", "TAMIL": "Taml", "TELUGU": "Telu", "THAANA": "Thaa", "THAI": "Thai", "TIBETAN": "Tibt",
    "TIFINAGH": "Tfng", "VAI": "Vaii", "YI": "Yiii",
}  # fmt: skip
_TAI: Final = {"TAI LE": "Tale", "TAI THAM": "Lana"}  # three scripts whose names begin with the same word
SCRIPT_CODES: Final = frozenset({*_CODES.values(), *_TAI.values()})
_SAMPLED = 400  # characters by which the script of a text is told
_MIN_KANA = 0.1  # of the letters of a Japanese text; Chinese ones have a の here and there


class _CodeOf(dict[str, str]):
    """The script of each character met so far; '' for what is no letter or belongs to no script in the table."""

    def __missing__(self, char: str) -> str:
        words = unicodedata.name(char, "").split(" ", 2) if char.isalpha() else [""]
        code = self[char] = _TAI.get(" ".join(words[:2])) or _CODES.get(words[0], "")
        return code


_CODE_OF: Final = _CodeOf()


def script_of(text: str) -> str:
    """Return the ISO 15924 code of the script that most letters of a text are in, by a sample spread over it.

    '' for a text without letters, or in a script that is not in the table.
    """
    sample = text[:: len(text) // _SAMPLED + 1]
    if sample.isascii():
        return "Latn" if any(map(str.isalpha, sample)) else ""
    counts: Counter[str] = Counter()
    for char, n in Counter(sample).items():
        counts[_CODE_OF[char]] += n
    del counts[""]
    if not counts:
        return ""
    han, kana = counts["Hani"], counts.pop("Jpan", 0)
    if kana:
        counts["Jpan" if kana >= _MIN_KANA * (han + kana) else "Hani"] = counts.pop("Hani", 0) + kana
    return max(counts, key=lambda code: (counts[code], code))


def scripts_in(text: str) -> frozenset[str]:
    """Return what `script_of` may give for a text, or for any text that is left of it when pieces are taken away."""
    found = {_CODE_OF[char] for char in set(text)} | {""}
    return frozenset(found | {"Hani"} if "Jpan" in found else found)
