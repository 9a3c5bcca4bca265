"""Records that become one document: a question and its answers, wherever in the files they lie.

A header with `parent_id` belongs to the record of that id. Ids, ranks and addresses are shuffled, in blocks; texts stay
where they are, and the reader of the head fetches them by their addresses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

import apache_beam as beam
import numpy as np
from apache_beam.pvalue import PCollection

from schemas.identity import content_id, id_words
from schemas.records import Header
from transforms.shuffle.hash_blocks import (
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
from transforms.step import Drop

RELATED = np.dtype(
    [
        ("key_hi", "<u8"),  # 128-bit hash of the head's id
        ("key_lo", "<u8"),
        ("is_member", "u1"),  # 0 for a head: it comes before its members
        ("order", "<i8"),  # -rank: the smaller comes first
        ("part", "<u4"),
        ("row", "<u4"),
        ("offset", "<i8"),
        ("length", "<i8"),
    ]
)
MEMBER = np.dtype(  # of a head, sent to its part: one of its members
    [("row", "<u4"), ("place", "<u4"), ("part", "<u4"), ("offset", "<i8"), ("length", "<i8")]
)
TAKEN = np.dtype([("row", "<u4")])  # a member whose head was found, sent to its own part


class Join(Protocol):
    """What a source says of the records that it joins."""

    @property
    def settings(self) -> Any: ...

    def refused(self, records: Mapping[str, int]) -> Mapping[str, Drop]:
        """Return why no record of some files is wanted, by path; `records` has the number of records of each file."""


class Address(NamedTuple):
    """Where a member is."""

    part: int
    offset: int
    length: int


def related_rows(headers: Iterable[Header], part: int) -> bytes:
    """Return the RELATED block of some headers of one part."""
    rows = []
    for header in headers:
        key = id_words(content_id(header.parent_id or header.record_id))
        member = bool(header.parent_id)
        rows.append((*key, member, -header.rank if member else 0, part, header.row, header.offset, header.length))
    return np.array(rows, RELATED).tobytes()


def joined(related: Block) -> tuple[Block, Block]:
    """Return of a canonical RELATED block the rows of members that have a head, in order, and for each its head's row.

    Of two heads of one key the first has all members.
    """
    starts = run_starts(related["key_hi"], related["key_lo"])
    head_of = np.repeat(starts, run_lengths(starts, len(related)))
    found = (related["is_member"] == 1) & (related["is_member"][head_of] == 0)
    return related[found], related[head_of[found]]


def members_of(blocks: Iterable[bytes]) -> dict[int, list[Address]]:
    """Return what MEMBER blocks of one part say: by row of a head, where its members are, in order."""
    rows = sorted(row for block in blocks for row in read_block(block, MEMBER).tolist())
    found: dict[int, list[Address]] = {}
    for row, _, part, offset, length in rows:
        found.setdefault(row, []).append(Address(part, offset, length))
    return found


def taken_rows(blocks: Iterable[bytes]) -> frozenset[int]:
    """Return the rows of one part that TAKEN blocks name."""
    return frozenset(row for block in blocks for row in read_block(block, TAKEN)["row"].tolist())


def _to_heads(piece: Piece) -> Iterator[Piece]:
    members, heads = joined(read_block(piece[1], RELATED))
    if not len(members):
        return
    starts = run_starts(members["key_hi"], members["key_lo"])
    place = np.arange(len(members)) - np.repeat(starts, run_lengths(starts, len(members)))
    address = {name: members[name] for name in ("part", "offset", "length")}
    yield from split_by(make_block(MEMBER, row=heads["row"], place=place, **address), heads["part"])


def _to_members(piece: Piece) -> Iterator[Piece]:
    members, _ = joined(read_block(piece[1], RELATED))
    if len(members):
        yield from split_by(make_block(TAKEN, row=members["row"]), members["part"])


class JoinToHeads(beam.PTransform[PCollection[bytes], tuple[Pieces, Pieces]]):
    """Find the members of every head.

    In: PCollection[bytes], RELATED blocks of any size. Out: (part, MEMBER block) for the parts of heads, and (part,
    TAKEN block) for those of members. Order: none. Cost: two shuffles; 49 bytes a record in the first, 28 and 4 a
    member in the second. A group holds all records of its keys, so one head's members are in one worker: numbers alone.
    """

    def __init__(self, n_partitions: int) -> None:
        super().__init__()
        self.n_partitions = n_partitions

    def expand(self, related: PCollection[bytes]) -> tuple[Pieces, Pieces]:
        n_partitions = self.n_partitions

        def split(data: bytes) -> Iterator[Piece]:
            return split_block(read_block(data, RELATED), "key_hi", n_partitions)

        groups = related | "SplitByKey" >> to_pieces(split) | "GroupByKeyRange" >> GroupBlocks(RELATED)
        heads: Pieces = groups | "ToHeads" >> to_pieces(_to_heads) | "GroupByHead" >> GroupBlocks(MEMBER)
        members: Pieces = groups | "ToMembers" >> to_pieces(_to_members) | "GroupByMember" >> GroupBlocks(TAKEN)
        return heads, members
