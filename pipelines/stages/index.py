"""The URL step, on headers alone: which archived records are worth parsing.

    scan      each record's headers: blocklists, status, media type; candidates go to a scratch table
    newest    of each normalised address the newest capture stays (ties: smallest record id)
    payload   of equal payload digests likewise
    finish    each part applies the verdicts on its rows and writes `pages`, `rejected` and `failed`

A later run over the same dataset drops what an earlier one has seen: addresses that were candidates there, whatever
became of them, and the payloads of those that won their address (keep_best.py says why the first wins).

Only blocks of hashes are shuffled. No page is parsed and no body is kept.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import apache_beam as beam
import numpy as np
from apache_beam.pvalue import PCollection

import storage
from pipelines.runs.folder import DataFolder
from pipelines.runs.stage import StageContext, StageResult
from pipelines.runs.tables import BATCH_ROWS, FateWriter, read_headers
from pipelines.stages.known import EarlierRuns, check_known, known_facts, known_rows, refuse_other_settings
from pipelines.stages.parts import EachPart, PartWork, part_numbers
from schemas.identity import content_id, id_words
from schemas.records import Failure, Header, Rejection, arrow_schema, to_batch
from schemas.settings import section, setting, validate
from transforms.dedup.keep_best import COPY, SEEN, KeepBestPerKey, losers_of, newest
from transforms.dedup.urls import url_key
from transforms.safety.blocklist import Blocklist, BlocklistConfig
from transforms.shuffle.hash_blocks import partitions_for
from transforms.sources import Broken, IngestConfig, Part, Skipped, plan_parts, scan

NO_PAYLOAD = frozenset({"", "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ"})  # unknown, or of no bytes at all: no copies
_UUID = re.compile(r"([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})$", re.IGNORECASE)
IN_EARLIER_RUN = {"older_copy_of_url": "url_in_earlier_run", "same_payload": "payload_in_earlier_run"}
KNOWN = {"urls": SEEN, "payloads": SEEN}
BYTES_PER_CPU_S = 50e6  # of a compressed archive, roughly
BYTES_PER_RECORD = 4096  # of a compressed archive; only sets how many partitions a shuffle has


@dataclass(frozen=True, kw_only=True)
class UrlConfig:
    """Which copies of an address or a payload stay."""

    newest_per_url: bool = setting(True, "keep only the newest capture of each normalised address (Llama 3, 3.1.1)")
    one_per_payload: bool = setting(True, "keep only the newest record of each payload digest")

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, kw_only=True)
class IndexConfig:
    """Settings of the index stage."""

    part_mib: int = setting(32, "largest range of an archive that one worker reads at a time, MiB", ge=1, le=4096)
    ingest: IngestConfig = section(IngestConfig, "what is read from archives")
    blocklist: BlocklistConfig = section(BlocklistConfig, "lists of domains, addresses and words that are not wanted")
    url: UrlConfig = section(UrlConfig, "copies of addresses and payloads")


@dataclass(frozen=True)
class IndexStage:
    """Headers in, pages worth parsing out."""

    settings: IndexConfig
    source_name: str
    resources: Sequence[str] = ()
    name: ClassVar[str] = "index"
    kept_table: ClassVar[str] = "pages"

    def prepare(self) -> None:
        Blocklist.load(self.settings.blocklist)

    def check_earlier(self, earlier: EarlierRuns) -> None:
        """Raise ConfigError or RunError when the known addresses and payloads cannot be compared with."""
        refuse_other_settings(earlier, self.settings, ("url",))
        check_known(earlier, KNOWN)

    def run(self, context: StageContext) -> StageResult:
        files = [(entry["path"], entry["size"]) for entry in context.inputs]
        parts = plan_parts(files, self.settings.part_mib << 20)
        context.set_parts(len(parts))
        checksums = {entry["path"]: entry["checksum"] for entry in context.inputs}
        plain = [[part.path, part.start, part.end, checksums[part.path]] for part in parts]
        storage.write_atomic(_parts_path(context.target), json.dumps(plain).encode())
        if context.todo(len(parts)):
            work = sum(entry["size"] for entry in context.inputs) / BYTES_PER_CPU_S
            context.run_pipeline(lambda pipeline: self._build(pipeline, len(parts), context), work)
        return StageResult(len(parts), known_facts(context.target, KNOWN))

    def _build(self, pipeline: beam.Pipeline, parts: int, context: StageContext) -> None:
        numbers = part_numbers(pipeline, range(parts))
        n_records = sum(entry["size"] for entry in context.inputs) // BYTES_PER_RECORD
        partitions = partitions_for(n_records, COPY.itemsize)
        known = known_rows(context.earlier, context.target, KNOWN)
        verdicts: dict[str, PCollection[Any]] = {"": numbers}
        addresses = numbers | "Scan" >> EachPart(_ScanWork(self.settings, context.target), bytes)
        verdicts["older_copy_of_url"] = addresses | "Newest" >> KeepBestPerKey(partitions, known["urls"])
        payloads = dict(verdicts) | "Payloads" >> EachPart(_PayloadWork(self.settings.url, context.target), bytes)
        verdicts["same_payload"] = payloads | "OnePayload" >> KeepBestPerKey(partitions, known["payloads"])
        _ = verdicts | "Finish" >> EachPart(_FinishWork(context.target))


def _parts_path(target: DataFolder) -> str:
    return f"{target.root}/parts.json"


def _read_parts(target: DataFolder) -> list[Any]:
    """Return path, start, end and checksum of each part. A file, because a large crawl has too many for a graph."""
    parts: list[Any] = json.loads(storage.read_bytes(_parts_path(target)))
    return parts


def record_key(record_id: str) -> tuple[int, int]:
    """Return a record id as 128 bits that sort as the UUID in it does; an id without one by its hash."""
    found = _UUID.search(record_id)
    digits = "".join(found.groups()) if found else content_id(record_id)
    return id_words(digits)


def copies_block(rows: Sequence[tuple[tuple[int, int], Header]], part: int) -> bytes:
    """Return a COPY block of (key, page) pairs of one part."""
    block = np.empty(len(rows), COPY)
    for n, (key, page) in enumerate(rows):
        block[n] = (*key, newest(page.fetched_at), *record_key(page.record_id), part, page.row)
    return block.tobytes()


@dataclass
class _ScanWork(PartWork):
    config: IndexConfig
    target: DataFolder
    blocklist: Blocklist | None = field(default=None, repr=False)
    parts: list[Any] = field(default_factory=list, repr=False)

    def open(self) -> None:
        self.blocklist = Blocklist.load(self.config.blocklist)
        self.parts = _read_parts(self.target)

    def close(self) -> None:
        self.blocklist = None

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "blocklist": None, "parts": []}

    def run(self, part: int, verdicts: dict[str, list[bytes]]) -> Iterator[bytes]:
        if not storage.exists(self.target.done(part, "scanned")):
            self._scan(part)
        rows: list[tuple[tuple[int, int], Header]] = []
        for pages in read_headers(self.target.part("candidates", part)):
            if self.config.url.newest_per_url:
                rows += [(url_key(page.url), page) for page in pages if page.url]
        yield copies_block(rows, part)

    def _scan(self, part: int) -> None:
        assert self.blocklist is not None  # noqa: S101
        path, start, end, _ = self.parts[part]
        place = Part(path, start, end)
        started = time.thread_time_ns()
        batch: list[Header] = []
        with FateWriter(self.target, "index", part, "candidates", arrow_schema(Header)) as fates:
            for item in scan(place, self.config.ingest):
                fates.counts.read += 1
                if isinstance(item, Header):
                    drop = self.blocklist.check(item.url) if item.url else None
                    if drop is None:
                        batch.append(item)
                    else:
                        fates.reject(_rejection(item, place.path, "blocklist", drop.reason, drop.detail))
                elif isinstance(item, Skipped):
                    fates.reject(
                        _rejection(item, place.path, "headers", item.reason, item.detail, item.value, item.limit)
                    )
                else:
                    fates.fail(_failure(item, place.path))
                if len(batch) == BATCH_ROWS:
                    fates.keep(to_batch(Header, batch))
                    batch = []
            fates.keep(to_batch(Header, batch))
        counts = fates.counts
        counts.kept = 0  # candidates only; the finish counts what is kept
        counts.cpu_ns["scan"] += time.thread_time_ns() - started
        storage.write_atomic(self.target.done(part, "scanned"), counts.to_json())


def _rejection(
    item: Header | Skipped,
    archive: str,
    step: str,
    reason: str,
    detail: str,
    value: float | None = None,
    limit: float | None = None,
) -> Rejection:
    return Rejection(
        id=item.record_id, url=item.url, stage="index", step=step, reason=reason, value=value, limit=limit,
        detail=detail, archive=archive, offset=item.offset,
    )  # fmt: skip


def _failure(item: Broken, archive: str) -> Failure:
    return Failure(
        id=item.record_id, url=item.url, stage="index", step="read", cause=item.cause, detail=item.detail,
        archive=archive, offset=item.offset,
    )  # fmt: skip


@dataclass
class _PayloadWork(PartWork):
    """Emit the digests of the records that won their address."""

    config: UrlConfig
    target: DataFolder

    def run(self, part: int, verdicts: dict[str, list[bytes]]) -> Iterator[bytes]:
        older = losers_of(verdicts["older_copy_of_url"])
        rows: list[tuple[tuple[int, int], Header]] = []
        for pages in read_headers(self.target.part("candidates", part)):
            rows += [
                (id_words(content_id(page.digest)), page)
                for page in pages
                if self.config.one_per_payload and page.digest not in NO_PAYLOAD and page.row not in older
            ]
        yield copies_block(rows, part)


@dataclass
class _FinishWork(PartWork):
    target: DataFolder
    parts: list[Any] = field(default_factory=list, repr=False)

    def open(self) -> None:
        self.parts = _read_parts(self.target)

    def run(self, part: int, verdicts: dict[str, list[bytes]]) -> Iterator[Any]:
        archive = self.parts[part][0]
        losers = {reason: losers_of(blocks) for reason, blocks in verdicts.items() if reason}
        schema = arrow_schema(Header).with_metadata({"winnow.part": json.dumps(self.parts[part])})
        with FateWriter(self.target, "index", part, "pages", schema, suffix="-copies") as fates:
            for pages in read_headers(self.target.part("candidates", part)):
                kept = []
                for page in pages:
                    reason = next((name for name, rows in losers.items() if page.row in rows), None)
                    if reason is None:
                        kept.append(page)
                    else:
                        winner = losers[reason][page.row]
                        reason = IN_EARLIER_RUN[reason] if winner.known else reason
                        fates.reject(_rejection(page, archive, "copies", reason, winner.id))
                fates.keep(to_batch(Header, kept).replace_schema_metadata(schema.metadata))
        storage.write_atomic(self.target.done(part), fates.counts.to_json())
        yield from ()
