"""Line dedup over the corpus: count every line by hash, then drop all copies of those that are too frequent.

A later run over the same dataset goes on with the buckets of the earlier ones; how many documents those had of each
language is in their manifests, facts["counted_documents"].
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import apache_beam as beam
import numpy as np

import storage
from pipelines.runs.folder import DataFolder
from pipelines.runs.stage import StageContext, StageResult
from pipelines.runs.tables import DOCUMENTS_OF, FateWriter, read_drafts, read_schema, with_steps
from pipelines.stages.known import EarlierRuns, check_known, known_facts, known_rows, refuse_other_settings
from pipelines.stages.parts import EachPart, PartWork, part_numbers, tell_cpu
from schemas.records import Document
from transforms.dedup.frequent_lines import (
    COUNTED,
    LINE,
    Buckets,
    FindFrequentLines,
    LinesConfig,
    count_lines,
    drop_lines,
    line_keys,
)
from transforms.shuffle.hash_blocks import Hashes, partitions_for
from transforms.step import Drop, Step, run_steps

CPU_MS = 0.7  # of a document, roughly
COUNTED_DOCUMENTS = "counted_documents"
KNOWN = {"lines": COUNTED}
LINES_PER_DOCUMENT = 30  # only sets how many partitions the shuffle has


@dataclass(frozen=True)
class LinesStage:
    """Documents in, documents without frequent lines out; `steps` then run on what is left of each."""

    settings: Any
    lines: LinesConfig
    steps: tuple[Step, ...] = ()
    resources: Sequence[str] = ()
    name: ClassVar[str] = "lines"
    kept_table: ClassVar[str] = "documents"

    def prepare(self) -> None:
        for step in self.steps:
            step.open()

    def check_earlier(self, earlier: EarlierRuns) -> None:
        """Raise ConfigError or RunError when the lines counted before cannot be added to."""
        refuse_other_settings(earlier, self.settings, ("lines.bucket_docs", "lines.count_documents"))
        check_known(earlier, KNOWN)

    def run(self, context: StageContext) -> StageResult:
        assert context.upstream is not None  # noqa: S101
        parts = context.upstream.parts
        context.set_parts(parts)
        if context.todo(parts):
            context.run_pipeline(lambda pipeline: self._build(pipeline, parts, context), context.rows * CPU_MS / 1000)
        facts = {COUNTED_DOCUMENTS: documents_by_language(context)}
        return StageResult(parts, {**facts, **known_facts(context.target, KNOWN)})

    def _build(self, pipeline: beam.Pipeline, parts: int, context: StageContext) -> None:
        numbers = part_numbers(pipeline, range(parts))
        keys = _KeysOf(self.lines, buckets_by_language(context, self.lines.bucket_docs))
        known = known_rows(context.earlier, context.target, KNOWN)["lines"]
        partitions = partitions_for(context.rows * LINES_PER_DOCUMENT, LINE.itemsize + 4)
        counted = numbers | "Count" >> EachPart(_CountWork(keys, context.source, context.target), tuple[int, bytes])
        frequent = counted | "Frequent" >> FindFrequentLines(self.lines, known, partitions)
        finish = _FinishWork(keys, self.steps, context.source, context.target)
        _ = {"": numbers, "frequent": frequent} | "Finish" >> EachPart(finish)


def documents_by_language(context: StageContext) -> dict[str, int]:
    """Return how many documents of each language the stage before kept."""
    facts = context.upstream.facts if context.upstream else {}
    return {name.removeprefix(DOCUMENTS_OF): n for name, n in facts.items() if name.startswith(DOCUMENTS_OF)}


def buckets_by_language(context: StageContext, bucket_docs: int) -> dict[str, Buckets]:
    """Return the buckets of each language that has documents in this run."""
    before: Counter[str] = Counter()
    for manifest, _ in context.earlier:
        before.update(manifest.facts[COUNTED_DOCUMENTS])
    return {name: Buckets(bucket_docs, n, before[name]) for name, n in documents_by_language(context).items()}


@dataclass(frozen=True)
class _KeysOf:
    """The line keys of a document, in its bucket of the documents of its language."""

    config: LinesConfig
    buckets: dict[str, Buckets]  # by language

    def bucket(self, document: Document) -> int:
        return self.buckets[document.language].of(document.id)

    def __call__(self, document: Document) -> tuple[Hashes, bool]:
        bucket = self.bucket(document)
        keys = line_keys(document.text.split("\n"), document.language, bucket)
        return keys, self.buckets[document.language].is_open(bucket)


@dataclass
class _CountWork(PartWork):
    keys: _KeysOf
    source: DataFolder
    target: DataFolder

    def run(self, part: int, verdicts: dict[str, list[bytes]]) -> Iterator[tuple[int, bytes]]:
        started = time.thread_time_ns()
        keys = (
            self.keys(draft.document)
            for batch in read_drafts(self.source.part("documents", part))
            for draft in batch.drafts
        )
        block = count_lines(keys, self.keys.config).tobytes()
        tell_cpu(self.target, "lines", part, "hash_lines", time.thread_time_ns() - started)
        yield part, block


@dataclass
class _FinishWork(PartWork):
    keys: _KeysOf
    steps: tuple[Step, ...]
    source: DataFolder
    target: DataFolder

    def open(self) -> None:
        for step in self.steps:
            step.open()

    def run(self, part: int, verdicts: dict[str, list[bytes]]) -> Iterator[Any]:
        frequent = np.sort(
            np.concatenate([np.empty(0, np.uint64), *(np.frombuffer(b, np.uint64) for b in verdicts["frequent"])])
        )
        path = self.source.part("documents", part)
        schema = with_steps(read_schema(path), self.steps)
        with FateWriter(self.target, "lines", part, "documents", schema) as fates:
            counts = fates.counts
            for batch in read_drafts(path):
                counts.read += len(batch.drafts)
                started = time.thread_time_ns()
                for draft in batch.drafts:
                    document = draft.document
                    edit = drop_lines(document.text, document.language, self.keys.bucket(document), frequent)
                    counts.edits.update({f"lines:{what}": n for what, n in edit.counts.items() if n})
                    draft.apply(edit)
                    if not draft.document.text.strip():
                        draft.drop, draft.step = Drop("no_lines_left", 0, None), "lines"
                counts.cpu_ns["drop_lines"] += time.thread_time_ns() - started
                alive = [draft for draft in batch.drafts if draft.alive]
                run_steps(self.steps, alive, counts.edits, counts.cpu_ns)
                fates.write(batch, schema, self.steps)
        storage.write_atomic(self.target.done(part), counts.to_json())
        yield from ()
