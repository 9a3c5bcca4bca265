"""Books as a source: files of plain text or HTML, a book each, several files a part."""

from __future__ import annotations

import base64
import hashlib
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from schemas.records import Header
from storage.files import open_read
from transforms.sources.books.book import head_of, kind_of
from transforms.sources.books.head import address
from transforms.sources.books.settings import BooksScanConfig
from transforms.sources.formats import whole_files
from transforms.sources.items import Broken, Part, Skipped
from transforms.sources.source import Reader
from transforms.sources.strings import storable


@dataclass(frozen=True)
class Books:
    """Editions of Project Gutenberg, and other books, as plain text or HTML: a file is a book.

    The address is that of the book at Project Gutenberg, so that of its editions (txt, -0.txt, -8.txt, -h.htm) one
    stays: the newest, by the date in its head. Left out: `oversized_book`, `not_a_book` (no text: an archive, an image,
    a catalogue), `copyrighted`.
    """

    name: str
    settings: BooksScanConfig
    reader: Reader  # transforms.sources.books.reader.BookReader
    kind: ClassVar[str] = "books"
    formats: ClassVar[str] = "plain text and HTML, a file a book (Project Gutenberg)"

    def parts(self, files: Sequence[tuple[str, int]]) -> list[Part]:
        """Return parts of whole files, (path, bytes) each, by path."""
        return whole_files(files, self.settings.part_mib << 20)

    def scan(self, part: Part) -> Iterator[Header | Skipped | Broken]:
        """Yield one item for each file."""
        for row, (path, offset) in enumerate(zip(part.paths, part.starts, strict=True)):
            with open_read(path) as stream:
                data = stream.read(self.settings.max_book_bytes + 1)
                size = len(data) if len(data) <= self.settings.max_book_bytes else stream.seek(0, 2)
            yield self._item(data, size, path, row, offset)

    def _item(self, data: bytes, size: int, path: str, row: int, offset: int) -> Header | Skipped | Broken:
        name = storable(posixpath.basename(path))
        if not data:
            return Broken(row=row, offset=offset, cause="empty_file", detail="the file has no bytes", record_id=name)
        kind = kind_of(data)
        head = head_of(data, path, is_page=kind == "html")
        url = address(head.number)
        reason, value, limit = "", None, None
        if size > self.settings.max_book_bytes:
            reason, value, limit = "oversized_book", size, self.settings.max_book_bytes
        elif not kind:
            reason = "not_a_book"
        elif head.licence == "copyrighted" and not self.settings.keep_copyrighted:
            reason = "copyrighted"
        if reason:
            return Skipped(
                row=row, offset=offset, record_id=name, url=url, reason=reason, value=value, limit=limit,
                detail=head.title[:80],
            )  # fmt: skip
        return Header(
            row=row,
            offset=offset,
            length=size,
            record_id=name,
            url=url,
            fetched_at=head.updated or head.released,
            kind=kind,
            media_type="text/html" if kind == "html" else "text/plain",
            charset=head.charset,
            digest=f"sha1:{base64.b32encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()}",
        )
