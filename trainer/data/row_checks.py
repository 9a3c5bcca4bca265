"""What a file of rows must hold so that a model can be trained on it; told in one line, with its row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.errors import ConfigError
from trainer.data.batches import ENTRY, Column

UNIT = "unit"


def check_schema(schema: pa.Schema, columns: Mapping[str, Column], path: str) -> None:
    """Raise ConfigError for a column that is missing, or of a type that cannot be what the objective reads."""
    for name, column in columns.items():
        if name not in schema.names:
            raise ConfigError(f"rows: {path}: column {name!r}, which the objective reads, is missing")
        kind = schema.field(name).type
        value = kind.value_type if pa.types.is_list(kind) or pa.types.is_large_list(kind) else kind
        whole = pa.types.is_integer(value) or pa.types.is_boolean(value)
        is_number = whole or (pa.types.is_floating(value) and not _is_whole(column))
        if (value is kind) == column.by_token or not is_number:
            several, one = ("whole numbers", "a whole number") if _is_whole(column) else ("numbers", "a number")
            expected = f"a list of {several}, one for each token" if column.by_token else f"{one} for each row"
            raise ConfigError(f"rows: {path}: column {name!r} is {kind}; expected {expected}")
    if UNIT in schema.names:
        kind = _plain(schema.field(UNIT).type)
        if not (pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            raise ConfigError(f"rows: {path}: column {UNIT!r} is {kind}; expected a whole number or a text")


def check_rows(
    table: pa.Table, columns: Mapping[str, Column], longest: int, vocab_size: int, path: str, before: int
) -> None:  # fmt: skip
    """Raise ConfigError for the first row that has no value, the wrong number of them, or one that cannot be.

    `table` is a row group, `before` the rows in front of it in its file.
    """

    def refuse_any(wrong: Any, what: str) -> None:
        rows = np.flatnonzero(np.asarray(wrong))
        if len(rows):
            raise ConfigError(f"rows: {path}: row {before + int(rows[0])}: {what}")

    for name in table.column_names:
        refuse_any(pc.is_null(table.column(name)), f"column {name!r} is empty")
    lengths = _lengths(table, "tokens")
    for n in lengths[(lengths < 1) | (lengths > longest)][:1]:
        refuse_any((lengths < 1) | (lengths > longest), f"{n} tokens; allowed: 1 to {longest}")
    ends = np.cumsum(lengths)
    for name, column in columns.items():
        values = table.column(name)
        if column.by_token:
            refuse_any(_lengths(table, name) != lengths, f"column {name!r} is not as long as tokens")
            values = pc.list_flatten(values)
        wrong, allowed = _wrong(values, column, vocab_size)
        for place in np.flatnonzero(wrong)[:1]:
            row = int(np.searchsorted(ends, place, side="right")) if column.by_token else int(place)
            value = values[int(place)].as_py()
            raise ConfigError(f"rows: {path}: row {before + row}: column {name!r} holds {value}; allowed: {allowed}")


def trained_by(table: pa.Table, columns: Mapping[str, Column]) -> set[str]:
    """Return the columns in which a row group holds anything but the value that must not count (`Column.idle`)."""
    found = set()
    for name, column in columns.items():
        values = pc.list_flatten(table.column(name)) if column.by_token else table.column(name)
        if column.idle is not None and (values.to_numpy() != column.idle).any():
            found.add(name)
    return found


def ends_of_units(table: pa.Table) -> tuple[npt.NDArray[np.int64], list[Any]]:
    """Return where each unit of a row group ends, exclusive, and the units; without the column each row is one."""
    if UNIT not in table.column_names or not len(table):
        return np.arange(1, len(table) + 1, dtype=np.int64), []
    column = table.column(UNIT)
    names = column.cast(_plain(column.type)).combine_chunks()
    changed = np.flatnonzero(pc.not_equal(names[1:], names[:-1]).to_numpy(zero_copy_only=False))
    ends = np.append(changed + 1, len(table)).astype(np.int64)
    return ends, names.take(pa.array(ends - 1)).to_pylist()


def check_units(units: Sequence[Any], sizes: npt.NDArray[np.int64], path: str) -> None:
    """Raise ConfigError for a unit that comes again in its file; `units` are in order, of so many rows each."""
    if len(set(units)) == len(units):
        return
    known: set[Any] = set()
    for number, unit in enumerate(units):
        if unit in known:
            raise ConfigError(
                f"rows: {path}: row {int(sizes[:number].sum())}: unit {unit!r} comes again; the rows of a unit follow"
                " one another, in one row group"
            )
        known.add(unit)


def _lengths(table: pa.Table, name: str) -> npt.NDArray[np.int64]:
    found: npt.NDArray[np.int64] = pc.list_value_length(table.column(name)).to_numpy().astype(np.int64)
    return found


def _wrong(values: Any, column: Column, vocab_size: int) -> tuple[Any, str]:
    """Return which values cannot be, and which can."""
    if values.null_count:
        return pc.is_null(values).to_numpy(), "numbers"
    found = values.to_numpy()
    if not _is_whole(column):
        with np.errstate(over="ignore"):  # a number that the column's own type cannot hold becomes infinite
            return ~np.isfinite(found.astype(column.dtype)), f"finite numbers ({column.dtype})"
    if column.unit.startswith(ENTRY):  # what fills up a row is allowed in it: of labels, IGNORE
        other = f", or {column.padding}" if column.padding else ""
        wrong = ((found < 0) | (found >= vocab_size)) & (found != column.padding)
        return wrong, f"0 to {vocab_size - 1}, the tokenizer's{other}"
    limits = np.iinfo(column.dtype)
    return (found < limits.min) | (found > limits.max), f"{limits.min} to {limits.max}"


def _is_whole(column: Column) -> bool:
    return np.dtype(column.dtype).kind in "iu"


def _plain(kind: Any) -> Any:
    """Return the type of what a column of few different values holds."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind
