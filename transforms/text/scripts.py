"""Scripts and languages that are written differently from what most rules expect: the one table for all of them.

Rules about words, sentences or zero-width spaces look here, so that no two of them disagree about Khmer. The exception
is `transforms/extraction/choice/features.py`: its character classes belong to a trained model and change only with it.

Languages have the codes of lid.176, which are mostly ISO 639-1 (see classifiers/steps/language.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

UNDETERMINED: Final = "und"  # the language of a text that no model recognises (ISO 639-2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A script written without spaces between words."""

    ranges: str  # its letters, digits and signs, as they are written inside a character class
    zero_width_spaces: bool = False  # U+200B marks where a line may break; in Han and Kana it is only debris
    syllable_marks: bool = False  # a punctuation mark separates syllables
    sentence_marks: bool = True  # a mark ends each sentence


# Hangul is missing: Korean has spaces between words.
SCRIPTS: Final = {
    "Han": Script(ranges="\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"),
    "Kana": Script(ranges="\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f\U0001b000-\U0001b16f"),  # Hiragana, Katakana
    "Khmer": Script(ranges="\u1780-\u17ff", zero_width_spaces=True),
    "Lao": Script(ranges="\u0e80-\u0eff", zero_width_spaces=True, sentence_marks=False),
    "Myanmar": Script(ranges="\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f", zero_width_spaces=True),
    "New Tai Lue": Script(ranges="\u1980-\u19df", zero_width_spaces=True),
    "Tai Le": Script(ranges="\u1950-\u197f", zero_width_spaces=True),
    "Tai Tham": Script(ranges="\u1a20-\u1aaf", zero_width_spaces=True),
    "Tai Viet": Script(ranges="\uaa80-\uaadf", zero_width_spaces=True),
    "Thai": Script(ranges="\u0e00-\u0e7f", zero_width_spaces=True, sentence_marks=False),
    "Tibetan": Script(ranges="\u0f00-\u0fff", zero_width_spaces=True, syllable_marks=True),
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
LANGUAGES_WITHOUT_SENTENCE_MARKS: Final = frozenset(
    language for language, script in LANGUAGES.items() if not SCRIPTS[script].sentence_marks
)
