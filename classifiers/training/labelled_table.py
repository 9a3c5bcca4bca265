"""Read labelled texts from a table: JSON lines, CSV, TSV or Parquet, plain or gzip."""

from __future__ import annotations

import contextlib
import gzip
import io
import math
import zlib
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from schemas.errors import ConfigError
from schemas.given import shown
from storage import json_lines

_SUFFIXES = ".jsonl, .ndjson, .json, .csv, .tsv (each also with .gz), .parquet"


def read_labelled(table: Path, text_column: str, label_column: str) -> Iterator[tuple[str, str]]:
    """Yield (text, label) of each row in order. Raises ConfigError naming the file, the row and what is wrong."""
    for text, label, _ in read_rows(table, (text_column, label_column)):
        yield text, label


def read_rows(table: Path, columns: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    """Yield (text, label, language) of each row in order; `columns` names them, the third, language, may lack.

    Raises ConfigError naming the file, the row and what is wrong.
    """
    for where, row in read_columns(table, columns):
        text, label, *language = (row[name] for name in columns)
        yield (
            text_of(text, where),
            label_of(label, where),
            word_of(language[0] if language else None, where, "language"),
        )


def read_columns(
    table: Path, columns: Sequence[str], optional: Sequence[str] = ()
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (where, values by column) of each row in order; `where` names the file and the row, for errors.

    A row has all of `columns`, and those of `optional` that its table has. Raises ConfigError naming the file, the row
    and what is wrong. Of CSV and TSV all values are strings.
    """
    try:
        with contextlib.closing(_rows(table, columns, optional)) as rows:
            for number, row in rows:
                where = f"{table}: row {number}"
                missing = [name for name in columns if name not in row]
                if missing:
                    raise ConfigError(f"{where} has no column {missing[0]!r}; columns: {', '.join(row) or 'none'}")
                yield where, row
    except (OSError, EOFError, zlib.error) as error:
        raise ConfigError(f"{table}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    except (UnicodeDecodeError, pa.ArrowInvalid, pa.ArrowKeyError) as error:
        raise ConfigError(f"{table}: not a valid table: {' '.join(str(error).split())}") from None


def _rows(
    table: Path, columns: Sequence[str], optional: Sequence[str]
) -> Generator[tuple[int, dict[str, Any]], None, None]:
    suffix = Path(table.name.removesuffix(".gz")).suffix.lower()
    if suffix in (".jsonl", ".ndjson", ".json"):
        with io.TextIOWrapper(_open(table), encoding="utf-8-sig") as lines:
            yield from json_lines.objects(lines, str(table))
    elif suffix in (".csv", ".tsv"):
        yield from enumerate(
            _arrow_rows(_read_csv(table, "\t" if suffix == ".tsv" else ",", [*columns, *optional])), start=1
        )
    elif suffix == ".parquet":
        with pa.parquet.ParquetFile(table) as file:
            names = file.schema_arrow.names
            if not set(columns) <= set(names):
                raise ConfigError(_missing(table, columns, names))
            known = [name for name in (*columns, *optional) if name in names]
            batches = file.iter_batches(columns=known)
            yield from enumerate((row for batch in batches for row in batch.to_pylist()), start=1)
    else:
        raise ConfigError(f"{table}: unknown kind of table; allowed: {_SUFFIXES}")


def _open(table: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(table)) if table.suffix == ".gz" else table.open("rb")


def _read_csv(table: Path, delimiter: str, columns: Sequence[str]) -> pa.Table:
    # One block: a quoted text may be longer than any block, and Arrow refuses a row that straddles two.
    with _open(table) as file:
        data = file.read()
    try:
        return pa.csv.read_csv(
            pa.BufferReader(data),
            read_options=pa.csv.ReadOptions(block_size=min(len(data) + 1, (1 << 31) - 1)),
            parse_options=pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pa.csv.ConvertOptions(column_types=dict.fromkeys(columns, pa.string())),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):
            raise ConfigError(f"{table}: is empty") from None
        raise


def _arrow_rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    for batch in table.to_batches():
        yield from batch.to_pylist()


def _missing(table: Path, columns: Sequence[str], found: list[str]) -> str:
    missing = next(name for name in columns if name not in found)
    return f"{table}: has no column {missing!r}; columns: {', '.join(found) or 'none'}"


def text_of(value: Any, where: str) -> str:
    """Return the text of a row."""
    if isinstance(value, str):
        return value
    raise ConfigError(f"{where}: the text is {type(value).__name__}, not a string")


def label_of(value: Any, where: str) -> str:
    """Return a label as fastText can hold it: one word."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and len(value.split()) == 1 and value.isprintable() and value == value.strip():
        return value
    raise ConfigError(f"{where}: {value!r} is not a label; must be one word or a whole number")


def word_of(value: Any, where: str, what: str) -> str:
    """Return the value of a row's language or site, '' where it has none."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    raise ConfigError(f"{where}: the {what} is {type(value).__name__}, not a string")


def number_of(value: Any, where: str, what: str) -> float | None:
    """Return a finite number of a row, None where it has none or NaN."""
    if value is None or value == "":
        return None
    try:
        number = float(value) if not isinstance(value, (bool, list, dict)) else None
    except (TypeError, ValueError):
        number = None
    if number is None or math.isinf(number):
        raise ConfigError(f"{where}: the {what} is {shown(value)}, not a number")
    return None if math.isnan(number) else number
