"""Characters of a text: what readers never see goes, what encoders broke is repaired, the rest is in NFC.

Goes: control characters, surrogates and non-characters, byte order marks, soft hyphens, direction marks (text is in
logical order without them), word joiners, zero-width spaces outside the scripts that part words with them (Thai, Lao,
Khmer, Myanmar, Tibetan, Tai), joiners outside the scripts and emoji that need them, tag characters outside flags.
Stays: U+FFFD, private use, variation selectors. Line ends become U+000A. Blanks, tabs and blank lines are touched by
`clean_text` alone.

Mojibake is repaired line by line by ftfy (Speer 2019), whose own test is a heuristic for "surely not what was meant".
It is asked only about texts with several characters such as only a wrong decoding makes, and there about their lines;
never about texts on encodings, which hold what they show broken in its right form, too.
"""

from __future__ import annotations

import contextlib
import re
import unicodedata
from typing import Final

from ftfy import fix_encoding

from transforms.text.scripts import ZERO_WIDTH_SPACED

_LINE_END: Final = re.compile("[\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029]")
_UNWANTED: Final = re.compile(
    "[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\u00ad\u061c\u180e\u200e\u200f\u202a-\u202e\u2060-\u2069\u206a-\u206f\ufeff"
    "\ud800-\udfff\ufdd0-\ufdef\ufff9-\ufffb\ufffe\uffff]"
)
# Scripts that shape letters by joiners: Arabic to Mongolian, Indic; for U+200D also what emoji are made of.
_SHAPED: Final = (
    "\u0600-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u18af\ua800-\uaadf\uabc0-\uabff\ufb50-\ufdcf\ufe70-\ufefc"
)
_EMOJI: Final = "\u2190-\u2bff\ufe0f\u20e3\U0001f000-\U0001faff"
_ZERO_WIDTH: Final = re.compile(
    f"(?<![{_SHAPED}])\u200c|(?<![{_SHAPED}{_EMOJI}\U00011000-\U00011fff])\u200d|(?<![{ZERO_WIDTH_SPACED}])\u200b|\u200b(?![{ZERO_WIDTH_SPACED}])"
)
_FLAG_TAGS: Final = re.compile("(\U0001f3f4[\U000e0020-\U000e007e]{1,16}\U000e007f)|[\U000e0000-\U000e007f]")

# What the bytes of UTF-8 become in windows-1252 and latin-1: a lead byte's character, then a continuation byte's.
_CONTINUATION: Final = "\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_CYRILLIC: Final = "‚ѓ„…†‡€‰Љ‹ЊЌЋЏђ™љ›њќћџЎўЈ¤Ґ¦§Ё©°±µ¶·»ѕ"
# The first is the filter, a set and a set, which the engine finds fast; the second is what it approximates.
_MAYBE_BROKEN: Final = re.compile(f"[\xc2-\xf0РС][{_CONTINUATION}{_CYRILLIC}]")
_CONTROL: Final = re.compile("[\x80-\x9f]")  # nobody types one: a single broken pair with one is enough
_BROKEN: Final = re.compile(
    f"[\xc2-\xdf][{_CONTINUATION}]|[\xe0-\xef][{_CONTINUATION}]{{2}}|\xf0[{_CONTINUATION}]{{3}}|[РС][{_CYRILLIC}]"
)
_BLANK: Final = re.compile(r"[ \t\n]+")  # not the no-break space, which is half of a broken character
_WORD: Final = re.compile(r"[\w’]+(?:'[\w’]+)*")
_CODECS: Final = ("sloppy-windows-1252", "latin-1", "sloppy-windows-1251")  # the first and the last come with ftfy
_FOREIGN: Final = re.compile(r"[^\x00-\x7f\s]")
_BLANK_LINES: Final = re.compile(r"\n{3,}")
_PASSES: Final = 8  # over a text; two where nothing is hidden in it
_SHOWN: Final = 200  # different broken words that a text about encodings shows, at most (our value)
_MANY: Final = (
    3  # broken characters of a text that are no quotation (our choice; pages looked at have 2, or 5 and more)
)


def clean_unicode(text: str) -> str:
    """Return `text` without what no reader sees, repaired where it is surely broken, in NFC; again, the same. Total."""
    if text.isascii() and text.isprintable():
        return text
    for _ in range(_PASSES):
        before, text = text, _cleaned(text)
        if text == before:
            break
    return text


def _cleaned(text: str) -> str:
    """Return `text` after one pass: what it takes out may have stood between the halves of a broken character."""
    if not text.isascii():
        if _MAYBE_BROKEN.search(text) and _is_broken(text) and not _is_about_it(text):
            text = "\n".join([_repaired(line) for line in text.split("\n")])
        if not unicodedata.is_normalized("NFC", text):
            text = unicodedata.normalize("NFC", text)
    text = text.replace("\r\n", "\n")
    # A line that is printable throughout, as most are, holds nothing to look for; the test is 20 times as fast.
    lines = text.split("\n")
    cleaned = [line if line.isprintable() else _without_unseen(line) for line in lines]
    return "\n".join(cleaned)


def clean_text(text: str) -> str:
    """Return `text` without what no reader sees, as our own engine writes it (`clean_unicode`), without white space at
    the ends of lines, with at most one blank line in a row and none at the ends."""
    lines = clean_unicode(text).split("\n")
    return _BLANK_LINES.sub("\n\n", "\n".join([line.rstrip() for line in lines])).strip("\n")


def _is_broken(text: str) -> bool:
    """Return whether a text was decoded wrongly, in whole or in part: a page about mojibake quotes a few pairs, too."""
    found = _BROKEN.findall(text)
    if len(found) >= _MANY or _CONTROL.search("".join(found)):
        return True
    n_others = len(_FOREIGN.findall(_UNWANTED.sub("", _BROKEN.sub("", text))))
    return len(found) > 1 and sum(map(len, found)) >= n_others


def _is_about_it(text: str) -> bool:
    """Return whether a text shows what wrong decoding makes: of its broken words at least half are there unbroken, too,
    or are nothing but broken characters beside the right ones in their line. A wrongly decoded text breaks all it has;
    the sound template around one holds other words."""
    if _CONTROL.search("".join(_BROKEN.findall(text))):
        return False
    shown: dict[str, bool] = {}
    sound = _BROKEN.sub(" ", text)
    words = {word for word in _WORD.findall(sound) if not word.isascii()}
    for line in text.split("\n"):
        if _BROKEN.search(line) is None:
            continue
        around = _BROKEN.sub("", line)
        for token in _BLANK.split(line):
            if _BROKEN.search(token) is None:
                continue
            repaired = fix_encoding(token)
            meant = [word for word in _WORD.findall(repaired) if len(word) > 1 and not word.isascii()]
            is_there = bool(meant) and repaired != token and words.issuperset(meant)
            if not is_there and not any(map(str.isalnum, _BROKEN.sub("", token))):
                is_there = all(_meant(found) in around for found in _BROKEN.finditer(token))
            shown[token] = shown.get(token, False) or is_there
            if len(shown) > _SHOWN:
                return False
    return 2 * sum(shown.values()) >= max(1, len(shown))


def _meant(broken: re.Match[str]) -> str:
    """Return the character that was decoded wrongly, a line end, which no line holds, if it cannot be told."""
    for codec in _CODECS:
        with contextlib.suppress(UnicodeError):
            return broken[0].encode(codec).decode()
    return "\n"


def _repaired(line: str) -> str:
    return fix_encoding(line) if _BROKEN.search(line) else line


def _without_unseen(line: str) -> str:
    line = _LINE_END.sub("\n", _UNWANTED.sub("", line))
    if line.isascii():
        return line
    line = _FLAG_TAGS.sub(r"\1", _ZERO_WIDTH.sub("", line))
    return line if unicodedata.is_normalized("NFC", line) else unicodedata.normalize("NFC", line)
