"""What a block inherits from the elements around it, computed for every element once, level by level from the root."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from transforms.extraction.lexicon import Lexicon
from transforms.extraction.walk import Outline

Ints = NDArray[np.int64]

# Ancestors that mean something by their tag alone; one bit each.
LANDMARKS = (
    *("nav", "header", "footer", "aside", "main", "article", "form", "table", "ul", "figure", "button", "li", "p"),
    *("label", "section", "pre"),
)
_BITS = {tag: 1 << at for at, tag in enumerate(LANDMARKS)} | {"menu": 1 << LANDMARKS.index("ul")}
MIN_REPEATS = 3  # siblings of one make from which on they are a series, ours


@dataclass(frozen=True, slots=True)
class Elements:
    """One entry an element."""

    parent: Ints
    depth: Ints
    start: Ints  # its blocks are start..end
    end: Ints
    own: Ints  # weight of its own marks
    path: Ints  # sum of weights from the root
    low: Ints  # lowest weight on the way
    high: Ints  # highest
    landmarks: Ints  # bits of its landmarks, itself included
    hidden: Ints
    wider: Ints  # the nearest ancestor that holds more blocks, itself when there is none
    repeats: Ints  # siblings of the same make that hold blocks, itself included
    place: Ints  # how many of them stand before it
    series: Ints  # nearest ancestor or self that is one of a series, -1: none
    outer_series: Ints  # topmost such


def elements_of(outline: Outline, lexicon: Lexicon) -> Elements:
    """Return the elements of a page as arrays."""
    makes = np.array(outline.makes, np.int64)
    parent, depth = np.array(outline.parents, np.int64), np.array(outline.depths, np.int64)
    start, end = np.array(outline.starts, np.int64), np.array(outline.ends, np.int64)
    own = np.array([lexicon.own_weight(tag, mark) for tag, mark in outline.made], np.int64)[makes]
    bits = np.array([_BITS.get(tag, 0) for tag, _ in outline.made], np.int64)[makes]
    repeats, place = _repeats(outline, makes, parent, end > start)
    size = len(makes)
    itself = np.arange(size)
    path, low, high, hidden = own.copy(), own.copy(), own.copy(), np.array(outline.hides, np.int64)
    series = np.where(repeats >= MIN_REPEATS, itself, -1)
    outer, wider, n_blocks = series.copy(), itself.copy(), end - start
    for at in _levels(depth):
        up = parent[at]
        path[at] += path[up]
        low[at] = np.minimum(low[at], low[up])
        high[at] = np.maximum(high[at], high[up])
        bits[at] |= bits[up]
        hidden[at] |= hidden[up]
        wider[at] = np.where(n_blocks[up] > n_blocks[at], up, wider[up])
        series[at] = np.where(series[at] < 0, series[up], series[at])
        outer[at] = np.where(outer[up] < 0, outer[at], outer[up])
    return Elements(
        parent, depth, start, end, own, path, low, high, bits, hidden, wider, repeats, place, series, outer
    )  # fmt: skip


def _levels(depth: Ints) -> Iterator[Ints]:
    """Yield the elements of each depth, from those below the root on."""
    order = np.argsort(depth, kind="stable")
    bounds = np.searchsorted(depth[order], np.arange(1, int(depth.max(initial=0)) + 2))
    for first, last in pairwise(bounds.tolist()):
        yield order[first:last]


def _repeats(outline: Outline, makes: Ints, parent: Ints, filled: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Return how many siblings that hold blocks are of an element's tag and first class, and how many stand before."""
    kinds: dict[tuple[str, str], int] = {}
    made = [(tag, mark.partition(" ")[0]) for tag, mark in outline.made]
    kind = np.array([kinds.setdefault(make, len(kinds)) for make in made], np.int64)
    at = np.flatnonzero(filled)
    repeats, place = np.zeros(len(makes), np.int64), np.zeros(len(makes), np.int64)
    if not len(at):
        return repeats, place
    key = (parent[at] + 1) * len(kinds) + kind[makes[at]]
    order = np.argsort(key, kind="stable")
    firsts = np.flatnonzero(np.diff(key[order], prepend=-1))
    sizes = np.diff(np.append(firsts, len(at)))
    repeats[at[order]] = np.repeat(sizes, sizes)
    place[at[order]] = np.arange(len(at)) - np.repeat(firsts, sizes)
    return repeats, place
