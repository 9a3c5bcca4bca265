"""Blank lines of a text: none at its ends, never two in a row; what a block of code holds inside stays as it is.

The one place where this is done: for every text as it is read, and after every edit, since a rule that takes away lines
or pieces of them does not see what it leaves around them. A line of white space alone is blank; the white space before
the first word of a line stays. Where blocks are unknown, so is what is code.
"""

from __future__ import annotations

import re

import numpy as np

from schemas.blocks import CODE, Blocks
from transforms.text.replacements import Replacement, move_blocks, replace

_RUN = re.compile(r"\n(?:[^\S\n]*\n){2,}")
_START = re.compile(r"(?:[^\S\n]*\n)+")


def without_blank_runs(text: str, blocks: Blocks) -> tuple[str, Blocks]:
    """Return a text without needless blank lines, and where its blocks are then."""
    if replaced := needless_blank_lines(text, blocks):
        return replace(text, replaced), move_blocks(blocks, replaced)
    return text, blocks


def needless_blank_lines(text: str, blocks: Blocks) -> list[Replacement]:
    """Return what to replace for it."""
    replaced: list[Replacement] = []
    start = found.end() if (found := _START.match(text)) else 0
    end = len(text.rstrip())
    if end <= start and "\n" in text:
        return [(0, len(text), "")]
    if start:
        replaced.append((0, start, ""))
    runs = list(_RUN.finditer(text, start, end))
    if runs:
        is_code = blocks.kinds == CODE
        starts, ends = blocks.starts[is_code], blocks.ends[is_code]
        for run in runs:
            at = int(np.searchsorted(starts, run.start(), side="right")) - 1
            if at < 0 or run.end() > ends[at]:
                replaced.append((run.start(), run.end(), "\n\n"))
    if end < len(text) and "\n" in text[end:]:
        replaced.append((end, len(text), ""))
    return replaced
