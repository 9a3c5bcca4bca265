"""Reading and writing the tables of one part of a stage, in batches, with memory bounded by a batch.

A part's tables are Parquet files written with fixed settings and no clock, so that the same rows give the same bytes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import storage
from pipelines.runs.folder import DataFolder
from pipelines.runs.stage import PartCounts
from schemas.blocks import blocks_of
from schemas.errors import BadRecord, RunError
from schemas.records import Document, Failure, Header, Rejection, arrow_schema, stats_array, stats_type, to_batch
from transforms.step import Draft, Drop, Step

DOCUMENTS_OF = "documents:"  # facts of a manifest: kept documents by language
TEXT_BYTES = "text_bytes"  # and the UTF-8 bytes of their texts
BATCH_ROWS = 64  # documents in flight in one worker; more cost cache misses (256: 20% more CPU in the clean stage)
ROW_GROUP_ROWS = 512
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

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._stack.__exit__(kind, error, trace)
            return
        with self._stack:  # what fails here, on a full disk, leaves no unfinished file either
            self._flush()
            if self._always:
                self._open()
            elif self._writer is None:
                storage.remove_tree(self._path)  # an attempt that was killed may have left rows that this one has not


class FateWriter:
    """Writes what became of the records of one part: kept rows, rejections and failures; counts as it goes."""

    def __init__(
        self, target: DataFolder, stage: str, part: int, kept: str, schema: pa.Schema, suffix: str = ""
    ) -> None:
        self.counts = PartCounts()
        self._stage = stage
        self._stack = contextlib.ExitStack()
        self._kept = TableWriter(target.part(kept, part), schema, always=True)
        self._rejected = TableWriter(target.part("rejected", part, suffix), arrow_schema(Rejection))
        self._failed = TableWriter(target.part("failed", part, suffix), arrow_schema(Failure))
        self._rejections: list[Rejection] = []
        self._failures: list[Failure] = []

    def keep(self, batch: pa.RecordBatch) -> None:
        self._kept.write(batch)
        self.counts.kept += batch.num_rows
        if "language" in batch.schema.names:
            for entry in pc.value_counts(batch.column("language")).to_pylist():
                self.counts.facts[f"{DOCUMENTS_OF}{entry['values']}"] += entry["counts"]
            self.counts.facts[TEXT_BYTES] += pc.sum(pc.binary_length(batch.column("text"))).as_py() or 0

    def reject(self, rejection: Rejection) -> None:
        self._rejections.append(rejection)
        self.counts.dropped[rejection.reason] += 1
        if len(self._rejections) >= 8 * BATCH_ROWS:
            self._flush()

    def fail(self, failure: Failure) -> None:
        self._failures.append(failure)
        self.counts.failed[failure.cause] += 1

    def settle(self, draft: Draft) -> None:
        """Write the rejection or the failure of a draft that did not live."""
        if draft.drop is not None:
            self.drop(draft.document, draft.step, draft.drop)
        elif draft.failure is not None:
            self.fail(self._failure(draft.document, draft.step, draft.failure))

    def drop(self, document: Document, step: str, drop: Drop) -> None:
        """Write the rejection of a document."""
        self.reject(
            Rejection(
                id=document.id,
                url=document.url,
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
            stage=self._stage,
            step=step,
            cause=broken.cause,
            detail=broken.detail,
            archive=document.archive,
            offset=document.offset,
        )

    def write(self, batch: DraftBatch, schema: pa.Schema, steps: Sequence[Step]) -> None:
        """Write the fates of a batch of drafts that its steps have run over."""
        self.keep(batch.kept(schema, steps))
        for draft in batch.drafts:
            if not draft.alive:
                self.settle(draft)

    def _flush(self) -> None:
        self._rejected.write(to_batch(Rejection, self._rejections))
        self._failed.write(to_batch(Failure, self._failures))
        self._rejections, self._failures = [], []

    def __enter__(self) -> FateWriter:
        for table in (self._kept, self._rejected, self._failed):
            self._stack.enter_context(table)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._stack.__exit__(kind, error, trace)
            return
        with self._stack:
            self._flush()


def read_batches(path: str, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a Parquet file in order. RunError when the file is damaged: checksums are verified."""
    with _opened(path) as file:
        yield from file.iter_batches(batch_size=BATCH_ROWS, columns=columns, use_threads=False)


def read_schema(path: str) -> pa.Schema:
    with _opened(path) as file:
        return file.schema_arrow


def count_rows(path: str) -> int:
    """Return the rows of a Parquet file from its footer."""
    with _opened(path) as file:
        return int(file.metadata.num_rows)


@contextlib.contextmanager
def _opened(path: str) -> Iterator[pq.ParquetFile]:
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
    return [Document(**dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True)]


def with_steps(schema: pa.Schema, steps: Sequence[Step]) -> pa.Schema:
    """Return `schema` with the struct column of each step that measures; a name already there is replaced."""
    for step in steps:
        if step.stats is not None:
            if step.name in schema.names:
                schema = schema.remove(schema.get_field_index(step.name))
            schema = schema.append(pa.field(step.name, stats_type(step.stats)))
    return schema


@dataclass(frozen=True)
class DraftBatch:
    """Drafts and the Arrow batch they were read from; columns no step touches are carried through as they are."""

    drafts: list[Draft]
    carried: pa.RecordBatch | None  # None when the documents are new

    def kept(self, schema: pa.Schema, steps: Sequence[Step]) -> pa.RecordBatch:
        """Return the living drafts as a batch of `schema`."""
        alive = [n for n, draft in enumerate(self.drafts) if draft.alive]
        drafts = [self.drafts[n] for n in alive]
        base = to_batch(Document, [draft.document for draft in drafts])
        measured = {step.name: step.stats for step in steps if step.stats is not None}
        carried = self.carried.take(pa.array(alive, pa.int64())) if self.carried is not None else None
        arrays = []
        for field in schema:
            stats = measured.get(field.name)
            if stats is not None:
                arrays.append(stats_array(stats, [draft.measures.get(field.name) for draft in drafts]))
            elif field.name in _BASE.names:
                arrays.append(base.column(field.name))
            else:
                assert carried is not None  # noqa: S101  with_steps only adds the steps' own columns
                arrays.append(carried.column(field.name))
        return pa.RecordBatch.from_arrays(arrays, schema=schema)


def read_headers(path: str) -> Iterator[list[Header]]:
    """Yield the pages of a table in batches."""
    for batch in read_batches(path):
        yield [Header(**row) for row in batch.to_pylist()]


def read_drafts(path: str) -> Iterator[DraftBatch]:
    """Yield the documents of a part as drafts."""
    for batch in read_batches(path):
        yield DraftBatch([Draft(document) for document in documents_of(batch)], batch)
