"""The records that stages hand to each other, each with its Arrow schema.

A field's Arrow type is written once, in its annotation's metadata, through `column`; `arrow_schema` reads it. Measures
of a rule family are one struct column, derived from the family's own frozen Stats dataclass by `stats_type`.
"""

from __future__ import annotations

import dataclasses
import functools
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.blocks import BLOCKS_TYPE, UNKNOWN, Blocks, blocks_array

SCHEMA_VERSION = 1  # of every table below; a reader refuses another

TIMESTAMP = pa.timestamp("ms", tz="UTC")
PIECES_TYPE = pa.list_(pa.struct([("path", pa.string()), ("offset", pa.int64()), ("length", pa.int64())]))


def column(kind: pa.DataType, doc: str, default: Any = dataclasses.MISSING, *, nullable: bool = False) -> Any:
    """Declare a field and its Arrow type."""
    metadata = {"arrow": kind, "doc": doc, "nullable": nullable}
    if default is dataclasses.MISSING:
        return dataclasses.field(metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The headers of one record, without text. One row of the `headers` table of an index stage."""

    row: int = column(pa.int32(), "ordinal of the record in its part, in reading order")
    offset: int = column(pa.int64(), "byte where the record, or the compressed member that holds it, starts")
    length: int = column(pa.int64(), "bytes of the record's block, HTTP headers included, uncompressed; -1 unknown")
    record_id: str = column(pa.string(), "WARC-Record-ID without < >, or a hash of place and content")
    url: str = column(pa.string(), "target address, archive wrapping removed; '' when the source has none")
    fetched_at: datetime | None = column(TIMESTAMP, "when it was fetched, UTC; null if unknown", None, nullable=True)
    date_unreadable: bool = column(pa.bool_(), "there is a date that cannot be read", False)
    kind: str = column(pa.string(), "'html' to be extracted, 'text' already text", "html")
    media_type: str = column(pa.string(), "declared media type, lower case, without parameters", "")
    charset: str = column(pa.string(), "declared charset, lower case; '' when none", "")
    status: int = column(pa.int32(), "HTTP status; 0 when the status line is malformed or there is none", 0)
    digest: str = column(pa.string(), "payload digest as declared (sha1:...) or computed; '' when unknown", "")
    source: str = column(pa.string(), "name of the source", "")
    parent_id: str = column(pa.string(), "id of the record whose document its text belongs to; '' when its own", "")
    rank: int = column(pa.int64(), "its order among those of one parent; the bigger comes first", 0)
    pieces: Sequence[Any] = column(PIECES_TYPE, "records whose texts belong to it; path '': its own file", ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One text and where it came from. The base columns of every `documents` table; measures are further columns."""

    id: str = column(pa.string(), "32 hex digits from source, record id, address, date and payload digest")
    text: str = column(pa.large_string(), "the text")
    url: str = column(pa.string(), "address the text was fetched from; '' when it has none", "")
    source: str = column(pa.string(), "name of the source, as the mix knows it", "")
    fetched_at: datetime | None = column(TIMESTAMP, "when it was fetched, UTC", None, nullable=True)
    language: str = column(pa.string(), "ISO 639 code of the language identifier; '' before it ran", "")
    language_score: float = column(pa.float32(), "its probability, 0 to 1", 0.0)
    record_id: str = column(pa.string(), "id of the archived record", "")
    archive: str = column(pa.string(), "path of the archive", "")
    offset: int = column(pa.int64(), "byte of the archive where the record starts", -1)
    length: int = column(pa.int64(), "bytes of the record's block; -1 unknown", -1)
    page_kind: str = column(pa.string(), "kind of page its extractor took it for; '' when it does not tell", "")
    extraction_confidence: float = column(pa.float32(), "word F1 its extractor expects of the text; 0 unknown", 0.0)
    blocks: Blocks = column(BLOCKS_TYPE, "its blocks: kind, first and last character; empty: unknown", UNKNOWN)
    metadata: str = column(pa.string(), "JSON of the fields of its row that no setting names; '' when none", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """One record a rule removed: which rule, what was measured, what was allowed. Holds no text."""

    id: str = column(pa.string(), "document id, or the record id before documents exist")
    url: str = column(pa.string(), "address; '' when it has none")
    source: str = column(pa.string(), "name of the source")
    language: str = column(pa.string(), "language if already known, else ''", "")
    stage: str = column(pa.string(), "stage that removed it")
    step: str = column(pa.string(), "step of the stage")
    reason: str = column(pa.string(), "why it was REMOVED, snake_case (too_few_words)")
    value: float | None = column(pa.float64(), "the measured value", None, nullable=True)
    limit: float | None = column(pa.float64(), "the limit it broke", None, nullable=True)
    detail: str = column(pa.string(), "a list's entry, the id of the copy that was kept, a media type", "")
    archive: str = column(pa.string(), "path of the archive", "")
    offset: int = column(pa.int64(), "byte of the archive where the record starts", -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One record that could not be read or processed. Holds no text."""

    id: str = column(pa.string(), "document or record id; '' when not even that could be read")
    url: str = column(pa.string(), "address; '' when unknown")
    source: str = column(pa.string(), "name of the source")
    language: str = column(pa.string(), "language if already known, else ''", "")
    stage: str = column(pa.string(), "stage where it failed")
    step: str = column(pa.string(), "step of the stage")
    cause: str = column(pa.string(), "snake_case cause (truncated_member, extraction_timeout)")
    detail: str = column(pa.string(), "one sentence for a person", "")
    archive: str = column(pa.string(), "path of the archive", "")
    offset: int = column(pa.int64(), "byte of the archive where it broke", -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class EditedPiece:
    """One piece of a document's text that a step took away or replaced."""

    id: str = column(pa.string(), "document id")
    source: str = column(pa.string(), "name of the source")
    stage: str = column(pa.string(), "stage that edited it")
    step: str = column(pa.string(), "step of the stage")
    reason: str = column(pa.string(), "why; the kind of personal data; '' when the step does not tell", "")
    edit: int = column(pa.int32(), "number of the edit among those of the document in the stage, in their order")
    start: int = column(pa.int32(), "first character, in the text before the edit")
    end: int = column(pa.int32(), "exclusive last character, in the text before the edit")
    removed: str | None = column(
        pa.large_string(), "the removed text; null where it was personal data", None, nullable=True
    )
    replacement: str = column(pa.large_string(), "its replacement; '' when it was taken away", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenizedDocument:
    """The tokens of one document: BOS + text + EOS."""

    id: str = column(pa.string(), "document id")
    source: str = column(pa.string(), "name of the source")
    language: str = column(pa.string(), "language code; '' when unknown")
    quality: float | None = column(
        pa.float64(), "quality score, or quality bin; null without a classifier", None, nullable=True
    )
    n_tokens: int = column(pa.int64(), "number of tokens")
    tokens: Sequence[int] | npt.NDArray[np.uint32] = column(pa.list_(pa.uint32()), "token ids, BOS and EOS included")


@dataclass(frozen=True, slots=True, kw_only=True)
class MixedDocument:
    """How often the mix takes one document; its tokens stay in the `tokens` table of the same part."""

    row: int = column(pa.int64(), "row of the document in the tokens table of the part")
    id: str = column(pa.string(), "document id")
    source: str = column(pa.string(), "name of the source")
    language: str = column(pa.string(), "language code; '' when unknown")
    copies: int = column(pa.int32(), "times it is taken, at least 1")
    n_tokens: int = column(pa.int64(), "number of its tokens")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRow:
    """One row of a token shard: a fixed number of tokens that documents fill one after the other.

    `doc_ends[i]` is the exclusive end of the row's i-th document, `doc_ids[i]` its id; the last end equals the row's
    length. The last row of a source is filled up with EOS tokens that belong to no document: id ''.
    """

    tokens: list[int] = column(pa.list_(pa.uint32()), "[row_tokens] token ids")
    doc_ends: list[int] = column(pa.list_(pa.int32()), "[n_docs] exclusive ends, last = row_tokens")
    doc_ids: list[str] = column(pa.list_(pa.string()), "[n_docs] document ids; '' is padding")
    doc_offsets: list[int] = column(pa.list_(pa.int64()), "[n_docs] token of the document that the piece starts with")
    cut: bool = column(pa.bool_(), "true when the row's end cuts its last document")


def arrow_schema(record: type) -> pa.Schema:
    """Return the Arrow schema of a record dataclass, with the schema version in its metadata."""
    fields = [
        pa.field(field.name, field.metadata["arrow"], nullable=field.metadata["nullable"])
        for field in dataclasses.fields(record)
    ]
    return pa.schema(fields, metadata={"winnow.record": record.__name__, "winnow.schema_version": str(SCHEMA_VERSION)})


def column_of(field: pa.Field, values: list[Any]) -> pa.Array:
    """Return the values of one field of some records as an Arrow array."""
    return blocks_array(values) if field.type == BLOCKS_TYPE else pa.array(values, field.type)


def to_batch(record: type, rows: Sequence[Any]) -> pa.RecordBatch:
    """Return `rows`, instances of the dataclass `record`, as one Arrow batch of its schema."""
    schema = arrow_schema(record)
    arrays = [column_of(field, [getattr(row, field.name) for row in rows]) for field in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


_SCALARS = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}


@functools.cache
def stats_type(stats: type) -> pa.StructType:
    """Return the struct type of a family's Stats dataclass.

    Its fields are bool, int, float, str, X | None, or tuple[X, ...], which becomes a list.
    """
    hints = typing.get_type_hints(stats)
    return pa.struct([pa.field(field.name, _field_type(hints[field.name])) for field in dataclasses.fields(stats)])


def _field_type(hint: Any) -> pa.DataType:
    if typing.get_origin(hint) is tuple:
        return pa.list_(_SCALARS[typing.get_args(hint)[0]])
    arms = [arm for arm in typing.get_args(hint) or (hint,) if arm is not type(None)]
    return _SCALARS[arms[0]]


def stats_array(stats: type, values: Sequence[Any]) -> pa.StructArray:
    """Return instances of a Stats dataclass (None: not measured) as one struct array."""
    kind = stats_type(stats)
    arrays = [
        pa.array([None if value is None else getattr(value, field.name) for value in values], field.type)
        for field in kind
    ]
    missing = pa.array([value is None for value in values], pa.bool_())
    return pa.StructArray.from_arrays(arrays, fields=list(kind), mask=missing)
