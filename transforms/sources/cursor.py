"""A reading position in a segment: lines, blocks, and the next place that looks like a record."""

from __future__ import annotations

import re
from collections import deque

from schemas.errors import BadRecord
from transforms.sources.members import LINE_BYTES, Segment

MAX_HEADER_BYTES = 1 << 20  # of a record's header; more is no header
TRUNCATED = "truncated_record"
START_BYTES = 20  # that suffice to recognise the start of a record


def truncated_record(length: int, found: int) -> BadRecord:
    """Return the error of a block that is shorter than its header says; both in bytes."""
    return BadRecord(TRUNCATED, f"{length - found} of its {length} bytes are missing")


class Cursor:
    """Reads a segment forward, holding one chunk or one header at a time."""

    def __init__(self, segment: Segment) -> None:
        self.segment = segment
        self._chunks = segment.chunks()
        self.broken = False  # the compressed data has a break here
        self._buffer = b""
        self._at = 0
        self._pending: BadRecord | None = None
        self._read = 0  # bytes of the segment before the buffer
        self._block_at = 0
        self._places: deque[tuple[int, int]] = deque()  # (byte of the segment, position in the file) of each chunk

    @property
    def place(self) -> int:
        """Position in the file of the next byte, or of the member that holds it. Valid after `more`."""
        return self._place_of(self._read + self._at)

    def begin_block(self, length: int) -> None:
        """Begin a record's block. Raises BadRecord, without reading it, where the file is known to be shorter."""
        self._block_at = self._read + self._at
        held = len(self._buffer) - self._at
        if length > held and (behind := self.segment.left()) is not None and length > held + behind:
            raise truncated_record(length, held + behind)

    def back_to_block(self) -> Cursor | None:
        """Return a cursor over the same segment at the block that was begun last; None where it is there already or the
        data breaks. This one must not be used any more."""
        if self.broken or self._read + self._at == self._block_at:
            return None
        cursor = Cursor(self.segment.again())
        cursor.drop(self._block_at)
        return cursor

    def more(self) -> bool:
        """Return whether there is a next byte."""
        while self._at == len(self._buffer):
            if not self._fill():
                return False
        return True

    def take(self, n: int) -> bytes:
        """Return the next `n` bytes, fewer at the end."""
        pieces = []
        while n > 0 and self.more():
            piece = self._buffer[self._at : self._at + n]
            pieces.append(piece)
            self._at += len(piece)
            n -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def drop(self, n: int) -> int:
        """Go over `n` bytes; return how many there were."""
        missing = n
        while missing > 0 and self.more():
            step = min(missing, len(self._buffer) - self._at)
            self._at += step
            missing -= step
        return n - missing

    def skip_newlines(self) -> bool:
        """Go over line ends; return whether anything follows."""
        while self.more():
            if self._buffer[self._at] not in b"\r\n":
                return True
            self._at += 1
        return False

    def check_end(self, next_record: re.Pattern[bytes]) -> None:
        """Go over line ends behind a record, and see to its member's end, whose checksum may say it is corrupt.

        Raises BadRecord for a break of the member that comes before anything that `next_record`, the first bytes of a
        record, matches. A break further on is raised when it is read.
        """
        member = self._place_of(self._read + self._at - 1)
        try:
            if self.skip_newlines() and not next_record.match(self._hold(START_BYTES), self._at):
                self._hold(LINE_BYTES)
        except BadRecord as error:
            if member == self.segment.break_at and not next_record.match(self._buffer, self._at):
                raise
            self._pending, self.broken = error, False

    def take_until(self, end: re.Pattern[bytes]) -> bytes | None:
        """Return the bytes up to and with the next match of `end`, which is a few bytes long; None if there is none."""
        searched = self._at
        while True:
            found = end.search(self._buffer, searched)
            if found:
                head = self._buffer[self._at : found.end()]
                self._at = found.end()
                return head
            held = len(self._buffer) - self._at
            if held > MAX_HEADER_BYTES or not self._fill():
                return None
            searched = max(0, held - 4)

    def take_line(self, limit: int) -> tuple[bytes, int]:
        """Return the next line without its end, cut off at `limit` bytes, and its whole length."""
        pieces: list[bytes] = []
        length = 0
        while self.more():
            end = self._buffer.find(b"\n", self._at)
            stop = end if end >= 0 else len(self._buffer)
            if length < limit:
                pieces.append(self._buffer[self._at : min(stop, self._at + limit - length)])
            length += stop - self._at
            self._at = min(stop + 1, len(self._buffer))
            if end >= 0:
                break
        return b"".join(pieces), length

    def drop_held(self) -> None:
        """Go over what was read before a break: a piece of a record."""
        self._at = len(self._buffer)

    def find(self, line: re.Pattern[bytes]) -> bool:
        """Go to the next line that `line` matches, the one that begins here included; return whether there is one."""
        while self.more():
            while (
                b"\n" not in self._buffer[self._at : self._at + LINE_BYTES]
                and len(self._buffer) - self._at < LINE_BYTES
            ):
                if not self._fill():
                    break
            if line.match(self._buffer, self._at):
                return True
            newline = self._buffer.find(b"\n", self._at)
            self._at = newline + 1 if newline >= 0 else len(self._buffer)
        return False

    def _place_of(self, byte: int) -> int:
        while len(self._places) > 1 and self._places[1][0] <= byte:
            self._places.popleft()
        first, position = self._places[0]
        return position + (byte - first if self.segment.linear else 0)

    def _hold(self, n: int) -> bytes:
        """Return the buffer once it holds `n` bytes from here on, or all there are."""
        while len(self._buffer) - self._at < n and self._fill():
            pass
        return self._buffer

    def _fill(self) -> bool:
        if self._pending is not None:
            error, self._pending, self.broken = self._pending, None, True
            raise error
        try:
            chunk = next(self._chunks, None)
        except BadRecord:
            self.broken = True
            raise
        if chunk is None:
            return False
        position, data = chunk
        self._read += self._at
        rest = self._buffer[self._at :]
        self._places.append((self._read + len(rest), position))
        self._buffer = rest + data if rest else data
        self._at = 0
        return True
