"""Keep one of all records that share a key: newest copy of a URL, one of each payload digest or exact text.

The Llama 3 report (section 3.1.1) keeps the most recent version of each URL. What is best is a number, the rank, that
the caller computes (seconds since 1970 for the newest, characters for the longest); ties go to the smaller id.

Over several runs the first that is committed wins: what an earlier run has tokenized and shuffled cannot be replaced.
A record whose key an earlier run has seen (transforms/shuffle/known_rows.py) loses, regardless of its rank.
Deviation: one run over all inputs would keep the newest of all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import apache_beam as beam
import numpy as np
import numpy.typing as npt
from apache_beam.pvalue import PCollection

from schemas.identity import id_text
from transforms.shuffle.hash_blocks import (
    Block,
    GroupBlocks,
    Piece,
    Pieces,
    make_block,
    positions_of,
    read_block,
    run_lengths,
    run_starts,
    sort_rows,
    split_block,
    split_by,
    to_pieces,
)
from transforms.shuffle.known_rows import KnownRows

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

COPY = np.dtype(
    [
        ("key_hi", "<u8"),  # 128-bit hash of what the copies share
        ("key_lo", "<u8"),
        ("rank", "<i8"),  # the bigger wins
        ("id_hi", "<u8"),  # 128-bit id of the record; the smaller wins a tie, then the smaller place
        ("id_lo", "<u8"),
        ("part", "<u4"),  # the file the record is in
        ("row", "<u4"),  # and its place in the file
    ]
)
LOSER = np.dtype([("row", "<u4"), ("winner_hi", "<u8"), ("winner_lo", "<u8"), ("known", "u1")])
# A key that a run has seen, and the record it kept of it: what the run leaves for later ones.
SEEN = np.dtype([("key_hi", "<u8"), ("key_lo", "<u8"), ("id_hi", "<u8"), ("id_lo", "<u8")])


@dataclass(frozen=True, slots=True)
class Winner:
    """The record that was kept instead of another."""

    id: str
    known: bool  # it is of an earlier run


def newest(moment: datetime | None) -> int:
    """Return the rank by which the newest copy wins: milliseconds since 1970; an unknown date is older than any."""
    if moment is None:
        return -(2**63)
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


def losers_of(blocks: Iterable[bytes]) -> dict[int, Winner]:
    """Return what LOSER blocks of one part say: the row that lost, and the record that was kept instead."""
    return {
        row: Winner(id_text(high, low), bool(known))
        for block in blocks
        for row, high, low, known in read_block(block, LOSER).tolist()
    }


def losers(copies: Block) -> tuple[Block, Block]:
    """Return the rows of a canonical COPY block that lost, and for each the row that won.

    Canonical order is by key, rank, id, place: the winner of a key is the first row of its last rank.
    """
    winners, sizes = _winners(copies)
    lost = np.ones(len(copies), np.bool_)
    lost[winners] = False
    return copies[lost], copies[np.repeat(winners, sizes)[lost]]


def losers_to_known(copies: Block, seen: Block) -> tuple[Block, Block, Block]:
    """Return the rows of a COPY block whose key was seen before, for each its SEEN row, and the rows that are left.

    `seen` holds one row for each key, in any order.
    """
    if not len(seen):
        return copies[:0], seen, copies
    seen = sort_rows(seen)
    at = positions_of((copies["key_hi"], copies["key_lo"]), seen["key_hi"], seen["key_lo"])
    return copies[at >= 0], seen[at[at >= 0]], copies[at < 0]


def seen_rows(copies: Block) -> Block:
    """Return the SEEN row of each key of a canonical COPY block, sorted."""
    won = copies[_winners(copies)[0]]
    return make_block(SEEN, **{name: won[name] for name in SEEN.names or ()})


def _winners(copies: Block) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the row of each key's winner, and the number of its copies."""
    keys = run_starts(copies["key_hi"], copies["key_lo"])
    ranks = run_starts(copies["key_hi"], copies["key_lo"], copies["rank"])
    sizes = run_lengths(keys, len(copies))
    return ranks[np.searchsorted(ranks, keys + sizes, side="left") - 1], sizes


def _losers(copies: Block, known: KnownRows, partition: int, n_partitions: int) -> Iterator[Piece]:
    """Yield (part, LOSER block) of one partition, and leave its new keys for later runs."""
    late, first, new = losers_to_known(copies, known.find(copies["key_hi"]))
    known.write(partition, n_partitions, seen_rows(new))
    lost, won = losers(new)
    winners = {f"winner_{half}": np.concatenate((won[f"id_{half}"], first[f"id_{half}"])) for half in ("hi", "lo")}
    is_known = np.repeat(np.array([0, 1], np.uint8), (len(lost), len(late)))
    if len(is_known):
        block = make_block(LOSER, row=np.concatenate((lost["row"], late["row"])), known=is_known, **winners)
        yield from split_by(block, np.concatenate((lost["part"], late["part"])))


class KeepBestPerKey(beam.PTransform[PCollection[bytes], Pieces]):
    """Find every record that another record with the same key beats.

    In: PCollection[bytes], blocks of COPY, of any size; a record without a key is left out by the caller.
    Out: PCollection[tuple[int, bytes]], (part, LOSER block sorted by row), one element for each part that has losers.
    Order: none. Retry: writes the same files again. Cost: two shuffles, 48 bytes a record, and a file of 32 bytes a new
    key. A group holds every copy of its keys. `known` is of SEEN rows: keys of earlier runs, read; new ones, written.
    """

    def __init__(self, n_partitions: int, known: KnownRows) -> None:
        super().__init__()
        self.n_partitions = n_partitions
        self.known = known

    def expand(self, copies: PCollection[bytes]) -> Pieces:
        n_partitions, known = self.n_partitions, self.known

        def split(data: bytes) -> Iterator[Piece]:
            return split_block(read_block(data, COPY), "key_hi", n_partitions)

        def find(piece: Piece) -> Iterator[Piece]:
            return _losers(read_block(piece[1], COPY), known, piece[0], n_partitions)

        lost: Pieces = (
            copies
            | "SplitByKey" >> to_pieces(split)
            | "GroupByKeyRange" >> GroupBlocks(COPY)
            | "FindLosers" >> to_pieces(find)
            | "GroupByPart" >> GroupBlocks(LOSER)
        )
        return lost
