"""What a stage is: a name, the settings it depends on, and a function that turns upstream tables into its own.

A recipe is a list of stages, each reading the one before it. The runner knows nothing of what they do; a stage knows
nothing of commits, resumption or progress beyond the `StageContext` it is given.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import apache_beam as beam

import storage
from pipelines.runs.folder import PART, Counts, DataFolder, Manifest

# Folders of counts, one file a part: those of earlier passes, then that of the last one, which makes a part done.
PHASES = ("scanned", "texts", "signed", "lines", "trained", "done")


@dataclass
class PartCounts:
    """What one part of a stage read and did: the content of its `done` file."""

    read: int = 0
    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    edits: Counter[str] = field(default_factory=Counter)
    cpu_ns: Counter[str] = field(default_factory=Counter)
    facts: Counter[str] = field(default_factory=Counter)  # sums that later stages need, e.g. tokens by group

    def to_json(self) -> bytes:
        return json.dumps(vars(self), sort_keys=True).encode()

    def add(self, plain: dict[str, Any]) -> None:
        """Add another part's counts, as `to_json` wrote them."""
        self.read += plain["read"]
        self.kept += plain["kept"]
        for name in ("dropped", "failed", "edits", "cpu_ns", "facts"):
            getattr(self, name).update(plain[name])


@dataclass(frozen=True)
class StageContext:
    """What the runner gives a stage."""

    stage: str
    inputs: Sequence[dict[str, Any]]  # archives of the run, with sizes (the first stage reads them)
    upstream: Manifest | None
    source: DataFolder  # the upstream stage's data; of no meaning for the first stage
    target: DataFolder  # where this stage writes
    chain: Mapping[str, tuple[Manifest, DataFolder]]  # every stage before this one
    earlier: Sequence[tuple[Manifest, DataFolder]]  # this stage in the dataset's earlier runs, oldest first
    # (build, work): build the graph, run it, wait for its end; `work` is a rough number of CPU seconds, by which a
    # local run judges whether more than one worker process is worth its start
    run_pipeline: Callable[[Callable[[beam.Pipeline], Any], float], None]
    shuffles_in_memory: bool  # the runner keeps what is shuffled in one process's memory
    set_parts: Callable[[int], None]  # tells the progress line how many parts there are

    @property
    def rows(self) -> int:
        return self.upstream.counts.kept if self.upstream else 0

    def todo(self, parts: int, phase: str = "done") -> list[int]:
        """Return the parts that are not done yet; a killed run leaves some that are."""
        done = set(storage.list_names(self.target.table(phase)))
        return [part for part in range(parts) if f"{PART.format(part)}.json" not in done]


@dataclass(frozen=True)
class StageResult:
    """What a stage reports when its tables are written."""

    parts: int
    facts: dict[str, Any] = field(default_factory=dict)
    counts: Counts | None = None  # for a stage whose tables are not one row a record: counted by itself


Earlier = Mapping[str, Sequence[tuple[Manifest, DataFolder]]]  # by stage: what it did in earlier runs, oldest first


class Stage(Protocol):
    """One committed step of a recipe. Instances are plain values that pickle."""

    @property
    def name(self) -> str: ...

    @property
    def settings(self) -> Any:
        """The settings the result depends on, a dataclass or plain value: part of the stage's key."""

    @property
    def resources(self) -> Sequence[str]:
        """Files from outside that the result depends on (models, lists): fingerprinted into the key."""

    @property
    def kept_table(self) -> str:
        """The table whose rows are the kept records; '' when `StageResult.counts` tells them."""

    def prepare(self) -> None:
        """Check and fetch what workers will need, before any starts. Raises ConfigError."""

    def run(self, context: StageContext) -> StageResult: ...


@runtime_checkable
class Continued(Protocol):
    """A stage that must go on as it began in the dataset's earlier runs."""

    def check_earlier(self, earlier: Sequence[tuple[Manifest, DataFolder]]) -> None:
        """Raise ConfigError, before any worker starts, when its settings are at odds with its earlier runs."""


def add_up(done_files: Iterable[str]) -> PartCounts:
    """Return the sum of the counts in the given `done` files."""
    total = PartCounts()
    with ThreadPoolExecutor(max_workers=16) as pool:  # an object store takes 50 ms for each
        for data in pool.map(storage.read_bytes, done_files):
            total.add(json.loads(data))
    return total
