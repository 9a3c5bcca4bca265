"""An edition's bytes to the text of its book."""

from __future__ import annotations

import html
import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

from schemas.blocks import Blocks
from transforms.extraction.texts.decoding import decode_html
from transforms.extraction.texts.hygiene import clean_unicode
from transforms.sources.books.head import HEAD_CHARS, Head, parse_head
from transforms.sources.books.markers import book_span
from transforms.sources.books.matter import of_the_book, without_captions
from transforms.sources.books.page import pieces_of_page
from transforms.sources.books.plain import pieces_of_lines
from transforms.sources.books.settings import BooksReadConfig
from transforms.sources.pieces import write

_HTML: Final = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html|head)\b", re.IGNORECASE | re.DOTALL
)
_BINARY: Final = (
    b"PK\x03\x04",
    b"%PDF",
    b"\x1f\x8b",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"ID3",
    b"Rar!",
    b"BZh",
    b"{\\rtf",
)
_NO_BOOK: Final = (b"<?xml", b"<rdf", b"<package", b"<TEI")
_TAG: Final = re.compile(r"<br\s*/?>|</(?:p|div|h\d|pre|li|tr)>|<[^<>]*>", re.IGNORECASE)
_BREAKS: Final = re.compile(r"<br|</(?:p|div|h\d|pre|li|tr)>", re.IGNORECASE)
_DECLARED: Final = re.compile(rb"Character set encoding:\s*([\w.:-]{3,30})", re.IGNORECASE)
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_CODECS: Final = {
    "iso-latin-1": "iso-8859-1",
    "latin1": "iso-8859-1",
    "latin-1": "iso-8859-1",
    "us-ascii": "",
    "ascii": "",
}


@dataclass(frozen=True, slots=True)
class Book:
    """What is read of an edition."""

    text: str
    blocks: Blocks
    head: Head
    counts: Counter[str]  # of what was removed


def kind_of(data: bytes) -> str:
    """Return what a file is by its first bytes: html, text, or '' for what is no book."""
    head = data[:4096].removeprefix(b"\xef\xbb\xbf")
    if _HTML.match(head):
        return "html"
    if data.startswith(_UTF16):
        return "text"
    if head.startswith(_BINARY) or head.lstrip().startswith(_NO_BOOK) or b"\0" in head:
        return ""
    return "text"


def characters(data: bytes) -> str:
    """Return the characters of an edition. UTF-8 is known by its bytes, whatever the head declares; what is declared as
    Latin-1 is read as windows-1252, which it mostly is."""
    found = _DECLARED.search(data[:HEAD_CHARS])
    declared = found[1].decode().lower() if found else ""
    return decode_html(data, _CODECS.get(declared, declared))


def head_of(data: bytes, path: str, *, is_page: bool) -> Head:
    """Return what the first bytes of an edition say of its book."""
    text = characters(data[: 4 * HEAD_CHARS])
    return parse_head(_plain(text) if is_page else text, path)


def read_book(data: bytes, path: str, config: BooksReadConfig) -> Book:
    """Return the book in an edition's bytes."""
    counts: Counter[str] = Counter()
    text = characters(data)
    is_page = kind_of(data) == "html"
    head = parse_head(_plain(text[: 4 * HEAD_CHARS]) if is_page else text, path)
    if is_page:
        pieces = pieces_of_page(text, config)
        first, last = book_span([piece.text for piece in pieces])
        pieces = pieces[first:last]
    else:
        lines = clean_unicode(text).split("\n")
        first, last = book_span(lines)
        lines = lines[first:last]
        if config.captions == "drop":
            lines = without_captions("\n".join(lines), counts).split("\n")
        pieces = pieces_of_lines(lines, join=config.join_lines)
    written, blocks = write(of_the_book(pieces, config, counts))
    return Book(written, blocks, head, counts)


def _plain(page: str) -> str:
    def shown(tag: re.Match[str]) -> str:
        return "\n" if _BREAKS.match(tag[0]) else ""

    return html.unescape(_TAG.sub(shown, page))
