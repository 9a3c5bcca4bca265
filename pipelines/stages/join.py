"""Headers that belong together become one: a question gets the addresses of its answers, in order.

    rows      each header's key, rank and address; only blocks of numbers are shuffled (transforms/sources/join.py)
    finish    heads are kept with the addresses of their members, members are dropped

A part is of one file here: addresses count in files.

Fates: `joined` is a member whose head was found, its text goes into the head's document; `parent_missing` one whose
head is not there: it was left out, is broken or was read by an earlier run. The detail of both is the head's id.
Source: ours; the reports do not say how questions and answers come together.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import apache_beam as beam

import storage
from pipelines.runs.folder import DataFolder
from pipelines.runs.stage import StageContext, StageResult
from pipelines.runs.tables import PART_KEY, FateWriter, count_rows, read_headers, read_part, read_schema
from pipelines.runs.upstream import Tables
from pipelines.stages.index import headers_batch
from pipelines.stages.parts import EachPart, PartWork, part_numbers
from schemas.records import Header, Rejection, arrow_schema
from transforms.shuffle.hash_blocks import partitions_for
from transforms.sources.join import RELATED, Join, JoinToHeads, members_of, related_rows, taken_rows
from transforms.sources.source import Source
from transforms.sources.strings import storable_path
from transforms.step import Drop

JOINED, NO_PARENT = "joined", "parent_missing"
CPU_MS = 0.05  # of a header, roughly


@dataclass(frozen=True)
class JoinStage:
    """Headers of a source in, those of its documents out."""

    source: Source
    join: Join
    name: ClassVar[str] = "join"
    reads: ClassVar[str] = "headers"
    kept_table: ClassVar[str] = "headers"

    @property
    def settings(self) -> dict[str, Any]:
        return {"source": self.source.name, "join": self.join.settings}

    @property
    def resources(self) -> list[str]:
        return []

    @property
    def code(self) -> list[Any]:
        return [type(self), type(self.join)]

    def prepare(self) -> None:
        """Nothing to open."""

    def run(self, context: StageContext) -> StageResult:
        parts = context.upstream.parts
        context.set_parts(parts)
        if context.todo(parts):
            work = context.rows * CPU_MS / 1000
            context.run_pipeline(lambda pipeline: self._build(pipeline, context), work)
        return StageResult(parts, {})

    def _build(self, pipeline: beam.Pipeline, context: StageContext) -> None:
        tables = context.upstream.tables
        numbers = part_numbers(pipeline, range(context.upstream.parts))
        refused = self.join.refused(_records_by_file(tables, context.upstream.parts))
        related = numbers | "Rows" >> EachPart(_RowsWork(tables, refused), bytes)
        n_partitions = partitions_for(context.rows, RELATED.itemsize)
        heads, members = related | "Join" >> JoinToHeads(n_partitions)
        finish = _FinishWork(context.stage, self.source.name, tables, context.target, refused)
        _ = {"": numbers, "heads": heads, "members": members} | "Finish" >> EachPart(finish)


def _records_by_file(tables: Tables, parts: int) -> dict[str, int]:
    """Return the headers of each file, from the footers of the tables."""

    def count(part: int) -> tuple[str, int]:
        path = tables.part("headers", part)
        return read_part(path)[0].path, count_rows(path)

    found: Counter[str] = Counter()
    with ThreadPoolExecutor(max_workers=16) as pool:
        for path, rows in pool.map(count, range(parts)):
            found[path] += rows
    return dict(found)


@dataclass
class _RowsWork(PartWork):
    tables: Tables
    refused: Mapping[str, Drop]

    def run(self, part: int, verdicts: dict[str, list[bytes]]) -> Iterator[bytes]:
        path = self.tables.part("headers", part)
        if read_part(path)[0].path not in self.refused:
            for headers in read_headers(path):
                yield related_rows(headers, part)


@dataclass
class _FinishWork(PartWork):
    stage: str
    source: str
    tables: Tables
    target: DataFolder
    refused: Mapping[str, Drop]
    paths: dict[int, str] = field(default_factory=dict, repr=False)  # of parts that were looked up

    def run(self, part: int, verdicts: dict[str, list[bytes]]) -> Iterator[Any]:
        path = self.tables.part("headers", part)
        archive = read_part(path)[0].path
        started = time.thread_time_ns()
        members, taken = members_of(verdicts["heads"]), taken_rows(verdicts["members"])
        schema = arrow_schema(Header).with_metadata({PART_KEY: read_schema(path).metadata[PART_KEY.encode()]})
        with FateWriter(self.target, self.stage, part, "headers", schema) as fates:
            for headers in read_headers(path):
                fates.counts.read[self.source] += len(headers)
                kept = []
                for header in headers:
                    drop = self.refused.get(archive) or _fate(header, taken)
                    if drop is not None:
                        fates.reject(self._rejection(header, drop, archive))
                        continue
                    pieces = [
                        (self._path(address.part, archive), address.offset, address.length)
                        for address in members.get(header.row, ())
                    ]
                    kept.append(replace(header, pieces=pieces))
                batch = headers_batch(kept, self.source).replace_schema_metadata(schema.metadata)
                fates.keep(batch, {(self.source, ""): len(kept)} if kept else {})
        fates.counts.cpu_ns["join"] += time.thread_time_ns() - started
        storage.write_atomic(self.target.done(part), fates.counts.to_json())
        yield from ()

    def _path(self, part: int, own: str) -> str:
        """Return the file of a part, '' when it is `own`."""
        if part not in self.paths:
            self.paths[part] = read_part(self.tables.part("headers", part))[0].path
        return "" if self.paths[part] == own else self.paths[part]

    def _rejection(self, header: Header, drop: Drop, archive: str) -> Rejection:
        return Rejection(
            id=header.record_id, url=header.url, source=self.source, stage=self.stage, step="join", reason=drop.reason,
            value=drop.value, limit=drop.limit, detail=drop.detail, archive=storable_path(archive),
            offset=header.offset,
        )  # fmt: skip


def _fate(header: Header, taken: frozenset[int]) -> Drop | None:
    if not header.parent_id:
        return None
    return Drop(JOINED if header.row in taken else NO_PARENT, detail=header.parent_id)
