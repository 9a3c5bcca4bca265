"""Compressed members and where records begin in them: what makes an archive splittable.

An archive is cut into segments. A segment begins where a record does and runs to the next place of which that is sure:
the next compressed member whose content begins like a record. So a usual archive, a member for each record, has a
segment for each record; a file that is one member, or whose members are cut anywhere (bgzip), is one segment; a file
that is not compressed is one segment. A segment belongs to the part in whose range it starts, and a part that does not
start at 0 looks for the first member in its range that begins like a record. Both use one test, so every segment
belongs to exactly one part for any split. A break (bytes that are no member, or one that does not inflate) ends
its segment, and reading resumes at the next member that begins like a record; the part that met the break reports it.

One known limit: a record that holds another archive, member for member, stored uncompressed inside its own member, can
be taken for the archive itself if a part happens to start within it.

gzip by ISA-L (`isal`), 2.4 times as fast as zlib on web pages; LZ4 and Zstandard by their own libraries. Zstandard's
dictionary frame (IIPC, WARC Zstandard 1.0) is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol, cast

import lz4.frame
import zstandard
from isal import igzip_lib, isal_zlib

from schemas.errors import BadRecord

READ_BYTES = 1 << 18  # of one read of the file
PIECE_BYTES = 1 << 15  # of compressed bytes fed at once
OUT_BYTES = 1 << 18  # of bytes inflated at once, so that a bomb cannot fill the memory
PEEK_BYTES = 512  # of compressed bytes fed at once where only the first line is wanted
MAX_WINDOW = 1 << 31  # bytes of a Zstandard window: what `zstd --long=31` writes; memory is taken as it fills
LINE_BYTES = 8192  # within which a record's first line must end to be known as one

ISAL_ERROR = cast(type[Exception], igzip_lib.IsalError)  # its stub calls the class an instance
CORRUPT = (ISAL_ERROR, RuntimeError, zstandard.ZstdError)  # lz4 raises RuntimeError

GZIP, LZ4, ZSTD = b"\x1f\x8b\x08", b"\x04\x22\x4d\x18", b"\x28\xb5\x2f\xfd"
_SKIPPABLE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18", re.DOTALL)  # frame of LZ4 and Zstandard that holds no data
_DICTIONARY = b"\x5d\x2a\x4d\x18"


class RawFile:
    """A file read forward in pieces, with the position of the next byte."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._buffer = b""
        self._start = 0  # position of the buffer's first byte
        self._size: int | None = None
        self.passed = 0  # members behind a break that were passed over: they do not begin like a record
        self.pos = 0

    @property
    def left(self) -> int:
        """Bytes from the next one to the end of the file."""
        if self._size is None:
            self._size = self._stream.seek(0, 2)
        return self._size - self.pos

    def peek(self, n: int) -> bytes:
        """Return the next `n` bytes, fewer at the end of the file, and stay there."""
        at = self.pos - self._start
        if not 0 <= at <= len(self._buffer):
            self._stream.seek(self.pos)
            self._buffer, self._start, at = b"", self.pos, 0
        if len(self._buffer) - at < n:
            self._stream.seek(self._start + len(self._buffer))
            pieces = [self._buffer[at:]]
            missing = n - len(pieces[0])
            while missing > 0 and (data := self._stream.read(max(missing, READ_BYTES))):
                pieces.append(data)
                missing -= len(data)
            self._buffer, self._start, at = b"".join(pieces), self.pos, 0
        return self._buffer[at : at + n]

    def piece(self, n: int = PIECE_BYTES) -> bytes:
        """Return the next `n` bytes and go behind them."""
        data = self.peek(n)
        self.pos += len(data)
        return data


class Inflater(Protocol):
    """One compressed member."""

    @property
    def eof(self) -> bool: ...

    @property
    def left(self) -> int:
        """How many of the bytes fed last lie behind the member's end."""

    def feed(self, data: bytes) -> Iterator[bytes]: ...


class _GzipMember:
    def __init__(self) -> None:
        self._member = isal_zlib.decompressobj(31)

    @property
    def eof(self) -> bool:
        return bool(self._member.eof)

    @property
    def left(self) -> int:
        return len(self._member.unused_data)

    def feed(self, data: bytes) -> Iterator[bytes]:
        out = self._member.decompress(data, OUT_BYTES)
        while out:
            yield out
            if self._member.eof or (len(out) < OUT_BYTES and not self._member.unconsumed_tail):
                return
            out = self._member.decompress(self._member.unconsumed_tail, OUT_BYTES)


class _Lz4Member:
    def __init__(self) -> None:
        self._member = lz4.frame.LZ4FrameDecompressor()

    @property
    def eof(self) -> bool:
        return bool(self._member.eof)

    @property
    def left(self) -> int:
        return len(self._member.unused_data or b"")

    def feed(self, data: bytes) -> Iterator[bytes]:
        while True:
            out = self._member.decompress(data, OUT_BYTES)
            if out:
                yield out
            if self._member.eof or self._member.needs_input or not (out or data):
                return
            data = b""


class _ZstdMember:
    STEP = 1 << 10  # a block of 4 bytes can stand for 128 KiB, and the library has no bound of its own

    def __init__(self, dictionary: bytes = b"") -> None:
        made = zstandard.ZstdCompressionDict(dictionary) if dictionary else None
        self._member = zstandard.ZstdDecompressor(dict_data=made, max_window_size=MAX_WINDOW).decompressobj()
        self._left = 0

    @property
    def eof(self) -> bool:
        return bool(self._member.eof)

    @property
    def left(self) -> int:
        return self._left

    def feed(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), self.STEP):
            out = self._member.decompress(data[start : start + self.STEP])
            if out:
                yield out
            if self._member.eof:
                self._left = len(self._member.unused_data) + max(0, len(data) - start - self.STEP)
                return


class Codec:
    """A kind of compressed member: its magic and how to inflate one."""

    def __init__(self, name: str, magic: bytes, make: Callable[[], Inflater]) -> None:
        self.name = name
        self.magic = magic
        self.make = make


def codec_of(magic: bytes, raw: RawFile) -> Codec:
    """Return the codec of the members that begin with `magic`; reads Zstandard's dictionary at the file's start."""
    if magic == GZIP:
        return Codec("gzip", GZIP, _GzipMember)
    if magic == LZ4:
        return Codec("lz4", LZ4, _Lz4Member)
    dictionary = _read_dictionary(raw)
    return Codec("zstd", ZSTD, lambda: _ZstdMember(dictionary))


def _read_dictionary(raw: RawFile) -> bytes:
    raw.pos = 0
    head = raw.piece(8)
    if head[:4] != _DICTIONARY:
        raw.pos = 0
        return b""
    data = raw.piece(int.from_bytes(head[4:8], "little"))
    raw.pos = 0
    try:
        unpacker = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW).decompressobj()
        return unpacker.decompress(data) if data.startswith(ZSTD) else data
    except zstandard.ZstdError:
        return b""  # then the first record does not inflate and is reported


def inflate(raw: RawFile, codec: Codec, piece_bytes: int = PIECE_BYTES) -> Iterator[bytes]:
    """Yield the content of the member at `raw.pos` and leave `raw` behind it.

    Raises BadRecord where it ends too early or is corrupt, after all that comes before the break.
    """
    start = raw.pos
    member = codec.make()
    while not member.eof:
        before, given = raw.pos, 0
        piece = raw.piece(piece_bytes)
        if not piece:
            raise BadRecord("truncated_member", f"the {codec.name} data ends at byte {raw.pos} within a member")
        try:
            for out in member.feed(piece):
                yield out
                given += len(out)
        except CORRUPT:
            yield from _salvage(raw, codec, start, before, given, piece_bytes)
            raise BadRecord(
                "corrupt_member", f"the {codec.name} data is corrupt between bytes {before} and {before + len(piece)}"
            ) from None
    raw.pos -= member.left


def _salvage(raw: RawFile, codec: Codec, start: int, broken: int, given: int, piece_bytes: int) -> Iterator[bytes]:
    """Inflate the member at `start` again, byte by byte from `broken`, and yield what was lost with the failed call."""
    raw.pos = start
    member = codec.make()
    while raw.pos < broken:
        for _ in member.feed(raw.piece(piece_bytes)):
            pass
    piece = raw.piece(piece_bytes)
    try:
        for n in range(len(piece)):
            for out in member.feed(piece[n : n + 1]):
                if given < len(out):
                    yield out[given:]
                given = max(0, given - len(out))
    except CORRUPT:
        return


def begins_record(raw: RawFile, codec: Codec, first_line: re.Pattern[bytes]) -> bool:
    """Return whether a member begins at `raw.pos` whose content begins like a record; `raw` stays there."""
    start = raw.pos
    head = b""
    if raw.peek(len(codec.magic)) != codec.magic:
        return False
    try:
        for out in inflate(raw, codec, PEEK_BYTES):
            head += out
            if len(head) >= LINE_BYTES or b"\n" in head.lstrip(b"\r\n"):
                break
    except BadRecord:
        return bool(first_line.match(head))
    finally:
        raw.pos = start
    return bool(first_line.match(head))


def _holds_data(raw: RawFile, codec: Codec) -> bool:
    """Return whether a member at `raw.pos` gives any bytes; `raw` stays there."""
    start = raw.pos
    try:
        return any(out.strip(b"\r\n") for out in inflate(raw, codec, PEEK_BYTES))
    except BadRecord:
        return False
    finally:
        raw.pos = start


def find_segment(raw: RawFile, lo: int, hi: int | None, codec: Codec, first_line: re.Pattern[bytes]) -> int | None:
    """Return the first position in [lo, hi) where a member begins like a record, hi None for the end of the file: then
    the members that are passed over are counted."""
    overlap = len(codec.magic) - 1
    while hi is None or lo < hi:
        raw.pos = lo
        window = raw.peek(READ_BYTES)
        at = window.find(codec.magic)
        while at >= 0:
            if hi is not None and lo + at >= hi:
                return None
            raw.pos = lo + at
            if begins_record(raw, codec, first_line):
                return lo + at
            raw.passed += hi is None and _holds_data(raw, codec)
            at = window.find(codec.magic, at + 1)
        if len(window) < READ_BYTES:
            return None
        lo += len(window) - overlap
    return None


class Segment:
    """A run of bytes, inflated, that begins at a record. `chunks` can be taken once."""

    def __init__(self, raw: RawFile, codec: Codec | None, first_line: re.Pattern[bytes]) -> None:
        self._raw = raw
        self._codec = codec
        self._first_line = first_line
        self._start = raw.pos
        self.linear = codec is None  # a chunk's position counts for each of its bytes
        self.break_at: int | None = None
        self.members = 0  # begun so far that hold more than line ends

    def again(self) -> Segment:
        """Return the same segment from its first byte on; this one must not be read any more."""
        self._raw.pos = self._start
        return Segment(self._raw, self._codec, self._first_line)

    def left(self) -> int | None:
        """Return how many bytes follow the chunk that was given last, None where only inflating tells."""
        return self._raw.left if self.linear else None

    def chunks(self) -> Iterator[tuple[int, bytes]]:
        """Yield (position in the file, bytes): the chunk's own position, or its member's. BadRecord at a break."""
        if self._codec is None:
            while piece := self._raw.piece():
                yield self._raw.pos - len(piece), piece
            return
        first = True
        while True:
            at = self._raw.pos
            if not self._raw.peek(1) or not (first or not begins_record(self._raw, self._codec, self._first_line)):
                return
            try:
                if self._skip_empty_frame():
                    continue
                holds_more = False  # than line ends
                for out in self._member():
                    if not holds_more and out.strip(b"\r\n"):
                        holds_more = True
                        self.members += 1
                    yield at, out
            except BadRecord:
                self.break_at = at
                raise
            first = False

    def _member(self) -> Iterator[bytes]:
        assert self._codec is not None  # noqa: S101
        if self._raw.peek(len(self._codec.magic)) == self._codec.magic:
            yield from inflate(self._raw, self._codec)
        elif not _only_zeros(self._raw):
            raise BadRecord("not_a_member", f"byte {self._raw.pos} is no start of a {self._codec.name} member")

    def _skip_empty_frame(self) -> bool:
        head = self._raw.peek(8)
        if self._codec is None or self._codec.magic == GZIP or not _SKIPPABLE.match(head):
            return False
        self._raw.pos += 8 + int.from_bytes(head[4:8], "little")
        return True


def segments(
    raw: RawFile, start: int, end: int, codec: Codec | None, first_line: re.Pattern[bytes]
) -> Iterator[Segment]:
    """Yield the segments that start in [start, end). Each must be read to its end, or to its break, before the next."""
    if codec is None:
        if start == 0:
            raw.pos = 0
            yield Segment(raw, None, first_line)
        return
    at: int | None = 0 if start == 0 else find_segment(raw, start, end, codec, first_line)
    while at is not None and at < end:
        raw.pos = at
        if not raw.peek(1) and at:
            return
        segment = Segment(raw, codec, first_line)
        yield segment
        at = raw.pos
        if segment.break_at is not None:
            at = find_segment(raw, segment.break_at + 1, None, codec, first_line)


def _only_zeros(raw: RawFile) -> bool:
    """Go over padding: return whether only zero bytes follow, up to the file's end; `raw` stays if not."""
    start = raw.pos
    while piece := raw.piece():
        if piece.strip(b"\0"):
            raw.pos = start
            return False
    return True
