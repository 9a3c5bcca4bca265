"""One stage, run after run over a dataset, without a runner: contexts are made here, manifests too."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

import storage
from pipelines.runs.counts import KEPT, Counts, Fate, add_up
from pipelines.runs.dataset import SourceFile, describe
from pipelines.runs.folder import DataFolder, Manifest
from pipelines.runs.stage import PHASES, Incremental, StageContext
from pipelines.runs.tables import TableWriter, read_batches
from pipelines.runs.upstream import Upstream
from schemas.records import Document, arrow_schema, to_batch
from schemas.settings import to_plain


def run_in_process(build: Callable[[beam.Pipeline], Any], work: float) -> None:
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        build(pipeline)


@dataclass(frozen=True)
class Done:
    """What a stage left of one run."""

    manifest: Manifest
    data: DataFolder

    def rows(self, table: str) -> list[dict[str, Any]]:
        return [row for file in self.data.files(table) for batch in read_batches(file) for row in batch.to_pylist()]

    @property
    def dropped(self) -> list[tuple[str, str, str]]:
        """Reason, id and detail of each record that was dropped, sorted."""
        return sorted((row["reason"], row["id"], row["detail"]) for row in self.rows("rejected"))

    def kept(self, column: str = "url") -> list[Any]:
        return sorted(row[column] for table in ("headers", "documents") for row in self.rows(table))


@dataclass
class Dataset:
    """Runs of one stage; each knows those before it."""

    folder: Path
    run_pipeline: Callable[[Callable[[beam.Pipeline], Any], float], None] = run_in_process
    runs: list[Done] = field(default_factory=list)
    skip_unreadable: bool = False

    def archives(self, stage: Any, paths: Sequence[Path]) -> Done:
        """Run a stage that reads archives."""
        files = [SourceFile(stage.source.name, str(path)) for path in paths]
        return self.run(stage, describe(files), Upstream())

    def documents(self, stage: Any, documents: Sequence[Document], parts: int = 1) -> Done:
        """Run a stage that reads documents, dealt out to so many parts."""
        source = DataFolder(f"{self.folder}/{len(self.runs)}/before/key")
        for part in range(parts):
            with TableWriter(source.part("documents", part), arrow_schema(Document), always=True) as table:
                table.write(to_batch(Document, documents[part::parts]))
        fates = Counter(Fate(document.source, document.language, KEPT, "") for document in documents)
        counts = Counts.of(Counter(document.source for document in documents), fates)
        upstream = Manifest(
            stage="before", key="key", version="0", upstream={}, config={}, inputs=[], parts=parts, counts=counts
        )
        return self.run(stage, [], Upstream(((upstream, source),)))

    def run(self, stage: Any, inputs: list[dict[str, Any]], upstream: Upstream) -> Done:
        """Run a stage as the dataset's next run."""
        target = DataFolder(f"{self.folder}/{len(self.runs)}/{stage.name}/key")
        earlier = [(done.manifest, done.data) for done in self.runs]
        if isinstance(stage, Incremental):
            stage.check_earlier(earlier)
        stage.prepare()
        context = StageContext(
            stage=stage.name, inputs=inputs, upstream=upstream, target=target, chain={},
            earlier=earlier, run_pipeline=self.run_pipeline, shuffles_in_memory=True, set_parts=lambda parts: None,
            skip_unreadable=self.skip_unreadable,
        )  # fmt: skip
        result = stage.run(context)
        told = add_up(file for phase in PHASES for file in storage.list_files(target.table(phase)))
        counts = Counts.of(told.read, told.fates, told.edits, told.text_bytes)
        manifest = Manifest(
            stage=stage.name, key="key", version="0", upstream={}, config=to_plain(stage.settings), inputs=inputs,
            parts=result.parts, counts=counts, facts=result.facts,
        )  # fmt: skip
        done = Done(manifest, target)
        assert counts.unbalanced() == []
        assert not upstream.stages or counts.read + told.not_routed == upstream.counts.kept
        assert counts.kept == len(done.rows(stage.kept_table))
        assert Counter(reason for reason, _, _ in done.dropped) == counts.dropped
        self.runs.append(done)
        return done


@pytest.fixture(scope="session")
def new_dataset() -> Callable[..., Dataset]:
    """Start a dataset in a folder."""
    return Dataset


@pytest.fixture
def dataset(tmp_path: Path) -> Callable[..., Dataset]:
    """Start a dataset; each in a folder of its own."""
    numbers = itertools.count()
    return lambda **how: Dataset(tmp_path / f"dataset{next(numbers)}", **how)


@pytest.fixture
def same_tables() -> Callable[[Iterable[Dataset]], None]:
    """Check that datasets hold the same records with the same fates, run by run."""

    def check(datasets: Iterable[Dataset]) -> None:
        first, *others = ([(done.kept(), done.dropped) for done in one.runs] for one in datasets)
        assert all(other == first for other in others)

    return check


@pytest.fixture
def with_manifest() -> Callable[..., Done]:
    """Change what the manifest of a finished run says."""

    def change(done: Done, **facts: Any) -> Done:
        return dataclasses.replace(done, manifest=dataclasses.replace(done.manifest, **facts))

    return change
