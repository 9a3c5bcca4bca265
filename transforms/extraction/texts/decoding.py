"""A page's bytes as characters."""

from __future__ import annotations

import codecs

from resiliparse.parse.encoding import bytes_to_str, detect_encoding, map_encoding_to_html5

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# Encodings whose bytes can be valid UTF-8 all the same: only a declaration, or a mark, tells them.
_LOOKS_LIKE_UTF8 = frozenset({"utf-16-le", "utf-16-be", "iso2022_jp"})


def decode_html(html: bytes, charset: str = "") -> str:
    """Return the characters of a page; total.

    Byte order mark; UTF-8 when it is valid UTF-8, regardless of what is declared (UTF-8 declared as latin-1 is common,
    and text in another encoding is almost never valid UTF-8); the charset the server declared, if every byte fits; what
    the page's own `meta` says or the bytes suggest (resiliparse); bytes that still do not fit become
    U+FFFD. Deviation from the WHATWG order: UTF-8 before declarations.
    """
    return decoded_with_utf8(html, charset)[0]


def decoded_with_utf8(html: bytes, charset: str) -> tuple[str, bytes | None]:
    """Return the characters of a page, and its bytes when they are those characters in UTF-8."""
    for mark, name in _BOMS:
        if html.startswith(mark):
            return html[len(mark) :].decode(name, "replace"), None
    declared = map_encoding_to_html5(charset.strip(" \"'").lower(), fallback_utf8=False) if charset else None
    order = [declared, "utf-8"] if declared in _LOOKS_LIKE_UTF8 else ["utf-8", declared]
    for encoding in filter(None, order):
        try:
            return html.decode(encoding), html if encoding == "utf-8" else None
        except (UnicodeError, LookupError):
            continue
    guess = _guess_encoding(html)
    return str(bytes_to_str(html, guess, errors="replace", fallback_encodings=())).removeprefix("\ufeff"), None


def _guess_encoding(html: bytes) -> str:
    """Return the encoding that the page's `meta` declares or its bytes suggest, by its Python name."""
    for from_meta in (True, False):
        guess = detect_encoding(html, from_html_meta=from_meta)
        try:
            if guess and codecs.lookup(guess):
                return str(guess)
        except LookupError:
            continue
    return "utf-8"
