"""Boosted trees over integer features, as arrays: every block of a page through every tree at once.

A node is left by `feature > threshold`; a leaf leads to itself. Leaf values are integers (ten-thousandths of a logit),
so a block's score is the same on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]
CLIP = 1 << 30  # features are held within this
STATES = 20_000  # places in trees that are moved at once: what a processor's near memory holds
FIRST_TREES = 60
HOPELESS = -25_000  # ten-thousandths of a logit, ours


@dataclass(frozen=True, slots=True)
class Forest:
    """All trees, node after node."""

    roots: Ints  # first node of each tree
    feature: Ints  # column a node looks at
    threshold: Ints
    child: Ints  # where to go, two entries a node: not above, above
    value: Ints  # of a leaf; 0 of other nodes
    depth: int  # steps from a root to the deepest leaf
    bias: int

    def scores(self, table: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the score of each column of a table that has one row a feature.

        What the first FIRST_TREES say is far from content is not asked about further.
        """
        n_rows = table.shape[1]
        cells = np.clip(table, -CLIP, CLIP).astype(np.int32)
        total = np.full(n_rows, self.bias, np.int64)
        first = self._sums(cells, self.roots[:FIRST_TREES])
        total += first
        left = np.flatnonzero(first > HOPELESS)
        if len(left) and len(self.roots) > FIRST_TREES:
            total[left] += self._sums(cells[:, left], self.roots[FIRST_TREES:])
        return total

    def _sums(self, cells: Ints, roots: Ints) -> NDArray[np.int64]:
        n_rows = cells.shape[1]
        flat = np.ascontiguousarray(cells).ravel()
        feature = self.feature * np.int64(n_rows)
        total = np.zeros(n_rows, np.int64)
        step = max(1, STATES // len(roots))
        for low in range(0, n_rows, step):
            row = np.arange(low, min(low + step, n_rows), dtype=np.int64)[:, None]
            state = np.repeat(roots[None], len(row), 0)
            for _ in range(self.depth):
                above = flat.take(feature.take(state) + row) > self.threshold.take(state)
                state = self.child.take(2 * state + above)
            total[row[:, 0]] = self.value.take(state).sum(axis=1, dtype=np.int64)
        return total
