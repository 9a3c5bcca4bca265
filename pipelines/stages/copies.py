"""Copies of whole documents: equal texts first, then near copies found by MinHash.

    texts     each document's text hash; of equal texts the best stays
    sign      the documents that are left are signed
    near      bands, verified pairs, connected components, the best of each cluster (transforms/dedup/near_copies.py)
    finish    each part applies the verdicts on its rows; the kept ones carry the size of their cluster

Components take a number of rounds that the data decides. A graph has a fixed number of them and counts what is not yet
settled; if anything is left, the stage runs once more with twice the rounds.

A later run over the same dataset drops texts that an earlier one has seen, and whole clusters that a document of an
earlier run belongs to.
"""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.pvalue import PCollection

import storage
from pipelines.runs.folder import DataFolder
from pipelines.runs.stage import StageContext, StageResult
from pipelines.runs.tables import FateWriter, documents_of, read_batches, read_schema
from pipelines.stages.known import EarlierRuns, check_known, known_facts, known_rows, refuse_other_settings
from pipelines.stages.parts import EachPart, PartWork, part_numbers, tell_cpu
from schemas.errors import RunError
from schemas.identity import content_id, id_text, id_words
from schemas.records import Document, stats_array, stats_type
from schemas.settings import section, setting, validate
from transforms.dedup.candidate_pairs import BUCKETED
from transforms.dedup.keep_best import COPY, SEEN, KeepBestPerKey, Winner, losers_of, newest
from transforms.dedup.minhash import MinHashConfig, signature
from transforms.dedup.near_copies import NEAR, FindNearCopies, KnownDocuments, known_dtype, signed_dtype
from transforms.shuffle.hash_blocks import partitions_for
from transforms.step import Drop

MAX_ROUNDS = 64
CPU_MS = 2.0  # of a document, roughly


@dataclass(frozen=True, kw_only=True)
class CopiesConfig:
    """Settings of the dedup stage."""

    exact: bool = setting(True, "drop all but one of equal texts")
    near: bool = setting(True, "drop all but one of each cluster of near copies (Llama 3, 3.1.1: global MinHash)")
    keep: str = setting(
        "newest", "which copy stays; ties go to the smaller id (ours: the report does not say)",
        choices=("newest", "longest", "best_score"),
    )  # fmt: skip
    rounds: int = setting(
        4, "rounds of connected components in one graph; doubled when they do not suffice", ge=1, le=MAX_ROUNDS
    )
    minhash: MinHashConfig = section(MinHashConfig, "signatures of near copies")

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, slots=True)
class Cluster:
    """What near-copy search knows of a document: the column `near_copies`."""

    size: int  # documents in its cluster, itself included; 1 when it stands alone
    similarity: float | None  # its best verified estimate of Jaccard similarity with another member


@dataclass(frozen=True)
class CopiesStage:
    """Documents in, documents without copies out."""

    settings: CopiesConfig
    resources: Sequence[str] = ()
    name: ClassVar[str] = "dedup"
    kept_table: ClassVar[str] = "documents"

    def prepare(self) -> None:
        """Nothing to fetch."""

    def check_earlier(self, earlier: EarlierRuns) -> None:
        """Raise ConfigError or RunError when the known texts and signatures cannot be compared with."""
        refuse_other_settings(earlier, self.settings, ("exact", "near", "minhash"))
        check_known(earlier, self._known)

    def run(self, context: StageContext) -> StageResult:
        assert context.upstream is not None  # noqa: S101
        parts, rounds = context.upstream.parts, self.settings.rounds
        context.set_parts(parts)
        while context.todo(parts) or _unsettled(context.target) != 0:
            storage.remove_tree(context.target.table("done"))  # of a graph that was killed, or had too few rounds
            build = functools.partial(self._build, parts=parts, rounds=rounds, context=context)
            context.run_pipeline(build, context.rows * CPU_MS / 1000)
            unsettled = _unsettled(context.target)
            if unsettled and rounds >= MAX_ROUNDS:
                raise RunError(f"stage {self.name}: {unsettled} edges are not settled after {rounds} rounds")
            rounds *= 2
        return StageResult(parts, known_facts(context.target, self._known))

    @property
    def _known(self) -> dict[str, np.dtype[np.void]]:
        """The tables that the stage leaves for later runs."""
        return {"texts": SEEN, "buckets": BUCKETED, "signatures": known_dtype(self.settings.minhash.n_hashes)}

    def _build(self, pipeline: beam.Pipeline, parts: int, rounds: int, context: StageContext) -> None:
        numbers = part_numbers(pipeline, range(parts))
        known = known_rows(context.earlier, context.target, self._known)
        verdicts: dict[str, PCollection[Any]] = {"": numbers}
        texts = numbers | "Texts" >> EachPart(_TextsWork(self.settings, context.source, context.target), bytes)
        partitions = partitions_for(context.rows, COPY.itemsize)
        verdicts["exact_copy"] = texts | "OneOfEach" >> KeepBestPerKey(partitions, known["texts"])
        signed = dict(verdicts) | "Sign" >> EachPart(
            _SignWork(self.settings, context.source, context.target), tuple[int, bytes]
        )
        partitions = partitions_for(context.rows * self.settings.minhash.bands, 40)
        documents = KnownDocuments(known["buckets"], known["signatures"])
        find = FindNearCopies(self.settings.minhash, documents, partitions, rounds)
        verdicts["near_copy"], open_edges = signed | "Near" >> find
        _ = (
            open_edges
            | "SumOpenEdges" >> beam.CombineGlobally(sum)
            | "WriteOpenEdges" >> beam.Map(_write_unsettled, path=_unsettled_path(context.target))
        )
        _ = verdicts | "Finish" >> EachPart(_FinishWork(self.settings, context.source, context.target))


def _unsettled_path(target: DataFolder) -> str:
    return f"{target.root}/unsettled.json"


def _write_unsettled(count: int, path: str) -> None:
    storage.write_atomic(path, json.dumps(count).encode())


def _unsettled(target: DataFolder) -> int | None:
    """Return how many edges the last graph left unsettled; None when no graph came to its end."""
    path = _unsettled_path(target)
    return int(json.loads(storage.read_bytes(path))) if storage.exists(path) else None


def rank_of(document: Document, score: float | None, keep: str) -> int:
    """Return the number by which the best of some copies is chosen; the biggest wins."""
    if keep == "longest":
        return len(document.text)
    if keep == "best_score":
        return -(2**62) if score is None else round(score * 2**40)
    return newest(document.fetched_at)


def _ranked(batch: pa.RecordBatch, keep: str) -> Iterator[tuple[Document, int]]:
    scores: list[float | None] = [None] * batch.num_rows
    if keep == "best_score":
        scores = batch.column("quality").field("score").to_pylist()
    for document, score in zip(documents_of(batch), scores, strict=True):
        yield document, rank_of(document, score, keep)


@dataclass
class _TextsWork(PartWork):
    config: CopiesConfig
    source: DataFolder
    target: DataFolder

    def run(self, part: int, verdicts: dict[str, list[bytes]]) -> Iterator[bytes]:
        started = time.thread_time_ns()
        rows: list[tuple[int, ...]] = []
        if self.config.exact:
            for batch in read_batches(self.source.part("documents", part)):
                for document, rank in _ranked(batch, self.config.keep):
                    key = id_words(content_id(document.text))
                    rows.append((*key, rank, *id_words(document.id), part, len(rows)))
        block = np.array(rows, COPY).tobytes()
        tell_cpu(self.target, "texts", part, "hash_texts", time.thread_time_ns() - started)
        yield block


@dataclass
class _SignWork(PartWork):
    """Emit the signatures of the documents that no equal text beats."""

    config: CopiesConfig
    source: DataFolder
    target: DataFolder

    def run(self, part: int, verdicts: dict[str, list[bytes]]) -> Iterator[tuple[int, bytes]]:
        started = time.thread_time_ns()
        if not self.config.near:
            return
        exact = losers_of(verdicts["exact_copy"])
        rows: list[tuple[Any, ...]] = []
        first = 0
        for batch in read_batches(self.source.part("documents", part)):
            for row, (document, rank) in enumerate(_ranked(batch, self.config.keep), first):
                signed = None if row in exact else signature(document.text, self.config.minhash)
                if signed is not None:  # a text without words has no signature and no near copies
                    rows.append((row, *id_words(document.id), rank, signed))
            first += batch.num_rows
        block = np.array(rows, signed_dtype(self.config.minhash.n_hashes)).tobytes()
        tell_cpu(self.target, "signed", part, "sign", time.thread_time_ns() - started)
        yield part, block


def _clusters_of(blocks: list[bytes]) -> dict[int, tuple[Winner, Cluster]]:
    """Return what NEAR blocks of one part say: the row, the member of its cluster that is kept, and the cluster."""
    return {
        row: (Winner(id_text(high, low), bool(known)), Cluster(size, similarity))
        for block in blocks
        for row, high, low, size, similarity, known in np.frombuffer(block, NEAR).tolist()
    }


@dataclass
class _FinishWork(PartWork):
    config: CopiesConfig
    source: DataFolder
    target: DataFolder

    def run(self, part: int, verdicts: dict[str, list[bytes]]) -> Iterator[Any]:
        exact = losers_of(verdicts["exact_copy"])
        near = _clusters_of(verdicts["near_copy"])
        path = self.source.part("documents", part)
        schema = read_schema(path)
        schema = schema.append(pa.field("near_copies", stats_type(Cluster)))
        with FateWriter(self.target, "dedup", part, "documents", schema) as fates:
            started, first = time.thread_time_ns(), 0
            for batch in read_batches(path):
                kept, clusters = [], []
                for n, document in enumerate(documents_of(batch)):
                    winner = exact.get(first + n)
                    keeper, cluster = near.get(first + n, (Winner(document.id, known=False), Cluster(1, None)))
                    if winner is not None:
                        reason = "text_in_earlier_run" if winner.known else "exact_copy"
                        fates.drop(document, "exact_copy", Drop(reason, detail=winner.id))
                    elif keeper.known or keeper.id != document.id:
                        reason = "near_copy_of_earlier_run" if keeper.known else "near_copy"
                        limit = self.config.minhash.min_similarity
                        fates.drop(document, "near_copy", Drop(reason, cluster.similarity, limit, keeper.id))
                    else:
                        kept.append(n)
                        clusters.append(cluster)
                first += batch.num_rows
                survivors = batch.take(pa.array(kept, pa.int64()))
                columns = [*survivors.columns, stats_array(Cluster, clusters)]
                fates.keep(pa.RecordBatch.from_arrays(columns, schema=schema))
            fates.counts.read = first
            fates.counts.cpu_ns["apply_copies"] += time.thread_time_ns() - started
        storage.write_atomic(self.target.done(part), fates.counts.to_json())
        yield from ()
