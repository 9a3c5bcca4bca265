"""Reading and writing the tables of one part of a stage, in batches, with memory bounded by a batch.

A part's tables are Parquet files written with fixed settings and no clock, so that the same rows give the same bytes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import storage
from pipelines.runs.counts import DROPPED, FAILED, KEPT, Fate, PartCounts
from pipelines.runs.folder import DataFolder
from pipelines.runs.upstream import Tables
from schemas.blocks import blocks_of
from schemas.errors import BadRecord, RunError
from schemas.records import (
    Document,
    EditedPiece,
    Failure,
    Header,
    Rejection,
    arrow_schema,
    column_of,
    stats_array,
    stats_type,
    to_batch,
)
from storage.finishing import Raised, finish_or_let_go
from transforms.sources.items import Part
from transforms.step import Draft, Drop, Step

BATCH_ROWS = 64  # documents in flight in one worker; more cost cache misses (256: 20% more CPU in the clean stage)
ROW_GROUP_ROWS = 512
PART_KEY = "winnow.part"  # in the metadata of a table of headers: what its rows are of (read_part)
# Checksums because zstd frames in Parquet have none: a flipped bit must be an error, not another corpus.
PARQUET = {"compression": "zstd", "compression_level": 3, "write_statistics": False, "write_page_checksum": True}


class TableWriter:
    """One Parquet file that appears whole at the end of a `with` block, and only if rows (or `always`) are written."""

    def __init__(self, path: str, schema: pa.Schema, *, always: bool = False) -> None:
        self._path, self._schema, self._always = path, schema, always
        self._stack = contextlib.ExitStack()
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[pa.RecordBatch] = []

    def write(self, batch: pa.RecordBatch) -> None:
        if batch.num_rows:
            self._waiting.append(batch)
        if sum(waiting.num_rows for waiting in self._waiting) >= ROW_GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self._open().write_table(pa.Table.from_batches(self._waiting, self._schema), row_group_size=1 << 20)
            self._waiting = []

    def _open(self) -> pq.ParquetWriter:
        if self._writer is None:
            stream = self._stack.enter_context(storage.open_atomic(self._path))
            self._writer = self._stack.enter_context(pq.ParquetWriter(stream, self._schema, **PARQUET))
        return self._writer

    def __enter__(self) -> TableWriter:
        self._stack.__enter__()
        return self

    def __exit__(self, *raised: Raised) -> None:
        finish_or_let_go(self._stack, self._finish, *raised)

    def _finish(self) -> None:
        self._flush()
        if self._always:
            self._open()
        elif self._writer is None:
            storage.remove_tree(self._path)  # an attempt that was killed may have left rows that this one has not


class FateWriter:
    """Writes what became of the records of one part: kept rows, rejections and failures; counts as it goes.

    The kept rows have the columns of `schema` and one for each of `measured`: the steps' Stats by column.
    `dropped` is a table of the measures of dropped documents; none unless `with_dropped`.
    `edits` is one of what steps took out of the texts of the documents whose id `keeps_edits` chooses.
    """

    def __init__(
        self,
        target: DataFolder,
        stage: str,
        part: int,
        kept: str,
        schema: pa.Schema,
        suffix: str = "",
        measured: Mapping[str, type] = MappingProxyType({}),
        with_dropped: bool = False,
        keeps_edits: Callable[[str], bool] = lambda document_id: False,
    ) -> None:
        self.counts = PartCounts()
        self._stage = stage
        self._stack = contextlib.ExitStack()
        self._measured = measured
        self._schema = with_measures(schema, measured)
        self._dropped_schema = _dropped_schema(schema, measured) if with_dropped else pa.schema([])
        self._kept = TableWriter(target.part(kept, part), self._schema, always=True)
        self._rejected = TableWriter(target.part("rejected", part, suffix), arrow_schema(Rejection))
        self._failed = TableWriter(target.part("failed", part, suffix), arrow_schema(Failure))
        self._dropped = TableWriter(target.part("dropped", part, suffix), self._dropped_schema)
        self._keeps_edits = keeps_edits
        self._edits = TableWriter(target.part("edits", part, suffix), arrow_schema(EditedPiece))
        self._rejections: list[Rejection] = []
        self._failures: list[Failure] = []

    def keep(self, batch: pa.RecordBatch, kept: Mapping[tuple[str, str], int]) -> None:
        """Write rows that are kept; `kept` are their numbers by source and language."""
        self._kept.write(batch)
        for (source, language), n in kept.items():
            self.counts.fates[Fate(source, language, KEPT, "")] += n

    def reject(self, rejection: Rejection) -> None:
        self._rejections.append(rejection)
        self.counts.fates[Fate(rejection.source, rejection.language, DROPPED, rejection.reason)] += 1
        if len(self._rejections) >= 8 * BATCH_ROWS:
            self._flush()

    def fail(self, failure: Failure) -> None:
        self._failures.append(failure)
        self.counts.fates[Fate(failure.source, failure.language, FAILED, failure.cause)] += 1
        if len(self._failures) >= 8 * BATCH_ROWS:
            self._flush()

    def drop(self, document: Document, step: str, drop: Drop) -> None:
        """Write the rejection of a document."""
        self.reject(
            Rejection(
                id=document.id,
                url=document.url,
                source=document.source,
                language=document.language,
                stage=self._stage,
                step=step,
                reason=drop.reason,
                value=drop.value,
                limit=drop.limit,
                detail=drop.detail,
                archive=document.archive,
                offset=document.offset,
            )
        )

    def _failure(self, document: Document, step: str, broken: BadRecord) -> Failure:
        return Failure(
            id=document.id,
            url=document.url,
            source=document.source,
            language=document.language,
            stage=self._stage,
            step=step,
            cause=broken.cause,
            detail=broken.detail,
            archive=document.archive,
            offset=document.offset,
        )

    def write(self, batch: DraftBatch) -> None:
        """Write the fates of a batch of drafts that steps have run over."""
        kept = batch.rows([draft for draft in batch.drafts if draft.alive], self._schema, self._measured)
        self.keep(kept, Counter((d.document.source, d.document.language) for d in batch.drafts if d.alive))
        self.counts.text_bytes += pc.sum(pc.binary_length(kept.column("text"))).as_py() or 0
        lost = [draft for draft in batch.drafts if not draft.alive]
        for draft in lost:
            if draft.drop is not None:
                self.drop(draft.document, draft.step, draft.drop)
            elif draft.failure is not None:
                self.fail(self._failure(draft.document, draft.step, draft.failure))
        if len(self._dropped_schema):
            gone = [draft for draft in lost if draft.drop is not None]
            self._dropped.write(batch.rows(gone, self._dropped_schema, self._measured))
        edited = [draft for draft in batch.drafts if draft.edits and self._keeps_edits(draft.document.id)]
        if edited:
            self._edits.write(edited_pieces(edited, self._stage))

    def _flush(self) -> None:
        self._rejected.write(to_batch(Rejection, self._rejections))
        self._failed.write(to_batch(Failure, self._failures))
        self._rejections, self._failures = [], []

    def __enter__(self) -> FateWriter:
        for table in (self._kept, self._rejected, self._failed, self._dropped, self._edits):
            self._stack.enter_context(table)
        return self

    def __exit__(self, *raised: Raised) -> None:
        finish_or_let_go(self._stack, self._finish, *raised)

    def _finish(self) -> None:
        self._flush()


def edited_pieces(drafts: Sequence[Draft], stage: str) -> pa.RecordBatch:
    """Return a row for each piece that the steps of a stage took out of some texts, in the order in which they did.

    Of personal data the row has the kind and the place alone.
    """
    schema = arrow_schema(EditedPiece)
    rows = [  # plain tuples in the order of the columns: records of their own would double what a row costs
        (draft.document.id, draft.document.source, stage, step, edit.reason(at), number, start, end,
         None if edit.private else text[start:end], new)
        for draft in drafts for number, (step, text, edit) in enumerate(draft.edits)
        for at, (start, end, new) in enumerate(edit.replaced)
    ]  # fmt: skip
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    return pa.RecordBatch.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema=schema
    )


def read_batches(path: str, columns: Sequence[str] | None = None, rows: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a Parquet file in order, at most `rows` at a time. RunError when the file is damaged:
    checksums are verified."""
    with open_table(path) as file:
        yield from file.iter_batches(batch_size=rows, columns=columns, use_threads=False)


def read_schema(path: str) -> pa.Schema:
    with open_table(path) as file:
        return file.schema_arrow


def part_entry(part: Part, checksums: Mapping[str, str]) -> list[Any]:
    """Return a part and the checksums of its files as plain data; `part_of` is the inverse."""
    files = [[path, size, checksums[path]] for path, size in part.files]
    return [part.path, part.start, part.end, checksums[part.path], *([files] if files else [])]


def part_of(entry: Sequence[Any]) -> tuple[Part, dict[str, str]]:
    """Return the part of an entry, and the checksum of each of its files by path."""
    path, start, end, checksum, *several = entry
    files = several[0] if several else []
    part = Part(path, start, end, tuple((name, size) for name, size, _ in files))
    return part, {path: checksum, **{name: mark for name, _, mark in files}}


def read_part(path: str) -> tuple[Part, dict[str, str]]:
    """Return the part that a file of headers is of, and the checksum of each of its files."""
    return part_of(json.loads(read_schema(path).metadata[PART_KEY.encode()]))


def in_its_file(header: Header, part: Part) -> tuple[Header, str]:
    """Return a header of a part with the offset that it has in its own file, and the path of that file."""
    path, offset = part.locate(header.offset)
    return (header if offset == header.offset else dataclasses.replace(header, offset=offset)), path


def count_rows(path: str) -> int:
    """Return the rows of a Parquet file from its footer."""
    with open_table(path) as file:
        return int(file.metadata.num_rows)


@contextlib.contextmanager
def open_table(path: str) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file; what is wrong with its bytes is one line that names it.

    Not `pq.read_table`: on a Python file object it leaves threads that abort the interpreter at its end, now and then.
    """
    with storage.open_read(path) as stream:
        try:
            yield pq.ParquetFile(stream, page_checksum_verification=True)
        except (pa.ArrowException, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise RunError(f"{path}: is damaged: {str(error).splitlines()[0]}") from error


_BASE = arrow_schema(Document)


def documents_of(batch: pa.RecordBatch) -> list[Document]:
    """Return the base columns of a batch as records."""
    names = [name for name in _BASE.names if name in batch.schema.names]
    columns = [blocks_of(batch.column(name)) if name == "blocks" else batch.column(name).to_pylist() for name in names]
    more: dict[str, Any] = {} if "text" in names else {"text": ""}
    return [Document(**dict(zip(names, row, strict=True)), **more) for row in zip(*columns, strict=True)]


def measured_by(steps: Sequence[Step]) -> dict[str, type]:
    """Return the Stats of each step that measures, by the name of its column."""
    return {step.name: step.stats for step in steps if step.stats is not None}


def with_measures(schema: pa.Schema, measured: Mapping[str, type]) -> pa.Schema:
    """Return `schema` with the struct columns of `measured`; a name already there is replaced."""
    for name, stats in measured.items():
        if name in schema.names:
            schema = schema.remove(schema.get_field_index(name))
        schema = schema.append(pa.field(name, stats_type(stats)))
    return schema


# What a step may change of a document.
_EDITABLE = frozenset({"text", "blocks", "language", "language_score", "url", "record_id", "metadata"})
# What the table `dropped` has of a document in addition to its measures: how to find it, never its text.
_IDENTITY = ("id", "url", "source", "language", "language_score", "page_kind", "extraction_confidence")


def _dropped_schema(schema: pa.Schema, measured: Mapping[str, type]) -> pa.Schema:
    """Return the columns of the table `dropped`: those of `schema` that hold measures, and what tells a document."""
    names = [name for name in schema.names if name in _IDENTITY or name not in _BASE.names]
    return with_measures(pa.schema([schema.field(name) for name in names]), measured)


@dataclass(frozen=True)
class DraftBatch:
    """Drafts and the Arrow batch they were read from; columns no step touches are carried through as they are."""

    drafts: list[Draft]
    carried: pa.RecordBatch | None = None  # None when the documents are new
    originals: Sequence[Document] = ()  # as they were read

    def only(self, places: Sequence[int]) -> DraftBatch:
        """Return some of the drafts as a batch of their own."""
        carried = self.carried.take(pa.array(places, pa.int64())) if self.carried is not None else None
        originals = [self.originals[place] for place in places] if self.originals else ()
        return DraftBatch([self.drafts[place] for place in places], carried, originals)

    def rows(self, drafts: list[Draft], schema: pa.Schema, measured: Mapping[str, type]) -> pa.RecordBatch:
        """Return some of the drafts as a batch of `schema`; a column that nobody has is null."""
        places = {id(draft): place for place, draft in enumerate(self.drafts)}
        at = pa.array([places[id(draft)] for draft in drafts], pa.int64())
        carried = self.carried.take(at) if self.carried is not None else None
        edited = any(d.document is not self.originals[places[id(d)]] for d in drafts) if self.originals else True
        replaced = {name for draft in drafts for name in draft.facts}
        arrays = []
        for field in schema:
            if field.name in replaced:
                values = [draft.facts.get(field.name) or draft.stored[field.name] for draft in drafts]
                arrays.append(pa.array(values, field.type))
            elif field.name in measured:
                values = [draft.measures.get(field.name) for draft in drafts]
                arrays.append(stats_array(measured[field.name], values))
            elif field.name in _BASE.names and (carried is None or (edited and field.name in _EDITABLE)):
                arrays.append(column_of(field, [getattr(draft.document, field.name) for draft in drafts]))
            elif carried is not None and field.name in carried.schema.names:
                arrays.append(carried.column(field.name))
            else:
                arrays.append(pa.nulls(len(drafts), field.type))
        return pa.RecordBatch.from_arrays(arrays, schema=schema)


class StoredRow:
    """The columns that earlier stages stored with a document: `row["quality"]` is a dict, or None."""

    __slots__ = ("_columns", "_row")

    def __init__(self, columns: StoredColumns, row: int) -> None:
        self._columns, self._row = columns, row

    def __getitem__(self, name: str) -> Any:
        return self._columns.values(name)[self._row]


class StoredColumns:
    """The columns of a batch as Python values, each made at its first use."""

    def __init__(self, batch: pa.RecordBatch, known: Sequence[str]) -> None:
        self._batch, self._known = batch, known
        self._values: dict[str, list[Any]] = {}

    def values(self, name: str) -> list[Any]:
        """Return a column, None everywhere when only other branches store it. RunError when none does: most likely a
        mistyped name."""
        if name not in self._values:
            if name in self._batch.schema.names:
                self._values[name] = self._batch.column(name).to_pylist()
            elif name in self._known:
                self._values[name] = [None] * self._batch.num_rows
            else:
                raise RunError(f"no column {name!r} is stored; there are {', '.join(self._known)}")
        return self._values[name]


def read_headers(path: str) -> Iterator[list[Header]]:
    """Yield the headers of a table in batches."""
    for batch in read_batches(path):
        yield [Header(**row) for row in batch.to_pylist()]


def schema_of(tables: Tables) -> pa.Schema:
    """Return the columns of the documents of all branches, in the order in which the recipe adds them.

    The recipe tells them, not the files: a branch that had no document in this run has its columns all the same.
    """
    return with_measures(arrow_schema(Document), tables.measures)


def read_drafts(tables: Tables, part: int, columns: Sequence[str] | None = None) -> Iterator[DraftBatch]:
    """Yield the documents of a part as drafts; with `columns` only those, and an empty text if it is not one of
    them."""
    known = columns or schema_of(tables).names
    for batch in read_batches(tables.part("documents", part), columns):
        drafts = drafts_of(batch, known)
        yield DraftBatch(drafts, batch, [draft.document for draft in drafts])


def drafts_of(batch: pa.RecordBatch, known: Sequence[str]) -> list[Draft]:
    """Return the rows of a batch as drafts; `known` are the columns that some branch stores."""
    stored = StoredColumns(batch, known)
    drafts = [Draft(document) for document in documents_of(batch)]
    for row, draft in enumerate(drafts):
        draft.stored = StoredRow(stored, row)
    return drafts
