"""Single rows of a table's file: of a file of a thousand texts no more is read than the row groups that hold them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.runs.tables import ROW_GROUP_ROWS, open_table, read_batches


def rows_with(path: str, ids: Collection[str], columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a file that have one of some ids, in order, in batches."""
    wanted = pa.array(sorted(ids), pa.string())
    found = [pc.is_in(batch.column("id"), wanted) for batch in read_batches(path, ["id"], ROW_GROUP_ROWS)]
    places = np.flatnonzero(np.concatenate([np.zeros(0, np.bool_), *(np.asarray(some) for some in found)]))
    if len(places):
        yield from rows_at(path, places.tolist(), columns)


def rows_at(path: str, places: Sequence[int], columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
    """Yield the rows in some places of a file, ascending, in batches."""
    with open_table(path) as file:
        first = 0
        for group in range(file.num_row_groups):
            after = first + file.metadata.row_group(group).num_rows
            here = [place - first for place in places if first <= place < after]
            if here:
                some = file.iter_batches(
                    batch_size=after - first, row_groups=[group], columns=columns, use_threads=False
                )
                for batch in some:
                    yield batch.take(pa.array(here, pa.int64()))
            first = after
