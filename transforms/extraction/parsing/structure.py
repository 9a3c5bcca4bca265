"""What a block inherits from the elements around it, for all elements at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from transforms.extraction.choice.lexicon import Lexicon, Names
from transforms.extraction.parsing.outline import Outline

Ints = NDArray[np.int64]

# Ancestors that mean something by their tag alone; one bit each.
LANDMARKS = ("nav", "header", "footer", "aside", "main", "article", "form", "table", "figure", "li")
_BITS = {tag: 1 << at for at, tag in enumerate(LANDMARKS)}
_HIDES = len(LANDMARKS)  # the bit of an element that says that it is not shown
_HIDING = 1 << _HIDES
MIN_REPEATS = 3  # siblings of one signature that make a series (our value)


@dataclass(frozen=True, slots=True)
class Elements:
    """One entry an element."""

    parent: Ints
    depth: Ints
    start: Ints  # its blocks are start..end
    end: Ints
    marker_weight: Ints  # of its own class names, id, role and itemprop
    path: Ints  # sum of weights from the root
    low: Ints  # lowest weight on the way
    high: Ints  # highest
    landmarks: Ints  # bits of its landmarks, itself included
    hidden: Ints
    wider: Ints  # the nearest ancestor that holds more blocks, itself when there is none
    repeats: Ints  # siblings of the same signature that hold blocks, itself included
    place: Ints  # how many of them come before it
    series: Ints  # nearest ancestor or self that is one of a series, -1: none
    outer_series: Ints  # topmost such


def elements_of(outline: Outline, names: Names, lexicon: Lexicon) -> Elements:
    """Return the elements of a page as arrays."""
    signature_ids = np.array(outline.signature_ids, np.int64)
    parent = np.array(outline.parents, np.int64)
    start, end = np.array(outline.starts, np.int64), np.array(outline.ends, np.int64)
    marker_weight = np.array(lexicon.marker_weights(names), np.int64)[signature_ids]
    bits = np.array([_BITS.get(tag, 0) for tag, _ in outline.signatures], np.int64)[signature_ids]
    bits[outline.hidden] |= _HIDING
    repeats, place = _repeats(outline, signature_ids, parent, end > start)
    above = _Above.of(parent, marker_weight, bits, end - start, repeats >= MIN_REPEATS)
    above.gather()
    size = len(signature_ids)
    hidden = above.bits[:size] >> _HIDES
    wider = np.append(parent, 0)[above.top[:size]]
    series, outer = above.series[:size], above.outer[:size]
    return Elements(
        parent,
        above.depth[:size],
        start,
        end,
        marker_weight,
        above.path[:size],
        above.bounds[0, :size],
        -above.bounds[1, :size],
        above.bits[:size] & (_HIDING - 1),
        hidden,
        np.maximum(wider, 0),
        repeats,
        place,
        np.where(series == size, -1, series),
        outer,
    )


@dataclass(slots=True)
class _Above:
    """What an element inherits, gathered by doubling: after n rounds from the 2**n - 1 elements above it and itself.

    The entry after the last element represents what is above the root and changes nothing.
    """

    up: Ints
    depth: Ints  # elements above it
    path: Ints
    bounds: Ints  # lowest weight; minus the highest
    bits: Ints
    top: Ints  # topmost element that holds the same blocks
    series: Ints
    outer: Ints

    @classmethod
    def of(cls, parent: Ints, marker_weight: Ints, bits: Ints, n_blocks: Ints, repeated: NDArray[np.bool_]) -> _Above:
        """Return what each element has of its own."""
        size = len(parent)
        itself = np.arange(size + 1)
        up = np.append(np.where(parent < 0, size, parent), size)
        counts = np.append(n_blocks, -1)
        marked = np.append(repeated, False)
        limit = np.iinfo(np.int64).max
        return cls(
            up=up,
            depth=np.append(np.minimum(parent, 0) + 1, 0),
            path=np.append(marker_weight, 0),
            bounds=np.stack((np.append(marker_weight, limit), np.append(-marker_weight, limit))),
            bits=np.append(bits, 0),
            top=np.where(counts[up] == counts, up, itself),
            series=np.where(marked, itself, up),
            outer=np.where(marked, itself, -1),
        )

    def gather(self) -> None:
        """Let every element inherit from all above it."""
        size = len(self.up) - 1
        while self.up.min(initial=size) < size:
            up = self.up
            self.depth += self.depth[up]
            self.path += self.path[up]
            np.minimum(self.bounds, self.bounds.take(up, axis=1), out=self.bounds)
            self.bits |= self.bits[up]
            higher = self.outer[up]
            self.outer = np.where(higher >= 0, higher, self.outer)
            self.top = self.top[self.top]
            self.series = self.series[self.series]
            self.up = up[up]


def _repeats(outline: Outline, signature_ids: Ints, parent: Ints, filled: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Return how many siblings that hold blocks have an element's tag and first class, and how many come before."""
    kinds: dict[tuple[str, str], int] = {}
    firsts_of = [(tag, mark.partition(" ")[0]) for tag, mark in outline.signatures]
    kind = np.array([kinds.setdefault(each, len(kinds)) for each in firsts_of], np.int64)
    at = np.flatnonzero(filled)
    repeats, place = np.zeros(len(signature_ids), np.int64), np.zeros(len(signature_ids), np.int64)
    if not len(at):
        return repeats, place
    key = (parent[at] + 1) * len(kinds) + kind[signature_ids[at]]
    order = np.argsort(key, kind="stable")
    key = key[order]
    firsts = np.append(0, np.flatnonzero(key[1:] != key[:-1]) + 1)
    sizes = np.diff(np.append(firsts, len(at)))
    repeats[at[order]] = np.repeat(sizes, sizes)
    place[at[order]] = np.arange(len(at)) - np.repeat(firsts, sizes)
    return repeats, place
