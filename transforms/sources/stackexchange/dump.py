"""Rows of a dump, cut out byte for byte: a file of any size is read with one row and one chunk in memory.

A dump is one element `posts` with a `row` for each post. XML escapes `<` in attributes, so `<row` begins a row wherever
it is, and the row ends before the next one at the latest: a damaged row costs itself alone. A row belongs to the part
in whose range its first byte lies. No XML parser is asked: dumps hold references that XML forbids (`&#x1;`, `&nbsp;`),
at which it would stop.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from transforms.sources.items import Part
from transforms.sources.members import RawFile

CHUNK_BYTES: Final = 1 << 18
HEAD_BYTES: Final = 1 << 13  # of a row that is too large: enough for its id

_BOUND: Final = re.compile(rb"<row(?=[\s/>])|</posts|<posts(?=[\s/>])")
_BOUND_BYTES: Final = 7  # of the longest bound and the byte behind it
_XML: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:\?xml|posts|row)[\s/>]")
_PACKED: Final = (
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it first (7z x FILE)"),
    (b"PK\x03\x04", "a ZIP archive: unpack it first"),
    (b"\x1f\x8b", "compressed by gzip: answers are fetched by their place in the file; unpack it first"),
    (b"BZh", "compressed by bzip2: answers are fetched by their place in the file; unpack it first"),
    (b"\xfd7zXZ", "compressed by xz: answers are fetched by their place in the file; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "compressed by Zstandard: answers are fetched by their place in the file; unpack it first"),
)
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")


@dataclass(frozen=True, slots=True)
class Row:
    """One row as its bytes of XML; `data` holds only the first of them when it is too large."""

    offset: int
    data: bytes
    size: int  # up to the next row


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a whole file cannot be read."""

    cause: str
    detail: str


def problem_of(raw: RawFile) -> Problem | None:
    """Return why a file is no dump, None when it is one."""
    raw.pos = 0
    head = raw.peek(HEAD_BYTES)
    if not head:
        return Problem("empty_file", "the file has no bytes")
    for magic, what in _PACKED:
        if head.startswith(magic):
            return Problem("packed_dump", f"it is {what}")
    if head.startswith(_UTF16):
        return Problem("unsupported_encoding", "the file is UTF-16; StackExchange writes UTF-8")
    if not _XML.match(head):
        return Problem("not_a_dump", "it does not begin like Posts.xml")
    return None


def read_rows(stream: BinaryIO, part: Part, max_bytes: int) -> Iterator[Row]:
    """Yield the rows that begin in a part, in order. Of a row of more than `max_bytes` only the head is kept."""
    raw = RawFile(stream)
    raw.pos = part.start
    cutter = _Cutter(part, max_bytes)
    while not cutter.done and (piece := raw.piece(CHUNK_BYTES)):
        yield from cutter.feed(piece)
    yield from cutter.end()


class _Cutter:
    """Cuts rows out of chunks, holding one row and one chunk at most."""

    def __init__(self, part: Part, max_bytes: int) -> None:
        self._end, self._max_bytes = part.end, max_bytes
        self._buffer = b""  # begins with the open row, if one is open and not too large
        self._place = part.start  # of the buffer's first byte in the file
        self._row = -1  # where the open row begins in the file
        self._head = b""  # of the open row, when it is too large
        self.done = False  # no row of this part follows

    def feed(self, piece: bytes) -> Iterator[Row]:
        """Yield the rows that end in the next chunk."""
        buffer = self._buffer + piece
        for bound in _BOUND.finditer(buffer, len("<row") if self._row == self._place else 0):
            at = self._place + bound.start()
            if self._row >= 0:
                yield Row(self._row, self._head or buffer[self._row - self._place : bound.start()], at - self._row)
            self._head = b""
            self._row = at if bound.group() == b"<row" else -1
            if self._row >= self._end:
                self._row, self.done = -1, True
                return
        is_held = self._row >= self._place
        keep = self._row - self._place if is_held else max(0, len(buffer) - _BOUND_BYTES)
        if is_held and len(buffer) - keep > self._max_bytes:
            self._head = buffer[keep : keep + HEAD_BYTES]
            keep = len(buffer) - _BOUND_BYTES
        self._place += keep
        self._buffer = buffer[keep:]
        self.done = self._row < 0 and self._place >= self._end

    def end(self) -> Iterator[Row]:
        """Yield the row with which the file ends."""
        if self._row >= 0:
            size = self._place + len(self._buffer) - self._row
            yield Row(self._row, self._head or self._buffer, size)
            self._row = -1
