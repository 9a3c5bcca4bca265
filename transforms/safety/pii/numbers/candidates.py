"""Where numbers and keys can be: one pass over the bytes of a text, so that the rules look at a few places only.

Every character becomes one byte (digit, separator, other), which `bytes.translate` does at 1 ns each; the search then
starts at digits alone. Offsets are those of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MIN_DIGITS = 6  # a Finnish or British number has six digits in a row
MIN_KEY = 16  # characters of a key in a row: those of an AWS access key after its prefix
MAX_RUN = 400  # characters: a longer run of digits is data

# Typography for the keyboard's signs, one for one, so that offsets stay.
_SIGNS = (
    *((sign, "-") for sign in "\u2010\u2011\u2013\u2212"),
    *((blank, " ") for blank in "\xa0\u2009\u202f"),
)
_NUMBERS = bytes(ord("0" if c in "0123456789" else " " if c in " -./()" else "x") for c in map(chr, range(256)))
_TOKENS = bytes(ord("x" if c.isascii() and (c.isalnum() or c in "_-") else " ") for c in map(chr, range(256)))
_RUN = re.compile(rb"0[0 ]{4,}0")
_BETWEEN = re.compile(r" [-/.] |  +| ?/ ?|\. |\) ?\(")  # between two numbers, not inside one
_DATE = re.compile(
    r"(?:1[5-9]|20)\d\d[-./ ](?:0?[1-9]|1[0-2])[-./ ](?:0?[1-9]|[12]\d|3[01])(?:\D.*)?"
    r"|(?:0?[1-9]|[12]\d|3[01])[-./ ](?:0?[1-9]|[12]\d|3[01])[-./ ](?:1[5-9]|20)?\d\d(?:[ -]\d\d?)?"
    r"|(?:1[5-9]|20)\d\d ?[-/] ?(?:1[5-9]|20)?\d\d"
)
_SIXTEEN = b"x" * MIN_KEY
_PIECE = re.compile(rb"[^-]{%d,}" % MIN_KEY)
# A digit, small and capital letters mixed or capitals alone: words of prose have none of it.
_UNLIKE_WORDS = re.compile(rb"[0-9]|[a-z][A-Z]|[A-Z]{%d}" % MIN_KEY)


@dataclass(frozen=True, slots=True)
class Number:
    """A run of digits and the separators between them."""

    start: int
    end: int
    text: str  # as it is written
    digits: str


def plain_signs(text: str) -> str:
    """Return `text` with keyboard signs for typographic dashes and blanks, character for character."""
    if not text.isascii():
        for sign, plain in _SIGNS:
            if sign in text:
                text = text.replace(sign, plain)
    return text


def as_bytes(text: str) -> bytes:
    """Return one byte for each character; what is not in Latin-1 is a question mark."""
    return text.encode("latin-1", "replace")


def find_numbers(text: str, raw: bytes) -> Iterator[Number]:
    """Yield the runs of six digits or more, dates left out, and each part of a run that holds several numbers."""
    for run in _RUN.finditer(raw.translate(_NUMBERS)):
        start, end = run.span()
        if end - start > MAX_RUN:
            continue
        whole = _number(text, start, end)
        if len(whole.digits) < MIN_DIGITS or _DATE.fullmatch(whole.text):
            continue
        yield whole
        parts = list(_BETWEEN.finditer(whole.text))
        if parts:
            begins, ends = [0, *(part.end() for part in parts)], [*(part.start() for part in parts), end - start]
            for begin, stop in zip(begins, ends, strict=True):
                part_of = _number(text, start + begin, start + stop)
                if len(part_of.digits) >= MIN_DIGITS and not _DATE.fullmatch(part_of.text):
                    yield part_of


def _number(text: str, start: int, end: int) -> Number:
    written = text[start:end]
    return Number(start, end, written, "".join(filter(str.isdigit, written)))


def find_tokens(raw: bytes) -> Iterator[tuple[int, int]]:
    """Yield the start and the end of each run of 16 or more letters, digits and underscores that is unlike words.

    Of a run with hyphens its pieces are looked at, or the whole where none of them is so long: a key may have some.
    """
    marked = raw.translate(_TOKENS)
    at = marked.find(_SIXTEEN)
    while at >= 0:
        end = marked.find(b" ", at)
        end = len(marked) if end < 0 else end
        if _UNLIKE_WORDS.search(raw, at, end):
            pieces = [piece.span() for piece in _PIECE.finditer(raw, at, end)] or [(at, end)]
            yield from (piece for piece in pieces if _UNLIKE_WORDS.search(raw, *piece))
        at = marked.find(_SIXTEEN, end)
