"""A fit and the step that it makes: the sample is drawn, the artefact learned and stored, the step run on every text.

A later run over the same dataset takes the first run's artefact over, so that all its documents are measured alike.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa

import storage
from pipelines.runs.folder import DataFolder
from pipelines.runs.stage import StageContext, StageResult
from pipelines.runs.tables import TableWriter, documents_of, drafts_of, read_batches, read_drafts, schema_of
from pipelines.runs.upstream import Tables
from pipelines.stages.known import EarlierRuns, refuse_other_settings
from pipelines.stages.local import LocalStage
from pipelines.stages.parts import EachPart, PartWork, part_numbers, tell_cpu
from schemas.errors import ConfigError
from schemas.records import Document
from transforms.fit import CorpusSize, Fit, FitsColumns, Prepares
from transforms.step import Draft, blamed

ARTEFACT = "artefact.bin"  # in the stage's data folder
BYTES_PER_CPU_S = 200e6  # of reading texts for the sample, roughly
# Columns that `Fit.wants` may look at and `Fit.fit` gets; and those of a fit that learns from stored columns.
SAMPLED = ("id", "text", "url", "source", "language", "language_score", "blocks")
IDENTITY = ("id", "source", "language")


@dataclass(frozen=True)
class FitStage:
    """Documents in, the same documents out, measured or judged by what was learned from a sample of them."""

    fit: Fit
    cpu_ms: float = 1.0
    reads: ClassVar[str] = "documents"
    kept_table: ClassVar[str] = "documents"

    @property
    def name(self) -> str:
        return self.fit.name

    @property
    def steps(self) -> tuple[Fit, ...]:
        return (self.fit,)

    @property
    def settings(self) -> dict[str, Any]:
        return {self.fit.name: self.fit.settings}

    @property
    def resources(self) -> list[str]:
        return list(self.fit.resources)

    @property
    def code(self) -> list[Any]:
        return [type(self), LocalStage, self.fit]

    def prepare(self) -> None:
        if isinstance(self.fit, Prepares):
            with blamed(self.fit.name):
                self.fit.prepare()

    def check_earlier(self, earlier: EarlierRuns) -> None:
        """Raise ConfigError when the artefact of earlier runs was learned under other settings."""
        refuse_other_settings(earlier, self.settings, (self.fit.name,))

    def run(self, context: StageContext) -> StageResult:
        artefact = learned(context, self.fit, ARTEFACT)
        return LocalStage(self.name, (self.fit.step(artefact),), self.cpu_ms).run(context)


def learned(context: StageContext, fit: Fit, name: str) -> bytes:
    """Return the artefact of a fit, and leave it as the file `name` in the stage's data folder."""
    path = f"{context.target.root}/{name}"
    if not storage.exists(path):
        earlier = [data for _, data in context.earlier[:1]]
        artefact = storage.read_bytes(f"{earlier[0].root}/{name}") if earlier else _learn(context, fit)
        storage.write_atomic(path, artefact)
    return storage.read_bytes(path)


def _learn(context: StageContext, fit: Fit) -> bytes:
    counts, parts, tables = context.upstream.counts, context.upstream.parts, context.upstream.tables
    size = CorpusSize(counts.kept, counts.text_bytes, counts.documents)
    work = _SampleWork(fit, size, tables, context.target)
    context.run_pipeline(
        lambda pipeline: part_numbers(pipeline, range(parts)) | "Sample" >> EachPart(work),
        counts.text_bytes / BYTES_PER_CPU_S,
    )
    started = time.process_time_ns()  # of all threads: tokenizers has its own
    with blamed(fit.name):
        sample = _SampledRows(context.target, parts) if isinstance(fit, FitsColumns) else _Sample(context.target, parts)
        artefact = fit.fit(sample)
    tell_cpu(context.target, "trained", 0, f"fit_{fit.name}", time.process_time_ns() - started)
    storage.remove_tree(context.target.table("sample"))
    return artefact


@dataclass(frozen=True)
class _Sample:
    """The documents of the sample, which can be read again."""

    target: DataFolder
    parts: int

    def __iter__(self) -> Iterator[Document]:
        for part in range(self.parts):
            for batch in read_batches(self.target.part("sample", part)):
                yield from documents_of(batch)


@dataclass(frozen=True)
class _SampledRows:
    """The rows of the sample of a fit on stored columns, as drafts; they can be read again."""

    target: DataFolder
    parts: int

    def __iter__(self) -> Iterator[Draft]:
        for part in range(self.parts):
            for batch in read_batches(self.target.part("sample", part)):
                yield from drafts_of(batch, batch.schema.names)


@dataclass
class _SampleWork(PartWork):
    """Write the documents of a part that belong to the sample."""

    fit: Fit
    corpus: CorpusSize
    tables: Tables
    target: DataFolder

    def run(self, part: int, verdicts: dict[str, list[bytes]]) -> Iterator[Any]:
        columns = (*IDENTITY, *self.fit.columns) if isinstance(self.fit, FitsColumns) else SAMPLED
        stored = schema_of(self.tables)
        for name in columns:
            if name not in stored.names:
                raise ConfigError(f"{self.fit.name}: no step before it stores the column {name!r}")
        schema = pa.schema([stored.field(name) for name in columns])
        with TableWriter(self.target.part("sample", part), schema, always=True) as table:
            for batch in read_drafts(self.tables, part, columns):
                with blamed(self.fit.name):
                    places = [at for at, draft in enumerate(batch.drafts) if self.fit.wants(draft, self.corpus)]
                sample = batch.only(places)
                table.write(sample.rows(sample.drafts, schema, {}))
        yield from ()
