"""What rules ask of Unicode, on every Python that is supported: 3.11 has Unicode 14.0, 3.12 15.0, 3.13 15.1.

Of characters that Unicode 14.0 knows the answers are the same, so texts of them are measured the same by every Python.
The 5,116 that are newer, nearly all of them rare Han characters, are letters for a newer Python alone.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable

import pytest

# Assigned in Unicode 15.0 and 15.1 (DerivedAge.txt), first and last; all that is newer is left out below by itself.
NEWER = (
    (0xCF3, 0xCF3), (0xECE, 0xECE), (0x2FFC, 0x2FFF), (0x31EF, 0x31EF), (0x10EFD, 0x10EFF), (0x1123F, 0x11241),
    (0x11B00, 0x11B09), (0x11F00, 0x11F59), (0x1342F, 0x1342F), (0x13439, 0x13455), (0x1B132, 0x1B132),
    (0x1B155, 0x1B155), (0x1D2C0, 0x1D2D3), (0x1DF25, 0x1DF2A), (0x1E030, 0x1E08F), (0x1E4D0, 0x1E4F9),
    (0x1F6DC, 0x1F6DC), (0x1F774, 0x1F776), (0x1F77B, 0x1F77F), (0x1F7D9, 0x1F7D9), (0x1FA75, 0x1FA77),
    (0x1FA87, 0x1FA88), (0x1FAAD, 0x1FAAF), (0x1FABB, 0x1FABD), (0x1FABF, 0x1FABF), (0x1FACE, 0x1FACF),
    (0x1FADA, 0x1FADB), (0x1FAE8, 0x1FAE8), (0x1FAF7, 0x1FAF8), (0x2B739, 0x2B739), (0x2EBF0, 0x2EE5D),
    (0x31350, 0x323AF),
)  # fmt: skip
SUPPORTED = ("14.0.0", "15.0.0", "15.1.0")
MODIFIERS = "\u10fc\ua7f2\ua7f3\ua7f4\uab69"  # small letters since Unicode 15.0, for `str.islower` alone
WORD, SPACE, DIGIT = (re.compile(pattern).fullmatch for pattern in (r"\w", r"\s", r"\d"))

ASKED: dict[str, Callable[[str], object]] = {
    "category": unicodedata.category,
    "combining": unicodedata.combining,
    "decimal": lambda char: unicodedata.decimal(char, None),
    "name": lambda char: unicodedata.name(char, ""),
    "NFC": lambda char: unicodedata.normalize("NFC", char),
    "NFD": lambda char: unicodedata.normalize("NFD", char),
    "NFKC": lambda char: unicodedata.normalize("NFKC", char),
    "lower": str.lower,
    "upper": str.upper,
    "title": str.title,
    "casefold": str.casefold,
    "islower": lambda char: char not in MODIFIERS and char.islower(),
    "classes": lambda char: (char.isalpha(), char.isalnum(), char.isupper(), char.isdigit(), char.isspace()),
    "expressions": lambda char: (bool(WORD(char)), bool(SPACE(char)), bool(DIGIT(char))),
}
PINNED = {
    "category": "f20b0e393e58",
    "combining": "038ba6382c98",
    "decimal": "f648530568ac",
    "name": "139af5a4bcce",
    "NFC": "bf1b16516a86",
    "NFD": "165548a6a0c8",
    "NFKC": "72dd35046d7b",
    "lower": "e2b84e1818d9",
    "upper": "35ed1c204fbb",
    "title": "23f5fbf67b67",
    "casefold": "fe9747555fb9",
    "islower": "37edb84516e3",
    "classes": "0eb12034d25d",
    "expressions": "00794156bd23",
}


def known() -> list[str]:
    """The characters that Unicode 14.0 has."""
    newer = {code for first, last in NEWER for code in range(first, last + 1)}
    chars = (chr(code) for code in range(0x110000) if code not in newer and not 0xD800 <= code < 0xE000)
    return [char for char in chars if unicodedata.category(char) != "Cn"]


def digest(ask: Callable[[str], object], chars: list[str]) -> str:
    return hashlib.sha256("\0".join(str(ask(char)) for char in chars).encode()).hexdigest()[:12]


@pytest.mark.skipif(unicodedata.unidata_version not in SUPPORTED, reason="a Python that is not supported yet")
def test_the_answers_are_those_of_every_supported_python() -> None:
    chars = known()
    assert len(chars) == 282_230
    assert {name: digest(ask, chars) for name, ask in ASKED.items()} == PINNED
