"""Telephone numbers, by the package phonenumbers (Google's libphonenumber) and the words around them.

`PROVEN`    `+49 30 123456`, `00 49 ...`: an international number that its country has
`LIKELY`    seven to fifteen digits that a word next to them calls a telephone (Tel., Fax, mobile, 電話, ...), or a
            number in groups after a weaker word (call, reach me at)
`POSSIBLE`  without any word: groups as they are written in a country of the text's language, which has such a number
Not found: dates, numbers that a word calls an ISBN, an order, a part, ...; those in formulas and code (redact.py).

Deviations. Dolma takes any three, three and four digits for a phone. Presidio asks phonenumbers alone, for seven
regions, and finds numbers without separators in every table. Names of countries in the text are not looked at.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterable, Iterator, Sequence

from schemas.errors import ConfigError
from transforms.safety.pii.numbers.candidates import Number
from transforms.safety.pii.numbers.context import before, is_glued, is_named_otherwise
from transforms.safety.pii.numbers.phone_words import (
    EXTENSION,
    OTHERS_NUMBER,
    REGIONS,
    STRONG_AFTER,
    STRONG_BEFORE,
    SUM,
    WEAK_BEFORE,
)
from transforms.safety.pii.spans import LIKELY, PHONES, POSSIBLE, PROVEN, Span

PHONE = "phone"

MIN_UNSEPARATED = 9  # digits in one piece that are a phone number because `fax` or the like comes after them
_SEPARATED = re.compile(r"\(?\+?\d{1,6}\)?(?:[ .\-]\(?\d{1,8}\)?|\)\d{2,4}){1,5}|\+\d{8,15}")
# Groups of digits as they are written in North America, and elsewhere with the 0 of a trunk call.
_NORTH_AMERICA = re.compile(r"(?:1[-. ])?(?:\(\d{3}\) ?|\d{3}([-.]))\d{3}[-.]\d{4}")
_WITH_TRUNK = re.compile(r"0\d{1,4}[ \-/.]\(?\d{2,4}\)?(?:[ \-.]\d{2,4}){0,3}|\(0\d{1,4}\) ?\d{3,4}[ -]?\d{3,4}")
_YEARS = re.compile(r"(?:1[5-9]|20)\d\d(?:[ ./-]+(?:1[5-9]|20)\d\d)+")
_DATE_IN = re.compile(r"(?:19|20)\d\d[-./]\d\d[-./]\d\d|\b\d\d[-./]\d\d[-./](?:19|20)\d\d")
_DECIMAL = re.compile(r"\d+\.\d+(?: +\d+\.\d+)*")
_THOUSANDS = re.compile(r"\d{1,3}(?:[. ]000)+|[1-9]0{5,}")


def check_installed() -> None:
    """Raise ConfigError when phonenumbers is not installed; it is not imported."""
    if importlib.util.find_spec("phonenumbers") is None:
        raise ConfigError("phones: the package phonenumbers is not installed; pip install 'winnow-corpus[phones]'")


def find_phones(text: str, numbers: Iterable[Number], language: str) -> Iterator[Span]:
    """Yield the telephone numbers among `numbers` of a text in `language` ('' where it is not known)."""
    regions: Sequence[str] = REGIONS.get(language or "en", ())
    for number in numbers:
        if not 7 <= len(number.digits) <= 16 or not number.digits[:-4].strip("0"):
            continue
        start = number.start
        while start and text[start - 1] in "(+":
            start -= 1
        start += text[start] == "(" and ")" not in text[start : number.end]  # `(+1 ...`, closed behind it
        written = text[start : number.end]
        if _no_phone(written) or is_named_otherwise(text, start):
            continue
        confidence = _confidence(text, start, number.end, written, regions)
        if confidence:
            extension = EXTENSION.match(text, number.end)
            yield Span(start, extension.end() if extension else number.end, PHONE, PHONES, confidence)


def _no_phone(written: str) -> bool:
    return (
        any(form.fullmatch(written) for form in (_YEARS, _DECIMAL, _THOUSANDS)) or _DATE_IN.search(written) is not None
    )


def _confidence(text: str, start: int, end: int, written: str, regions: Sequence[str]) -> float:
    """Return how sure it is that this is a telephone number; 0: it is none."""
    extension = EXTENSION.match(text, end)
    if is_glued(text, start, extension.end() if extension else end) and not text.startswith("-", end):
        return 0.0
    window = before(text, start)
    if written.startswith(("+", "(+")) and _is_valid(written, None):
        return PROVEN
    separated = _SEPARATED.fullmatch(written) is not None
    if STRONG_BEFORE.search(window):
        return LIKELY
    if OTHERS_NUMBER.search(window):
        return 0.0
    if (separated or len(written) >= MIN_UNSEPARATED) and STRONG_AFTER.match(text, end):
        return LIKELY
    if separated and WEAK_BEFORE.search(window) and not SUM.match(text, end):
        return LIKELY
    if _NORTH_AMERICA.fullmatch(written):
        return POSSIBLE if "US" in regions and _is_valid(written, "US") else 0.0
    if _WITH_TRUNK.fullmatch(written) and any(_is_valid(written, region) for region in regions):
        return POSSIBLE
    return 0.0


def _is_valid(written: str, region: str | None) -> bool:
    import phonenumbers  # an extra; its tables take 0.2 s to import

    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(written, region)))
    except phonenumbers.NumberParseException:
        return False
