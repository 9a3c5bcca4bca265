"""Web archives as a source: WARC, ARC and WET, plain or compressed; tables of texts among them are read as well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from schemas.records import Header
from transforms.sources.formats import plan_parts
from transforms.sources.items import Broken, IngestConfig, Part, Skipped
from transforms.sources.read import scan
from transforms.sources.source import Reader


@dataclass(frozen=True)
class WebArchives:
    """Archived pages; `transforms.sources.web.page_reader` reads their texts."""

    name: str
    settings: IngestConfig
    reader: Reader
    kind: ClassVar[str] = "web"
    formats: ClassVar[str] = "WARC, ARC and WET (plain, gzip, LZ4, Zstandard), JSONL (one object a line) and Parquet"

    def parts(self, files: Sequence[tuple[str, int]]) -> list[Part]:
        """Return byte ranges of the files; archives whose members are compressed one by one are cut."""
        return plan_parts(files, self.settings.part_mib << 20)

    def scan(self, part: Part) -> Iterator[Header | Skipped | Broken]:
        """Yield what the headers of each record say."""
        return scan(part, self.settings)
