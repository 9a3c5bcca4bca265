"""A stage that runs per-document steps over the documents of the stage before it, part by part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import storage
from pipelines.runs.folder import DataFolder
from pipelines.runs.stage import StageContext, StageResult
from pipelines.runs.tables import FateWriter, read_drafts, read_schema, with_steps
from pipelines.stages.parts import PartWork, run_parts
from transforms.step import Step, run_steps


@dataclass(frozen=True)
class DocumentStage:
    """Per-document steps, in the order given."""

    name: str
    settings: Any
    steps: tuple[Step, ...]
    resources: Sequence[str] = ()
    cpu_ms: float = 1.0  # of a document, roughly
    kept_table: ClassVar[str] = "documents"

    def prepare(self) -> None:
        """Open every step once here, so that a missing model or list is said before a worker starts."""
        for step in self.steps:
            step.open()

    def run(self, context: StageContext) -> StageResult:
        assert context.upstream is not None  # noqa: S101
        parts = context.upstream.parts
        work = _DocumentWork(self.name, self.steps, context.source, context.target)
        run_parts(context, parts, work, context.rows * self.cpu_ms / 1000)
        return StageResult(parts)


@dataclass
class _DocumentWork(PartWork):
    stage: str
    steps: tuple[Step, ...]
    source: DataFolder
    target: DataFolder

    def open(self) -> None:
        for step in self.steps:
            step.open()

    def run(self, part: int, verdicts: dict[str, list[bytes]]) -> Iterator[Any]:
        path = self.source.part("documents", part)
        schema = with_steps(read_schema(path), self.steps)
        with FateWriter(self.target, self.stage, part, "documents", schema) as fates:
            for batch in read_drafts(path):
                fates.counts.read += len(batch.drafts)
                run_steps(self.steps, batch.drafts, fates.counts.edits, fates.counts.cpu_ns)
                fates.write(batch, schema, self.steps)
        storage.write_atomic(self.target.done(part), fates.counts.to_json())
        yield from ()
