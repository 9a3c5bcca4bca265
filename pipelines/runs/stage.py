"""What a stage is: a name, what its result depends on, and a function that turns the tables it reads into its own.

A recipe is a graph of stages (graph.py). The runner knows nothing of what they do; a stage knows nothing of commits,
resumption or progress beyond the `StageContext` it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import apache_beam as beam

import storage
from pipelines.runs.counts import Counts
from pipelines.runs.folder import PART, DataFolder, Manifest
from pipelines.runs.upstream import Upstream

# Folders of counts, one file a part: those of earlier passes, then that of the last one, which makes a part done.
PHASES = ("scanned", "emitted", "settled", "weighed", "trained", "done")


# Settings of stages themselves; no step may have one of these names, or its own would be lost from the key.
MEASURE_DROPPED, KEEP_EDITS = "measure_dropped", "keep_edits"
STAGE_SETTINGS = frozenset({"source", "reader", MEASURE_DROPPED, KEEP_EDITS})


@dataclass(frozen=True)
class StageContext:
    """What the runner gives a stage."""

    stage: str  # its id in the recipe
    inputs: Sequence[dict[str, Any]]  # files of the run's inputs that it reads, with sizes; a source's first stage only
    upstream: Upstream  # the tables of the stages before it
    target: DataFolder  # where it writes
    chain: Mapping[str, tuple[Manifest, DataFolder]]  # every stage that is done, by id
    earlier: Sequence[tuple[Manifest, DataFolder]]  # this stage in the dataset's earlier runs, oldest first
    # (build, work): build the graph, run it, wait for its end; `work` is a rough number of CPU seconds, by which a
    # local run judges whether more than one worker process is worth its start
    run_pipeline: Callable[[Callable[[beam.Pipeline], Any], float], None]
    shuffles_in_memory: bool  # the runner keeps what is shuffled in one process's memory
    set_parts: Callable[[int], None]  # tells the progress line how many parts there are
    skip_unreadable: bool = False  # what an input does not give is a failure; otherwise it ends the run

    @property
    def rows(self) -> int:
        return self.upstream.counts.kept

    def todo(self, parts: int, phase: str = "done") -> list[int]:
        """Return the parts that are not done yet; a killed run leaves some that are."""
        done = set(storage.list_names(self.target.table(phase)))
        return [part for part in range(parts) if f"{PART.format(part)}.json" not in done]


@dataclass(frozen=True)
class StageResult:
    """What a stage reports when its tables are written."""

    parts: int
    facts: dict[str, Any] = field(default_factory=dict)  # what later stages and commands need, by name
    counts: Counts | None = None  # for a stage whose tables are not one row a record: counted by itself


Earlier = Mapping[str, Sequence[tuple[Manifest, DataFolder]]]  # by stage: what it did in earlier runs, oldest first


class Stage(Protocol):
    """One committed step of a recipe. Instances are plain values that pickle.

    `settings`, `resources` and `code` are what its key holds: all that its result depends on besides the tables it
    reads, and nothing else. A setting belongs to the step that reads it; a stage collects those of its steps.
    """

    @property
    def name(self) -> str:
        """Its name in its branch, snake_case."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """Settings by the name of the step that reads them."""

    @property
    def resources(self) -> Sequence[str]:
        """Files from outside that the result depends on (models, lists): fingerprinted into the key."""

    @property
    def code(self) -> Sequence[Any]:
        """The objects whose code makes the result."""

    @property
    def reads(self) -> str:
        """The table of the stages before it that it reads; '' for the first of a source."""

    @property
    def kept_table(self) -> str:
        """The table whose rows are the kept records; '' when `StageResult.counts` tells them."""

    def prepare(self) -> None:
        """Check and fetch what workers will need, before any starts. Raises ConfigError."""

    def run(self, context: StageContext) -> StageResult: ...


@runtime_checkable
class Incremental(Protocol):
    """A stage whose settings must match those of the dataset's earlier runs."""

    def check_earlier(self, earlier: Sequence[tuple[Manifest, DataFolder]]) -> None:
        """Raise ConfigError, before any worker starts, when its settings are at odds with its earlier runs."""


def settings_of(steps: Sequence[Any]) -> dict[str, Any]:
    """Return the settings of some steps, surveys or the like by name."""
    return {step.name: step.settings for step in steps}


def resources_of(steps: Sequence[Any]) -> list[str]:
    """Return the files that some steps need, sorted, each once."""
    return sorted({path for step in steps for path in step.resources})
