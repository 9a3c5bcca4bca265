"""Read labelled texts from a table: JSON lines, CSV, TSV or Parquet, plain or gzip."""

from __future__ import annotations

import contextlib
import gzip
import io
import zlib
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from schemas.errors import ConfigError
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
    try:
        with contextlib.closing(_rows(table, columns)) as rows:
            for number, row in rows:
                where = f"{table}: row {number}"
                missing = [name for name in columns if name not in row]
                if missing:
                    raise ConfigError(f"{where} has no column {missing[0]!r}; columns: {', '.join(row) or 'none'}")
                text, label, *language = (row[name] for name in columns)
                yield _text(text, where), _label(label, where), _language(language, where)
    except (OSError, EOFError, zlib.error) as error:
        raise ConfigError(f"{table}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    except (UnicodeDecodeError, pa.ArrowInvalid, pa.ArrowKeyError) as error:
        raise ConfigError(f"{table}: not a valid table: {' '.join(str(error).split())}") from None


def _rows(table: Path, columns: tuple[str, ...]) -> Generator[tuple[int, dict[str, Any]], None, None]:
    suffix = Path(table.name.removesuffix(".gz")).suffix.lower()
    if suffix in (".jsonl", ".ndjson", ".json"):
        with io.TextIOWrapper(_open(table), encoding="utf-8-sig") as lines:
            yield from json_lines.objects(lines, str(table))
    elif suffix in (".csv", ".tsv"):
        yield from enumerate(_arrow_rows(_read_csv(table, "\t" if suffix == ".tsv" else ",", columns)), start=1)
    elif suffix == ".parquet":
        with pa.parquet.ParquetFile(table) as file:
            known = [name for name in columns if name in file.schema_arrow.names]
            if len(known) < len(columns):
                raise ConfigError(_missing(table, columns, file.schema_arrow.names))
            batches = file.iter_batches(columns=known)
            yield from enumerate((row for batch in batches for row in batch.to_pylist()), start=1)
    else:
        raise ConfigError(f"{table}: unknown kind of table; allowed: {_SUFFIXES}")


def _open(table: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(table)) if table.suffix == ".gz" else table.open("rb")


def _read_csv(table: Path, delimiter: str, columns: tuple[str, ...]) -> pa.Table:
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


def _missing(table: Path, columns: tuple[str, ...], found: list[str]) -> str:
    missing = next(name for name in columns if name not in found)
    return f"{table}: has no column {missing!r}; columns: {', '.join(found) or 'none'}"


def _text(value: Any, where: str) -> str:
    if isinstance(value, str):
        return value
    raise ConfigError(f"{where}: the text is {type(value).__name__}, not a string")


def _label(value: Any, where: str) -> str:
    """Return a label as fastText can hold it: one word."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and len(value.split()) == 1 and value.isprintable() and value == value.strip():
        return value
    raise ConfigError(f"{where}: {value!r} is not a label; must be one word or a whole number")


def _language(value: list[Any], where: str) -> str:
    """Return the language code of a row, '' where it has none."""
    if not value or value[0] is None:
        return ""
    if isinstance(value[0], str):
        return value[0]
    raise ConfigError(f"{where}: the language is {type(value[0]).__name__}, not a string")
