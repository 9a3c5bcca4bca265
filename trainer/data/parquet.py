"""Opens Parquet files that others wrote."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

import storage
from schemas.errors import InputError


@contextlib.contextmanager
def open_parquet(path: str) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file. InputError, one line that names it, for what is wrong with its bytes, also while it is read.

    What the file system or the store refuses stays an OSError, or what `storage` raises.
    """
    with storage.open_read(path) as file:
        try:
            yield pq.ParquetFile(file)
        except (pa.ArrowException, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            why = next(iter(str(error).splitlines()), "for an unknown reason")
            raise InputError(f"{path}: not a Parquet file, or a damaged one: {why}") from None
