"""Steps on one document at a time, over the documents of the stages before, part by part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import storage
from pipelines.runs.folder import DataFolder
from pipelines.runs.stage import StageContext, StageResult
from pipelines.runs.tables import (
    DraftBatch,
    FateWriter,
    measured_by,
    read_drafts,
    schema_of,
)
from pipelines.runs.upstream import Route, Tables
from pipelines.stages.of_steps import Follow, KeepEdits, OfSteps, language_facts, open_steps
from pipelines.stages.parts import PartWork, run_parts
from schemas.errors import RunError
from transforms.step import Step, blamed, run_steps


@dataclass(frozen=True)
class LocalStage(OfSteps):
    """Steps in the order given."""

    name: str
    steps: tuple[Step, ...]
    cpu_ms: float = 1.0  # of a document, roughly
    follow: Follow = field(default_factory=Follow)
    keep_edits: KeepEdits = field(default_factory=KeepEdits)
    reads: ClassVar[str] = "documents"
    kept_table: ClassVar[str] = "documents"
    takes_route: ClassVar[bool] = True  # it can be the first of a branch of a route

    def prepare(self) -> None:
        open_steps(self.steps)

    def run(self, context: StageContext) -> StageResult:
        parts = context.upstream.parts
        work = _LocalWork(
            context.stage, self.steps, self.follow, self.keep_edits, context.upstream.tables, context.target
        )
        run_parts(context, parts, work, context.rows * self.cpu_ms / 1000)
        return StageResult(parts, language_facts(self.steps))


@dataclass
class _LocalWork(PartWork):
    stage: str
    steps: tuple[Step, ...]
    follow: Follow
    keep_edits: KeepEdits
    tables: Tables
    target: DataFolder

    def open(self) -> None:
        open_steps(self.steps)

    def run(self, part: int, verdicts: dict[str, list[bytes]]) -> Iterator[Any]:
        with FateWriter(
            self.target,
            self.stage,
            part,
            "documents",
            schema_of(self.tables),
            measured=measured_by(self.steps),
            with_dropped=True,
            keeps_edits=self.keep_edits,
        ) as fates:
            counts = fates.counts
            for whole in read_drafts(self.tables, part):
                batch = routed(whole, self.tables.route)
                counts.not_routed += len(whole.drafts) - len(batch.drafts)
                counts.read.update(draft.document.source for draft in batch.drafts)
                run_steps(self.steps, batch.drafts, counts.edits, counts.cpu_ns, self.follow)
                fates.write(batch)
        storage.write_atomic(self.target.done(part), counts.to_json())
        yield from ()


def routed(batch: DraftBatch, route: Route | None) -> DraftBatch:
    """Return the drafts that belong to a branch. RunError when the recipe names a branch that there is not."""
    if route is None:
        return batch
    with blamed("route"):
        chosen = [route.choose(draft) for draft in batch.drafts]
    others = [name for name in chosen if name not in route.names]
    if others:
        raise RunError(f"route: {others[0]!r} is none of the branches {', '.join(route.names)}")
    return batch.only([place for place, name in enumerate(chosen) if name == route.name])
