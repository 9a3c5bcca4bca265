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
from pipelines.runs.tables import TableWriter, read_batches, read_drafts
from pipelines.runs.upstream import Tables
from pipelines.stages.known import EarlierRuns, refuse_other_settings
from pipelines.stages.local import LocalStage
from pipelines.stages.parts import EachPart, PartWork, part_numbers, tell_cpu
from transforms.fit import CorpusSize, Fit
from transforms.step import blamed

BYTES_PER_CPU_S = 200e6  # of reading texts for the sample, roughly
SAMPLED = ("id", "text", "url", "source", "language", "language_score")  # columns that `Fit.wants` may look at
_SAMPLE = pa.schema([pa.field("text", pa.large_string())])


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
        """Nothing to fetch."""

    def check_earlier(self, earlier: EarlierRuns) -> None:
        """Raise ConfigError when the artefact of earlier runs was learned under other settings."""
        refuse_other_settings(earlier, self.settings, (self.fit.name,))

    def run(self, context: StageContext) -> StageResult:
        artefact = learned(context, self.fit, "artefact.bin")
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
    work = _SampleWork(fit, CorpusSize(counts.kept, counts.text_bytes), tables, context.target)
    context.run_pipeline(
        lambda pipeline: part_numbers(pipeline, range(parts)) | "Sample" >> EachPart(work),
        counts.text_bytes / BYTES_PER_CPU_S,
    )
    texts = (
        text
        for part in range(parts)
        for batch in read_batches(context.target.part("sample", part))
        for text in batch.column("text").to_pylist()
    )
    started = time.process_time_ns()  # of all threads: tokenizers has its own
    with blamed(fit.name):
        artefact = fit.fit(texts)
    tell_cpu(context.target, "trained", 0, f"fit_{fit.name}", time.process_time_ns() - started)
    storage.remove_tree(context.target.table("sample"))
    return artefact


@dataclass
class _SampleWork(PartWork):
    """Write the texts of a part that belong to the sample."""

    fit: Fit
    corpus: CorpusSize
    tables: Tables
    target: DataFolder

    def run(self, part: int, verdicts: dict[str, list[bytes]]) -> Iterator[Any]:
        with TableWriter(self.target.part("sample", part), _SAMPLE, always=True) as table:
            for batch in read_drafts(self.tables, part, SAMPLED):
                with blamed(self.fit.name):
                    texts = [draft.document.text for draft in batch.drafts if self.fit.wants(draft, self.corpus)]
                table.write(pa.RecordBatch.from_arrays([pa.array(texts, pa.large_string())], schema=_SAMPLE))
        yield from ()
