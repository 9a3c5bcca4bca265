"""Tables of text as Parquet. A row becomes a record of type 'row' with the text.

A row group belongs to the part in which its first page lies; a record's offset is the number of the row in the file.

A value that cannot be read costs its row at most: strings are taken as the bytes they are, since Arrow checks none of
them, and times as numbers, since Python's do not reach as far and know fewer time zones. A text may lie in a column of
bytes; bytes of a text that are not UTF-8 are a failure, those of an address are escaped. A page that cannot be read
ends its row group: that is one Broken, which says how many rows it stands for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from transforms.sources.dates import date_text, of_milliseconds
from transforms.sources.items import Broken, IngestConfig, Part, RawRecord
from transforms.sources.strings import address_of_bytes
from transforms.sources.tables.fields import Field, OtherColumns, json_in, unnamed
from transforms.sources.tables.rows import RowValues, named_columns, record_of

BATCH_ROWS = 256
_PER_MILLISECOND = {"s": (1000, 1), "ms": (1, 1), "us": (1, 1000), "ns": (1, 1_000_000)}  # factor, divisor
_UNREADABLE = (pa.ArrowException, ValueError, OverflowError, KeyError)  # of a value; KeyError: an unknown time zone
_DAMAGED = (pa.ArrowException, OSError, UnicodeDecodeError)  # of a file or a page; the last: a column's name


@dataclass(frozen=True)
class _RowGroup:
    number: int
    start: int  # byte where its first page starts
    first_row: int  # its number in the file
    n_rows: int  # as its metadata say


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
        groups = _row_groups(table.metadata)
    except _DAMAGED as error:
        if part.start == 0:
            yield Broken(row=row, offset=0, cause="corrupt_table", detail=_one_line(error))
        return
    for group in groups:
        if not part.start <= group.start < part.end:
            continue
        done = 0
        rest = OtherColumns(table, group.number, others, BATCH_ROWS)
        try:
            for batch in table.iter_batches(BATCH_ROWS, row_groups=[group.number], columns=columns):
                for at, values in enumerate(_rows(batch, config)):
                    fields: Iterable[Field] = ()
                    if wanted(row) and config.metadata_bytes:
                        fields = _fields(names, batch, at, rest.row(config.metadata_bytes), config)
                    else:
                        rest.skip()
                    yield record_of(values, row, group.first_row + done, config, fields)
                    row, done = row + 1, done + 1
        except _DAMAGED as error:
            yield Broken(
                row=row, offset=group.first_row + done, cause="corrupt_row_group", detail=_one_line(error),
                records=max(1, group.n_rows - done),
            )  # fmt: skip
            row += 1


def declared_rows(stream: BinaryIO, part: Part) -> int:
    """Return how many rows the footer says the row groups that start in `part` have; the part at 0 answers for those
    that the file has and no group does. 0 when the footer cannot be read."""
    try:
        metadata = pq.read_metadata(stream)
        groups = _row_groups(metadata)
    except _DAMAGED:
        return 0
    declared = sum(group.n_rows for group in groups if part.start <= group.start < part.end)
    in_no_group = metadata.num_rows - sum(group.n_rows for group in groups)
    return declared + (max(0, in_no_group) if part.start == 0 else 0)


def _row_groups(metadata: Any) -> list[_RowGroup]:
    groups: list[_RowGroup] = []
    first_row = 0
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        start = 0
        if group.num_columns:
            chunk = group.column(0)
            start = chunk.dictionary_page_offset if chunk.has_dictionary_page else chunk.data_page_offset
        n_rows = max(0, group.num_rows)
        groups.append(_RowGroup(number, max(0, start), first_row, n_rows))
        first_row += n_rows
    return groups


def _columns(names: Sequence[str], config: IngestConfig) -> list[str]:
    wanted = named_columns(config)
    return [name for name in names if any(column == name or column.startswith(f"{name}.") for column in wanted)]


def _fields(
    names: Sequence[str], batch: pa.RecordBatch, row: int, others: dict[str, str | None], config: IngestConfig
) -> Iterator[Field]:
    """Yield the columns of a row that no setting names, in the order of the file."""
    named = named_columns(config)
    for name in names:
        if name in others:
            yield name, others[name]
        elif name not in named:  # a column that a setting names a part of
            written = json_in(batch, name, row, config.metadata_bytes)
            yield from unnamed({name: written}, named) if written is not None else ((name, None),)


def _rows(batch: pa.RecordBatch, config: IngestConfig) -> Iterator[RowValues]:
    """Yield what each row of a batch says in the columns that settings name."""
    texts, urls, ids, dates = (_array(batch, column) for column in named_columns(config))
    columns = (_bytes_of(texts), _bytes_of(urls), _ids(ids), _dates(dates))
    instead = ""
    if texts is not None and columns[0] is None:
        instead = f"column {config.text_column} holds {texts.type}, not a text"
    rows = (column if column is not None else [None] * batch.num_rows for column in columns)
    for text, url, identity, date in zip(*rows, strict=True):
        address = address_of_bytes(url) if url else ""
        yield RowValues(text, address, identity or "", date or "", _damage(text), instead)


def _damage(text: bytes | None) -> str:
    try:
        (text or b"").decode("utf-8")
    except UnicodeDecodeError as error:
        return f"the text is not UTF-8, from its byte {error.start} on"
    return ""


def _array(batch: pa.RecordBatch, column: str) -> pa.Array | None:
    """Return the values of a column, `a.b` being b inside a; None if there is none. Of two of a name the last."""
    found = batch.schema.get_all_field_indices(column)
    if found:
        return batch.column(found[-1])
    outer, _, inner = column.partition(".")
    found = batch.schema.get_all_field_indices(outer)
    return _child(batch.column(found[-1]), inner) if found and inner else None


def _child(array: pa.Array, column: str) -> pa.Array | None:
    if not pa.types.is_struct(array.type):
        return None
    place = array.type.get_field_index(column)
    if place >= 0:
        return pc.struct_field(array, [place])
    outer, _, inner = column.partition(".")
    place = array.type.get_field_index(outer)
    return _child(pc.struct_field(array, [place]), inner) if place >= 0 and inner else None


_IS_BYTES = (
    pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view, pa.types.is_fixed_size_binary,
)  # fmt: skip
_BYTES_OF = (
    (pa.types.is_string, pa.binary()), (pa.types.is_large_string, pa.large_binary()),
    (pa.types.is_string_view, pa.binary_view()),
)  # fmt: skip


def _plain(array: pa.Array) -> pa.Array:
    """Return an array without what is around its values: a dictionary, an extension type."""
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def _bytes_of(array: pa.Array | None) -> list[bytes | None] | None:
    """Return the bytes of texts, unchecked; None when the column holds something else."""
    if array is None:
        return None
    array = _plain(array)
    if any(is_bytes(array.type) for is_bytes in _IS_BYTES):
        return list(array.to_pylist())
    for is_text, as_bytes in _BYTES_OF:
        if is_text(array.type):
            return list(array.cast(as_bytes).to_pylist())
    return None


def _ids(array: pa.Array | None) -> list[str | None] | None:
    if array is None:
        return None
    data = _bytes_of(array)
    if data is not None:
        return [value.decode("utf-8", "backslashreplace") if value else None for value in data]
    array = _plain(array)
    if pa.types.is_integer(array.type):
        return [None if value is None else str(value) for value in array.to_pylist()]
    return None


def _dates(array: pa.Array | None) -> list[str | None] | None:
    """Return dates as text that `parse_date` reads, or does not."""
    if array is None:
        return None
    data = _bytes_of(array)
    if data is not None:
        return [value.decode("utf-8", "replace") if value else None for value in data]
    array = _plain(array)
    if pa.types.is_timestamp(array.type):
        factor, divisor = _PER_MILLISECOND[array.type.unit]
        return [_moment(value, factor, divisor) for value in array.cast(pa.int64()).to_pylist()]
    if pa.types.is_date32(array.type):
        return [_moment(value, 86_400_000, 1) for value in array.cast(pa.int32()).to_pylist()]
    if pa.types.is_date64(array.type):
        return [_moment(value, 1, 1) for value in array.cast(pa.int64()).to_pylist()]
    return [_date_in(value) for value in array]


def _moment(value: int | None, factor: int, divisor: int) -> str:
    if value is None:
        return ""
    moment = of_milliseconds(value * factor // divisor)
    return moment.isoformat() if moment is not None else "a time out of range"


def _date_in(value: pa.Scalar) -> str:
    try:
        return date_text(value.as_py())
    except _UNREADABLE:
        return f"a value of type {value.type}"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
