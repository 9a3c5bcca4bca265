"""What ingest takes and gives: the part, its settings, and the one item that each record of a part becomes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.settings import setting, validate

LEFT_OUT = "read:fields_left_out"  # fields of rows that are too long for the metadata, or cannot be read
UNREADABLE_DATES = "read:unreadable_dates"  # records whose date is none: they are older than any that has one
LOST = "read:records_lost"  # records in places that cannot be read, where the container counts them


@dataclass(frozen=True, kw_only=True)
class IngestConfig:
    """Settings of reading archives and tables."""

    part_mib: int = setting(32, "largest range of an archive that one worker reads at a time, MiB", ge=1, le=4096)
    max_body_bytes: int = setting(
        8 << 20, "bytes a page's body may have, as stored and again after its codings are removed", ge=1024, le=1 << 30
    )
    keep_plain_text: bool = setting(False, "keep responses declared text/plain, as text that needs no extraction")
    compute_digest: bool = setting(True, "hash the stored body (SHA-1) where the archive declares no payload digest")
    keep_truncated: bool = setting(
        False, "keep bodies that the crawler or the server (206) cut short (Llama 3: whole pages only)"
    )
    text_column: str = setting("text", "column of JSONL and Parquet with the text; a.b is b inside a")
    url_column: str = setting("url", "column with the address; may be absent")
    id_column: str = setting("id", "column with the record's id; may be absent")
    date_column: str = setting(
        "date", "column with the date: ISO 8601, HTTP's form, time since 1970 or a timestamp; may be absent"
    )
    metadata_bytes: int = setting(
        1 << 16,
        "bytes of JSON that a row's other fields may have in column metadata; 0: none are kept",
        ge=0,
        le=1 << 24,
    )

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True)
class Part:
    """A byte range of one file: the records that start in [start, end). Or several whole files, one after the other.

    Of several files, `path` is the first and offsets count through all of them: `locate` says whose byte one is.
    """

    path: str
    start: int
    end: int
    files: tuple[tuple[str, int], ...] = ()  # (path, bytes) of each, where there are several; start is 0

    @staticmethod
    def of_files(files: Sequence[tuple[str, int]]) -> Part:
        """Return a part of some whole files, (path, bytes) each."""
        (path, size), *more = files
        return Part(path, 0, sum(max(1, size) for _, size in files) if more else size, tuple(files) if more else ())

    @property
    def paths(self) -> list[str]:
        """The files that it is of."""
        return [path for path, _ in self.files] or [self.path]

    @property
    def starts(self) -> list[int]:
        """The offset at which each of `paths` begins; an empty file takes one byte, so that it has a place too."""
        return [0, *itertools.accumulate(max(1, size) for _, size in self.files[:-1])]

    def locate(self, offset: int) -> tuple[str, int]:
        """Return the file in which byte `offset` of the part lies, and that byte in the file."""
        for path, size in self.files[:-1]:
            if offset < max(1, size):
                return path, offset
            offset -= max(1, size)
        return self.files[-1][0] if self.files else self.path, offset


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A record that its headers alone reject."""

    row: int
    offset: int
    record_id: str
    url: str
    reason: str
    value: float | None = None
    limit: float | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A place that cannot be read: one for each break, however many records were lost in it.

    `records` says how many, where the container counts them: rows of a Parquet row group, compressed members.
    """

    row: int
    offset: int
    cause: str
    detail: str = ""
    record_id: str = ""
    url: str = ""
    records: int = 1


@dataclass(frozen=True, slots=True)
class Body:
    """A page's payload, transfer and content codings removed, and the charset its headers declare ('' for none).

    For pages of kind 'text' the payload is UTF-8 and the charset says so.
    """

    payload: bytes
    charset: str
    metadata: str = ""  # of a row of a table: its fields that no setting names, as JSON
    left_out: int = 0  # of these, how many are not in `metadata`


def metadata_edits(body: Body) -> dict[str, int]:
    """Return the count of a row's fields that its metadata lacks, as a reader counts edits."""
    return {LEFT_OUT: body.left_out} if body.left_out else {}


@dataclass(slots=True)
class RawRecord:
    """One record as a format's reader hands it on: what the archive says about it, unjudged, and its block."""

    row: int
    offset: int
    length: int  # bytes of the whole block
    record_type: str  # WARC-Type, 'filedesc' for the first record of an ARC, 'row' for a row of a table
    record_id: str = ""
    url: str = ""
    date: str = ""
    media_type: str = ""  # of the block: application/http; msgtype=response, text/dns
    digest: str = ""
    refers_to: str = ""
    truncated: str = ""  # why the crawler cut the block short (WARC-Truncated), '' when it did not
    block: bytes = b""  # the block's first bytes, as many as the reader was asked to keep
    metadata: str = ""  # of a row: as in its body
    left_out: int = 0
