"""What a survey is: a rule across documents. Texts stay where they are, blocks of hashes are compared.

    emit      from one document, the rows that are to be compared: numbers of a fixed width, pure
    judge     from the rows of all documents, in PTransforms, to verdicts for each part of the corpus
    decide    what a verdict means for one document: drop it, edit it, store something about it, or nothing

Several surveys run in one stage, in order; each sees the documents that those before it left (pipelines/stages/survey).
Where a survey stores Stats whose `stands_for_others` is true, others were dropped for the document: an edit that would
make it fall is not made, or all of them would be lost.
`BestPerKey` and `KeysOverLimit` are the two common kinds; a rule of its own kind has the members of `Survey`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import numpy as np
from apache_beam.pvalue import PCollection

from transforms.shuffle.hash_blocks import Block, Pieces, partitions_for
from transforms.shuffle.known_rows import KnownRows
from transforms.step import Draft, Drop, Edit

Row: TypeAlias = "np.dtype[np.void]"
Rows: TypeAlias = Sequence[tuple[Any, ...]] | Block
Decision: TypeAlias = Drop | Edit | Any | None  # anything else: an instance of the survey's `stats`


@dataclass(frozen=True)
class Ground:
    """What a survey starts from, known before its shuffle starts."""

    documents: Mapping[str, int]  # documents of this run that are alive when the survey starts, by language
    known: Mapping[str, KnownRows] = field(default_factory=dict)  # what earlier runs left, by the name of the table
    earlier_documents: Mapping[str, int] = field(default_factory=dict)  # those of earlier runs, by language
    rounds: int = 4  # of a survey that goes on in rounds

    @property
    def n_documents(self) -> int:
        return sum(self.documents.values())

    def partitions(self, rows_per_document: float, row_bytes: int) -> int:
        """Return how many partitions keep the groups of a shuffle small."""
        return partitions_for(int(self.n_documents * rows_per_document), row_bytes)


@dataclass(frozen=True)
class Judged:
    """What `judge` gives."""

    verdicts: Pieces  # (part, bytes of a verdict block), any number for a part
    unsettled: PCollection[int] | None = None  # numbers whose sum is 0 when `Ground.rounds` were enough


class Survey(Protocol):
    """A rule across documents. Instances are plain values that pickle."""

    @property
    def name(self) -> str: ...

    @property
    def settings(self) -> Any: ...

    @property
    def resources(self) -> Sequence[str]: ...

    @property
    def stats(self) -> type | None:
        """The Stats dataclass whose struct column the survey adds; None for no column."""

    @property
    def row(self) -> Row:
        """The fields that `emit` gives; the stage puts the row number of the document before them."""

    @property
    def leaves(self) -> Mapping[str, Row]:
        """Tables that a run leaves for later ones; their first field is a hash."""

    @property
    def fixed(self) -> Sequence[str]:
        """Settings that must be what they were in the dataset's earlier runs; '' are all of them."""

    @property
    def edits(self) -> bool:
        """Whether its decisions may be Edits; such a survey is the last of its stage: others have seen the old text."""

    @property
    def looks_at(self) -> Sequence[str] | None:
        """Columns of the documents that its decisions look at; None: all. What is not last is decided on these."""

    @property
    def needs(self) -> Sequence[str]:
        """Measures of earlier steps that it looks at, as step.field: a recipe without them is refused."""

    @property
    def cpu_ms(self) -> float:
        """CPU time of a document, roughly."""

    def emit(self, draft: Draft) -> Rows:
        """Return the rows of one document."""

    def judge(self, rows: Pieces, ground: Ground) -> Judged:
        """Return the verdicts of (part, bytes of `addressed(row)` rows) of living documents."""

    def verdict(self, blocks: Sequence[bytes], ground: Ground) -> Callable[[Draft, int], Decision]:
        """Return the function (draft, row) -> decision that the verdict blocks of one part make."""


def addressed(row: Row) -> Row:
    """Return the fields of an emitted row with the number of its document in its part before them."""
    return np.dtype([("row", "<u4"), *((name, row[name]) for name in row.names or ())])


def emitted(rows: Rows, number: int, dtype: Row) -> Block:
    """Return what a survey emitted of document `number` as rows of `addressed(dtype)`."""
    block = np.zeros(len(rows), addressed(dtype))
    given = rows if isinstance(rows, np.ndarray) else np.array(list(rows), dtype)
    for name in dtype.names or ():
        block[name] = given[name]
    block["row"] = number
    return block
