"""The survey of keys that add up to too much over the corpus: a site, an n-gram, a phrase of a test set.

A document gives (key, weight) pairs; weights and occurrences of each key are added up over all documents of all
sources, and those that `over` chooses come back to every part that has the key. Weights are whole numbers, so that the
sum does not depend on the order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from schemas.errors import RunError
from transforms.shuffle.hash_blocks import (
    Block,
    GroupBlocks,
    Piece,
    Pieces,
    make_block,
    read_block,
    run_lengths,
    run_starts,
    sort_rows,
    split_block,
    split_by,
    to_pieces,
)
from transforms.step import Draft, blamed
from transforms.survey import Decision, Ground, Judged, Row, addressed

WEIGHTED = np.dtype([("key", "<u8"), ("weight", "<i8")])
TOTAL = np.dtype([("key", "<u8"), ("weight", "<i8"), ("count", "<i8")])  # count: pairs that were added up
_PLACED = np.dtype([("key", "<u8"), ("part", "<u4"), ("weight", "<i8"), ("count", "<i8")])
KEYS_PER_DOCUMENT = 4  # only sets how many partitions the shuffle has


@dataclass(frozen=True, slots=True)
class Total:
    """What a key adds up to over the corpus."""

    weight: int
    count: int


@dataclass(frozen=True)
class KeysOverLimit:
    """Finds the keys of too much weight; `decide` says what that means for a document that has some.

    keys      (draft, settings) -> its (key, weight) pairs; a key is a 64-bit hash (schemas.identity.keyed_hash)
    over      (block of TOTAL, settings) -> which of its rows are over the limit
    decide    (draft, the totals of those of its keys that are over, settings) -> Drop, Edit, Stats or None
    """

    name: str
    keys: Callable[[Draft, Any], Sequence[tuple[int, int]]]
    over: Callable[[Block, Any], npt.NDArray[np.bool_]]
    decide: Callable[[Draft, Mapping[int, Total], Any], Decision]
    settings: Any
    stats: type | None = None
    resources: Sequence[str] = ()
    edits: bool = False  # `decide` may give Edits
    needs: Sequence[str] = ()  # measures that `keys` and `decide` look at, as step.field: refused where none is stored
    row: ClassVar[Row] = WEIGHTED
    leaves: ClassVar[dict[str, Row]] = {}  # a later run counts its own documents alone
    fixed: ClassVar[Sequence[str]] = ()
    looks_at: ClassVar[Sequence[str] | None] = None
    cpu_ms: ClassVar[float] = 0.1

    def emit(self, draft: Draft) -> Sequence[tuple[int, int]]:
        """Return the document's pairs."""
        pairs = self.keys(draft, self.settings)
        if any(not isinstance(number, int) for pair in pairs for number in pair):
            raise RunError(f"step {self.name}: keys and weights must be whole numbers, not {pairs[0]}")
        return pairs

    def judge(self, rows: Pieces, ground: Ground) -> Judged:
        """Add up and choose; the verdict of a part are the totals of its keys that are over."""
        n_partitions = ground.partitions(KEYS_PER_DOCUMENT, _PLACED.itemsize)

        def place(piece: Piece) -> Iterator[Piece]:
            return split_block(_added_up(piece), "key", n_partitions)

        def select(piece: Piece) -> Iterator[Piece]:
            return self._select(read_block(piece[1], _PLACED))

        verdicts: Pieces = (
            rows
            | "AddUpParts" >> to_pieces(place)
            | "GroupByKeyRange" >> GroupBlocks(_PLACED)
            | "SelectOver" >> to_pieces(select)
        )
        return Judged(verdicts)

    def _select(self, placed: Block) -> Iterator[Piece]:
        starts = run_starts(placed["key"])
        if not len(starts):
            return
        sizes = run_lengths(starts, len(placed))
        weight, count = (np.add.reduceat(placed[name], starts) for name in ("weight", "count"))
        totals = make_block(TOTAL, key=placed["key"][starts], weight=weight, count=count)
        with blamed(self.name):
            over = np.asarray(self.over(totals, self.settings))
        if over.dtype != np.bool_ or over.shape != totals.shape:
            raise RunError(f"step {self.name}: `over` must give true or false for each of the totals")
        yield from split_by(np.repeat(totals, sizes)[np.repeat(over, sizes)], placed["part"][np.repeat(over, sizes)])

    def verdict(self, blocks: Sequence[bytes], ground: Ground) -> Callable[[Draft, int], Decision]:
        """Let `decide` see the totals of a document's keys."""
        over = {key: Total(weight, count) for block in blocks for key, weight, count in _rows(block)}

        def decide(draft: Draft, row: int) -> Decision:
            found = {key: over[key] for key, _ in self.keys(draft, self.settings) if key in over} if over else {}
            return self.decide(draft, found, self.settings) if found else None

        return decide


def _rows(block: bytes) -> list[tuple[int, int, int]]:
    rows: list[tuple[int, int, int]] = read_block(block, TOTAL).tolist()
    return rows


def _added_up(piece: Piece) -> Block:
    """Return the sums of one part, a row a key."""
    rows = sort_rows(read_block(piece[1], addressed(WEIGHTED))[["key", "weight"]].astype(WEIGHTED))
    starts = run_starts(rows["key"])
    if not len(starts):
        return np.zeros(0, _PLACED)
    weight = np.add.reduceat(rows["weight"], starts)
    counts = run_lengths(starts, len(rows))
    return make_block(_PLACED, key=rows["key"][starts], part=piece[0], weight=weight, count=counts)
