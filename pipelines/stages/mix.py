"""The mix: rates are planned from the tokens of each group, then each document is taken its number of times."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa

import storage
from pipelines.runs.folder import DataFolder
from pipelines.runs.stage import StageContext, StageResult, add_up
from pipelines.runs.tables import FateWriter, read_batches
from pipelines.stages.parts import PartWork, run_parts
from pipelines.stages.tokens import TOKENS_OF
from schemas.records import MixedDocument, Rejection, arrow_schema, to_batch
from transforms.mixing.mix import MixConfig, MixPlan, copies, drop_of, plan_mix, report_mix, source_of

CPU_MS = 0.05  # of a document, roughly
TAKEN_OF = "taken:"  # facts of the manifest: tokens taken by group, copies counted


@dataclass(frozen=True)
class MixStage:
    """Tokenized documents in, the number of copies of each out; tokens stay where they are."""

    settings: MixConfig
    resources: Sequence[str] = ()
    name: ClassVar[str] = "mix"
    kept_table: ClassVar[str] = "mixed"

    def prepare(self) -> None:
        """Nothing to fetch."""

    def run(self, context: StageContext) -> StageResult:
        assert context.upstream is not None  # noqa: S101
        parts = context.upstream.parts
        plan = plan_mix(_by_group(context.upstream.facts, TOKENS_OF), self.settings)
        run_parts(context, parts, _MixWork(plan, context.source, context.target), context.rows * CPU_MS / 1000)
        told = add_up(context.target.done(part) for part in range(parts))
        return StageResult(parts, {"mix": report_mix(plan, _by_group(told.facts, TAKEN_OF)).to_json()})


def _by_group(facts: Any, prefix: str) -> dict[str, int]:
    return {name.removeprefix(prefix): n for name, n in facts.items() if name.startswith(prefix)}


@dataclass
class _MixWork(PartWork):
    plan: MixPlan
    source: DataFolder
    target: DataFolder

    def run(self, part: int, verdicts: dict[str, list[bytes]]) -> Iterator[Any]:
        started = time.thread_time_ns()
        with FateWriter(self.target, "mix", part, "mixed", arrow_schema(MixedDocument)) as fates:
            first = 0
            for batch in read_batches(self.source.part("tokens", part), ["id", "group", "n_tokens"]):
                fates.keep(to_batch(MixedDocument, list(self._kept(batch, first, fates))))
                first += batch.num_rows
            fates.counts.read = first
        fates.counts.cpu_ns["mix"] += time.thread_time_ns() - started
        storage.write_atomic(self.target.done(part), fates.counts.to_json())
        yield from ()

    def _kept(self, batch: pa.RecordBatch, first: int, fates: FateWriter) -> Iterator[MixedDocument]:
        for row, document in enumerate(batch.to_pylist(), first):
            group, rate = document["group"], self.plan.rate(document["group"])
            drop = drop_of(document["id"], rate)
            if drop is not None:
                fates.reject(
                    Rejection(
                        id=document["id"],
                        url="",
                        language=group.rsplit("/", 2)[1],
                        stage="mix",
                        step="mix",
                        reason=drop.reason,
                        value=drop.value,
                        limit=drop.limit,
                        detail=group,
                    )
                )
                continue
            n_copies = copies(document["id"], rate)
            fates.counts.facts[f"{TAKEN_OF}{group}"] += n_copies * document["n_tokens"]
            yield MixedDocument(
                row=row, id=document["id"], source=source_of(group), copies=n_copies, n_tokens=document["n_tokens"]
            )
