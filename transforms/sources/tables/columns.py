"""The columns that a table has, for a person whose settings name one that it has not."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.errors import BadRecord
from storage.files import open_read
from transforms.sources.formats import detect
from transforms.sources.members import RawFile, inflate

_LOOKED_AT = 1 << 20  # bytes: the first row of most tables is shorter


def column_names(path: str) -> list[str]:
    """Return the columns of a Parquet file, those that are not text with their type, or the keys of the first row of a
    JSON Lines file. None for any other file. InputError when it cannot be opened.
    """
    with open_read(path) as stream:
        raw = RawFile(stream)
        found = detect(raw, path)
        if found is None or found.reader not in ("jsonl", "parquet"):
            return []
        if found.reader == "parquet":
            try:
                return [_described(field) for field in pq.read_schema(stream)]
            except (pa.ArrowException, OSError):
                return []
        pieces = inflate(raw, found.codec) if found.codec else iter([raw.peek(_LOOKED_AT)])
        return next((list(row) for row in _rows(pieces)), [])


def _described(field: pa.Field) -> str:
    is_text = pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
    return str(field.name) if is_text else f"{field.name} ({field.type})"


def _rows(pieces: Iterator[bytes]) -> Iterator[dict[str, object]]:
    """Yield the JSON objects of the first lines."""
    head = b""
    try:
        for piece in pieces:
            head += piece
            if len(head) >= _LOOKED_AT:
                break
    except BadRecord:
        pass  # what comes before the break is enough
    for line in head.removeprefix(b"\xef\xbb\xbf").splitlines():
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict):
            yield row
