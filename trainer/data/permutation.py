"""A keyed permutation of 0..n-1; from 64 on it needs no table.

A balanced Feistel network permutes the 2k-bit numbers, 4**k being the smallest such power that holds n; what falls
outside 0..n-1 is sent through again until it falls inside (cycle walking, Black and Rogaway 2002), which takes fewer
than four rounds on average. Four rounds of a 64-bit mixer: an order for training data, not a cipher.

Halves of one or two bits are too narrow for that: over keys, an index of five went to some places 10% too often. Below
64 the order is that of a keyed hash of each index, which is even at any size.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from schemas.identity import keyed_hash

ROUNDS = 4
LEAST = 64  # sizes below are sorted by hash; from 32 on no bias of the network was found
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)  # splitmix64, Steele et al. 2014

Indices = npt.NDArray[np.uint64]


class Permutation:
    """A permutation of 0..size-1, a function of `size` and `key` alone."""

    def __init__(self, size: int, key: str) -> None:
        if size < 1:
            raise ValueError(f"size {size}: must be at least 1")
        self.size = size
        self._table = _by_hash(size, key) if size < LEAST else None
        self._half = np.uint64(max(1, ((size - 1).bit_length() + 1) // 2))
        self._mask = np.uint64((1 << int(self._half)) - 1)
        self._keys = [np.uint64(keyed_hash("trainer.order", f"{key}:{n}")) for n in range(ROUNDS)]

    def __getitem__(self, index: int) -> int:
        return int(self.of(np.array([index], np.uint64))[0])

    def of(self, indices: npt.NDArray[np.integer]) -> Indices:
        """Return where each of `indices` goes. IndexError for one outside 0..size-1."""
        values = np.asarray(indices).astype(np.uint64)
        if len(values) and int(values.max()) >= self.size:
            raise IndexError(f"index {int(values.max())}: must be 0 to {self.size - 1}")
        if self._table is not None:
            return self._table[values.astype(np.int64)]
        values = self._encrypt(values)
        outside = np.flatnonzero(values >= self.size)
        while len(outside):
            values[outside] = self._encrypt(values[outside])
            outside = outside[values[outside] >= self.size]
        return values

    def _encrypt(self, values: Indices) -> Indices:
        left, right = values >> self._half, values & self._mask
        for key in self._keys:
            left, right = right, left ^ (_mix(right + key) & self._mask)
        return (left << self._half) | right


def _by_hash(size: int, key: str) -> Indices:
    order = sorted(range(size), key=lambda n: keyed_hash("trainer.order.small", f"{key}:{n}"))
    return np.array(order, np.uint64)


def _mix(values: Indices) -> Indices:
    values = (values ^ (values >> np.uint64(30))) * _MIX_1
    values = (values ^ (values >> np.uint64(27))) * _MIX_2
    return values ^ (values >> np.uint64(31))
