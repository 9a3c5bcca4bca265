"""The blocks of a text as its extractor saw them: headings, paragraphs, list items, code... as spans into the text.

A span is a range of characters, and spans neither overlap nor go back; what lies between two of them is white space
that keeps them apart. A text without spans has unknown blocks, which is not the same as none.
In a table they are the column `blocks`, a list of (kind, start, end).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

HEADING, PARAGRAPH, LIST_ITEM, TABLE_ROW, CODE, FORMULA, QUOTATION = range(7)
KINDS = ("heading", "paragraph", "list_item", "table_row", "code", "formula", "quotation")  # names of the numbers above
UNKNOWN_KIND = -1  # of what is in no block, or in a text whose blocks are unknown

BLOCKS_TYPE = pa.list_(
    pa.struct([("kind", pa.dictionary(pa.int8(), pa.string())), ("start", pa.int32()), ("end", pa.int32())])
)


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """Three arrays of one length: what each block is (its number in KINDS), where it starts and where it ends."""

    kinds: npt.NDArray[np.int8]
    starts: npt.NDArray[np.int32]
    ends: npt.NDArray[np.int32]

    @staticmethod
    def of(spans: Iterable[tuple[int, int, int]]) -> Blocks:
        """Return the blocks of (kind, start, end) triples."""
        kinds, starts, ends = list(zip(*spans, strict=True)) or ((), (), ())
        return Blocks(np.array(kinds, np.int8), np.array(starts, np.int32), np.array(ends, np.int32))

    def __len__(self) -> int:
        return len(self.kinds)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Blocks) and self.spans() == other.spans()

    def __hash__(self) -> int:
        return hash(tuple(self.spans()))

    def spans(self) -> list[tuple[str, int, int]]:
        """Return (name of the kind, start, end) of each block."""
        names = [KINDS[kind] for kind in self.kinds.tolist()]
        return list(zip(names, self.starts.tolist(), self.ends.tolist(), strict=True))


UNKNOWN = Blocks(np.zeros(0, np.int8), np.zeros(0, np.int32), np.zeros(0, np.int32))


def blocks_array(texts: Sequence[Blocks]) -> pa.ListArray:
    """Return the column `blocks` of some texts."""
    sizes = [len(blocks) for blocks in texts]
    offsets = pa.array(np.concatenate(([0], np.cumsum(sizes))), pa.int32())
    some = [blocks for blocks in texts if len(blocks)] or [UNKNOWN]
    kinds = pa.array(np.concatenate([blocks.kinds for blocks in some]), pa.int8())
    fields = [
        pa.DictionaryArray.from_arrays(kinds, pa.array(KINDS)),
        pa.array(np.concatenate([blocks.starts for blocks in some]), pa.int32()),
        pa.array(np.concatenate([blocks.ends for blocks in some]), pa.int32()),
    ]
    inner: Any = BLOCKS_TYPE.value_type
    return pa.ListArray.from_arrays(offsets, pa.StructArray.from_arrays(fields, fields=list(inner)), type=BLOCKS_TYPE)


def blocks_of(column: pa.ListArray) -> list[Blocks]:
    """Return the blocks that a column `blocks` holds: the inverse of `blocks_array`."""
    rows = column.flatten()
    kinds = rows.field("kind")
    if not pa.types.is_dictionary(kinds.type):
        kinds = kinds.dictionary_encode()
    numbers = np.array([KINDS.index(name) for name in kinds.dictionary.to_pylist()] or [0], np.int8)
    codes = numbers[np.asarray(kinds.indices)] if len(rows) else np.zeros(0, np.int8)
    starts, ends = np.asarray(rows.field("start"), np.int32), np.asarray(rows.field("end"), np.int32)
    sizes = np.asarray(column.value_lengths().fill_null(0))  # `flatten` leaves out what nulls hide
    places = np.concatenate(([0], np.cumsum(sizes))).tolist()
    return [Blocks(codes[a:b], starts[a:b], ends[a:b]) for a, b in itertools.pairwise(places)]
