"""bzip2 streams: where they begin in a file, and their content.

A stream begins at a byte, its blocks and its end do not: its ten first bytes are `BZh`, the size of its blocks and the
magic of the first block. Such bytes within compressed data are no stream (a chance of 2^-77 a byte, or somebody's
intent), so one of two things must hold besides: the file begins here or the bytes before are the end of a stream, or
the first block decompresses, checksum included. The test looks at the file alone, so that all parts agree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from schemas.errors import BadRecord
from transforms.sources.members import READ_BYTES, RawFile, inflate
from transforms.sources.pulled import BZIP2

HEADER: Final = re.compile(rb"BZh[1-9]1AY&SY")
_EMPTY: Final = re.compile(rb"BZh[1-9]\x17\x72\x45\x38\x50\x90\0\0\0\0")  # a stream without blocks
_HEADER_BYTES: Final = 10
_EMPTY_BYTES: Final = 14
_END_MAGIC: Final = 0x177245385090
_CHECKSUM_BITS: Final = 32


@dataclass(frozen=True, slots=True)
class Break:
    """A place that cannot be read."""

    offset: int
    cause: str
    detail: str = ""


Chunk = tuple[int, bytes]  # (where its stream begins in the file, bytes); no bytes where a stream begins


def stream_chunks(raw: RawFile, start: int, end: int) -> Iterator[Chunk | Break]:
    """Yield the content of the streams from the first that begins in [start, end), without an end: whoever reads stops
    at the first stream that is not wanted. What cannot be read is a Break, and the next stream is looked for."""
    at: int | None = 0 if start == 0 else find_stream(raw, start, end)
    while at is not None:
        raw.pos = at
        place = _next_stream(raw)
        if place is None:
            return
        if isinstance(place, Break):
            yield place
            at = find_stream(raw, place.offset + 1, None)
            continue
        yield place, b""
        try:
            for out in inflate(raw, BZIP2):
                yield place, out
            at = raw.pos
        except BadRecord as error:
            yield Break(place, error.cause, error.detail)
            at = find_stream(raw, place + 1, None)


def find_stream(raw: RawFile, lo: int, hi: int | None) -> int | None:
    """Return the first byte in [lo, hi) where a stream begins; `hi` None: anywhere behind `lo`."""
    while hi is None or lo < hi:
        raw.pos = lo
        window = raw.peek(READ_BYTES)
        for found in HEADER.finditer(window):
            at = lo + found.start()
            if hi is not None and at >= hi:
                return None
            if begins_stream(raw, at):
                return at
        if len(window) < READ_BYTES:
            return None
        lo += len(window) - (_HEADER_BYTES - 1)
    return None


def begins_stream(raw: RawFile, at: int) -> bool:
    """Return whether the header of a stream at `at` is one, and no bytes that look like it."""
    tail = (48 + _CHECKSUM_BITS + 7 + 7) // 8
    raw.pos = max(0, at - tail)
    before = int.from_bytes(raw.peek(at - raw.pos), "big")
    if not at or any(before >> (_CHECKSUM_BITS + pad) & ((1 << 48) - 1) == _END_MAGIC for pad in range(8)):
        return True
    raw.pos = at
    try:
        return bool(next(inflate(raw, BZIP2), b""))
    except BadRecord:
        return False


def _next_stream(raw: RawFile) -> int | Break | None:
    """Return where the stream at `raw.pos`, or behind empty ones there, begins; None at the end of the file."""
    while True:
        head = raw.peek(_EMPTY_BYTES)
        if HEADER.match(head):
            return raw.pos
        if not _EMPTY.match(head):
            break
        raw.pos += _EMPTY_BYTES
    at = raw.pos
    if not head or _only_zeros(raw):
        return None
    if len(head) < _EMPTY_BYTES and b"BZh91AY&SY".startswith(head[:3]):
        return Break(at, "truncated_member", f"the file ends at byte {at + len(head)} within the head of a stream")
    return Break(at, "not_a_member", f"byte {at} is no start of a bzip2 stream")


def _only_zeros(raw: RawFile) -> bool:
    while piece := raw.piece():
        if piece.strip(b"\0"):
            return False
    return True
