"""The texts of archived pages: bodies are decoded, the main content of HTML is extracted in a guarded process.

What a page says of itself goes with it as the column `web`, null for texts that are no HTML and for extraction engines
that do not tell. A day of publication more than ten years after the page was fetched is no date (2099-12-31); up to
there the page is believed, since copies of archives have lost the true time of the fetch, and journals date ahead.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, ClassVar

from schemas.errors import BadRecord
from schemas.records import Header
from schemas.settings import section
from transforms.extraction.extract import ExtractConfig, PageText, TextExtractor
from transforms.extraction.extracted import PageFacts
from transforms.extraction.texts.hygiene import clean_text
from transforms.sources.items import Body, Broken, IngestConfig, Part, metadata_edits
from transforms.sources.read import read_bodies
from transforms.sources.source import Text

SECOND_OPINION = "extract_text:second_opinion"  # pages whose text trafilatura wrote because confidence was low
TITLES = "extract_text:titles"  # pages whose title was put before their text, which lacked it
UNREADABLE_DATES = "extract_text:unreadable_dates"  # pages whose day of publication is none, or cannot be told
_AHEAD = timedelta(days=3653)  # a page may be dated after it was fetched (our value)


@dataclass(frozen=True, kw_only=True)
class PageReading:
    """What the text of a page depends on."""

    ingest: IngestConfig = section(IngestConfig, "how its body is read")
    extract: ExtractConfig = section(ExtractConfig, "how its main content is found")


@dataclass
class PageReader:
    """Reads the bodies of selected pages and extracts their main content."""

    settings: PageReading
    extractor: TextExtractor | None = field(default=None, repr=False, compare=False)
    facts: ClassVar[type | None] = PageFacts
    cpu_ms: ClassVar[float] = 12.0

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "extractor": None}  # an opened reader travels without its process

    def open(self) -> None:
        """Make the extractor; its process starts with the first page."""
        self.extractor = TextExtractor(self.settings.extract)

    def close(self) -> None:
        """End the extractor's process."""
        if self.extractor is not None:
            self.extractor.close()
            self.extractor = None

    def read(self, part: Part, headers: Mapping[int, Header]) -> Iterator[Text]:
        """Yield the main content of each page."""
        for row, body in read_bodies(part, sorted(headers), self.settings.ingest):
            if isinstance(body, Broken):
                yield Text(row=row, text="", failure=BadRecord(body.cause, body.detail))
            else:
                yield self._text(headers[row], body)

    def _text(self, header: Header, body: Body) -> Text:
        size, cpu_s, started = len(body.payload), 0.0, time.thread_time_ns()
        try:
            if header.kind == "html":
                if self.extractor is None:
                    self.open()
                assert self.extractor is not None  # noqa: S101
                found, cpu_s = self.extractor.extract(body.payload, body.charset or header.charset, header.url)
            else:
                found = PageText(clean_text(body.payload.decode("utf-8", "replace")))
        except BadRecord as error:
            own_ns = time.thread_time_ns() - started
            return Text(row=header.row, text="", failure=error, size=size, cpu_ns=own_ns, own_ns=own_ns)
        facts, is_late = _checked(found.facts, header)
        edits = {
            SECOND_OPINION: found.is_second,
            TITLES: found.has_new_title,
            UNREADABLE_DATES: found.unreadable_date or is_late,
        }
        own_ns = time.thread_time_ns() - started
        return Text(
            row=header.row,
            text=found.text,
            blocks=found.blocks,
            page_kind=found.kind,
            extraction_confidence=found.confidence,
            metadata=body.metadata,
            facts=facts,
            edits={name: 1 for name, happened in edits.items() if happened} | metadata_edits(body),
            size=size,
            cpu_ns=own_ns + int(cpu_s * 1e9),
            own_ns=own_ns,
        )


def _checked(facts: PageFacts | None, header: Header) -> tuple[PageFacts | None, bool]:
    """Return what a page says of itself without a day that lies too far after its fetch, and whether it had one."""
    if facts is None or facts.published is None or header.fetched_at is None:
        return facts, False
    if date.fromisoformat(facts.published) - _AHEAD <= header.fetched_at.date():
        return facts, False
    return dataclasses.replace(facts, published=None), True
