"""What the extraction gives of a page. Not compiled (deploy/compiled.py): these travel between processes."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.blocks import Blocks


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a page's main content."""

    kind: str  # one of schemas.blocks.KINDS
    text: str  # of a table row: its cells, parted by tabs


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFacts:
    """What a page says of itself, the column `web` of the documents; null where it says nothing."""

    title: str | None = None  # without the name of its site
    published: str | None = None  # day, YYYY-MM-DD
    declared_language: str | None = None  # tag, for instance en-GB
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Extracted:
    """A page's main content and what the page says of itself; '' where it says nothing."""

    text: str
    blocks: Blocks  # spans of the text
    title: str
    language: str  # as declared, for instance "en-GB": a hint
    published: str  # ISO 8601 date
    kind: str  # one of page_kind.KINDS
    confidence: float  # expected word F1 of the choice of blocks, 0..1
    description: str = ""
    is_heading: bool = False  # a text can be called by the title: it is not "Home", nor the site's name
    unreadable_date: bool = False  # the page declares a day of publication that is none, or cannot be told

    @property
    def facts(self) -> PageFacts:
        """What it says as the columns of its document."""
        return PageFacts(
            title=self.title or None,
            published=self.published or None,
            declared_language=self.language or None,
            description=self.description or None,
        )
