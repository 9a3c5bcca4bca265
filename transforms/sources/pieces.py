"""The blocks of a text before they are written: what readers of markup make, source by source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from schemas.blocks import HEADING, LIST_ITEM, TABLE_ROW, Blocks

_TIGHT: Final = frozenset({LIST_ITEM, TABLE_ROW})
_TEXT: Final = 99  # deeper than any heading


@dataclass(frozen=True, slots=True)
class Piece:
    """A block, before it is written: its kind, its text and, of a heading, its level."""

    kind: int
    text: str
    level: int = 0


def without_sections(pieces: Sequence[Piece], dropped: frozenset[str]) -> list[Piece]:
    """Return the blocks without sections of the given headings (lower case), and without headings of empty sections."""
    kept: list[Piece] = []
    level = 0  # of the section that is dropped
    for piece in pieces:
        if piece.kind == HEADING:
            if level and piece.level > level:
                continue
            level = piece.level if piece.text.lower() in dropped else 0
        if not level:
            kept.append(piece)
    full: list[Piece] = []
    behind = 0  # level of the heading behind; 0 at the end of the page, _TEXT where there is text between
    for piece in reversed(kept):
        if piece.kind != HEADING:
            behind = _TEXT
        elif behind <= piece.level:
            continue
        else:
            behind = piece.level
        full.append(piece)
    return full[::-1]


def write(pieces: Sequence[Piece]) -> tuple[str, Blocks]:
    """Return the text and its blocks: a line each in lists and tables, blank lines between all else."""
    texts: list[str] = []
    spans: list[tuple[int, int, int]] = []
    place, before = 0, -1
    for piece in pieces:
        if texts:
            gap = "\n" if piece.kind == before and piece.kind in _TIGHT else "\n\n"
            texts.append(gap)
            place += len(gap)
        texts.append(piece.text)
        spans.append((piece.kind, place, place + len(piece.text)))
        place += len(piece.text)
        before = piece.kind
    return "".join(texts), Blocks.of(spans)
