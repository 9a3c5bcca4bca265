"""Blocks: the unit in which hashes are shuffled when documents are compared across a corpus.

A block is a one-dimensional numpy structured array of fixed-width rows (hashes, part numbers, row numbers). It travels
through a shuffle as one element, `(partition, bytes of the array)`, so that a million rows cost a few hundred elements:
about 1 µs a row against 34 µs when every row is an element (Beam 2.77, one core). Keys and values are plain `int` and
`bytes`, for which Beam has fast deterministic coders; an array is never pickled.

A partition is a range of 64-bit hashes, so the number of partitions follows the data and never changes a result: each
grouped block is sorted by all its fields, so the order in which its pieces arrive has no effect.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

import apache_beam as beam
import numpy as np
import numpy.typing as npt
from apache_beam.pvalue import PCollection

Block: TypeAlias = npt.NDArray[np.void]  # one-dimensional, structured, packed, little-endian
Hashes: TypeAlias = npt.NDArray[np.uint64]
Piece: TypeAlias = tuple[int, bytes]  # (partition or part, bytes of a block)
Pieces: TypeAlias = PCollection[Piece]
Joined: TypeAlias = tuple[int, tuple[bytes, ...]]  # (partition, bytes of one block for each joined collection)

GROUP_BYTES = 2 << 20  # Flink keeps a group on the heap: groups of 1.3 MB pass by hundreds, 16 of 40 MB kill a worker


def partitions_for(total_rows: int, row_bytes: int, group_bytes: int = GROUP_BYTES) -> int:
    """Return how many partitions keep a group of evenly spread keys at about `group_bytes`; at least 1."""
    return max(1, math.ceil(total_rows * row_bytes / group_bytes))


def partition_of(keys: Hashes, n_partitions: int) -> npt.NDArray[np.int64]:
    """Return the partition of each key: n equal ranges of the top 32 bits, which must be spread evenly (a hash)."""
    top = keys.astype(np.uint64, copy=False) >> np.uint64(32)
    return ((top * np.uint64(n_partitions)) >> np.uint64(32)).astype(np.int64)


def split_block(block: Block, key_field: str, n_partitions: int) -> Iterator[Piece]:
    """Cut a block into pieces by the hash range of one field; a partition without rows gets no piece."""
    return split_by(block, partition_of(block[key_field], n_partitions))


def split_by(block: Block, owners: npt.NDArray[Any]) -> Iterator[Piece]:
    """Cut a block into one piece for each distinct owner (partition or part), in ascending order of owners."""
    if not len(block):
        return
    order = np.argsort(owners, kind="stable")
    owners, block = owners[order], block[order]
    cuts = [0, *run_starts(owners)[1:].tolist(), len(block)]
    for start, end in itertools.pairwise(cuts):
        yield int(owners[start]), block[start:end].tobytes()


def run_starts(*columns: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return where runs of equal values start in sorted columns that belong together."""
    if not len(columns[0]):
        return np.zeros(0, np.int64)
    changed = np.zeros(len(columns[0]), np.bool_)
    changed[0] = True
    for column in columns:
        changed[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(changed)


def run_lengths(starts: npt.NDArray[np.int64], total: int) -> npt.NDArray[np.int64]:
    """Return the length of each run, given the starts of the runs and the number of rows."""
    return np.diff(starts, append=total)


def make_block(dtype: np.dtype[np.void], **columns: Any) -> Block:
    """Return a block from its columns, each an array or one value for all rows; at least one is an array."""
    size = max(len(column) for column in columns.values() if np.ndim(column))
    block = np.empty(size, dtype)
    for name, column in columns.items():
        block[name] = column
    return block


def read_block(data: bytes, dtype: np.dtype[np.void]) -> Block:
    """Return the read-only block that `data` holds."""
    return np.frombuffer(data, dtype)


def merge_blocks(pieces: Iterable[bytes], dtype: np.dtype[np.void]) -> Block:
    """Return the rows of all pieces in canonical order."""
    return sort_rows(read_block(b"".join(pieces), dtype))


def sort_rows(block: Block) -> Block:
    """Sort by all fields in their order; a field that is an array counts as its bytes.

    The first field decides nearly always (it is a hash), so only the rows that share it are sorted by the others.
    """
    names = block.dtype.names or ()
    first = _sort_key(block[names[0]])
    block = block[np.argsort(first, kind="stable")]
    first = _sort_key(block[names[0]])
    tied = np.zeros(len(block), np.bool_)
    tied[1:] = first[1:] == first[:-1]
    tied[:-1] |= tied[1:]
    ties = np.flatnonzero(tied)
    if len(ties) and len(names) > 1:
        rows = block[ties]
        block[ties] = rows[np.lexsort([_sort_key(rows[name]) for name in reversed(names)])]
    return block


def unique_rows(block: Block) -> Block:
    """Return a sorted block without repeated rows."""
    columns = [_sort_key(block[name]) for name in block.dtype.names or ()]
    return block[run_starts(*columns)]


def positions_of(wanted: tuple[Hashes, Hashes], high: Hashes, low: Hashes) -> npt.NDArray[np.int64]:
    """Return the row of each wanted 128-bit id in the columns `high`, `low`, sorted by both; -1 where it does not."""
    order = np.lexsort((np.concatenate((low, wanted[1])), np.concatenate((high, wanted[0]))))
    is_row = order < len(high)
    # lexsort is stable, so the rows of an id come before the wishes for it: the last row seen is the one, if equal.
    last_row = np.maximum.accumulate(np.where(is_row, order, -1))
    found = np.empty(len(wanted[0]), np.int64)
    found[order[~is_row] - len(high)] = last_row[~is_row]
    hit = found >= 0
    hit[hit] = (high[found[hit]] == wanted[0][hit]) & (low[found[hit]] == wanted[1][hit])
    return np.where(hit, found, -1)


def _sort_key(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if column.ndim == 1:
        return column
    return np.ascontiguousarray(column).view(f"S{column.dtype.itemsize * column.shape[1]}").ravel()


def to_piece(function: Callable[[Any], Piece]) -> beam.PTransform[Any, Pieces]:
    """Apply a function that returns one piece for each element; its type selects Beam's integer and bytes coders."""
    return beam.Map(function).with_output_types(tuple[int, bytes])  # type: ignore[no-any-return]


def to_pieces(function: Callable[[Any], Iterator[Piece]]) -> beam.PTransform[Any, Pieces]:
    """Apply a function that returns any number of pieces for each element."""
    return beam.FlatMap(function).with_output_types(tuple[int, bytes])  # type: ignore[no-any-return]


class GroupBlocks(beam.PTransform[Pieces, Pieces]):
    """Group pieces by their key into one block for each key, its rows in canonical order.

    In: PCollection[tuple[int, bytes]] of `dtype`. Out: the same type, one element for each key. Order: none.
    Cost: one shuffle; a worker holds one group.
    """

    def __init__(self, dtype: np.dtype[np.void]) -> None:
        super().__init__()
        self.dtype = dtype

    def expand(self, pieces: Pieces) -> Pieces:
        dtype = self.dtype

        def merge(group: tuple[int, Iterable[bytes]]) -> Piece:
            return group[0], merge_blocks(group[1], dtype).tobytes()

        groups = pieces | "Group" >> beam.GroupByKey()
        merged: Pieces = groups | "Merge" >> to_piece(merge)
        return merged


class JoinBlocks(beam.PTransform[tuple[Pieces, ...], PCollection[Joined]]):
    """Bring the pieces of several collections together by key, each merged into its own canonical block.

    In: a tuple of PCollection[tuple[int, bytes]], one for each dtype. Out: PCollection[tuple[int, tuple[bytes, ...]]],
    one element for each key that any of them has; a collection without the key gives b''.
    """

    def __init__(self, *dtypes: np.dtype[np.void]) -> None:
        super().__init__()
        self.dtypes = dtypes

    def expand(self, sides: tuple[Pieces, ...]) -> PCollection[Joined]:
        dtypes = self.dtypes

        def merge(group: tuple[int, tuple[Iterable[bytes], ...]]) -> Joined:
            key, values = group
            return key, tuple(merge_blocks(side, kind).tobytes() for side, kind in zip(values, dtypes, strict=True))

        groups = sides | "Join" >> beam.CoGroupByKey()
        merged: PCollection[Joined] = groups | "Merge" >> beam.Map(merge)
        return merged
