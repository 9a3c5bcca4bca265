"""Tables of text: JSON Lines, plain or compressed, and Parquet. A row becomes a record of type 'row' with the text.

JSON Lines: a line belongs to the part in which its first byte lies; a record's offset is that byte, of the decompressed
data if the file is compressed. Parquet: a row group belongs to the part in which its first page lies; the offset is the
number of the row in the file. Blank lines are no records.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.errors import BadRecord
from transforms.sources.cursor import Cursor
from transforms.sources.items import Broken, IngestConfig, Part, RawRecord
from transforms.sources.members import Codec, RawFile, Segment
from transforms.sources.tables.fields import Field, OtherColumns, json_of, read_object, to_object, unnamed

BATCH_ROWS = 256
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
    except (ValueError, RecursionError):
        return Broken(row=row, offset=place, cause="malformed_json", detail="the line is not valid JSON")
    return _record(values, row, place, config, unnamed(written, _named(config)))


def read_parquet(
    stream: BinaryIO, part: Part, config: IngestConfig, wanted: Callable[[int], bool]
) -> Iterator[RawRecord | Broken]:
    """Yield the rows of the row groups that start in `part`, numbered from 0; `wanted` ones with the columns that no
    setting names."""
    row = 0
    try:
        table = pq.ParquetFile(stream)
        names = table.schema_arrow.names
        columns = _columns(names, config)
        others = [name for name in names if name not in columns] if config.metadata_bytes else []
        groups = [(number, *_place(table.metadata, number)) for number in range(table.metadata.num_row_groups)]
    except (pa.ArrowException, OSError) as error:
        if part.start == 0:
            yield Broken(row=row, offset=0, cause="corrupt_table", detail=_one_line(error))
        return
    for number, start, first_row in groups:
        if not part.start <= start < part.end:
            continue
        done = 0
        rest = OtherColumns(table, number, others, BATCH_ROWS)
        try:
            for batch in table.iter_batches(BATCH_ROWS, row_groups=[number], columns=columns):
                for values in batch.to_pylist():
                    fields: Iterable[Field] = ()
                    if wanted(row) and config.metadata_bytes:
                        fields = _fields(names, values, rest.row(config.metadata_bytes), config)
                    else:
                        rest.skip()
                    yield _record(values, row, first_row + done, config, fields)
                    row, done = row + 1, done + 1
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            yield Broken(row=row, offset=first_row + done, cause="corrupt_row_group", detail=_one_line(error))
            row += 1


def _named(config: IngestConfig) -> tuple[str, ...]:
    return (config.text_column, config.url_column, config.id_column, config.date_column)


def _columns(names: Sequence[str], config: IngestConfig) -> list[str]:
    wanted = _named(config)
    return [name for name in names if any(column == name or column.startswith(f"{name}.") for column in wanted)]


def _fields(
    names: Sequence[str], values: Mapping[str, Any], others: Mapping[str, str | None], config: IngestConfig
) -> Iterator[Field]:
    """Yield the columns of a row that no setting names, in the order of the file."""
    named = _named(config)
    for name in names:
        if name in others:
            yield name, others[name]
        elif name not in named:  # a column that a setting names a part of
            written = json_of(values.get(name), config.metadata_bytes)
            yield from unnamed({name: written}, named) if written is not None else ((name, None),)


def _place(metadata: Any, number: int) -> tuple[int, int]:
    """Return the byte where a row group's first page starts, and the number of its first row in the file."""
    group = metadata.row_group(number)
    columns = [group.column(0)] if group.num_columns else []
    pages = [page for column in columns for page in (column.dictionary_page_offset, column.data_page_offset)]
    return min((page for page in pages if page is not None), default=0), sum(
        metadata.row_group(before).num_rows for before in range(number)
    )


def _record(values: Any, row: int, place: int, config: IngestConfig, fields: Iterable[Field]) -> RawRecord | Broken:
    text = _lookup(values, config.text_column)
    if not isinstance(text, str):
        return Broken(row=row, offset=place, cause="missing_text", detail=f"no text in column {config.text_column}")
    block = text.encode("utf-8", "replace")
    identity = _lookup(values, config.id_column)
    url = _lookup(values, config.url_column)
    metadata, left_out = to_object(fields, config.metadata_bytes)
    return RawRecord(
        row=row,
        offset=place,
        length=len(block),
        record_type="row",
        record_id=str(identity) if isinstance(identity, (str, int)) else "",
        url=url if isinstance(url, str) else "",
        date=_date_text(_lookup(values, config.date_column)),
        media_type="text/plain; charset=utf-8",
        block=block,
        metadata=metadata,
        left_out=left_out,
    )


def _lookup(values: Any, column: str) -> Any:
    """Return the value of a column, `a.b` being b inside a; None if there is none."""
    if isinstance(values, dict) and column in values:
        return values[column]
    outer, dot, inner = column.partition(".")
    return _lookup(values.get(outer), inner) if dot and isinstance(values, dict) else None


def _date_text(value: Any) -> str:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(value, UTC).isoformat()
        except (ValueError, OverflowError, OSError):
            return ""
    return value if isinstance(value, str) else ""


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def only(items: Iterator[RawRecord | Broken], wanted: Callable[[int], bool]) -> Iterator[RawRecord | Broken]:
    """Yield `items`, without the blocks of rows that are not wanted."""
    for item in items:
        if isinstance(item, RawRecord) and not wanted(item.row):
            item.block = b""
        yield item
