"""A page as its elements and its blocks of text, in arrays.

A block is a run of text that no block-level tag interrupts: a paragraph, a list item, a cell, a heading.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]  # of a page's blocks, for instance those that are kept

MIN_LEFT: Final = 200  # characters that a correction leaves of a page, at least: a paragraph (our value)
LINKED_LIMIT: Final = 200_000  # characters of linked data that are looked through, of each script (our value)


@dataclass(slots=True)
class Outline:
    """A page as parallel lists: one entry an element in document order, one entry a block of text."""

    # elements
    tags: list[str] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)  # index of the parent element, -1 for the root
    signature_ids: list[int] = field(default_factory=list)  # the element's number in `signatures`
    starts: list[int] = field(default_factory=list)  # the element's blocks are starts..ends
    ends: list[int] = field(default_factory=list)
    hidden: list[int] = field(default_factory=list)  # the elements that say themselves that they are not shown
    nameless: list[int] = field(default_factory=list)  # blocks out of sight that no script can find by name
    read_aloud: list[int] = field(
        default_factory=list
    )  # elements for screen readers alone, of which no text is left out
    dialogs: list[int] = field(default_factory=list)  # the elements that say so by role or `aria-modal`
    signatures: dict[tuple[str, str], int] = field(default_factory=dict)  # (tag; class, id, role, itemprop) -> number
    spans: dict[int, tuple[int, int]] = field(default_factory=dict)  # a table's cell -> columns and rows it spans
    # blocks
    texts: list[str] = field(default_factory=list)  # white space collapsed unless it is code
    owners: list[int] = field(default_factory=list)  # the element that holds the whole block
    boxes: list[int] = field(default_factory=list)  # the nearest block-level element
    link_chars: list[int] = field(default_factory=list)  # characters of the block inside links
    shown: dict[int, str] = field(default_factory=dict)  # block -> its text without hidden pieces, if it has some
    kinds: list[str] = field(default_factory=list)  # "", "code", or what the page declares: "declared"
    wordless: list[tuple[int, str]] = field(default_factory=list)  # box and text of what is no block: a dash in a cell
    # what the head says
    title: str = ""
    language: str = ""  # the `lang` of the root element
    metas: dict[str, str] = field(default_factory=dict)  # name or property in lower case -> content, the first of each
    linked_data: list[str] = field(default_factory=list)  # the JSON of each application/ld+json script
    # what its elements say of when it was published: whether it is surely that, and what is written
    dates: list[tuple[bool, str]] = field(default_factory=list)

    def chars_of(self, blocks: Mask) -> int:
        """Return the characters of some blocks."""
        return sum(len(self.texts[block]) for block in np.flatnonzero(blocks).tolist())

    def add_element(self, tag: str, parent: int, mark: str) -> int:
        """Append an element that holds no block yet; return its index."""
        index = len(self.tags)
        self.tags.append(tag)
        self.parents.append(parent)
        signatures = self.signatures
        self.signature_ids.append(signatures.setdefault((tag, mark), len(signatures)))
        self.starts.append(len(self.texts))
        self.ends.append(len(self.texts))
        return index

    def add_block(self, text: str, owner: int, box: int, link_chars: int, kind: str) -> None:
        """Append a block."""
        self.texts.append(text)
        self.owners.append(owner)
        self.boxes.append(box)
        self.link_chars.append(link_chars)
        self.kinds.append(kind)
