"""The texts of selected books."""

from __future__ import annotations

import posixpath
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from schemas.records import Header
from storage.files import read_bytes
from transforms.sources.books.book import read_book
from transforms.sources.books.settings import BooksReadConfig
from transforms.sources.items import Part
from transforms.sources.source import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class BooksFacts:
    """What is known of a book besides its text; '' and 0 for what its edition does not say."""

    title: str
    author: str
    translator: str
    number: int  # at Project Gutenberg
    year: int  # in which Project Gutenberg released the edition, not the book
    licence: str  # public_domain_us, copyrighted or ''
    edition: str  # name of its file


@dataclass(frozen=True)
class BookReader:
    """Reads editions as the text of their book, with blocks. A book stays one document."""

    settings: BooksReadConfig
    facts: ClassVar[type | None] = BooksFacts
    cpu_ms: ClassVar[float] = 250.0  # a novel of 800 kB

    def open(self) -> None:
        """Nothing is held between parts."""

    def close(self) -> None:
        """Nothing is held between parts."""

    def read(self, part: Part, headers: Mapping[int, Header]) -> Iterator[Text]:
        """Yield the text of each of `headers`."""
        for row, path in enumerate(part.paths):
            if row not in headers:
                continue
            data = read_bytes(path)
            started = time.thread_time_ns()
            book = read_book(data, path, self.settings)
            spent = time.thread_time_ns() - started
            head = book.head
            facts = BooksFacts(
                title=head.title,
                author=head.author,
                translator=head.translator,
                number=head.number,
                year=head.released.year if head.released else 0,
                licence=head.licence,
                edition=posixpath.basename(path),
            )
            edits = {name: n for name, n in sorted(book.counts.items()) if n}
            yield Text(
                row=row, text=book.text, blocks=book.blocks, language=head.language, facts=facts, edits=edits,
                size=len(data), cpu_ns=spent, own_ns=spent,
            )  # fmt: skip
