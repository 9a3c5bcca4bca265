"""Rows of free columns in Parquet files: what post-training reads.

    DIR/*.parquet    tokens: list of whole numbers; other columns: a list as long, or one number for a row; the footer
                     tells the tokenizer (`write_rows`)

Rows that belong together have the same value in column `unit` and follow one another in one row group; without that
column each row is a unit. Files are shuffled already, as shards are: in each epoch the row groups come in an order of
their own, and the units within each. So a reader that goes forward decodes one row group at a time.
"""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import storage
from schemas.errors import ConfigError, RunError
from schemas.shards import TokenizerFacts
from trainer.data.batches import LENGTHS, POSITIONS, TOKENS, Batch, Column, Columns, share_of
from trainer.data.permutation import Permutation

UNIT = "unit"
MADE = {"positions": POSITIONS, "lengths": LENGTHS}  # by the feed, where the files do not have them
CACHED_GROUPS = 2

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class _Group:
    """A row group, and where its units end."""

    path: str
    number: int  # in its file
    ends: npt.NDArray[np.int64]  # [units] exclusive, in rows
    start: int  # units in the groups before it


@dataclass(frozen=True, slots=True)
class _Row:
    by_token: Mapping[str, Array]  # [n]
    by_row: Mapping[str, Any]  # a number


def write_rows(path: Path, table: pa.Table, tokenizer: TokenizerFacts, rows_per_group: int = 4096) -> None:
    """Write rows as a stage reads them. No unit may cross row groups: ValueError when one does."""
    for start in range(rows_per_group, table.num_rows, rows_per_group):
        if UNIT in table.column_names and table[UNIT][start - 1] == table[UNIT][start]:
            raise ValueError(f"unit {table[UNIT][start]} lies in two row groups of {rows_per_group} rows")
    path.parent.mkdir(parents=True, exist_ok=True)
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), **tokenizer.to_footer()})
    pq.write_table(table, path, row_group_size=rows_per_group)


def row_files(folders: Sequence[str]) -> list[str]:
    """Return the Parquet files of folders, in the order of their names within each. ConfigError when one has none."""
    found = []
    for folder in folders:
        paths = sorted(path for path in storage.list_files(folder) if path.endswith(".parquet"))
        if not paths:
            raise ConfigError(f"rows: {folder}: no Parquet files (*.parquet) here")
        found += paths
    return found


def tokenizer_of(path: str) -> TokenizerFacts:
    """Return the tokenizer that a file of rows tells. RunError when it tells none."""
    with storage.open_read(path) as file:
        return TokenizerFacts.from_footer(pq.ParquetFile(file).metadata.metadata, path)


class RowFolder:
    """The rows of a stage. Opening reads them once: what does not fit is refused before anything is trained."""

    def __init__(self, paths: Sequence[str], wanted: Mapping[str, Column], longest: int) -> None:
        """`wanted` are the columns of the objective, `longest` the tokens that a row may have.

        ConfigError for a column that is missing or of another kind, for a longer row, and for several tokenizers.
        """
        self.columns = {"tokens": TOKENS, **wanted}
        self._from_file: list[str] = []
        self._groups: list[_Group] = []
        facts: list[TokenizerFacts] = []
        for path in paths:
            facts.append(self._open(path, longest))
            if facts[-1] != facts[0]:
                raise ConfigError(f"{path}: another tokenizer than {paths[0]}")
        self.tokenizer = facts[0]
        self.units = self._groups[-1].start + len(self._groups[-1].ends) if self._groups else 0
        if not self.units:
            raise ConfigError(f"rows: {paths[0]}: no rows")
        self.unit_rows = max(int(np.diff(group.ends, prepend=0).max()) for group in self._groups)
        self._decoded: OrderedDict[int, dict[str, Any]] = OrderedDict()

    def _open(self, path: str, longest: int) -> TokenizerFacts:
        with storage.open_read(path) as file:
            try:
                found = pq.ParquetFile(file)
            except (pa.ArrowInvalid, OSError) as error:
                raise ConfigError(f"rows: {path}: not a Parquet file: {error}") from None
            if not self._from_file:
                self._from_file = [n for n in self.columns if n not in MADE or n in found.schema_arrow.names]
            self._check_columns(found.schema_arrow, path)
            last: Any = None
            for number in range(found.num_row_groups):
                has_units = UNIT in found.schema_arrow.names
                table = found.read_row_group(number, columns=[*self._from_file, *([UNIT] if has_units else [])])
                self._check_lengths(table, longest, f"rows: {path}: row group {number}")
                ends = np.arange(1, len(table) + 1)
                if has_units and len(table):
                    names = table.column(UNIT).combine_chunks()
                    if last is not None and names[0].as_py() == last:
                        raise ConfigError(f"rows: {path}: unit {last!r} lies in two row groups")
                    last = names[-1].as_py()
                    changed = pc.not_equal(names[1:], names[:-1]).to_numpy(zero_copy_only=False)
                    ends = np.append(np.flatnonzero(changed) + 1, len(table))
                if len(table):
                    before = self._groups[-1].start + len(self._groups[-1].ends) if self._groups else 0
                    self._groups.append(_Group(path, number, ends.astype(np.int64), before))
            return TokenizerFacts.from_footer(found.metadata.metadata, path)

    def _check_columns(self, schema: pa.Schema, path: str) -> None:
        for name in self._from_file:
            if name not in schema.names:
                raise ConfigError(f"rows: {path}: column {name!r}, which the objective reads, is missing")
            kind, by_token = schema.field(name).type, self.columns[name].by_token
            value = kind.value_type if pa.types.is_list(kind) or pa.types.is_large_list(kind) else kind
            is_number = pa.types.is_integer(value) or pa.types.is_floating(value) or pa.types.is_boolean(value)
            if (value is kind) == by_token or not is_number:
                expected = "a list of numbers, one for each token" if by_token else "a number for each row"
                raise ConfigError(f"rows: {path}: column {name!r} is {kind}; expected {expected}")

    def _check_lengths(self, table: pa.Table, longest: int, where: str) -> None:
        for name in self._from_file:
            if table.column(name).null_count:
                raise ConfigError(f"{where}: column {name!r} has empty values")
        lengths = pc.list_value_length(table.column("tokens"))
        for name in self._from_file:
            if self.columns[name].by_token and not pc.list_value_length(table.column(name)).equals(lengths):
                raise ConfigError(f"{where}: column {name!r} is not as long as tokens in each row")
        limits = pc.min_max(lengths).as_py() if len(table) else {"min": 1, "max": 1}
        if not limits["min"] >= 1 or limits["max"] > longest:
            raise ConfigError(f"{where}: rows of {limits['min']} to {limits['max']} tokens; allowed: 1 to {longest}")

    def unit(self, position: int, key: str) -> list[_Row]:
        """Return the rows of the unit at a position of the stream of all epochs; `key` tells its order from others'."""
        epoch, place = divmod(position, self.units)
        order, ends = self._epoch(f"{key}:{epoch}")
        nth = int(np.searchsorted(ends, place, side="right"))
        number = int(order[nth])
        group = self._groups[number]
        within = _order(len(group.ends), f"{key}:{epoch}:{number}")
        unit = int(within[place - (int(ends[nth - 1]) if nth else 0)])
        first = int(group.ends[unit - 1]) if unit else 0
        decoded = self._decode(number)
        return [self._row(decoded, row) for row in range(first, int(group.ends[unit]))]

    def _epoch(self, key: str) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
        """Return the row groups in the order of an epoch, and the position in it where each ends."""
        order = _order(len(self._groups), key)
        return order, np.cumsum([len(self._groups[int(n)].ends) for n in order])

    def _decode(self, number: int) -> dict[str, Any]:
        if number not in self._decoded:
            group = self._groups[number]
            with storage.open_read(group.path) as file:
                table = pq.ParquetFile(file).read_row_group(group.number, columns=self._from_file)
            if len(table) != group.ends[-1]:
                raise RunError(f"{group.path}: has changed since the run began")
            self._decoded[number] = {name: table.column(name).combine_chunks() for name in self._from_file}
            while len(self._decoded) > CACHED_GROUPS:
                self._decoded.popitem(last=False)
        self._decoded.move_to_end(number)
        return self._decoded[number]

    def _row(self, decoded: Mapping[str, Any], row: int) -> _Row:
        by_token = {
            name: decoded[name][row].values.to_numpy(zero_copy_only=False)
            for name in self._from_file
            if self.columns[name].by_token
        }
        return _Row(by_token, {n: decoded[n][row].as_py() for n in self._from_file if not self.columns[n].by_token})


class RowFeed:
    """The batches of a stage that reads rows, from the first unit of an order of its own."""

    def __init__(self, folder: RowFolder, units: int, key: str) -> None:
        """`units` of a batch; `key` tells the order of this stage from others'."""
        self._folder, self._units, self._key = folder, units, key

    @property
    def units(self) -> int:
        return self._units

    @property
    def unit_rows(self) -> int:
        return self._folder.unit_rows

    def batch(self, number: int, rank: int = 0, world: int = 1) -> Batch:
        """Return the share of one rank in batch `number`, its rows padded to the longest of them."""
        positions = (number * self._units + n for n in share_of(self._units, rank, world))
        found = [self._folder.unit(position, self._key) for position in positions]
        return stack([row for unit in found for row in unit], [len(unit) for unit in found], self._folder.columns)

    def ends(self, steps: int) -> dict[str, int]:
        """Return nothing: the stage that follows reads the shards from where those before this one stopped."""
        return {}


def stack(rows: Sequence[_Row], units: Sequence[int], facts: Mapping[str, Column]) -> Batch:
    """Return rows as a batch, with their positions and lengths."""
    lengths = np.array([len(row.by_token["tokens"]) for row in rows], np.int64)
    width = int(lengths.max())
    columns: dict[str, Array] = {
        "lengths": lengths,
        "positions": np.tile(np.arange(width, dtype=np.int64), (len(rows), 1)),
    }
    for name in rows[0].by_token:
        columns[name] = np.full((len(rows), width), facts[name].padding, facts[name].dtype)
        for n, row in enumerate(rows):
            columns[name][n, : lengths[n]] = row.by_token[name]
    for name in rows[0].by_row:
        columns[name] = np.array([row.by_row[name] for row in rows], facts[name].dtype)
    return Columns(columns, list(units))


@functools.lru_cache(maxsize=64)
def _order(n: int, key: str) -> npt.NDArray[np.uint64]:
    return Permutation(n, key).of(np.arange(n, dtype=np.uint64))
