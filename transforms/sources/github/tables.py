"""Files as rows of Parquet or JSON Lines, as The Stack, its successors and CodeParrot's dump have them.

Columns are recognised by name, the first that a table has: those of The Stack (`content`, `max_stars_repo_name`,
`max_stars_repo_path`, `max_stars_repo_licenses`), of CodeParrot (`code`, `repo_name`, `path`, `license`) and their
like. Several licences of a row bind together. A table of The Stack v2 has ids in place of texts: its rows fail as
`missing_text`.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final

from transforms.sources.dates import date_text, parse_date
from transforms.sources.github.entries import Entry
from transforms.sources.github.licences.evidence import all_of
from transforms.sources.github.licences.spdx import normal_expression
from transforms.sources.github.settings import FilesConfig
from transforms.sources.items import Broken, IngestConfig, Part, RawRecord
from transforms.sources.read import records
from transforms.sources.tables.columns import column_names

TABLE_NAME: Final = re.compile(r"\.(?:parquet|(?:jsonl|ndjson|jsonlines)(?:\.(?:gz|zst|zstd|lz4))?)$", re.IGNORECASE)
_TEXT: Final = ("content", "code", "text")
_REPOSITORY: Final = ("max_stars_repo_name", "repo_name", "repository_name", "repo", "repository")
_PATH: Final = ("max_stars_repo_path", "path", "file_path", "filename", "file_name")
_LICENCE: Final = ("max_stars_repo_licenses", "licenses", "license", "detected_licenses", "gha_license_id")
_REVISION: Final = ("max_stars_repo_head_hexsha", "revision_id", "commit", "revision")
_STARS: Final = ("max_stars_count", "star_events_count", "stars")
_DATE: Final = ("max_stars_repo_stars_event_max_datetime", "committer_date", "date")
_ID: Final = "hexsha"
_METADATA_BYTES: Final = 1 << 16


def table_records(
    stream: BinaryIO, part: Part, config: FilesConfig, wanted: Callable[[int], bool] = lambda row: True
) -> Iterator[Entry | Broken]:
    """Yield the rows of a part of a table, in order; those that are not wanted without their text."""
    ingest = _ingest(part.path, config)
    for item in records(stream, part, ingest, lambda row: True):
        yield item if isinstance(item, Broken) else _entry(item, ingest.text_column)


def _ingest(path: str, config: FilesConfig) -> IngestConfig:
    names = [name.partition(" (")[0] for name in column_names(path)]
    text = config.text_column or next((name for name in _TEXT if name in names), _TEXT[0])
    return IngestConfig(
        max_body_bytes=max(config.max_file_bytes, 1024), text_column=text, url_column="", id_column=_ID,
        date_column="", metadata_bytes=_METADATA_BYTES,
    )  # fmt: skip


def _entry(record: RawRecord, text_column: str) -> Entry:
    columns: dict[str, Any] = json.loads(record.metadata) if record.metadata else {}
    first = functools.partial(_first, columns)
    column, licences = first(_LICENCE)
    path, stars = str(first(_PATH)[1] or ""), first(_STARS)[1]
    return Entry(
        repository=str(first(_REPOSITORY)[1] or "table"),
        path=path or f"{record.record_id or record.offset}.{columns.get('ext', 'txt')}",
        offset=record.offset,
        size=record.length,
        read=lambda limit: record.block[:limit],
        changed_at=parse_date(date_text(first(_DATE)[1])),
        licence=_expression(licences),
        licence_column=f"column {column}" if column else "",
        revision=str(first(_REVISION)[1] or "")[:64],
        stars=int(stars) if isinstance(stars, (int, float)) and stars == stars else None,
    )


def _first(columns: dict[str, Any], names: tuple[str, ...]) -> tuple[str, Any]:
    """Return the first of some columns that a row has a value in, and the value."""
    return next(((name, columns[name]) for name in names if columns.get(name) not in (None, "", [])), ("", None))


def _expression(licences: Any) -> str:
    names = licences if isinstance(licences, list) else [licences] if licences else []
    found = [normal_expression(str(name)) for name in names]
    return all_of(list(dict.fromkeys(filter(None, found)))) if any(found) else ""
