"""What a stage reads: the tables of the stages before it, as one sequence of parts."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.runs.counts import Counts, sum_of
from pipelines.runs.folder import DataFolder, Manifest
from schemas.errors import RunError


@dataclass(frozen=True)
class Route:
    """Which documents of the stage before a branch takes: those that `choose` gives its name."""

    choose: Callable[[Any], str]  # a Draft -> the name of a branch
    name: str
    names: tuple[str, ...]  # of all branches


@dataclass(frozen=True)
class Upstream:
    """The stages that a stage reads; their parts are numbered through, in the order of the stages."""

    stages: tuple[tuple[Manifest, DataFolder], ...] = ()
    route: Route | None = None
    measures: Mapping[str, type] = field(default_factory=dict)  # Stats of each column that a stage before it adds

    @property
    def parts(self) -> int:
        return sum(manifest.parts for manifest, _ in self.stages)

    @property
    def counts(self) -> Counts:
        return sum_of(manifest.counts for manifest, _ in self.stages)

    @property
    def tables(self) -> Tables:
        """Where the tables are, without the manifests: what travels to workers."""
        return Tables(tuple((data, manifest.parts) for manifest, data in self.stages), self.route, self.measures)

    @property
    def manifest(self) -> Manifest:
        """The manifest of the one stage before. RunError where there are several."""
        if len(self.stages) != 1:
            raise RunError(f"expected one stage before, found {len(self.stages)}")
        return self.stages[0][0]


@dataclass(frozen=True)
class Tables:
    """The files of some stages' tables, by part."""

    folders: tuple[tuple[DataFolder, int], ...]  # data folder, and its number of parts
    route: Route | None = None
    measures: Mapping[str, type] = field(default_factory=dict)

    def part(self, table: str, part: int) -> str:
        """Return the path of a table's part."""
        ends = list(itertools.accumulate(n for _, n in self.folders))
        at = bisect.bisect_right(ends, part)
        return self.folders[at][0].part(table, part - (ends[at - 1] if at else 0))
