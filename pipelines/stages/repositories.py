"""Files of a repository become one long document each, part by part: no text is shuffled.

Files of a repository lie one after the other in a part; what rules and copies have left of them is joined. A worker
holds one repository, or what of it has about `MAX_HELD` characters. Of a table's rows those that follow one another
are joined. Fates: the first file of a document is kept, the others are dropped as `joined_into_repository`; the detail
is the document's id.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import storage
from pipelines.runs.folder import DataFolder
from pipelines.runs.stage import StageContext, StageResult
from pipelines.runs.tables import DraftBatch, FateWriter, read_drafts, schema_of
from pipelines.runs.upstream import Tables
from pipelines.stages.parts import PartWork, run_parts
from transforms.sources.github.reader import GitHubFacts
from transforms.sources.github.repository import Joined, RepositoryConfig, RepositoryStats, SourceFile, joined_files
from transforms.step import Draft, Drop

FACTS, STATS = "github", "repository"  # columns
MAX_HELD = 64 << 20  # characters


@dataclass(frozen=True)
class _Column:
    """A column that the stage adds, as the recipe asks for those of steps."""

    name: str
    stats: type


@dataclass(frozen=True)
class RepositoryStage:
    """Documents that are files in, documents that are repositories out."""

    config: RepositoryConfig
    name: ClassVar[str] = "repositories"
    reads: ClassVar[str] = "documents"
    kept_table: ClassVar[str] = "documents"

    @property
    def settings(self) -> dict[str, Any]:
        return {STATS: self.config}

    @property
    def steps(self) -> tuple[_Column, ...]:
        return (_Column(STATS, RepositoryStats),)

    @property
    def resources(self) -> list[str]:
        return []

    @property
    def code(self) -> list[Any]:
        return [type(self), joined_files]

    def prepare(self) -> None:
        """Nothing to open."""

    def run(self, context: StageContext) -> StageResult:
        parts = context.upstream.parts
        work = _JoinWork(context.stage, self.config, context.upstream.tables, context.target)
        run_parts(context, parts, work, context.rows * 0.5 / 1000)
        return StageResult(parts, {})


@dataclass
class _JoinWork(PartWork):
    stage: str
    config: RepositoryConfig
    tables: Tables
    target: DataFolder

    def run(self, part: int, verdicts: dict[str, list[bytes]]) -> Iterator[Any]:
        measured = {FACTS: GitHubFacts, STATS: RepositoryStats}
        with FateWriter(self.target, self.stage, part, "documents", schema_of(self.tables), measured=measured) as fates:
            started = time.thread_time_ns()
            for files in self._repositories(part):
                fates.counts.read.update(Counter(file.document.source for file in files))
                for joined in joined_files(files, self.config):
                    fates.write(DraftBatch([_draft(joined)]))
                    _, *others = joined.files
                    for file in others:
                        fates.drop(file.document, STATS, Drop("joined_into_repository", detail=joined.document.id))
            fates.counts.cpu_ns["join"] += time.thread_time_ns() - started
        storage.write_atomic(self.target.done(part), fates.counts.to_json())
        yield from ()

    def _repositories(self, part: int) -> Iterator[list[SourceFile]]:
        """Yield runs of files of one repository."""
        held: list[SourceFile] = []
        size = 0
        for batch in read_drafts(self.tables, part):
            for draft in batch.drafts:
                file = SourceFile(draft.document, GitHubFacts(**draft.stored[FACTS]))
                if held and (file.facts.repository != held[0].facts.repository or size > MAX_HELD):
                    yield held
                    held, size = [], 0
                held.append(file)
                size += len(file.document.text)
        if held:
            yield held


def _draft(joined: Joined) -> Draft:
    draft = Draft(joined.document)
    draft.measures = {FACTS: joined.facts, STATS: joined.stats}
    return draft
