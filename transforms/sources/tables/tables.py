"""Tables of texts as a source: JSON Lines, plain or compressed, and Parquet; a row is a document.

The columns of text, address, id and date are settings; a row without a text is a failure, one whose text is white space
is dropped as `no_text`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from schemas.errors import BadRecord
from schemas.records import Header
from schemas.settings import setting, validate
from transforms.extraction.texts.hygiene import clean_text
from transforms.sources.formats import plan_parts
from transforms.sources.items import Broken, IngestConfig, Part, Skipped, metadata_edits
from transforms.sources.read import read_bodies, scan
from transforms.sources.source import Text


@dataclass(frozen=True, kw_only=True)
class TablesConfig:
    """Which columns hold what."""

    text_column: str = setting("text", "column with the text; a.b is b inside a")
    url_column: str = setting("url", "column with the address; may be absent")
    id_column: str = setting("id", "column with the record's id; may be absent")
    date_column: str = setting("date", "column with the date: ISO 8601, HTTP's form, time since 1970 or a timestamp")
    part_mib: int = setting(32, "largest range of a file that one worker reads at a time, MiB", ge=1, le=4096)
    max_text_bytes: int = setting(8 << 20, "bytes that a text may have", ge=1024, le=1 << 30)
    metadata_bytes: int = setting(
        1 << 16,
        "bytes of JSON that a row's other fields may have in column metadata; 0: none are kept",
        ge=0,
        le=1 << 24,
    )

    def __post_init__(self) -> None:
        validate(self)

    @property
    def ingest(self) -> IngestConfig:
        """The same as the settings of the readers of rows."""
        return IngestConfig(
            max_body_bytes=self.max_text_bytes, text_column=self.text_column, url_column=self.url_column,
            id_column=self.id_column, date_column=self.date_column, metadata_bytes=self.metadata_bytes,
            keep_plain_text=True,
        )  # fmt: skip


@dataclass(frozen=True)
class RowReader:
    """Reads the texts of selected rows."""

    settings: TablesConfig
    facts: ClassVar[type | None] = None
    cpu_ms: ClassVar[float] = 0.3

    def open(self) -> None:
        """Nothing to open."""

    def close(self) -> None:
        """Nothing to close."""

    def read(self, part: Part, headers: Mapping[int, Header]) -> Iterator[Text]:
        """Yield the text of each row, cleaned of broken characters."""
        for row, body in read_bodies(part, sorted(headers), self.settings.ingest):
            if isinstance(body, Broken):
                yield Text(row=row, text="", failure=BadRecord(body.cause, body.detail))
            else:
                text = clean_text(body.payload.decode("utf-8", "replace"))
                yield Text(
                    row=row, text=text, metadata=body.metadata, edits=metadata_edits(body), size=len(body.payload)
                )


@dataclass(frozen=True)
class Tables:
    """Rows of JSON Lines and Parquet files."""

    name: str
    settings: TablesConfig
    kind: ClassVar[str] = "tables"
    formats: ClassVar[str] = "JSONL (one object a line; plain, gzip, LZ4, Zstandard) and Parquet"

    @property
    def reader(self) -> RowReader:
        return RowReader(self.settings)

    def parts(self, files: Sequence[tuple[str, int]]) -> list[Part]:
        """Return byte ranges of the files: plain JSON Lines are cut at lines, Parquet at row groups."""
        return plan_parts(files, self.settings.part_mib << 20)

    def scan(self, part: Part) -> Iterator[Header | Skipped | Broken]:
        """Yield the columns of each row other than its text."""
        return scan(part, self.settings.ingest)
