"""Texts to tokens, by a tokenizer that is trained on a sample of them or given as a file.

A dataset has one tokenizer: the first run's, whose file every later run takes over, so that the same token ids stand in
all its shards.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pyarrow as pa

import storage
from pipelines.runs.folder import DataFolder, Manifest
from pipelines.runs.stage import StageContext, StageResult
from pipelines.runs.tables import FateWriter, read_batches
from pipelines.runs.upstream import Tables
from pipelines.stages.fit import learned
from pipelines.stages.parts import PartWork, run_parts
from pipelines.stages.tokenizer_facts import FACTS, facts_of
from schemas.errors import ConfigError, RunError
from schemas.records import TokenizedDocument, arrow_schema, to_batch
from schemas.settings import overlay, to_plain
from schemas.shards import TokenizerFacts
from transforms.tokens.tokenizer import Tokenizer, TokenizerConfig, load
from transforms.tokens.tokenizer_fit import TokenizerFit, read_file

CPU_MS = 0.6  # of a document, roughly
FILE = "tokenizer.json"
QUALITY_BIN = "quality_bin"  # the column of classifiers/steps/quality_bins.py, which needs none of this stage's code
_OF_ALL = (
    "bos",
    "eos",
    "specials",
    "reserved",
    "pattern",
)  # settings that change the ids of a text under any tokenizer
_OF_TRAINED = ("vocab_size", "train_bytes")  # and those that make a trained one another


@dataclass(frozen=True)
class TokenizeStage:
    """Documents in, their tokens out."""

    config: TokenizerConfig
    name: ClassVar[str] = "tokenize"
    reads: ClassVar[str] = "documents"
    kept_table: ClassVar[str] = "tokens"

    @property
    def fit(self) -> TokenizerFit:
        return TokenizerFit(self.config)

    @property
    def settings(self) -> dict[str, Any]:
        return {self.fit.name: self.config}

    @property
    def resources(self) -> list[str]:
        return self.fit.resources

    @property
    def code(self) -> list[Any]:
        return [type(self), type(self.fit)]

    def prepare(self) -> None:
        if self.config.path:
            load(read_file(self.config), self.config.path, self.config)

    def check_earlier(self, earlier: Sequence[tuple[Manifest, DataFolder]]) -> None:
        """Raise ConfigError when the settings ask for another tokenizer than that of the dataset's earlier runs."""
        if not earlier:
            return
        manifest, data = earlier[0]
        # Settings that came later have their defaults in a run of before.
        before = {**to_plain(TokenizerConfig()), **manifest.config[self.fit.name]}
        now, path = to_plain(self.config), self.config.path
        ours = f"this dataset's tokenizer, SHA-256 {facts_of(manifest).sha256}: {tokenizer_path(data)}"
        for name in _OF_ALL if path or before["path"] else (*_OF_ALL, *_OF_TRAINED):
            if now[name] != before.get(name):
                raise ConfigError(
                    f"tokenizer.{name}: {now[name]!r} is not allowed; it is {before.get(name)!r} in {ours}"
                )
        if not path and before["path"]:
            raise ConfigError(f"tokenizer.path: '' is not allowed, as it would train one; expected {ours}")
        found = hashlib.sha256(read_file(self.config)).hexdigest() if path else facts_of(manifest).sha256
        if found != facts_of(manifest).sha256:
            raise ConfigError(f"tokenizer.path: {path!r}, SHA-256 {found}, is not allowed; expected {ours}")

    def run(self, context: StageContext) -> StageResult:
        parts = context.upstream.parts
        context.set_parts(parts)
        tokenizer = self.fit.step(learned(context, self.fit, FILE))
        for manifest, data in context.earlier[:1]:
            if tokenizer.sha256 != facts_of(manifest).sha256:
                raise RunError(f"{tokenizer_path(data)}: is not the file that its run committed")
        work = _TokenizeWork(context.stage, self.config, context.upstream.tables, context.target)
        run_parts(context, parts, work, context.rows * CPU_MS / 1000)
        facts = TokenizerFacts(
            sha256=tokenizer.sha256, vocab_size=tokenizer.vocab_size, bos_id=tokenizer.bos_id, eos_id=tokenizer.eos_id,
            special_ids=tokenizer.special_ids,
        )  # fmt: skip
        return StageResult(parts, {FACTS: to_plain(facts)})


def tokenizer_path(data: DataFolder) -> str:
    """Return where the tokenize stage leaves the tokenizer's file."""
    return f"{data.root}/{FILE}"


def tokenizer_of(manifest: Manifest, data: DataFolder) -> Tokenizer:
    """Return the tokenizer of a committed tokenize stage."""
    config = overlay(TokenizerConfig(), manifest.config[TokenizerFit.name])
    return load(storage.read_bytes(tokenizer_path(data)), config.path or tokenizer_path(data), config)


@dataclass
class _TokenizeWork(PartWork):
    stage: str
    config: TokenizerConfig
    tables: Tables
    target: DataFolder
    tokenizer: Tokenizer | None = field(default=None, repr=False)

    def open(self) -> None:
        path = tokenizer_path(self.target)
        self.tokenizer = load(storage.read_bytes(path), self.config.path or path, self.config)

    def close(self) -> None:
        self.tokenizer = None

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "tokenizer": None}

    def run(self, part: int, verdicts: dict[str, list[bytes]]) -> Iterator[Any]:
        started = time.thread_time_ns()
        schema = arrow_schema(TokenizedDocument)
        with FateWriter(self.target, self.stage, part, "tokens", schema) as fates:
            for batch in read_batches(self.tables.part("documents", part)):
                rows = self._rows(batch)
                fates.counts.read.update(row.source for row in rows)
                fates.keep(to_batch(TokenizedDocument, rows), Counter((row.source, row.language) for row in rows))
        fates.counts.cpu_ns["tokenize"] += time.thread_time_ns() - started
        storage.write_atomic(self.target.done(part), fates.counts.to_json())
        yield from ()

    def _rows(self, batch: pa.RecordBatch) -> list[TokenizedDocument]:
        assert self.tokenizer is not None  # noqa: S101
        names = ("id", "source", "language")
        columns = [batch.column(name).to_pylist() for name in names]
        encoded = self.tokenizer.encode_batch(batch.column("text").to_pylist())
        return [
            TokenizedDocument(
                id=name, source=source, language=language, quality=score, n_tokens=len(tokens), tokens=tokens
            )
            for name, source, language, score, tokens in zip(*columns, _quality_of(batch), encoded, strict=True)
        ]


def _quality_of(batch: pa.RecordBatch) -> list[float | None]:
    """Return the quality of each row: its bin where a stage made bins, else its score; None where there was neither."""
    if QUALITY_BIN in batch.schema.names:
        bins = batch.column(QUALITY_BIN).to_pylist()
        return [None if row is None or row["bin"] is None else float(row["bin"]) for row in bins]
    if "quality" not in batch.schema.names:
        return [None] * batch.num_rows
    scores = batch.column("quality")
    return [None if row is None else row["score"] for row in scores.to_pylist()]
