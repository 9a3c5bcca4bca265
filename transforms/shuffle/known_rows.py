"""Known rows: the hashes that a run keeps for later runs over the same dataset, and their look-up.

A later run adds to a dataset without reading or shuffling again what is committed. Whoever reduces a range of hashes
writes the rows of that range to a file of its own, and the reducers of later runs read the files that their keys fall
into and keep the rows they asked for:

    {folder}/000007-of-000024.bin    rows sorted by all their fields, little-endian, then 16 bytes of their digest

The first field of a row is a 64-bit hash, spread evenly, and its partition is `hash_blocks.partition_of`: so a key and
the number of files name the file, and a later run may have more partitions or fewer. A reader holds one file for each
of its threads and the rows that it asked for.

A partition without rows has no file. So that a file that was lost is not taken for one, the run that writes a table
puts `table_facts` into its manifest, and readers compare the folder with them, once in each worker. A byte that changed
is found by the digest. All of these raise a one-line RunError: ignoring them would change the corpus.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import storage
from schemas.errors import InputError, RunError
from transforms.shuffle.hash_blocks import Block, Hashes, partition_of, run_starts

SEAL_BYTES = 16
READERS = 8  # files of 1-2 MB at a time: an object store takes 50 ms for each
_NAME = re.compile(r"(\d+)-of-(\d+)\.bin")


@dataclass(frozen=True)
class KnownTable:
    """A table that an earlier run has committed."""

    folder: str
    digest: str  # of its files, as `table_facts` wrote it to the run's manifest

    def check(self) -> None:
        """Raise RunError when files of the table are missing or cut."""
        _committed_files(self.folder, self.digest)

    @property
    def n_partitions(self) -> int:
        return _committed_files(self.folder, self.digest)[0]

    def files_for(self, keys: Hashes) -> Iterator[tuple[int, str, Hashes]]:
        """Yield partition, path and keys of each file that may hold some of the sorted keys."""
        n_partitions, present = _committed_files(self.folder, self.digest)
        owners = partition_of(keys, n_partitions)
        for start, end in itertools.pairwise([*run_starts(owners).tolist(), len(keys)]):
            partition = int(owners[start])
            if partition in present:
                yield partition, _path(self.folder, partition, n_partitions), keys[start:end]


@dataclass(frozen=True)
class KnownRows:
    """Rows of one kind: the tables of the earlier runs, oldest first, and the folder of this run's own."""

    folder: str
    dtype: np.dtype[np.void]  # packed, little-endian; the first field is a hash
    earlier: tuple[KnownTable, ...] = ()

    def find(self, keys: Hashes) -> Block:
        """Return the rows of earlier runs whose first field is one of `keys`: oldest run first, sorted in each run."""
        return self.locate(keys)[0]

    def locate(self, keys: Hashes) -> tuple[Block, Hashes]:
        """Return the rows that `find` returns and the place of each, a number that no other row of any run has.

        The high 32 bits are the file, counted over the runs, the low ones the row in it: they follow from committed
        data alone. Places below 2**63.
        """
        wanted = np.unique(keys) if self.earlier else np.zeros(0, np.uint64)
        files: list[tuple[int, str, Hashes]] = []
        first = 0
        for table in self.earlier:
            files += [(first + number, path, some) for number, path, some in table.files_for(wanted)]
            first += table.n_partitions
        found = [(np.zeros(0, self.dtype), np.zeros(0, np.uint64)), *self._read_all(files)]
        return np.concatenate([rows for rows, _ in found]), np.concatenate([places for _, places in found])

    def _read_all(self, files: list[tuple[int, str, Hashes]]) -> list[tuple[Block, Hashes]]:
        if len(files) < 2:
            return [self._read(file) for file in files]
        with ThreadPoolExecutor(max_workers=READERS) as pool:
            return list(pool.map(self._read, files))

    def _read(self, file: tuple[int, str, Hashes]) -> tuple[Block, Hashes]:
        ordinal, path, keys = file
        rows = read_table_file(path, self.dtype)
        at = rows_with(np.ascontiguousarray(rows[_key_of(self.dtype)]), keys)
        return rows[at], (np.uint64(ordinal) << np.uint64(32)) | at.astype(np.uint64)

    def write(self, partition: int, n_partitions: int, rows: Block) -> None:
        """Write this run's rows of a partition, sorted by all their fields; a retry writes the same bytes again."""
        if len(rows):
            data = np.ascontiguousarray(rows, self.dtype).tobytes()
            storage.write_atomic(_path(self.folder, partition, n_partitions), data + _seal(data, self.dtype))


def rows_with(sorted_column: Hashes, sorted_keys: Hashes) -> npt.NDArray[np.int64]:
    """Return the numbers of the rows whose key is one of distinct sorted keys, in ascending order."""
    low = np.searchsorted(sorted_column, sorted_keys, side="left")
    sizes = np.searchsorted(sorted_column, sorted_keys, side="right") - low
    before = np.cumsum(sizes) - sizes
    rows: npt.NDArray[np.int64] = np.arange(int(sizes.sum())) + np.repeat(low - before, sizes)
    return rows


def read_table_file(path: str, dtype: np.dtype[np.void]) -> Block:
    """Return the rows of one file of a table. RunError when it is missing, cut, changed or of other rows."""
    try:
        data = storage.read_bytes(path)
    except InputError as error:
        raise RunError(f"known hashes of an earlier run: {error}") from None
    rows, seal = data[:-SEAL_BYTES], data[-SEAL_BYTES:]
    if len(rows) % dtype.itemsize or seal != _seal(rows, dtype):
        raise RunError(f"{path}: is damaged: these are not the known hashes that an earlier run wrote")
    return np.frombuffer(rows, dtype)


def table_facts(folder: str, dtype: np.dtype[np.void]) -> dict[str, Any]:
    """Return what a manifest says of the table that a run has written: files, rows, bytes and a digest of the files."""
    sizes = _sizes(folder)
    total = sum(sizes.values())
    rows = (total - SEAL_BYTES * len(sizes)) // dtype.itemsize
    return {"files": len(sizes), "rows": rows, "bytes": total, "digest": _digest_of(sizes)}


@functools.lru_cache(maxsize=1024)
def _committed_files(folder: str, digest: str) -> tuple[int, frozenset[int]]:
    """Return the number of partitions of a committed table, and those that have a file; listed once in a process."""
    sizes = _sizes(folder)
    if _digest_of(sizes) != digest:
        found = f"found {len(sizes)} files that are not those of its manifest"
        raise RunError(f"{folder}: known hashes of an earlier run are missing or cut: {found}")
    names = [_NAME.fullmatch(name) for name in sizes]
    numbers = [(int(name[1]), int(name[2])) for name in names if name]
    return max((total for _, total in numbers), default=1), frozenset(number for number, _ in numbers)


def _sizes(folder: str) -> dict[str, int]:
    """Return the bytes of each file of a table by its name; what a killed writer left there is not counted."""
    named = {path.rsplit("/", 1)[-1]: size for path, size in storage.list_sizes(folder).items()}
    return {name: size for name, size in sorted(named.items()) if _NAME.fullmatch(name)}


def _digest_of(sizes: dict[str, int]) -> str:
    return hashlib.blake2b(json.dumps(sorted(sizes.items())).encode(), digest_size=16).hexdigest()


def _path(folder: str, partition: int, n_partitions: int) -> str:
    return f"{folder}/{partition:06d}-of-{n_partitions:06d}.bin"


def _seal(data: bytes, dtype: np.dtype[np.void]) -> bytes:
    """Return the digest of rows and of their layout."""
    digest = hashlib.blake2b(repr(dtype.descr).encode(), digest_size=SEAL_BYTES)
    digest.update(data)
    return digest.digest()


def _key_of(dtype: np.dtype[np.void]) -> str:
    return (dtype.names or ("",))[0]
