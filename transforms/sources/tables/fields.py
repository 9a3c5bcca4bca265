"""The fields of a row that no setting names, as one JSON object: the column `metadata` of its document.

Fields keep their order, and those of JSON Lines the very text of their values, so that numbers stay as they were
written; white space between fields goes, NaN and infinities become null, lone surrogates are escaped. Values of
Parquet: dates and times as ISO 8601, decimals as numbers with all their digits, durations in seconds, bytes as text
where they are UTF-8, else in base 64, maps as lists of pairs.

A field that would make the object longer than the limit is left out whole, the next ones are tried; so is a value that
cannot be read. What is left out is counted, never cut.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()
_UNREADABLE = (pa.ArrowException, ValueError, OverflowError, KeyError)  # of a value; KeyError: an unknown time zone
Field = tuple[str, str | None]  # a name and its value as JSON, None when it cannot be read


def read_object(line: bytes) -> tuple[dict[str, Any], dict[str, str]]:
    """Return an object's fields as values and as they are written. Raises ValueError or RecursionError when the line is
    not valid JSON or another value."""
    text = line.decode(json.detect_encoding(line), "surrogatepass")
    values: dict[str, Any] = {}
    written: dict[str, str] = {}
    for name, value, start, end in _members(text):
        values[name] = value
        written[name] = text[start:end]
    return values, written


def _members(text: str) -> Iterator[tuple[str, Any, int, int]]:
    """Yield name, value and place of the value of each member of an object."""
    at = _mark(text, 0, "{")
    if text[at : at + 1] == "}":
        _end(text, at + 1)
        return
    while True:
        name, at = _DECODER.raw_decode(text, at)
        if not isinstance(name, str):
            raise ValueError("a name is no string")
        start = _mark(text, at, ":")
        value, end = _DECODER.raw_decode(text, start)
        yield name, value, start, end
        at = _blank(text, end)
        if text[at : at + 1] == "}":
            _end(text, at + 1)
            return
        at = _mark(text, at, ",")


def _blank(text: str, at: int) -> int:
    """Return where the white space that begins at a place ends."""
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _mark(text: str, at: int, mark: str) -> int:
    """Return the place after a mark and the white space around it."""
    at = _blank(text, at)
    if text[at : at + 1] != mark:
        raise ValueError(f"{mark} is missing")
    return _blank(text, at + 1)


def _end(text: str, at: int) -> None:
    if _blank(text, at) != len(text):
        raise ValueError("something follows the object")


def unnamed(written: dict[str, str], named: Sequence[str]) -> Iterator[Field]:
    """Yield the fields of an object as it is written that are not among `named`; `a.b` is b inside a."""
    for name, raw in written.items():
        if name in named:
            continue
        inner = [column.partition(".")[2] for column in named if column.partition(".")[0] == name and "." in column]
        if inner and raw.startswith("{"):
            fields = {key: raw[start:end] for key, _, start, end in _members(raw)}
            left = [f"{_quoted(key)}:{value}" for key, value in unnamed(fields, inner) if value is not None]
            if left or not fields:
                yield name, f"{{{','.join(left)}}}"
        else:
            yield name, _valid(raw)


def _valid(raw: str) -> str | None:
    """Return a value that Python reads as JSON that everybody reads; None when it is too deep for that."""
    if "NaN" not in raw and "Infinity" not in raw:
        return raw
    odd: list[str] = []
    try:
        value = json.loads(raw, parse_constant=odd.append)  # which makes it null
        return json.dumps(value, ensure_ascii=False) if odd else raw
    except RecursionError:
        return None


def to_object(fields: Iterable[Field], max_bytes: int) -> tuple[str, int]:
    """Return fields as one JSON object of at most `max_bytes`, '' when none is left, and how many were left out."""
    pieces: list[str] = []
    size, left_out = 1, 0  # each piece has a comma after it, or the bracket
    for name, value in fields:
        piece = "" if value is None or len(value) > max_bytes else _encodable(f"{_quoted(name)}:{value}")
        n_bytes = 1 + (len(piece) if piece.isascii() else len(piece.encode()))
        if piece and size + n_bytes <= max_bytes:
            pieces.append(piece)
            size += n_bytes
        else:
            left_out += 1
    return f"{{{','.join(pieces)}}}" if pieces else "", left_out


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _encodable(piece: str) -> str:
    """Return JSON without lone surrogates, which stand in strings alone: there an escape is the same."""
    return piece if piece.isascii() else piece.encode("utf-8", "backslashreplace").decode()


class OtherColumns:
    """The columns of a row group that no setting names, row by row along with the others: damage to them costs no
    text."""

    def __init__(self, table: pq.ParquetFile, group: int, names: Sequence[str], batch_rows: int) -> None:
        self._names = names
        self._batches = table.iter_batches(batch_rows, row_groups=[group], columns=list(names)) if names else iter(())
        self._batch: pa.RecordBatch | None = None
        self._at = 0

    def skip(self) -> bool:
        """Go to the next row; return whether it can be read."""
        self._at += 1
        try:
            while self._batch is None or self._at >= self._batch.num_rows:
                self._batch, self._at = next(self._batches), 0
                if self._batch.num_rows:
                    break
        except (StopIteration, pa.ArrowException, OSError, UnicodeDecodeError):
            self._batch, self._batches = None, iter(())
        return self._batch is not None

    def row(self, max_bytes: int) -> dict[str, str | None]:
        """Go to the next row; return its values as JSON."""
        if not self.skip() or self._batch is None:
            return dict.fromkeys(self._names)
        batch, at = self._batch, self._at
        return {name: json_in(batch, name, at, max_bytes) for name in self._names}


def json_in(batch: pa.RecordBatch, name: str, row: int, max_bytes: int) -> str | None:
    """Return the value of a column as JSON; None when it cannot be read, or two columns have its name."""
    try:
        value = batch.column(name)[row]
        if not _has_nanoseconds(value.type):
            return json_of(value.as_py(), max_bytes)
    except _UNREADABLE:
        pass
    try:  # nanoseconds and years beyond 9999, which Python's times do not hold: as Arrow writes them
        return json_of(batch.column(name)[row].cast(pa.string()).as_py(), max_bytes)
    except _UNREADABLE:
        return None


def _has_nanoseconds(kind: pa.DataType) -> bool:
    """Say whether a type holds nanoseconds: what Python makes of those depends on whether pandas is installed."""
    if pa.types.is_timestamp(kind) or pa.types.is_duration(kind):
        return bool(kind.unit == "ns")
    if pa.types.is_dictionary(kind):
        return _has_nanoseconds(kind.value_type)
    return any(_has_nanoseconds(kind.field(n).type) for n in range(kind.num_fields))


def json_of(value: Any, max_bytes: int) -> str | None:
    """Return a value of a column as JSON; None when that has more than `max_bytes`, for certain."""
    if value is None:
        return "null"
    if isinstance(value, (str, bytes, list, tuple, dict)) and len(value) > max_bytes:
        return None
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, (bool, int)):
        return json.dumps(value)
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else "null"
    if isinstance(value, Decimal):
        return format(value, "f") if value.is_finite() else "null"
    if isinstance(value, (datetime, date, time)):
        return _quoted(value.isoformat())
    if isinstance(value, timedelta):
        return repr(value.total_seconds())
    if isinstance(value, bytes):
        return _quoted(_text_of(value))
    if isinstance(value, dict):
        return _joined("{}", [(f"{_quoted(str(key))}:", json_of(item, max_bytes)) for key, item in value.items()])
    if isinstance(value, (list, tuple)):
        return _joined("[]", [("", json_of(item, max_bytes)) for item in value])
    return _quoted(str(value))


def _joined(brackets: str, items: Sequence[tuple[str, str | None]]) -> str | None:
    if any(item is None for _, item in items):
        return None
    return f"{brackets[0]}{','.join([f'{head}{item}' for head, item in items])}{brackets[1]}"


def _text_of(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()
