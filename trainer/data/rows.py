"""Rows of free columns in Parquet files: what post-training reads.

    DIR/*.parquet    tokens: list of whole numbers; other columns: a list as long, or one number for a row; the footer
                     tells the tokenizer (`write_rows`)

Rows that belong together have the same value in column `unit` and follow one another in one row group; without that
column each row is a unit. `lengths` are counted, never read. Files are shuffled already, as shards are: in each epoch
the row groups come in an order of their own, and the units within each. So a reader that goes forward decodes one row
group at a time.
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
import pyarrow.parquet as pq

import storage
from schemas.errors import ConfigError, RunError
from schemas.shards import TokenizerFacts
from trainer.data.batches import TOKENS, Batch, Column, Columns, share_of
from trainer.data.parquet import open_parquet
from trainer.data.permutation import Permutation
from trainer.data.row_checks import UNIT, check_rows, check_schema, check_units, ends_of_units, trained_by

MADE = ("positions",)  # by the feed, where the files do not have them
COUNTED = "lengths"  # by the feed: another length than that of a row's tokens would score padding
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
    """Return the tokenizer that a file of rows tells. RunError when it tells none, InputError for a damaged file."""
    with open_parquet(path) as file:
        return TokenizerFacts.from_footer(file.metadata.metadata, path)


class RowFolder:
    """The rows of a stage. Opening reads them once: what does not fit is refused before anything is trained."""

    def __init__(self, paths: Sequence[str], wanted: Mapping[str, Column], longest: int) -> None:
        """`wanted` are the columns of the objective, `longest` the tokens that a row may have.

        ConfigError for a column that is missing or of another kind, for the first row that no model can be trained on
        (`check_rows`), for rows of which none counts, and for several tokenizers; InputError for a damaged file.
        """
        self.columns = {"tokens": TOKENS, **wanted}
        self._from_file: list[str] = []
        self._groups: list[_Group] = []
        self._trained: set[str] = set()
        facts: list[TokenizerFacts] = []
        for path in paths:
            facts.append(self._open(path, longest))
            if facts[-1] != facts[0]:
                raise ConfigError(f"{path}: another tokenizer than {paths[0]}")
        self.tokenizer = facts[0]
        self.units = self._groups[-1].start + len(self._groups[-1].ends) if self._groups else 0
        if not self.units:
            raise ConfigError(f"rows: {paths[0]}: no rows")
        for name in self._from_file:
            if self.columns[name].idle is not None and name not in self._trained:
                idle = self.columns[name].idle
                raise ConfigError(f"rows: {paths[0]}: column {name!r} is {idle} everywhere: nothing to train on")
        self.unit_rows = max(int(np.diff(group.ends, prepend=0).max()) for group in self._groups)
        self._decoded: OrderedDict[int, dict[str, Any]] = OrderedDict()
        self._last: tuple[str, tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]] | None = None

    def _open(self, path: str, longest: int) -> TokenizerFacts:
        with open_parquet(path) as file:
            facts, there = TokenizerFacts.from_footer(file.metadata.metadata, path), file.schema_arrow
            if not self._from_file:
                self._from_file = [n for n in self.columns if n != COUNTED and (n not in MADE or n in there.names)]
            wanted = {name: self.columns[name] for name in self._from_file}
            check_schema(there, wanted, path)
            for name in set(MADE) & set(there.names) & (self.columns.keys() - wanted.keys()):
                raise ConfigError(f"rows: {path}: column {name!r}, which the files before it do not have")
            names = [*wanted, *([UNIT] if UNIT in there.names else [])]
            units: list[Any] = []
            sizes = [np.zeros(0, np.int64)]
            before = 0
            for number in range(file.num_row_groups):
                table = file.read_row_group(number, columns=names)
                if not len(table):
                    continue
                check_rows(table, wanted, longest, facts.vocab_size, path, before)
                self._trained |= trained_by(table, wanted)
                ends, found = ends_of_units(table)
                start = self._groups[-1].start + len(self._groups[-1].ends) if self._groups else 0
                self._groups.append(_Group(path, number, ends, start))
                units += found
                sizes.append(np.diff(ends, prepend=0))
                before += len(table)
            check_units(units, np.concatenate(sizes), path)
            return facts

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
        if self._last is None or self._last[0] != key:
            order = _order(len(self._groups), key)
            self._last = key, (order, np.cumsum([len(self._groups[int(n)].ends) for n in order]))
        return self._last[1]

    def _decode(self, number: int) -> dict[str, Any]:
        if number not in self._decoded:
            group = self._groups[number]
            with open_parquet(group.path) as file:
                table = file.read_row_group(group.number, columns=self._from_file)
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
