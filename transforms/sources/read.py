"""Reading a part twice: once for what its headers say, once for the bodies that are still wanted."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO

from schemas.errors import BadRecord, ChangedInputError
from schemas.records import Header
from storage.files import open_read
from transforms.sources.formats import detect, why_none
from transforms.sources.items import Body, Broken, IngestConfig, Part, RawRecord, Skipped
from transforms.sources.members import RawFile
from transforms.sources.tables.parquet import declared_rows, read_parquet
from transforms.sources.tables.rows import only, read_jsonl
from transforms.sources.web.archive import Grammar, read_archive
from transforms.sources.web.http import MAX_HEAD_BYTES
from transforms.sources.web.pages import body_of, classify, strip_brackets, unwrap_url


def scan(part: Part, config: IngestConfig) -> Iterator[Header | Skipped | Broken]:
    """Yield one item for each record that starts in `part`, in reading order, its `row` counting from 0.

    Whatever the bytes are, nothing is raised for them: a place that cannot be read is one Broken, what comes before it
    is kept, and reading goes on behind it where that can be found. InputError if the file cannot be read at all.
    """
    config = dataclasses.replace(config, metadata_bytes=0)  # the second reading takes it
    with open_read(part.path) as stream:
        for item in records(stream, part, config, lambda row: True):
            yield _tidy(item) if isinstance(item, Broken) else classify(item, part.path, config)


def read_bodies(part: Part, rows: Sequence[int], config: IngestConfig) -> Iterator[tuple[int, Body | Broken]]:
    """Yield the bodies of `rows`, sorted rows that `scan` of the same part gave as pages, reading the part once.

    A body that cannot be decoded within `max_body_bytes` is Broken. InputError if the file no longer holds these rows.
    """
    wanted = frozenset(rows)
    config = dataclasses.replace(config, compute_digest=False)  # the first reading has it
    missing = len(wanted)
    if not missing:
        return
    with open_read(part.path) as stream:
        for item in records(stream, part, config, wanted.__contains__):
            if item.row not in wanted:
                continue
            yield item.row, _body(item, part, config)
            missing -= 1
            if not missing:
                return
    raise ChangedInputError(f"{part.path}: has changed since it was read first: {missing} records are gone")


def _tidy(item: Broken) -> Broken:
    return dataclasses.replace(item, record_id=strip_brackets(item.record_id), url=unwrap_url(item.url, "")[0])


def _body(item: RawRecord | Broken, part: Part, config: IngestConfig) -> Body | Broken:
    if isinstance(item, Broken) or not isinstance(page := classify(item, part.path, config, again=True), Header):
        raise ChangedInputError(f"{part.path}: has changed since it was read first, at byte {item.offset}")
    try:
        return body_of(item, config)
    except BadRecord as error:
        return Broken(
            row=item.row,
            offset=item.offset,
            cause=error.cause,
            detail=error.detail,
            record_id=page.record_id,
            url=page.url,
        )


def records(
    stream: BinaryIO, part: Part, config: IngestConfig, wanted: Callable[[int], bool]
) -> Iterator[RawRecord | Broken]:
    """Yield the records of a part, unjudged, in order; those of rows that are not `wanted` without their blocks."""
    raw = RawFile(stream)
    found = detect(raw, part.path)
    if not _has_bytes(raw):
        yield Broken(row=0, offset=0, cause="empty_file", detail="the file has no bytes")
    elif part.start >= part.end:
        return
    elif found is None:
        if part.start == 0:
            yield Broken(row=0, offset=0, cause="not_an_archive", detail=why_none(raw))
    elif isinstance(found.reader, Grammar):
        yield from read_archive(raw, part, found.codec, found.reader, wanted, config.max_body_bytes + MAX_HEAD_BYTES)
    elif found.reader == "jsonl":
        yield from only(read_jsonl(raw, part, found.codec, config, wanted), wanted)
    else:
        yield from _counted(only(read_parquet(stream, part, config, wanted), wanted), declared_rows(stream, part))


def _counted(items: Iterator[RawRecord | Broken], declared: int) -> Iterator[RawRecord | Broken]:
    """Yield `items`, and a Broken for the rows that the file says it has and that are not among them."""
    n_items = n_rows = 0
    for item in items:
        n_items += 1
        n_rows += item.records if isinstance(item, Broken) else 1
        yield item
    if n_rows < declared:
        yield Broken(
            row=n_items, offset=n_rows, cause="rows_missing", records=declared - n_rows,
            detail=f"its footer says {declared:,} rows, there are {n_rows:,}",
        )  # fmt: skip


def _has_bytes(raw: RawFile) -> bool:
    raw.pos = 0
    return bool(raw.peek(1))
