"""Keep one of all records that share a key: newest copy of a URL, one of each payload digest or exact text.

The Llama 3 report (section 3.1.1) keeps the most recent version of each URL. What is best is a number, the rank, that
the caller computes (seconds since 1970 for the newest, characters for the longest); ties go to the smaller id.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import apache_beam as beam
import numpy as np
from apache_beam.pvalue import PCollection

from schemas.identity import id_text
from transforms.blocks import (
    Block,
    GroupBlocks,
    Piece,
    Pieces,
    make_block,
    read_block,
    run_lengths,
    run_starts,
    split_block,
    split_by,
    to_pieces,
)

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
LOSER = np.dtype([("row", "<u4"), ("winner_hi", "<u8"), ("winner_lo", "<u8")])


def newest(moment: datetime | None) -> int:
    """Return the rank by which the newest copy wins: milliseconds since 1970; an unknown date is older than any."""
    if moment is None:
        return -(2**63)
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


def losers_of(blocks: Iterable[bytes]) -> dict[int, str]:
    """Return what LOSER blocks of one part say: the row that lost, and the id of the copy that was kept instead."""
    return {row: id_text(high, low) for block in blocks for row, high, low in read_block(block, LOSER).tolist()}


def losers(copies: Block) -> tuple[Block, Block]:
    """Return the rows of a canonical COPY block that lost, and for each the row that won.

    Canonical order is by key, rank, id, place: the winner of a key is the first row of its last rank.
    """
    keys = run_starts(copies["key_hi"], copies["key_lo"])
    ranks = run_starts(copies["key_hi"], copies["key_lo"], copies["rank"])
    sizes = run_lengths(keys, len(copies))
    winners = ranks[np.searchsorted(ranks, keys + sizes, side="left") - 1]
    lost = np.ones(len(copies), np.bool_)
    lost[winners] = False
    return copies[lost], copies[np.repeat(winners, sizes)[lost]]


def _emit_losers(piece: Piece) -> Iterator[Piece]:
    lost, won = losers(read_block(piece[1], COPY))
    if len(lost):
        block = make_block(LOSER, row=lost["row"], winner_hi=won["id_hi"], winner_lo=won["id_lo"])
        yield from split_by(block, lost["part"])


class KeepBestPerKey(beam.PTransform[PCollection[bytes], Pieces]):
    """Find every record that another record with the same key beats.

    In: PCollection[bytes], blocks of COPY, of any size; a record without a key is left out by the caller.
    Out: PCollection[tuple[int, bytes]], (part, LOSER block sorted by row), one element for each part that has losers.
    Order: none. Retry: pure. Cost: two shuffles, 48 bytes a record. A group holds every copy of its keys.
    """

    def __init__(self, n_partitions: int) -> None:
        super().__init__()
        self.n_partitions = n_partitions

    def expand(self, copies: PCollection[bytes]) -> Pieces:
        n_partitions = self.n_partitions

        def split(data: bytes) -> Iterator[Piece]:
            return split_block(read_block(data, COPY), "key_hi", n_partitions)

        lost: Pieces = (
            copies
            | "SplitByKey" >> to_pieces(split)
            | "GroupByKeyRange" >> GroupBlocks(COPY)
            | "FindLosers" >> to_pieces(_emit_losers)
            | "GroupByPart" >> GroupBlocks(LOSER)
        )
        return lost
