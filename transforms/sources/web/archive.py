"""Reading archives record by record: the loop that WARC and ARC share.

A record that cannot be read becomes one Broken and the reading goes on: in its segment at the next line that looks like
the start of a record, after a break of the compressed data at the next member that begins like one. A record that is
shorter than its header says may have swallowed those behind it: they are looked for from the start of its block.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from schemas.errors import BadRecord
from transforms.sources.cursor import TRUNCATED, Cursor, truncated_record
from transforms.sources.items import Broken, Part, RawRecord
from transforms.sources.members import Codec, RawFile, segments

MAX_RESTARTS = 4  # of a segment, each of which inflates it once more


@dataclass(frozen=True)
class Grammar:
    """What tells one archive format from another."""

    name: str
    first_line: re.Pattern[bytes]  # matches at a record's first byte
    first_bytes: re.Pattern[bytes]  # matches the start of that line, START_BYTES at most
    read_header: Callable[[Cursor, RawRecord], None]  # fills in the record; raises BadRecord
    kept_types: frozenset[str]  # record types whose block is wanted at all


def read_archive(
    raw: RawFile, part: Part, codec: Codec | None, grammar: Grammar, wanted: Callable[[int], bool], keep_bytes: int
) -> Iterator[RawRecord | Broken]:
    """Yield the records that start in `part`, numbered from 0.

    Of those whose row is `wanted` the first `keep_bytes` of the block are kept, of all others nothing.
    """
    row = 0
    tally = _Tally()
    for segment in segments(raw, part.start, part.end, codec, grammar.first_line):
        cursor = Cursor(segment)
        lost, restarts, records = False, 0, 0
        while True:
            item = _next_item(cursor, grammar, row, keep_bytes if wanted(row) else 0, lost)
            if item is None:
                break
            lost = isinstance(item, Broken)
            records += not lost
            row += 1
            yield item
            if isinstance(item, Broken) and item.cause == TRUNCATED and restarts < MAX_RESTARTS:
                cursor = cursor.back_to_block() or cursor
                restarts += 1
        segment.break_at = cursor.segment.break_at
        tally.add(cursor.segment.members, records)
    tally.members += raw.passed
    if tally.members > row and tally.is_one_each:
        yield Broken(
            row=row, offset=part.start, cause="members_missing", records=tally.members - row,
            detail=f"there are {tally.members:,} compressed members from here on, {row:,} of them were read as records",
        )  # fmt: skip


@dataclass
class _Tally:
    """How many compressed members of a part hold data: a count of records that the reader of records does not make."""

    members: int = 0
    alone: int = 0  # segments of one member that hold one record
    others: int = 0  # segments that hold more records than one

    def add(self, members: int, records: int) -> None:
        self.members += members
        self.alone += members == records == 1
        self.others += records > 1

    @property
    def is_one_each(self) -> bool:
        """Whether each member holds a record, as crawlers write them; a file cut into members anywhere does not."""
        return self.alone > 0 and not self.others


def _next_item(cursor: Cursor, grammar: Grammar, row: int, keep_bytes: int, lost: bool) -> RawRecord | Broken | None:
    """Return the next record of the segment, a Broken in its place, or None at the segment's end."""
    record = RawRecord(row=row, offset=-1, length=-1, record_type="")
    try:
        found = (not lost or cursor.find(grammar.first_line)) and cursor.skip_newlines()
        if not found:
            return None
        record.offset = cursor.place
        grammar.read_header(cursor, record)
        cursor.begin_block(record.length)
        if record.record_type in grammar.kept_types:
            record.block = cursor.take(min(record.length, keep_bytes))
        read = len(record.block) + cursor.drop(record.length - len(record.block))
        if read < record.length:
            raise truncated_record(record.length, read)
        cursor.check_end(grammar.first_bytes)
    except BadRecord as error:
        break_at = cursor.segment.break_at if cursor.broken else None
        if cursor.broken:
            cursor.drop_held()
        if lost and record.offset < 0:
            return None  # the data breaks before a next record was found: still the break reported before
        return Broken(
            row=row,
            offset=record.offset if break_at is None else break_at,
            cause=error.cause,
            detail=error.detail,
            record_id=record.record_id,
            url=record.url,
        )
    return record
