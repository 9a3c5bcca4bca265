"""What the extraction gives of a page. Not compiled (deploy/compiled.py): these travel between processes."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.blocks import Blocks


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a page's main content."""

    kind: str  # one of schemas.blocks.KINDS
    text: str  # of a table row: its cells, parted by tabs


@dataclass(frozen=True, slots=True)
class Extracted:
    """A page's main content and what the page says about itself; '' where it says nothing."""

    text: str
    blocks: Blocks  # spans of the text
    title: str
    language: str  # as declared, for instance "en-GB": a hint
    published: str  # ISO 8601 date
    kind: str  # one of page_kind.KINDS
    confidence: float  # expected word F1 of the choice of blocks, 0..1
