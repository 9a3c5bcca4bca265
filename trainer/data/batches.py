"""A batch: named columns over rows, and the rows that belong together.

Pre-training needs three columns (tokens, positions, labels), post-training others: weights of tokens, ranks of answers,
rewards, log-probabilities under a reference. An objective says which it reads, and a feed brings them.

    columns    one value for each token [rows, S], or one for each row [rows]
    unit       rows that stay in one micro-batch on one rank: an answer alone, the answers to one prompt, a group

A feed has no state: batch n is a function of n, rank and world. To resume is to ask for the next number, and another
world cuts the same batch otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from schemas.errors import ConfigError

ENTRY = "token id"  # how `Column.unit` begins where values are entries of the vocabulary: rows are checked for that
IGNORE = -100  # a label that no loss counts: that of torch's cross-entropy

A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Column:
    """What a column holds."""

    dtype: str  # numpy's name
    unit: str  # what a value is: token id, nats, ...
    by_token: bool = True  # [rows, S]; else [rows]
    padding: float = 0  # of places behind the end of a row
    idle: float | None = None  # in rows that only fill up a rank's share and must not count; None: copied from a row


TOKENS = Column("int64", ENTRY)
POSITIONS = Column("int64", "tokens since the start of the document, or of the row: the document mask")
LABELS = Column("int64", f"{ENTRY}, the next of the same document; IGNORE: does not count", padding=IGNORE, idle=IGNORE)
LENGTHS = Column("int64", "tokens of the row, padding not counted", by_token=False)
PRE_TRAINING = {"tokens": TOKENS, "positions": POSITIONS, "labels": LABELS}


@dataclass(frozen=True, slots=True)
class Columns(Generic[A]):
    """A batch of numpy arrays, or a micro-batch of tensors on the device."""

    columns: Mapping[str, A]
    units: Sequence[int]  # rows of each unit, in order

    def __getitem__(self, name: str) -> A:
        return self.columns[name]

    @property
    def rows(self) -> int:
        return sum(self.units)

    @property
    def tokens(self) -> A:
        """[rows, S] token ids."""
        return self.columns["tokens"]

    @property
    def positions(self) -> A:
        """[rows, S] places within documents."""
        return self.columns["positions"]

    @property
    def labels(self) -> A:
        """[rows, S] the next tokens, or IGNORE."""
        return self.columns["labels"]


Batch = Columns[npt.NDArray[Any]]


def n_tokens(batch: Batch) -> int:
    """Return the tokens of a batch without padding."""
    return int(batch["lengths"].sum() if "lengths" in batch.columns else batch.tokens.size)


class Feed(Protocol):
    """The batches of one stage."""

    @property
    def units(self) -> int:
        """Units of a batch, over all ranks."""

    @property
    def unit_rows(self) -> int:
        """Rows of the largest unit."""

    def batch(self, number: int, rank: int = 0, world: int = 1) -> Batch:
        """Return the share of one rank in batch `number`; ranks in order make up the whole batch."""

    def ends(self, steps: int) -> dict[str, int]:
        """Return the position in each source after so many batches: where a stage that follows starts."""


def share_of(units: int, rank: int, world: int, what: str = "units") -> range:
    """Return which units of a batch are a rank's. Shares differ by at most one; ConfigError when a rank gets none."""
    if world > units:
        raise ConfigError(f"a batch of {units} {what} cannot be shared by {world} ranks")
    return range(units * rank // world, units * (rank + 1) // world)


def rows_of(batch: Batch, first: int, last: int) -> Batch:
    """Return units `first` to before `last` of a batch."""
    start, end = sum(batch.units[:first]), sum(batch.units[:last])
    return Columns({name: array[start:end] for name, array in batch.columns.items()}, batch.units[first:last])


def filled(batch: Batch, units: int, facts: Mapping[str, Column]) -> Batch:
    """Return a batch with copies of its first unit behind it, up to so many units, in which no row counts."""
    lacking = units - len(batch.units)
    if lacking <= 0:
        return batch
    n = batch.units[0]
    columns = {}
    for name, array in batch.columns.items():
        idle = facts[name].idle if name in facts else None
        more = array[:n] if idle is None else np.full_like(array[:n], idle)
        columns[name] = np.concatenate([array, *[more] * lacking])
    return Columns(columns, [*batch.units, *[n] * lacking])
