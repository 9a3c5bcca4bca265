"""What an export reads of a dataset: its finished runs, and of each the documents, the mix and the shards that fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.runs.dataset import Dataset
from pipelines.runs.folder import DataFolder, Manifest, RunFolder
from pipelines.runs.tables import read_batches, read_schema
from pipelines.runs.upstream import Tables
from pipelines.stages.mix import TOKENIZED
from pipelines.stages.tokenizer_facts import facts_of
from schemas.errors import RunError
from schemas.shards import TokenizerFacts

SHARDS = "shards"  # fact of the last stage: its files
_REQUESTS = 16  # footers and small tables read at a time

Committed = tuple[Manifest, DataFolder]


@dataclass(frozen=True)
class FinishedRun:
    """A run that came to its end."""

    path: str
    number: int  # in its dataset; 0 is the first
    chain: list[Committed]  # its stages, in order

    @property
    def mix(self) -> Committed:
        """The stage that says which documents are taken, and how often."""
        return self._stage_with(TOKENIZED, "mixes documents")

    @property
    def shards(self) -> Committed:
        """The stage that wrote the token shards."""
        return self._stage_with(SHARDS, "writes token shards")

    @property
    def tokenized(self) -> Committed:
        """The stage whose tokens the mix took."""
        wanted = self.mix[0].facts[TOKENIZED]
        return next(stage for stage in self.chain if stage[0].stage == wanted)

    @property
    def tokenizer(self) -> TokenizerFacts:
        return facts_of(self.tokenized[0])

    @property
    def documents(self) -> Tables:
        """The tables of documents that were tokenized; their parts are numbered as those of the mix are."""
        before = self.tokenized[0].upstream
        found = [(data, manifest.parts) for manifest, data in self.chain if manifest.stage in before]
        return Tables(tuple(found))

    @property
    def mixed(self) -> Tables:
        manifest, data = self.mix
        return Tables(((data, manifest.parts),))

    def _stage_with(self, fact: str, does: str) -> Committed:
        found = [stage for stage in self.chain if fact in stage[0].facts]
        if len(found) != 1:
            raise RunError(f"{self.path}: {len(found)} stages here {does}; an export reads the result of exactly one")
        return found[0]


def finished_runs(dataset: Dataset, number: int | None = None) -> list[FinishedRun]:
    """Return the runs of a dataset, or the one of a number, oldest first. RunError when one is not finished."""
    folders = dataset.runs() if number is None else [dataset.run(number)]
    return [_finished(folder, dataset.number(folder)) for folder in folders]


def _finished(folder: RunFolder, number: int) -> FinishedRun:
    if not folder.finished():
        raise RunError(f"{folder.path}: this run is not finished; run its command again, or choose others with --run")
    return FinishedRun(folder.path, number, folder.committed())


@dataclass(frozen=True)
class Part:
    """What the mix took of one source in one part of a run."""

    run: int  # place in the list of runs
    part: int
    source: str
    documents: int
    copies: int  # times they were taken, added up
    tokens: int  # of all copies


def parts_of(runs: Sequence[FinishedRun]) -> list[Part]:
    """Return what the mix took, by run, part and source, in that order; what it left out has no entry."""
    places = [(n, part) for n, run in enumerate(runs) for part in range(run.mix[0].parts)]
    tables = [run.mixed for run in runs]
    with ThreadPoolExecutor(max_workers=_REQUESTS) as pool:
        return [part for some in pool.map(lambda place: _weigh(tables[place[0]], *place), places) for part in some]


def _weigh(tables: Tables, run: int, part: int) -> list[Part]:
    sums: dict[str, list[int]] = {}
    for batch in read_batches(tables.part("mixed", part), ["source", "copies", "n_tokens"], rows=1 << 14):
        rows = zip(*(batch.column(name).to_pylist() for name in ("source", "copies", "n_tokens")), strict=True)
        for source, copies, n_tokens in rows:
            found = sums.setdefault(source, [0, 0, 0])
            found[0] += 1
            found[1] += copies
            found[2] += copies * n_tokens
    return [Part(run, part, source, *sums[source]) for source in sorted(sums)]


def schema_of_documents(runs: Sequence[FinishedRun]) -> pa.Schema:
    """Return the columns of the documents of all runs. RunError when two runs have one of different types."""
    schemas = []
    for run in runs:
        folders = run.documents.folders
        schemas += [read_schema(data.part("documents", 0)) for data, parts in folders if parts]
    try:
        return pa.unify_schemas([schema.remove_metadata() for schema in schemas])
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise RunError(
            f"{runs[0].path}: its runs have documents of different columns ({' '.join(str(error).split())});"
            " export them one by one with --run"
        ) from None


@dataclass(frozen=True)
class Taken:
    """Some documents that the mix took."""

    rows: pa.RecordBatch  # of the documents table
    copies: npt.NDArray[np.int64]  # times each is taken
    n_tokens: npt.NDArray[np.int64]


def taken_documents(run: FinishedRun, part: int, source: str, columns: list[str]) -> Iterator[Taken]:
    """Yield the documents of a source that the mix took in one part, in the order of the documents table.

    Memory: a batch of documents, and 60 bytes for each document that was taken in the part. RunError when the tables do
    not belong together.
    """
    path = run.documents.part("documents", part)
    taken = _mixed_rows(run.mixed.part("mixed", part), source)
    there = set(read_schema(path).names)
    names = ["id", *(name for name in columns if name in there and name != "id")]
    at, first = 0, 0  # rows taken and documents read so far
    rows = taken["row"].to_numpy()
    for batch in read_batches(path, names):
        end = int(np.searchsorted(rows, first + batch.num_rows))
        some = taken.slice(at, end - at)
        found = batch.take(pa.array(rows[at:end] - first))
        if not found.column("id").equals(some["id"].combine_chunks()):
            raise RunError(f"{path}: its documents are not those that the mix took; the run's tables do not fit")
        if end > at:
            yield Taken(found, some["copies"].to_numpy().astype(np.int64), some["n_tokens"].to_numpy())
        at, first = end, first + batch.num_rows
    if at < len(rows):
        raise RunError(f"{path}: has {first} documents, but the mix took row {rows[-1]}; the run's tables do not fit")


def _mixed_rows(path: str, source: str) -> Any:
    batches = list(read_batches(path, ["row", "id", "source", "copies", "n_tokens"], rows=1 << 14))
    table = pa.Table.from_batches(batches)
    return table.filter(pc.equal(table["source"], source)).drop_columns("source")
