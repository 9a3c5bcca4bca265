"""Candidate data mixes: places of a grid on the simplex of shares, drawn by a keyed hash."""

from __future__ import annotations

import math
from collections.abc import Sequence

from schemas.errors import ConfigError
from trainer.data.permutation import Permutation

MAX_GRID = 1 << 60  # places that a keyed permutation of 64-bit numbers can hold


def grid_size(sources: int, parts: int) -> int:
    """Return in how many ways `parts` equal parts can be dealt to sources."""
    return math.comb(parts + sources - 1, sources - 1)


def grid_place(index: int, sources: int, parts: int) -> tuple[int, ...]:
    """Return the `index`-th way in ascending order; the inverse of counting, so no grid is ever listed."""
    if not 0 <= index < grid_size(sources, parts):
        raise IndexError(f"index {index}: must be 0 to {grid_size(sources, parts) - 1}")
    dealt = []
    for left in range(sources - 1, 0, -1):
        part = 0
        while index >= (below := grid_size(left, parts - part)):
            index -= below
            part += 1
        dealt.append(part)
        parts -= part
    return (*dealt, parts)


def propose(sources: Sequence[str], parts: int, least: int, count: int, key: str) -> dict[str, dict[str, float]]:
    """Return `count` different mixes by name, or all there are: shares in `parts`-ths, each source at least `least`.

    Which ones is a function of `key`, the number of sources and the grid; more of them always hold the fewer.
    ConfigError when the least parts do not fit, or the grid is too fine for its sources.
    """
    names = sorted(sources)
    free = parts - least * len(names)
    if not names or free < 0:
        raise ConfigError(f"least: {least} of {parts} parts for each of {len(names)} sources is not allowed")
    size = grid_size(len(names), free)
    if size > MAX_GRID:
        raise ConfigError(f"parts: {parts} is not allowed for {len(names)} sources; a coarser grid is needed")
    order = Permutation(size, f"scaling.mixes:{key}")
    found = {}
    for n in range(min(count, size)):
        dealt = [part + least for part in grid_place(order[n], len(names), free)]
        name = "m" + "-".join(map(str, dealt))
        found[name] = {source: part / parts for source, part in zip(names, dealt, strict=True)}
    return found
