"""Hashes of domains and addresses, so that five million entries of a blocklist fit in 50 MB.

An entry is a 64-bit tabulation hash over its characters, kept in sorted numpy arrays: 10 bytes with its category. With
5 million domains a clean address is blocked by chance once in 10**12.
"""

from __future__ import annotations

import functools
import hashlib
from bisect import bisect_left
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

MAX_NAME = 253  # characters of a domain name (RFC 1035); what is longer is compared by its last 253
_U64 = (1 << 64) - 1


class HashTable:
    """Sorted 64-bit hashes, each with the number of its category; of equal hashes the first given wins."""

    def __init__(self, hashes: NDArray[np.uint64], categories: NDArray[np.uint16]) -> None:
        if (categories == categories[:1]).all():  # of one list only the hashes are sorted, 15 times faster
            hashes = np.sort(hashes)
        else:
            order = np.argsort(hashes, kind="stable")
            hashes, categories = hashes[order], categories[order]
        first = np.ones(len(hashes), bool)
        first[1:] = hashes[1:] != hashes[:-1]
        self._store(hashes[first], categories[first])

    def _store(self, hashes: NDArray[np.uint64], categories: NDArray[np.uint16]) -> None:
        self._hashes, self._categories = hashes, categories
        self._view = hashes.data  # indexing it gives ints, 5 times faster than numpy's scalars
        self._size = len(hashes)

    def __len__(self) -> int:
        return self._size

    def __getstate__(self) -> tuple[NDArray[np.uint64], NDArray[np.uint16]]:
        return self._hashes, self._categories

    def __setstate__(self, state: tuple[NDArray[np.uint64], NDArray[np.uint16]]) -> None:
        self._store(*state)

    def get(self, key: int) -> int:
        """Return the category's number, -1 if the hash is not in the table."""
        place = bisect_left(self._view, key)
        return int(self._categories[place]) if place < self._size and self._view[place] == key else -1


def table_of(parts: Sequence[tuple[NDArray[np.uint64], int]]) -> HashTable:
    hashes = [part for part, _ in parts]
    codes = [np.full(len(part), code, np.uint16) for part, code in parts]
    return HashTable(
        np.concatenate([np.empty(0, np.uint64), *hashes]), np.concatenate([np.empty(0, np.uint16), *codes])
    )


def suffix_hashes(name: str) -> Iterator[tuple[int, int]]:
    """Yield (start, hash) of each domain that `name` lies in, the widest first; of an IP address only the whole."""
    data = name.encode("ascii", "replace")[-MAX_NAME:]
    whole_only = name[-1:] == "]" or name.rpartition(".")[2].isdigit()
    view, at, total = numbers()[1], 0, 0
    for byte in reversed(data):
        if byte == 46 and not whole_only:  # a dot
            yield len(name) - (at >> 8), total & _U64
        total += view[at | byte]
        at += 256
    if data:
        yield len(name) - len(data), total & _U64


@functools.cache
def numbers() -> tuple[NDArray[np.uint64], memoryview]:
    """Return the numbers of the tabulation hash (Zobrist 1970): one for each byte at each place.

    Places count from the end of a name, so that one pass gives the hash of every parent domain. The numbers are
    SHAKE-128's: the same in every process.
    """
    size = MAX_NAME * 256 * 8
    numbers = np.frombuffer(hashlib.shake_128(b"winnow.blocklist").digest(size), "<u8").astype(np.uint64)
    return numbers, numbers.data


def name_hash(name: str) -> int:
    key = 0
    for _, key in suffix_hashes(name):  # noqa: B007  the last is the whole name's
        pass
    return key


def url_hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
