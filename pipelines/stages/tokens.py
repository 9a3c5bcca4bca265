"""Texts to tokens: a tokenizer from a file, or one trained on a sample of the documents; then every document.

The sample is drawn by document id, so the tokenizer is the same for any split of the corpus. It is trained by the
process that runs the stage, on at most `tokenizer.train_bytes` of text. A dataset has one tokenizer: the first run's,
whose file every later run takes over, so that the same token ids stand in all its shards.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pyarrow as pa

import storage
from pipelines.runs.folder import DataFolder, Manifest
from pipelines.runs.stage import StageContext, StageResult
from pipelines.runs.tables import TEXT_BYTES, FateWriter, TableWriter, documents_of, read_batches
from pipelines.stages.parts import EachPart, PartWork, part_numbers, run_parts, tell_cpu
from schemas.errors import ConfigError, RunError
from schemas.records import TokenizedDocument, arrow_schema, to_batch
from schemas.settings import to_plain
from transforms.mixing.mix import MixConfig, group_of, quality_band
from transforms.tokens.tokenizer import Tokenizer, TokenizerConfig, in_training_sample, load, train_bpe

CPU_MS = 0.6  # of a document, roughly
BYTES_PER_CPU_S = 200e6  # of reading texts for the sample, roughly
TOKENS_OF = "tokens:"  # facts of the manifest: tokens by group
_OF_ALL = ("bos", "eos", "pattern")  # settings that change the ids of a text under any tokenizer
_OF_TRAINED = ("vocab_size", "train_bytes")  # and those that make a trained one another
_SAMPLE = pa.schema([pa.field("text", pa.large_string())])


@dataclass(frozen=True)
class TokenizeStage:
    """Documents in, their tokens out."""

    settings: Any
    tokenizer: TokenizerConfig
    mix: MixConfig
    resources: Sequence[str] = ()
    name: ClassVar[str] = "tokenize"
    kept_table: ClassVar[str] = "tokens"

    def prepare(self) -> None:
        if self.tokenizer.path:
            load(storage.read_bytes(self.tokenizer.path), self.tokenizer.path, self.tokenizer)

    def check_earlier(self, earlier: Sequence[tuple[Manifest, DataFolder]]) -> None:
        """Raise ConfigError when the settings ask for another tokenizer than that of the dataset's earlier runs."""
        if not earlier:
            return
        manifest, data = earlier[0]
        before, now, path = manifest.config["tokenizer"], to_plain(self.tokenizer), self.tokenizer.path
        ours = f"this dataset's tokenizer, SHA-256 {_sha256_of(manifest)}: {tokenizer_path(data)}"
        for name in _OF_ALL if path or before["path"] else (*_OF_ALL, *_OF_TRAINED):
            if now[name] != before.get(name):
                raise ConfigError(
                    f"tokenizer.{name}: {now[name]!r} is not allowed; it is {before.get(name)!r} in {ours}"
                )
        if not path and before["path"]:
            raise ConfigError(f"tokenizer.path: '' is not allowed, as it would train one; expected {ours}")
        found = hashlib.sha256(storage.read_bytes(path)).hexdigest() if path else _sha256_of(manifest)
        if found != _sha256_of(manifest):
            raise ConfigError(f"tokenizer.path: {path!r}, SHA-256 {found}, is not allowed; expected {ours}")

    def run(self, context: StageContext) -> StageResult:
        assert context.upstream is not None  # noqa: S101
        parts = context.upstream.parts
        context.set_parts(parts)
        tokenizer = self._tokenizer(context, parts)
        work = _TokenizeWork(self.tokenizer, self.mix, context.source, context.target)
        run_parts(context, parts, work, context.rows * CPU_MS / 1000)
        facts = {"tokenizer_sha256": tokenizer.sha256, "vocab_size": tokenizer.vocab_size}
        return StageResult(parts, {**facts, "bos_id": tokenizer.bos_id, "eos_id": tokenizer.eos_id})

    def _tokenizer(self, context: StageContext, parts: int) -> Tokenizer:
        """Return the tokenizer, and leave its file in the data folder."""
        path = tokenizer_path(context.target)
        if not storage.exists(path):
            storage.write_atomic(path, self._file(context, parts))
        tokenizer = load_tokenizer(context.target, self.tokenizer)
        for manifest, data in context.earlier[:1]:
            if tokenizer.sha256 != _sha256_of(manifest):
                raise RunError(f"{tokenizer_path(data)}: is not the file that its run committed")
        return tokenizer

    def _file(self, context: StageContext, parts: int) -> bytes:
        """Return the tokenizer's file: the earlier runs', the one that is given, or one that is trained now."""
        for _, data in context.earlier[:1]:
            return storage.read_bytes(tokenizer_path(data))
        return storage.read_bytes(self.tokenizer.path) if self.tokenizer.path else self._train(context, parts)

    def _train(self, context: StageContext, parts: int) -> bytes:
        assert context.upstream is not None  # noqa: S101
        total = int(context.upstream.facts.get(TEXT_BYTES, 0))
        work = _SampleWork(self.tokenizer, total, context.source, context.target)
        context.run_pipeline(
            lambda pipeline: part_numbers(pipeline, range(parts)) | "Sample" >> EachPart(work), total / BYTES_PER_CPU_S
        )
        texts = (
            text
            for part in range(parts)
            for batch in read_batches(context.target.part("sample", part))
            for text in batch.column("text").to_pylist()
        )
        started = time.process_time_ns()  # of all threads: tokenizers has its own
        trained = train_bpe(texts, self.tokenizer)
        tell_cpu(context.target, "trained", 0, "train_tokenizer", time.process_time_ns() - started)
        return trained


def _sha256_of(manifest: Manifest) -> str:
    return str(manifest.facts["tokenizer_sha256"])


def tokenizer_path(data: DataFolder) -> str:
    """Return where the tokenize stage leaves the tokenizer's file."""
    return f"{data.root}/tokenizer.json"


def load_tokenizer(data: DataFolder, config: TokenizerConfig) -> Tokenizer:
    path = tokenizer_path(data)
    return load(storage.read_bytes(path), config.path or path, config)


@dataclass
class _SampleWork(PartWork):
    """Write the texts of a part that train the tokenizer."""

    config: TokenizerConfig
    total_bytes: int
    source: DataFolder
    target: DataFolder

    def run(self, part: int, verdicts: dict[str, list[bytes]]) -> Iterator[Any]:
        with TableWriter(self.target.part("sample", part), _SAMPLE, always=True) as table:
            for batch in read_batches(self.source.part("documents", part), ["id", "text"]):
                drawn = [
                    in_training_sample(name, self.total_bytes, self.config) for name in batch.column("id").to_pylist()
                ]
                texts = batch.column("text").filter(pa.array(drawn))
                table.write(pa.RecordBatch.from_arrays([texts], schema=_SAMPLE))
        yield from ()


@dataclass
class _TokenizeWork(PartWork):
    config: TokenizerConfig
    mix: MixConfig
    source: DataFolder
    target: DataFolder
    tokenizer: Tokenizer | None = field(default=None, repr=False)

    def open(self) -> None:
        self.tokenizer = load_tokenizer(self.target, self.config)

    def close(self) -> None:
        self.tokenizer = None

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "tokenizer": None}

    def run(self, part: int, verdicts: dict[str, list[bytes]]) -> Iterator[Any]:
        started = time.thread_time_ns()
        schema = arrow_schema(TokenizedDocument)
        with FateWriter(self.target, "tokenize", part, "tokens", schema) as fates:
            for batch in read_batches(self.source.part("documents", part)):
                rows = self._rows(batch)
                fates.counts.read += len(rows)
                fates.counts.facts.update({f"{TOKENS_OF}{row.group}": 0 for row in rows})
                for row in rows:
                    fates.counts.facts[f"{TOKENS_OF}{row.group}"] += row.n_tokens
                fates.keep(to_batch(TokenizedDocument, rows))
        fates.counts.cpu_ns["tokenize"] += time.thread_time_ns() - started
        storage.write_atomic(self.target.done(part), fates.counts.to_json())
        yield from ()

    def _rows(self, batch: pa.RecordBatch) -> list[TokenizedDocument]:
        assert self.tokenizer is not None  # noqa: S101
        documents = documents_of(batch)
        scores = _quality_scores(batch)
        encoded = self.tokenizer.encode_batch([document.text for document in documents])
        return [
            TokenizedDocument(
                id=document.id,
                source=document.source,
                group=group_of(document.source, document.language, quality_band(score, self.mix.quality_bands)),
                n_tokens=len(tokens),
                tokens=tokens,
            )
            for document, score, tokens in zip(documents, scores, encoded, strict=True)
        ]


def _quality_scores(batch: pa.RecordBatch) -> list[float | None]:
    """Return the quality score of each row; None where there was no classifier."""
    if "quality" not in batch.schema.names:
        return [None] * batch.num_rows
    scores: list[float | None] = batch.column("quality").field("score").to_pylist()
    return scores
