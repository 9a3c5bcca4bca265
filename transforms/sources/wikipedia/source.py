"""Wikipedia as a source: its dumps, part by part."""

from __future__ import annotations

import math
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from schemas.records import Header
from storage.files import open_read
from transforms.sources.items import Broken, Part, Skipped
from transforms.sources.source import Reader
from transforms.sources.wikipedia.dump import read_pages
from transforms.sources.wikipedia.page import judge
from transforms.sources.wikipedia.settings import WikipediaScanConfig
from transforms.sources.wikipedia.streams import Break


@dataclass(frozen=True)
class Wikipedia:
    """The articles of one or more of Wikipedia's XML dumps.

    bzip2 and plain XML are cut into byte ranges. A part of a bzip2 file holds the streams that start in it, so a
    multistream dump is read in parallel and a file of one stream by its first part; the other parts only search their
    range for the start of a stream, and are empty.
    """

    name: str
    settings: WikipediaScanConfig
    reader: Reader  # transforms.sources.wikipedia.reader.ArticleReader
    kind: ClassVar[str] = "wikipedia"
    formats: ClassVar[str] = "XML dumps of MediaWiki (plain, bzip2)"

    def parts(self, files: Sequence[tuple[str, int]]) -> list[Part]:
        """Return the parts of some files, (path, bytes) each, by path and place."""
        parts: list[Part] = []
        for path, size in sorted(files):
            cut = posixpath.basename(path).lower().endswith((".bz2", ".xml"))
            n = max(1, math.ceil(size / (self.settings.part_mib << 20))) if cut else 1
            parts.extend(Part(path, size * i // n, size * (i + 1) // n) for i in range(n))
        return parts

    def scan(self, part: Part) -> Iterator[Header | Skipped | Broken]:
        """Yield, for each page of a part and each place that cannot be read, one item."""
        with open_read(part.path) as stream:
            site, pages = read_pages(stream, part, self.settings.max_page_bytes)
            for row, raw in enumerate(pages):
                if isinstance(raw, Break):
                    yield Broken(row=row, offset=raw.offset, cause=raw.cause, detail=raw.detail)
                else:
                    yield judge(raw, row, site, self.settings)
