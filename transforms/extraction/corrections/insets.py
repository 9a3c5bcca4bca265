"""Listings and formulas that stand among kept blocks, which the model leaves out too often.

The pages it learnt from have few of them: a twentieth hold a listing. One that its neighbours enclose is of their text;
so is one in the same element as a kept neighbour ("The contents are set using:", then the code).
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from transforms.extraction.parsing.outline import Mask, Outline

_OPENERS: Final = ("$", "\\(", "\\[", "\\begin")
_FORMULA: Final = re.compile(
    r"(?:\$\$[^$]+\$\$|\$[^$]+\$|\\\((?:(?!\\\)).)+\\\)|\\\[(?:(?!\\\]).)+\\\]|\\begin\{.+\\end\{[a-z]+\*?\})[\s.,;]*",
    re.DOTALL,
)
_TOOL: Final = 20  # characters of the longest button or language label above a listing (our value)
_LONGEST: Final = 5_000  # characters of a block that is one formula (our value)


def is_inset(outline: Outline) -> Mask:
    """Return which blocks are a listing, or one formula and nothing else."""
    return np.fromiter(map(_is_inset, outline.kinds, outline.texts), np.bool_, len(outline.texts))


def _is_inset(kind: str, text: str) -> bool:
    if kind or not text.startswith(_OPENERS):
        return kind == "code"
    return len(text) < _LONGEST and _FORMULA.fullmatch(text) is not None


def with_insets(outline: Outline, kept: Mask) -> Mask:
    """Return the kept blocks and the listings and formulas that belong to them.

    Between a block and its neighbours there is nothing but other listings and formulas that are left out, and what a
    listing's tool bar says ("Copy").
    """
    inset = is_inset(outline) & ~kept
    if not inset.any():
        return kept
    others = np.flatnonzero(~inset & ~_is_tool(outline, inset, kept))
    at = np.flatnonzero(inset)
    place = np.searchsorted(others, at)
    added = kept.copy()
    for block, position in zip(at.tolist(), place.tolist(), strict=True):
        before = int(others[position - 1]) if position else -1
        after = int(others[position]) if position < len(others) else -1
        sides = [side for side in (before, after) if side >= 0 and kept[side]]
        added[block] = len(sides) == 2 or any(_is_beside(outline, block, side) for side in sides)
    return added


def _is_tool(outline: Outline, inset: Mask, kept: Mask) -> Mask:
    """Return which left-out blocks are a word or two directly above a listing that is left out, too."""
    short = np.fromiter(map(len, outline.texts), np.int64, len(kept)) <= _TOOL
    tools: Mask = short & ~kept & np.append(inset[1:], False)
    return tools


def _is_beside(outline: Outline, block: int, neighbour: int) -> bool:
    """Return whether a neighbour is in the element that holds the block's own."""
    own = outline.owners[block] if outline.kinds[block] == "code" else outline.boxes[block]
    around = outline.parents[own]
    return around >= 0 and outline.starts[around] <= neighbour < outline.ends[around]
