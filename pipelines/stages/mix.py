"""The mix: the tokens of each group are counted, rates planned, then each document is taken its number of times.

Both passes read a few columns of the tokens table and never its tokens.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa

import storage
from pipelines.runs.counts import PartCounts, add_up
from pipelines.runs.folder import DataFolder
from pipelines.runs.stage import StageContext, StageResult
from pipelines.runs.tables import FateWriter, read_batches
from pipelines.runs.upstream import Tables
from pipelines.stages.parts import EachPart, PartWork, part_numbers, run_parts
from schemas.records import MixedDocument, Rejection, arrow_schema, to_batch
from transforms.mixing.mix import MixConfig, MixPlan, copies, drop_of, group_of, plan_mix, quality_band, report_mix

CPU_MS = 0.05  # of a document, roughly
WEIGHED = "weighed"  # phase: tokens by group of each part
AVAILABLE, TAKEN = "available_tokens", "taken_tokens"  # tallies: tokens by group; taken, copies counted
TOKENIZED = "tokenized"  # fact of the manifest: the stage whose tokens are taken


@dataclass(frozen=True)
class MixStage:
    """Tokenized documents in, the number of copies of each out; tokens stay where they are."""

    config: MixConfig
    name: ClassVar[str] = "mix"
    reads: ClassVar[str] = "tokens"
    kept_table: ClassVar[str] = "mixed"
    resources: ClassVar[Sequence[str]] = ()

    @property
    def settings(self) -> dict[str, Any]:
        return {self.name: self.config}

    @property
    def code(self) -> list[Any]:
        return [type(self)]

    def prepare(self) -> None:
        """Nothing to fetch."""

    def run(self, context: StageContext) -> StageResult:
        parts, work_s = context.upstream.parts, context.rows * CPU_MS / 1000
        context.set_parts(parts)
        todo = context.todo(parts, WEIGHED)
        weigh = _WeighWork(self.config, context.upstream.tables, context.target)
        if todo:
            context.run_pipeline(lambda pipeline: part_numbers(pipeline, todo) | "Weigh" >> EachPart(weigh), work_s)
        weighed = add_up(context.target.done(part, WEIGHED) for part in range(parts))
        plan = plan_mix(weighed.tally(AVAILABLE), self.config)
        take = _TakeWork(context.stage, self.config, plan, context.upstream.tables, context.target)
        run_parts(context, parts, take, work_s)
        taken = add_up(context.target.done(part) for part in range(parts)).tally(TAKEN)
        facts = {"mix": report_mix(plan, taken).to_json(), TOKENIZED: context.upstream.manifest.stage}
        return StageResult(parts, facts)


def groups_of(batch: pa.RecordBatch, bands: tuple[float, ...]) -> list[str]:
    """Return the group of each row of a tokens table."""
    columns = [batch.column(name).to_pylist() for name in ("source", "language", "quality")]
    return [
        group_of(source, language, quality_band(score, bands)) for source, language, score in zip(*columns, strict=True)
    ]


@dataclass
class _WeighWork(PartWork):
    config: MixConfig
    tables: Tables
    target: DataFolder

    def run(self, part: int, verdicts: dict[str, list[bytes]]) -> Iterator[Any]:
        started = time.thread_time_ns()
        counts = PartCounts()
        available = counts.tally(AVAILABLE)
        for batch in read_batches(self.tables.part("tokens", part), ["source", "language", "quality", "n_tokens"]):
            groups = groups_of(batch, self.config.quality_bands)
            for group, n_tokens in zip(groups, batch.column("n_tokens").to_pylist(), strict=True):
                available[group] += n_tokens
        counts.cpu_ns["weigh"] += time.thread_time_ns() - started
        storage.write_atomic(self.target.done(part, WEIGHED), counts.to_json())
        yield from ()


@dataclass
class _TakeWork(PartWork):
    stage: str
    config: MixConfig
    plan: MixPlan
    tables: Tables
    target: DataFolder

    def run(self, part: int, verdicts: dict[str, list[bytes]]) -> Iterator[Any]:
        started = time.thread_time_ns()
        columns = ["id", "source", "language", "quality", "n_tokens"]
        with FateWriter(self.target, self.stage, part, "mixed", arrow_schema(MixedDocument)) as fates:
            first = 0
            for batch in read_batches(self.tables.part("tokens", part), columns):
                kept = list(self._kept(batch, first, fates))
                fates.keep(to_batch(MixedDocument, kept), Counter((row.source, row.language) for row in kept))
                fates.counts.read.update(batch.column("source").to_pylist())
                first += batch.num_rows
        fates.counts.cpu_ns["mix"] += time.thread_time_ns() - started
        storage.write_atomic(self.target.done(part), fates.counts.to_json())
        yield from ()

    def _kept(self, batch: pa.RecordBatch, first: int, fates: FateWriter) -> Iterator[MixedDocument]:
        groups, taken = groups_of(batch, self.config.quality_bands), fates.counts.tally(TAKEN)
        for row, (document, group) in enumerate(zip(batch.to_pylist(), groups, strict=True), first):
            rate = self.plan.rate(group)
            drop = drop_of(document["id"], rate)
            if drop is not None:
                fates.reject(
                    Rejection(
                        id=document["id"], url="", source=document["source"], language=document["language"],
                        stage=self.stage, step="mix", reason=drop.reason, value=drop.value, limit=drop.limit,
                        detail=group,
                    )
                )  # fmt: skip
                continue
            n_copies = copies(document["id"], rate)
            taken[group] += n_copies * document["n_tokens"]
            yield MixedDocument(
                row=row, id=document["id"], source=document["source"], language=document["language"],
                copies=n_copies, n_tokens=document["n_tokens"],
            )  # fmt: skip
