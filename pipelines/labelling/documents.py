"""The documents that can be labelled: those that a stage of a run has kept, or the rows of tables."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol, cast

import pyarrow as pa

import storage
from classifiers.teacher.sample import Candidate
from pipelines.reports.records import Chain, last_holders
from pipelines.runs.dataset import Dataset
from pipelines.runs.rows import rows_at
from pipelines.runs.tables import read_batches, read_schema
from schemas.errors import ConfigError, InputError, RunError
from schemas.identity import content_id
from storage.json_lines import objects
from transforms.dedup.sites import site_of

_COLUMNS = ("id", "url", "source", "language", "page_kind")  # text columns of a document; of a table each may lack
_BATCH = 1024
_LINES = (".jsonl", ".ndjson", ".json")
Row = dict[str, Any]


class Documents(Protocol):
    """Documents that can be read more than once, always in the same order."""

    def identity(self) -> Any:
        """What tells them from other documents: plain data."""

    def candidates(self, score: str) -> Iterator[Candidate]:
        """Yield each document without its text; `score` names a measure, STEP.MEASURE, or is ''."""

    def rows(self, chosen: Sequence[Candidate]) -> Iterator[Row]:
        """Yield id, text, url, source, language and page_kind of some documents."""


@dataclass(frozen=True)
class StageDocuments:
    """What a stage of each run of a dataset has kept; of no stage in particular the last that has texts."""

    holders: Chain

    @classmethod
    def of(cls, dataset: Dataset, stage: str = "", run: int | None = None) -> StageDocuments:
        """Raises RunError when a run is not finished, or there is no such stage."""
        holders: Chain = []
        for folder in dataset.runs() if run is None else [dataset.run(run)]:
            if not stage and not folder.finished():
                raise RunError(f"{folder.path}: is not finished; run it to its end first, or choose a --stage")
            chain = folder.committed()
            with_texts = [(manifest, data) for manifest, data in chain if data.files("documents")]
            found = [one for one in with_texts if one[0].stage == stage] if stage else last_holders(chain, "documents")
            if not found:
                names = ", ".join(manifest.stage for manifest, _ in with_texts) or "none"
                raise RunError(f"--stage {stage}: no texts of it in {folder.path}; stages with texts: {names}")
            holders += found
        return cls(holders)

    @property
    def _files(self) -> list[str]:
        return [path for _, data in self.holders for path in data.files("documents")]

    def identity(self) -> Any:
        return [[manifest.stage, manifest.key] for manifest, _ in self.holders]

    def candidates(self, score: str) -> Iterator[Candidate]:
        step, _, measure = score.partition(".")
        for number, path in enumerate(self._files):
            with_score = _has(read_schema(path), step, measure)
            names = [*_COLUMNS, *([score] if with_score else [])]
            first = 0
            for batch in read_batches(path, names, _BATCH):
                found = zip(*(batch.column(name).to_pylist() for name in _COLUMNS), strict=True)
                scores = batch.column(step).to_pylist() if with_score else [None] * batch.num_rows
                for at, (row, stored) in enumerate(zip(found, scores, strict=True)):
                    yield _candidate(dict(zip(_COLUMNS, row, strict=True)), stored, measure, (number, first + at))
                first += batch.num_rows

    def has_score(self, score: str) -> bool:
        """Return whether any document may have a measure."""
        step, _, measure = score.partition(".")
        return any(_has(read_schema(path), step, measure) for path in self._files)

    def rows(self, chosen: Sequence[Candidate]) -> Iterator[Row]:
        places = defaultdict(list)
        for one in chosen:
            places[one.place[0]].append(one.place[1])
        files = self._files
        for number, rows in sorted(places.items()):
            for batch in rows_at(files[number], sorted(rows), [*_COLUMNS, "text"]):
                yield from batch.to_pylist()


@dataclass(frozen=True)
class TableDocuments:
    """The rows of JSON Lines and Parquet files with a column `text`; without an id they have one of their text."""

    paths: Sequence[str]
    text_column: str = "text"

    def identity(self) -> Any:
        digests = []
        for path in self.paths:
            with storage.open_read(path) as stream:
                digests.append(hashlib.file_digest(stream, "sha256").hexdigest())  # type: ignore[arg-type]
        return [self.text_column, *digests]

    def candidates(self, score: str) -> Iterator[Candidate]:
        step, _, measure = score.partition(".")
        for place, row, whole in self._rows(step):
            yield _candidate(row, whole.get(step), measure, place)

    def rows(self, chosen: Sequence[Candidate]) -> Iterator[Row]:
        places = {one.place for one in chosen}
        return (row for place, row, _ in self._rows("") if place in places)

    def _rows(self, more: str) -> Iterator[tuple[tuple[int, int], Row, Row]]:
        """Yield place, document and the whole row of each row that has a text; ConfigError where there is no column."""
        for number, path in enumerate(self.paths):
            for at, whole in _table_rows(path, [self.text_column, *_COLUMNS, *filter(None, [more])]):
                if self.text_column not in whole:
                    names = ", ".join(whole) or "none"
                    raise ConfigError(f"{path}: row {at + 1} has no column {self.text_column!r}; columns: {names}")
                text = whole[self.text_column]
                if isinstance(text, str) and text.strip():
                    row = {name: str(whole.get(name) or "") for name in _COLUMNS}
                    yield (number, at), {**row, "id": row["id"] or content_id(text), "text": text}, whole


def _table_rows(path: str, columns: Sequence[str]) -> Iterator[tuple[int, Row]]:
    name = path.lower()
    if name.endswith(".parquet"):
        there = [one for one in columns if one in read_schema(path).names]
        rows = (row for batch in read_batches(path, there, _BATCH) for row in batch.to_pylist())
        yield from enumerate(rows)
    elif name.removesuffix(".gz").endswith(_LINES):
        try:
            with storage.open_read(path) as stream:
                plain = cast(BinaryIO, gzip.GzipFile(fileobj=stream)) if name.endswith(".gz") else stream
                with io.TextIOWrapper(plain, encoding="utf-8-sig") as lines:
                    yield from ((number - 1, row) for number, row in objects(lines, path))
        except (UnicodeDecodeError, EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise InputError(f"{path}: cannot be read: {error}") from None
    else:
        raise ConfigError(f"--input {path}: expected .parquet or {', '.join(_LINES)}, the latter also with .gz")


def _has(schema: pa.Schema, step: str, measure: str) -> bool:
    if step not in schema.names or not measure:
        return False
    kind = schema.field(step).type
    return bool(pa.types.is_struct(kind) and kind.get_field_index(measure) >= 0)


def _candidate(row: Mapping[str, str], stored: Any, measure: str, place: tuple[int, int]) -> Candidate:
    score = stored.get(measure) if isinstance(stored, Mapping) else None
    return Candidate(
        id=row["id"], language=row["language"], page_kind=row["page_kind"], site=site_of(row["url"]), place=place,
        score=float(score) if isinstance(score, (int, float)) and score == score else None,
    )  # fmt: skip
