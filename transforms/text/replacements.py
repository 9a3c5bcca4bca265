"""Pieces of a text that were replaced: the new text, and where the blocks of the old one went.

A replacement is (start, end, new text): characters [start, end) of the text before the edit. The replacements of one
edit ascend and do not overlap.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from schemas.blocks import Blocks

Replacement = tuple[int, int, str]


def replace(text: str, replaced: Sequence[Replacement]) -> str:
    """Return `text` after its replacements."""
    pieces: list[str] = []
    end = 0
    for start, stop, new in replaced:
        pieces += (text[end:start], new)
        end = stop
    pieces.append(text[end:])
    return "".join(pieces)


def check_replaced(replaced: Sequence[Replacement], n_chars: int) -> None:
    """Raise ValueError unless the replacements ascend, do not overlap and lie in a text of `n_chars` characters."""
    before = 0
    for start, end, _ in replaced:
        if not before <= start <= end <= n_chars:
            raise ValueError(f"an edit replaces {start} to {end}, after {before}, in a text of {n_chars} characters")
        before = end


def move_blocks(blocks: Blocks, replaced: Sequence[Replacement]) -> Blocks:
    """Return where the blocks are after the replacements; those of which nothing is left go.

    A block keeps exactly those of its characters that were not replaced. New text belongs to the block in which what
    it replaced starts, text put between two blocks that touch to the second. A start or end inside a replaced piece
    goes to the end of the new text.
    """
    if not len(blocks) or not replaced:
        return blocks
    pieces = np.array([(start, end, len(new)) for start, end, new in replaced], np.int64)
    # Where the last piece that starts before a boundary ended, and by how much all up to it moved what follows.
    ends = np.concatenate(([0], pieces[:, 1]))
    moves = np.concatenate(([0], np.cumsum(pieces[:, 2] - pieces[:, 1] + pieces[:, 0])))
    bounds = np.stack((blocks.starts, blocks.ends))
    before = np.searchsorted(pieces[:, 0], bounds, side="left")
    starts, stops = (np.maximum(bounds, ends[before]) + moves[before]).astype(np.int32)
    left = starts < stops
    return Blocks(blocks.kinds[left], starts[left], stops[left])


def explained_lines(
    text: str, lines: Sequence[str | None], reasons: Sequence[str]
) -> tuple[list[Replacement], list[str]]:
    r"""Return the replacements that make each line of `text.split("\n")` the one in `lines`, and the reason of each.

    None in `lines` takes a line away. `reasons` holds one for each line.

    The text becomes "\n".join of the lines that are not None. A line takes away the line feed after it; where there is
    none, or a blank line follows, the one before it, so that a block whose last line goes ends with its last character.
    Lines in a row that go for different reasons are a replacement each; one without a reason ('') goes with its
    neighbour.
    """
    found = list(_line_edits(text, lines, reasons))
    return [replaced for replaced, _ in found], [reason for _, reason in found]


def _line_edits(text: str, lines: Sequence[str | None], reasons: Sequence[str]) -> Iterator[tuple[Replacement, str]]:
    start = 0  # where the line starts
    gone: list[tuple[int, str]] = []  # the lines before it that go: where those of one reason start, and the reason
    for old, new, reason in zip(text.split("\n"), lines, reasons, strict=True):
        if new is None:
            if not gone:
                gone = [(start, reason)]
            elif reason and not gone[-1][1]:
                gone[-1] = (gone[-1][0], reason)
            elif reason and reason != gone[-1][1]:
                gone.append((start, reason))
        else:
            yield from _removed(gone, start, 1 if gone and gone[0][0] and not old else 0)
            gone = []
            if new != old:
                yield _difference(start, old, new), reason
        start += len(old) + 1
    yield from _removed(gone, start, 1 if gone and gone[0][0] else 0, len(text))


def _removed(
    gone: Sequence[tuple[int, str]], end: int, feed: int, n_chars: int | None = None
) -> Iterator[tuple[Replacement, str]]:
    """Yield what takes away lines up to `end`, each `feed` characters before where it is."""
    stop = end - feed if n_chars is None else n_chars
    for (start, reason), (after, _) in itertools.pairwise([*gone, (stop + feed, "")]):
        yield (start - feed, after - feed, ""), reason


def _difference(start: int, old: str, new: str) -> Replacement:
    """Return the one replacement that makes `old`, a line at `start`, `new`, without what both begin and end with."""
    if old.startswith(new):
        return start + len(new), start + len(old), ""
    head = _shared(old, new)
    tail = _shared(old[head:][::-1], new[head:][::-1])
    return start + head, start + len(old) - tail, new[head : len(new) - tail]


def _shared(one: str, other: str) -> int:
    """Return how many characters two texts begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
