"""Pages of a part of a dump, cut out byte for byte: no XML is parsed here.

MediaWiki escapes every `<` of a page's own text, so `<page>` and `</page>` are tags wherever they stand. A page belongs
to the part in whose range its first byte lies, or the stream that holds it begins; it is read to its end, through as
many streams as that takes (pbzip2 cuts pages anywhere), and a part that begins within a page passes over its rest.
"""

from __future__ import annotations

import posixpath
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from schemas.errors import BadRecord
from transforms.sources.items import Part
from transforms.sources.members import RawFile, inflate
from transforms.sources.pulled import BZIP2
from transforms.sources.wikipedia.site import NO_SITE, SITE_END, Site, parse_site
from transforms.sources.wikipedia.streams import Break, Chunk, stream_chunks

CHUNK_BYTES: Final = 1 << 18  # of plain XML
HEAD_BYTES: Final = 1 << 20  # within which the dump must have described its wiki; usual are 2 to 6 kB
KEPT_BYTES: Final = 1 << 16  # of a page that is too large: enough for its title and id

_PAGE: Final = re.compile(rb"<page[\s>]")
_PAGE_ENDS: Final = re.compile(rb"</page\s*>|<page[\s>]")
_TAG_BYTES: Final = 16  # within which a tag that is looked for must end
_XML: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*<")
_BOMS_16: Final = (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")


@dataclass(frozen=True, slots=True)
class RawPage:
    """One page as its bytes of XML; `data` holds only the first of them when the page is too large."""

    offset: int
    data: bytes
    size: int


def read_pages(stream: BinaryIO, part: Part, max_bytes: int) -> tuple[Site, Iterator[RawPage | Break]]:
    """Return what the head of the file says about its wiki, and the pages of a part in order."""
    raw = RawFile(stream)
    head = raw.peek(KEPT_BYTES)
    packed = head.startswith(b"BZh") or posixpath.basename(part.path).lower().endswith(".bz2")
    problem = _problem(head, packed)
    if problem:
        return NO_SITE, iter([problem] if part.start == 0 else [])
    site = parse_site(_head(raw, packed), posixpath.basename(part.path))
    chunks = stream_chunks(raw, part.start, part.end) if packed else _plain_chunks(raw, part.start)
    return site, _Cutter(part.end, max_bytes, linear=not packed).pages(chunks)


def _problem(head: bytes, packed: bool) -> Break | None:
    if not head:
        return Break(0, "empty_file", "the file has no bytes")
    if packed or _XML.match(head):
        return None
    if head.startswith(_BOMS_16):
        return Break(0, "unsupported_encoding", "the file is UTF-16; MediaWiki writes UTF-8")
    return Break(0, "not_a_dump", "its first bytes are neither bzip2 nor XML")


def _head(raw: RawFile, packed: bool) -> bytes:
    """Return the first bytes of the dump, to the end of what it says about its wiki."""
    raw.pos = 0
    head = bytearray()
    try:
        for piece in inflate(raw, BZIP2) if packed else (data for _, data in _plain_chunks(raw, 0)):
            head += piece
            if SITE_END in head or _PAGE.search(head) or len(head) > HEAD_BYTES:
                break
    except BadRecord:
        pass  # reported by the part that begins here
    return bytes(head[:HEAD_BYTES])


def _plain_chunks(raw: RawFile, start: int) -> Iterator[Chunk]:
    raw.pos = start
    while piece := raw.piece(CHUNK_BYTES):
        yield raw.pos - len(piece), piece


class _Cutter:
    """Cuts pages out of chunks, holding one page and one chunk at most."""

    def __init__(self, end: int, max_bytes: int, *, linear: bool) -> None:
        self._end = end
        self._max_bytes = max_bytes
        self._linear = linear  # the place of a chunk is that of its first byte, not that of its stream
        self._buffer = bytearray()
        self._base = 0  # bytes of content before the buffer
        self._places: deque[tuple[int, int]] = deque()  # (byte of the content, place) of each chunk
        self._page: int | None = None  # place of the page that the buffer begins with
        self._head = b""  # of that page, when it is too large
        self._dropped = 0  # bytes of it that are not in the buffer any more
        self._searched = 0
        self._done = False  # a page of the next part was found

    def pages(self, chunks: Iterator[Chunk] | Iterator[Chunk | Break]) -> Iterator[RawPage | Break]:
        for chunk in chunks:
            if isinstance(chunk, Break):
                if chunk.offset < self._end:
                    yield chunk
                    self._forget()
                    continue
                break
            place, data = chunk
            if place >= self._end and self._page is None and not self._buffer:
                return
            self._places.append((self._base + len(self._buffer), place))
            self._buffer += data
            yield from self._cut()
            if self._done:
                return
        if self._page is not None:
            yield Break(self._page, "truncated_page", "what can be read ends within a page")

    def _cut(self) -> Iterator[RawPage | Break]:
        while self._find_page():
            found = _PAGE_ENDS.search(self._buffer, self._searched)
            if not found:
                self._shorten()
                return
            if found.group().startswith(b"</"):
                size = self._dropped + found.end()
                yield RawPage(self._place(), self._head or bytes(self._buffer[: found.end()]), size)
                self._pass(found.end())
            else:
                yield Break(self._place(), "unclosed_page", "a page begins within a page")
                self._pass(found.start())
            self._page = None

    def _find_page(self) -> bool:
        """Go to the next page; return whether one begins in the buffer."""
        if self._page is not None:
            return True
        found = _PAGE.search(self._buffer)
        if not found:
            keep = next((n for n in range(5, 0, -1) if self._buffer.endswith(b"<page"[:n])), 0)
            self._pass(len(self._buffer) - keep)
            return False
        self._pass(found.start())
        place = self._places[0][1] + (self._base - self._places[0][0] if self._linear else 0)
        if place >= self._end:
            self._done = True
            return False
        self._page, self._head, self._dropped, self._searched = place, b"", 0, len(b"<page")
        return True

    def _place(self) -> int:
        assert self._page is not None  # noqa: S101
        return self._page

    def _shorten(self) -> None:
        """Keep no more than the head of a page that is too large, and what may be the start of a tag."""
        if len(self._buffer) > self._max_bytes or self._head:
            self._head = self._head or bytes(self._buffer[:KEPT_BYTES])
            gone = max(0, len(self._buffer) - _TAG_BYTES)
            self._pass(gone)
            self._dropped += gone
        self._searched = max(0 if self._head else len(b"<page"), len(self._buffer) - _TAG_BYTES)

    def _pass(self, n: int) -> None:
        del self._buffer[:n]
        self._base += n
        while len(self._places) > 1 and self._places[1][0] <= self._base:
            self._places.popleft()

    def _forget(self) -> None:
        self._pass(len(self._buffer))
        self._places.clear()
        self._page = None
