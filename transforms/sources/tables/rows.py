"""Tables of text as JSON Lines, plain or compressed. A row becomes a record of type 'row' with the text.

A line belongs to the part in which its first byte lies; a record's offset is that byte, of the decompressed data if the
file is compressed. Blank lines are no records. Parquet is read by `parquet`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from schemas.errors import BadRecord
from transforms.sources.cursor import Cursor
from transforms.sources.dates import date_text
from transforms.sources.items import Broken, IngestConfig, Part, RawRecord
from transforms.sources.members import Codec, RawFile, Segment
from transforms.sources.strings import storable, storable_address
from transforms.sources.tables.fields import Field, read_object, to_object, unnamed

ESCAPED = 6  # bytes of JSON that one byte of text can take (\u001f)

_NOTHING = re.compile(rb"(?!)")


def read_jsonl(
    raw: RawFile, part: Part, codec: Codec | None, config: IngestConfig, wanted: Callable[[int], bool]
) -> Iterator[RawRecord | Broken]:
    """Yield the lines that start in `part`, numbered from 0; `wanted` ones with the fields that no setting names.

    Compressed files are read by the part that starts at 0.
    """
    if codec is not None and part.start:
        return
    cursor, place = _open_lines(raw, part, codec)
    row = 0
    limit = ESCAPED * config.max_body_bytes + (1 << 16)
    while codec is not None or place < part.end:
        try:
            if not cursor.more():
                return
            line, length = cursor.take_line(limit)
        except BadRecord as error:
            yield Broken(row=row, offset=place, cause=error.cause, detail=error.detail)
            return
        if line.strip(b" \t\r\xef\xbb\xbf"):
            yield _line_record(line, length, row, place, config, wanted=wanted(row))
            row += 1
        place += length + 1


def _open_lines(raw: RawFile, part: Part, codec: Codec | None) -> tuple[Cursor, int]:
    """Return a cursor at the first line that starts in `part`, and that line's byte."""
    raw.pos = max(0, part.start - 1)
    cursor = Cursor(Segment(raw, codec, _NOTHING))
    if not part.start:
        return cursor, 0
    _, skipped = cursor.take_line(0)  # from the byte before: nothing if that byte ends a line
    return cursor, part.start + skipped


def _line_record(
    line: bytes, length: int, row: int, place: int, config: IngestConfig, *, wanted: bool
) -> RawRecord | Broken:
    if length > len(line):
        return RawRecord(row=row, offset=place, length=length, record_type="row")  # cut off: classified as too large
    line = line.removeprefix(b"\xef\xbb\xbf")
    written: dict[str, str] = {}
    try:
        if wanted and config.metadata_bytes:
            values, written = read_object(line)
        else:
            values = json.loads(line)
    except RecursionError:
        return Broken(row=row, offset=place, cause="malformed_json", detail="values lie too deep in one another")
    except (json.JSONDecodeError, UnicodeDecodeError):
        return Broken(row=row, offset=place, cause="malformed_json", detail="the line is not valid JSON")
    except ValueError as error:  # Python's own limit for the digits of a whole number, or `read_object`
        return Broken(row=row, offset=place, cause="malformed_json", detail=_why_unread(error))
    return record_of(_named_values(values, config), row, place, config, unnamed(written, named_columns(config)))


def _why_unread(error: ValueError) -> str:
    long = "digits" in str(error)
    return f"a number has more than {sys.get_int_max_str_digits():,} digits" if long else "the line is not valid JSON"


@dataclass(slots=True)
class RowValues:
    """What a row says in the columns that settings name, as tables of ours can hold it."""

    text: bytes | None  # UTF-8; None: there is none
    url: str = ""
    record_id: str = ""
    date: str = ""  # as transforms.sources.dates reads it
    damage: str = ""  # why the text cannot be read; '' when it can
    instead: str = ""  # what is in the place of the text, in words; '' when nothing is


def _named_values(values: Any, config: IngestConfig) -> RowValues:
    text, url = _lookup(values, config.text_column), _lookup(values, config.url_column)
    identity = _lookup(values, config.id_column)
    return RowValues(
        text=text.encode("utf-8", "replace") if isinstance(text, str) else None,
        url=storable_address(url) if isinstance(url, str) else "",
        record_id=storable(str(identity)) if isinstance(identity, (str, int)) else "",
        date=date_text(_lookup(values, config.date_column)),
        instead=_instead(values, text, config.text_column),
    )


def _instead(values: Any, text: Any, column: str) -> str:
    if not isinstance(values, dict):
        return f"the line is {_kind_of(values)}, not an object"
    return f"column {column} holds {_kind_of(text)}, not a text" if text is not None else ""


def _kind_of(value: Any) -> str:
    kinds = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "a text",
        list: "a list",
        dict: "an object",
    }
    return kinds.get(type(value), "null")


def record_of(
    values: RowValues, row: int, place: int, config: IngestConfig, fields: Iterable[Field]
) -> RawRecord | Broken:
    """Return a row as a record; Broken, with its address and id, when it has no text or one that cannot be read."""
    if values.damage or values.text is None:
        cause = "undecodable_text" if values.damage else "missing_text"
        detail = values.damage or values.instead or f"no text in column {config.text_column}"
        return Broken(row=row, offset=place, cause=cause, detail=detail, record_id=values.record_id, url=values.url)
    metadata, left_out = to_object(fields, config.metadata_bytes)
    return RawRecord(
        row=row,
        offset=place,
        length=len(values.text),
        record_type="row",
        record_id=values.record_id,
        url=values.url,
        date=values.date,
        media_type="text/plain; charset=utf-8",
        block=values.text,
        metadata=metadata,
        left_out=left_out,
    )


def named_columns(config: IngestConfig) -> tuple[str, ...]:
    """Return the columns that settings name."""
    return (config.text_column, config.url_column, config.id_column, config.date_column)


def _lookup(values: Any, column: str) -> Any:
    """Return the value of a column, `a.b` being b inside a; None if there is none."""
    if isinstance(values, dict) and column in values:
        return values[column]
    outer, dot, inner = column.partition(".")
    return _lookup(values.get(outer), inner) if dot and isinstance(values, dict) else None


def only(items: Iterator[RawRecord | Broken], wanted: Callable[[int], bool]) -> Iterator[RawRecord | Broken]:
    """Yield `items`, without the blocks of rows that are not wanted."""
    for item in items:
        if isinstance(item, RawRecord) and not wanted(item.row):
            item.block = b""
        yield item
