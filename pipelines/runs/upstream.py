"""What a stage reads: the tables of the stages before it, as one sequence of parts."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

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

    @property
    def parts(self) -> int:
        return sum(manifest.parts for manifest, _ in self.stages)

    @property
    def counts(self) -> Counts:
        return sum_of(manifest.counts for manifest, _ in self.stages)

    @property
    def tables(self) -> Tables:
        """Where the tables are, without the manifests: what travels to workers."""
        return Tables(tuple((data, manifest.parts) for manifest, data in self.stages), self.route)

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

    def part(self, table: str, part: int) -> str:
        """Return the path of a table's part."""
        ends = list(itertools.accumulate(n for _, n in self.folders))
        at = bisect.bisect_right(ends, part)
        return self.folders[at][0].part(table, part - (ends[at - 1] if at else 0))

    def first_parts(self, table: str) -> list[str]:
        """Return one part of each stage that has any: enough to know the columns of all."""
        return [data.part(table, 0) for data, parts in self.folders if parts]


def union_of(schemas: Sequence[pa.Schema]) -> pa.Schema:
    """Return the columns of all schemas, each once, in the order of their first appearance. RunError when two disagree.

    All parts of a table have the same columns, whatever source they came from: readers of the dataset expect it.
    """
    fields: dict[str, pa.Field] = {}
    for schema in schemas:
        for field in schema:
            before = fields.setdefault(field.name, field)
            if before.type != field.type:
                raise RunError(f"column {field.name}: {before.type} in one source, {field.type} in another")
    for name, field in fields.items():
        if any(name not in schema.names for schema in schemas):
            fields[name] = field.with_nullable(True)
    return pa.schema(list(fields.values()), metadata=schemas[0].metadata if schemas else None)
