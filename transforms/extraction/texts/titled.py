"""A page's title as the first block of its text, where the text lacks it.

The text has it when one of its headings or of its first lines is the title, in the same words; or holds it, if it has
four words or more, eight characters in scripts without blanks; or is a part of it, half of it at least. Texts whose
blocks are unknown have no headings to look at. A text that is empty stays so.
"""

from __future__ import annotations

import numpy as np

from schemas.blocks import HEADING, Blocks
from transforms.extraction.declared.titles import normal
from transforms.text.view import has_unspaced, split_words

_FIRST_LINES = 8  # of a text that are compared with its title (our value)
_HEAD = 8000  # characters of a text that its first lines are looked for in
_TELLING_WORDS = 4  # of a title that is not in a line by chance (our value)
_TELLING_CHARS = 8  # the same, in scripts without blanks between words
_MORE = 100  # characters of a line beyond as many as its title has that are looked at (our value)


def with_title(text: str, blocks: Blocks, title: str) -> tuple[str, Blocks]:
    """Return a text with its title and where its blocks are then; both as they are when it has the title."""
    if not title or not text or has_title(text, blocks, title):
        return text, blocks
    head = f"{title}\n\n"
    if len(blocks):
        blocks = Blocks(
            np.concatenate((np.array([HEADING], np.int8), blocks.kinds)),
            np.concatenate((np.array([0], np.int32), blocks.starts + np.int32(len(head)))),
            np.concatenate((np.array([len(title)], np.int32), blocks.ends + np.int32(len(head)))),
        )
    return head + text, blocks


def has_title(text: str, blocks: Blocks, title: str) -> bool:
    """Return whether a text has its title among its headings or first lines."""
    words = normal(title)
    longest = len(title) + _MORE
    lines = list(filter(None, text[:_HEAD].split("\n")))[:_FIRST_LINES]
    headings = np.flatnonzero(blocks.kinds == HEADING)
    spans = zip(blocks.starts[headings].tolist(), blocks.ends[headings].tolist(), strict=True)
    lines += [text[start:end] for start, end in spans]
    is_telling = len(split_words(title)) >= (_TELLING_CHARS if has_unspaced(title) else _TELLING_WORDS)
    return any(
        _is_title(normal(line[:longest]), words, is_telling=is_telling) for line in lines if 2 * len(line) >= len(words)
    )


def _is_title(line: str, title: str, *, is_telling: bool) -> bool:
    if not line or 2 * len(line) < len(title):
        return False
    return line == title or (is_telling and title in line) or f" {line} " in f" {title} "
