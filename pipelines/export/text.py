"""Curated text as Parquet or JSON lines: one folder a source, files in the order of the corpus.

A file holds the documents of one source in consecutive parts of a run, as many parts as have `file_tokens` tokens
together, so that it depends on nothing but the run and can be made by itself. `hf` is Parquet as the Hugging Face Hub
wants it: cut by content, so that a later version of a dataset uploads only what changed, with a page index for its
viewer.
"""

from __future__ import annotations

import gzip
import json
import math
import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.export.corpus import FinishedRun, Part, Taken, taken_documents
from pipelines.export.folder import HashedFile, Record, open_hashed
from schemas.errors import ConfigError, RunError

ROWS, WEIGHT = "rows", "weight"  # what becomes of a document that the mix takes several times
COPY, N_TOKENS = "copy", "n_tokens"  # columns added to those of the documents; `copy` with ROWS, `weight` with WEIGHT
RESERVED = frozenset({"tokenizer"})  # folders of an export that belong to no source
TEXT_FORMATS = ("parquet", "jsonl", "hf")
_SUFFIX = {"parquet": "parquet", "hf": "parquet", "jsonl": "jsonl.gz"}
_AT_ONCE = 64  # rows made at a time: a batch of long documents, each many times, would have no bound
_GROUP_BYTES, _GROUP_ROWS = 64 << 20, 10_000  # of a row group in memory; whichever is reached first


@dataclass(frozen=True)
class TextPlan:
    """How the text is written."""

    kind: str  # one of TEXT_FORMATS
    copies: str  # ROWS or WEIGHT
    schema: pa.Schema  # of a row


@dataclass(frozen=True)
class TextFile:
    """One file of text, and the parts of a run whose documents are in it."""

    path: str
    source: str
    parts: tuple[Part, ...]

    @property
    def documents(self) -> int:
        return sum(part.documents for part in self.parts)

    @property
    def copies(self) -> int:
        return sum(part.copies for part in self.parts)

    @property
    def tokens(self) -> int:
        return sum(part.tokens for part in self.parts)


def plan_text(kind: str, copies: str, documents: pa.Schema, columns: Sequence[str]) -> TextPlan:
    """Return the columns of an export: those of the documents that are asked for (none: all), and what the mix says.

    ConfigError for a column that there is not; RunError where a step's column has the name of one that is added.
    """
    unknown = next((name for name in columns if name not in documents.names), None)
    if unknown is not None:
        raise ConfigError(f"--columns {unknown}: not in the documents; there are {', '.join(documents.names)}")
    if columns and "text" not in columns:
        raise ConfigError("--columns: text is missing; an export of text has the column text")
    extra = [pa.field(N_TOKENS, pa.int64()), pa.field(COPY if copies == ROWS else WEIGHT, pa.int32())]
    chosen = [_plain_field(field) for field in documents if not columns or field.name in columns]
    clash = next((field.name for field in extra if field.name in documents.names), None)
    if clash is not None:
        raise RunError(f"column {clash}: a step of the run has it, and the export adds one; rename the step")
    return TextPlan(kind, copies, pa.schema([*chosen, *extra]))


def _plain_field(field: pa.Field) -> pa.Field:
    """Return a column without dictionaries, which other readers of Parquet and JSON do not know within lists."""
    return pa.field(field.name, _plain_type(field.type))


def _plain_type(type_: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(type_):
        return type_.value_type
    if pa.types.is_struct(type_):
        return pa.struct([_plain_field(field) for field in type_])
    return pa.list_(_plain_type(type_.value_type)) if pa.types.is_list(type_) else type_


def plan_files(parts: Sequence[Part], kind: str, file_tokens: int) -> list[TextFile]:
    """Return the files, by source: each holds consecutive parts of one run, at least one, and at most `file_tokens`
    tokens unless a single part has more."""
    by_source: dict[str, list[list[Part]]] = {}
    for part in parts:
        groups = by_source.setdefault(part.source, [])
        fits = groups and groups[-1][-1].run == part.run
        if fits and sum(other.tokens for other in groups[-1]) + part.tokens <= file_tokens:
            groups[-1].append(part)
        else:
            groups.append([part])
    return [
        TextFile(f"{folder_of(source)}/train-{n:05d}-of-{len(groups):05d}.{_SUFFIX[kind]}", source, tuple(group))
        for source, groups in sorted(by_source.items())
        for n, group in enumerate(groups)
    ]


def folder_of(source: str) -> str:
    """Return the name of a source's folder: never hidden, never that of another source or of the tokenizer."""
    name = urllib.parse.quote(source, safe="")
    if name[:1] in (".", "") or name in RESERVED:
        name = f"%{ord(name[0]):02X}{name[1:]}" if name else "%"
    return name


def write_file(file: TextFile, plan: TextPlan, runs: Sequence[FinishedRun], root: str) -> Record:
    """Write one file of text. RunError when it has not the rows that the mix took."""
    rows = _rows(file, plan, runs)
    with open_hashed(f"{root}/{file.path}") as target:
        written = _WRITERS[plan.kind](target, rows, plan)
        entry = target.entry()
    expected = file.copies if plan.copies == ROWS else file.documents
    if written != expected:
        raise RunError(f"{file.path}: {written} rows were written, but the mix took {expected}; the run was changed")
    counts = {"rows": written, "documents": file.documents, "copies": file.copies, "tokens": file.tokens}
    return Record({file.path: entry}, counts)


def _rows(file: TextFile, plan: TextPlan, runs: Sequence[FinishedRun]) -> Iterator[pa.RecordBatch]:
    columns = [field.name for field in plan.schema if field.name not in (N_TOKENS, COPY, WEIGHT)]
    for part in file.parts:
        for taken in taken_documents(runs[part.run], part.part, part.source, columns):
            yield from _repeated(taken, plan)


def _repeated(taken: Taken, plan: TextPlan) -> Iterator[pa.RecordBatch]:
    """Yield the rows of some documents: a row for each copy, or one with their number."""
    times = taken.copies if plan.copies == ROWS else np.ones_like(taken.copies)
    of = np.repeat(np.arange(len(times)), times)
    copy = np.arange(len(of)) - np.repeat(np.cumsum(times) - times, times)
    last = copy if plan.copies == ROWS else taken.copies
    for start in range(0, len(of), _AT_ONCE):
        some = of[start : start + _AT_ONCE]
        rows = taken.rows.take(pa.array(some))
        added = {N_TOKENS: taken.n_tokens[some], plan.schema.names[-1]: last[start : start + _AT_ONCE]}
        arrays = [
            pa.array(added[field.name], field.type) if field.name in added else _column(rows, field)
            for field in plan.schema
        ]
        yield pa.RecordBatch.from_arrays(arrays, schema=plan.schema)


def _column(rows: pa.RecordBatch, field: pa.Field) -> pa.Array:
    if field.name not in rows.schema.names:
        return pa.nulls(rows.num_rows, field.type)
    return rows.column(field.name).cast(field.type)


def _write_parquet(target: HashedFile, rows: Iterator[pa.RecordBatch], plan: TextPlan) -> int:
    """Write Parquet in row groups of about 64 MiB, and return the number of rows."""
    hub = {"write_page_index": True, "use_content_defined_chunking": True} if plan.kind == "hf" else {}
    waiting: list[pa.RecordBatch] = []
    written, waiting_bytes = 0, 0
    with pq.ParquetWriter(
        target, plan.schema, compression="zstd", compression_level=3, write_page_checksum=True, **hub
    ) as writer:

        def flush() -> None:
            if waiting:
                writer.write_table(pa.Table.from_batches(waiting, plan.schema), row_group_size=1 << 20)

        for batch in rows:
            waiting.append(batch)
            waiting_bytes += batch.nbytes
            written += batch.num_rows
            if waiting_bytes >= _GROUP_BYTES or sum(some.num_rows for some in waiting) >= _GROUP_ROWS:
                flush()
                waiting, waiting_bytes = [], 0
        flush()
    return written


def _write_jsonl(target: HashedFile, rows: Iterator[pa.RecordBatch], plan: TextPlan) -> int:
    """Write gzip of one JSON object a line, and return the number of rows."""
    written = 0
    with gzip.GzipFile("", "wb", 6, target, mtime=0) as stream:  # no name and no clock in the header
        for batch in rows:
            for row in batch.to_pylist():
                stream.write(_json_line(row))
                written += 1
    return written


def _json_line(row: Mapping[str, Any]) -> bytes:
    """Return a row as a line: times as ISO 8601, numbers that JSON does not know as null."""
    try:
        text = json.dumps(row, ensure_ascii=False, separators=(",", ":"), default=_plain, allow_nan=False)
    except ValueError:
        text = json.dumps(_finite(row), ensure_ascii=False, separators=(",", ":"), default=_plain)
    return f"{text}\n".encode()


def _plain(value: Any) -> str:
    if not isinstance(value, datetime):
        raise TypeError(f"no JSON for {type(value).__name__}")
    return value.isoformat()


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list) else value


_WRITERS: dict[str, Callable[[HashedFile, Iterator[pa.RecordBatch], TextPlan], int]] = {
    "parquet": _write_parquet,
    "hf": _write_parquet,
    "jsonl": _write_jsonl,
}
