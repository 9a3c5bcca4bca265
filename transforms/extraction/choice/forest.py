"""Boosted trees over integer features, as arrays: every block of a page through every tree at once.

A node is left by `feature > threshold`; a leaf leads to itself. Leaf values are integers (ten-thousandths of a logit),
so a block's score is the same on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]
_FEATURE, _ABOVE = 12, 32  # bits of a packed node: the feature below the first, the threshold from the second on
_FEATURES, _PLACES = (1 << _FEATURE) - 1, (1 << (_ABOVE - _FEATURE)) - 1
CLIP = 1 << 30  # features are held within this
STATES = 20_000  # places in trees that are moved at once: what a processor's near memory holds
FIRST_TREES = 30
HOPELESS = -20_000  # ten-thousandths of a logit, our value: the same F1 in cross-validation as asking all of them


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

    _first: NDArray[np.int64] = field(init=False, repr=False, compare=False)  # place of each root among `_nodes`
    _nodes: NDArray[np.int64] = field(init=False, repr=False, compare=False)  # threshold, low child, feature in one
    _values: NDArray[np.int64] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Number the nodes anew, so that siblings stand side by side, and pack each into one integer: one gather in
        place of three."""
        itself = np.arange(len(self.feature))
        is_leaf = self.child[::2] == itself
        places = np.zeros(len(itself), np.int64)
        places[self.roots] = np.arange(len(self.roots))
        low = len(self.roots) + 2 * (np.cumsum(~is_leaf) - 1)
        places[self.child[::2][~is_leaf]] = low[~is_leaf]
        places[self.child[1::2][~is_leaf]] = low[~is_leaf] + 1
        threshold = np.where(is_leaf, np.iinfo(np.int32).max, self.threshold).astype(np.int64)
        packed = (threshold << _ABOVE) | (np.where(is_leaf, places, low) << _FEATURE) | self.feature
        nodes, values = np.zeros_like(packed), np.zeros_like(packed)
        nodes[places], values[places] = packed, self.value
        for name, array in (("_first", places[self.roots]), ("_nodes", nodes), ("_values", values)):
            object.__setattr__(self, name, array)

    def __reduce__(self) -> tuple[type[Forest], tuple[object, ...]]:
        """Travel without what is numbered anew, compiled or not."""
        return Forest, (self.roots, self.feature, self.threshold, self.child, self.value, self.depth, self.bias)

    def scores(self, table: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the score of each column of a table that has one row a feature.

        What the first FIRST_TREES say is far from content is not asked about further.
        """
        cells = np.ascontiguousarray(np.clip(table, -CLIP, CLIP).T) << _ABOVE  # where a node has its threshold
        total = self._sums(cells, self._first[:FIRST_TREES])
        left = np.flatnonzero(total > HOPELESS)
        if len(left) and len(self.roots) > FIRST_TREES:
            total[left] += self._sums(cells[left], self._first[FIRST_TREES:])
        return total + self.bias

    def _sums(self, cells: NDArray[np.int64], roots: NDArray[np.int64]) -> NDArray[np.int64]:
        n_rows, n_columns = cells.shape
        total = np.zeros(n_rows, np.int64)
        step = max(1, STATES // len(roots))
        top = self._nodes[roots]
        for low in range(0, n_rows, step):
            part = cells[low : low + step]
            here = part.ravel()
            row = np.arange(0, len(here), n_columns)[:, None]
            state = (part.take(top & _FEATURES, axis=1) > top) + (top >> _FEATURE & _PLACES)
            for _ in range(self.depth - 1):
                node = self._nodes.take(state)
                place = node & _FEATURES
                place += row
                above = here.take(place) > node
                node >>= _FEATURE
                node &= _PLACES
                node += above
                state = node
            total[low : low + step] = self._values.take(state).sum(axis=1)
        return total
