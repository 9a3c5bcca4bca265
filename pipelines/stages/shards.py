"""The last stage: the global shuffle of token arrays and the Parquet shards that the trainer reads."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import apache_beam as beam
import pyarrow as pa

import storage
from pipelines.runs.counts import KEPT, Counts, Fate, PartCounts, add_up
from pipelines.runs.folder import DataFolder
from pipelines.runs.stage import StageContext, StageResult
from pipelines.runs.tables import read_batches
from pipelines.runs.upstream import Tables
from pipelines.stages.mix import TOKENIZED
from pipelines.stages.parts import EachPart, PartWork, part_numbers
from pipelines.stages.tokenizer_facts import facts_of
from schemas.errors import RunError
from schemas.shards import ShardFile, TokenizerFacts
from transforms.shuffle.hash_blocks import partitions_for
from transforms.tokens.shards import PLACE, Files, WriteShards, place_block
from transforms.tokens.token_rows import ShardConfig, travel

WAVE_BYTES = 32 << 20  # of tokens in flight at a time: some 6 bytes for each while they are shuffled in memory
SCRATCH = "chunks"  # table of the tokens on their way to their shards; there while a wave runs
WRITTEN = "written"  # tally: copies and tokens that the mix took
CPU_MS = 0.2  # of a document, roughly


@dataclass(frozen=True)
class ShardsStage:
    """The documents that the mix took in, token shards out."""

    config: ShardConfig
    name: ClassVar[str] = "shards"
    reads: ClassVar[str] = "mixed"
    kept_table: ClassVar[str] = ""
    resources: ClassVar[Sequence[str]] = ()

    @property
    def settings(self) -> dict[str, Any]:
        return {self.name: self.config}

    @property
    def code(self) -> list[Any]:
        return [type(self)]

    def prepare(self) -> None:
        """Nothing to fetch."""

    def run(self, context: StageContext) -> StageResult:
        parts, mixed = context.upstream.parts, context.upstream.manifest
        context.set_parts(parts)
        for table in ("written", SCRATCH):
            storage.remove_tree(context.target.table(table))
        tokenized, tokens = context.chain[mixed.facts[TOKENIZED]]
        facts = facts_of(tokenized)
        sources = sorted(tokenized.counts.read_of)
        root, scratch = context.target.root, context.target.table(SCRATCH)
        files = Files(root, scratch, storage.open_atomic, storage.open_scratch, storage.read_bytes)
        waves = _waves(context, self.config, facts)
        for wave in range(waves):
            write = WriteShards(
                sources,
                facts,
                _ReadTokens(tokens),
                files,
                self.config,
                partitions_for(context.rows, PLACE.itemsize),
                (wave, waves),
            )
            build = functools.partial(_build, numbers=range(parts), write=write, sources=sources, context=context)
            context.run_pipeline(build, context.rows * CPU_MS / 1000)
            storage.remove_tree(scratch)  # not by the pipeline: a bundle that is run once more would find it gone
        shards = sorted(_written(context.target), key=lambda shard: shard["path"])
        return StageResult(parts, {"shards": shards}, _counts(context.target, parts, shards))


def _build(
    pipeline: beam.Pipeline, numbers: Sequence[int], write: WriteShards, sources: list[str], context: StageContext
) -> None:
    places = _PlaceWork(sources, context.upstream.tables, context.target)
    _ = (
        part_numbers(pipeline, numbers)
        | "Places" >> EachPart(places, bytes)
        | "Shards" >> write
        | "Tell" >> beam.Map(_tell, target=context.target)
    )


def _waves(context: StageContext, config: ShardConfig, facts: TokenizerFacts) -> int:
    """Return in how many waves the shards are written: more than one where the runner shuffles in its own memory."""
    if not context.shuffles_in_memory:
        return 1
    tokens = max(WAVE_BYTES // travel(facts).itemsize, config.shard_tokens)
    return math.ceil(context.upstream.manifest.facts["mix"]["reached_tokens"] / tokens) or 1


@dataclass(frozen=True)
class _ReadTokens:
    """Reads the tokens of one part."""

    tokens: DataFolder

    def __call__(self, part: int) -> Iterable[pa.RecordBatch]:
        return read_batches(self.tokens.part("tokens", part), ["id", "tokens"])


@dataclass
class _PlaceWork(PartWork):
    sources: list[str]
    tables: Tables
    target: DataFolder

    def run(self, part: int, verdicts: dict[str, list[bytes]]) -> Iterator[bytes]:
        started = time.thread_time_ns()
        codes = {name: code for code, name in enumerate(self.sources)}
        counts = PartCounts()
        for batch in read_batches(self.tables.part("mixed", part)):
            rows = batch.to_pydict()
            counts.read.update(rows["source"])
            for source, language in zip(rows["source"], rows["language"], strict=True):
                counts.fates[Fate(source, language, KEPT, "")] += 1
            written = counts.tally(WRITTEN)
            written["copies"] += sum(rows["copies"])
            written["tokens"] += sum(n * k for n, k in zip(rows["n_tokens"], rows["copies"], strict=True))
            yield place_block(
                part,
                rows["row"],
                rows["id"],
                [codes[name] for name in rows["source"]],
                rows["n_tokens"],
                rows["copies"],
            )
        counts.cpu_ns["place"] += time.thread_time_ns() - started
        storage.write_atomic(self.target.done(part), counts.to_json())


def _tell(shard: ShardFile, target: DataFolder) -> None:
    name = shard.path.replace("/", "-").removesuffix(".parquet")
    storage.write_atomic(f"{target.table('written')}/{name}.json", json.dumps(dataclasses.asdict(shard)).encode())


def _written(target: DataFolder) -> list[dict[str, Any]]:
    return [
        json.loads(storage.read_bytes(f"{target.table('written')}/{name}"))
        for name in storage.list_names(target.table("written"))
        if name.endswith(".json")
    ]


def _counts(target: DataFolder, parts: int, shards: list[dict[str, Any]]) -> Counts:
    """Return the fates, after checking that the shards hold each copy and each token exactly once."""
    written = add_up(target.done(part) for part in range(parts))
    wanted = (written.tally(WRITTEN)["copies"], written.tally(WRITTEN)["tokens"])
    found = (sum(shard["documents"] for shard in shards), sum(shard["tokens"] for shard in shards))
    if found != wanted:
        raise RunError(f"stage shards: {found} documents and tokens are in the shards, but the mix took {wanted}")
    return Counts.of(written.read, written.fates)
