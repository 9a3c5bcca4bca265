"""The headers of a source: which records are worth reading.

    scan      each record's header: rules on addresses, what the source itself leaves out; candidates to a scratch table
    newest    of each normalised address the newest capture stays (ties: smallest record id)
    payload   of equal payload digests likewise
    finish    each part applies the verdicts on its rows and writes `headers`, `rejected` and `failed`

A later run over the same dataset drops what an earlier one has seen: addresses that were candidates there, whatever
became of them, and the payloads of those that won their address (keep_best.py says why the first wins).

Only blocks of hashes are shuffled. No text is parsed and no body is kept.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.pvalue import PCollection

import storage
from pipelines.runs.folder import DataFolder
from pipelines.runs.stage import StageContext, StageResult
from pipelines.runs.tables import BATCH_ROWS, PART_KEY, FateWriter, part_entry, part_of, read_headers
from pipelines.stages.known import EarlierRuns, check_known, known_facts, known_rows, refuse_other_settings
from pipelines.stages.located import UNREADABLE, located, to_the_last
from pipelines.stages.parts import EachPart, PartWork, part_numbers
from schemas.errors import InputError
from schemas.identity import content_id, id_words
from schemas.records import Failure, Header, Rejection, arrow_schema, to_batch
from schemas.settings import setting, validate
from transforms.dedup.keep_best import COPY, SEEN, KeepBestPerKey, losers_of, newest
from transforms.dedup.urls import url_key
from transforms.safety.blocklist import Blocklist
from transforms.safety.blocklist_files import BlocklistConfig
from transforms.shuffle.hash_blocks import partitions_for
from transforms.sources.items import LOST, UNREADABLE_DATES, Broken, Part, Skipped
from transforms.sources.source import Source
from transforms.sources.strings import storable_path

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


@dataclass(frozen=True)
class IndexStage:
    """Files of a source in, headers of what is worth reading out."""

    source: Source
    url: UrlConfig = field(default_factory=UrlConfig)
    blocklist: BlocklistConfig = field(default_factory=BlocklistConfig)
    name: ClassVar[str] = "index"
    reads: ClassVar[str] = ""
    kept_table: ClassVar[str] = "headers"

    @property
    def settings(self) -> dict[str, Any]:
        return {"source": self.source.name, "scan": self.source.settings, "url": self.url, "blocklist": self.blocklist}

    @property
    def resources(self) -> list[str]:
        return list_files(self.blocklist)

    @property
    def code(self) -> list[Any]:
        return [type(self), type(self.source)]

    def prepare(self) -> None:
        Blocklist.load(self.blocklist)

    def check_earlier(self, earlier: EarlierRuns) -> None:
        """Raise ConfigError or RunError when the known addresses and payloads cannot be compared with."""
        refuse_other_settings(earlier, self.settings, ("url",))
        check_known(earlier, KNOWN)

    def run(self, context: StageContext) -> StageResult:
        files = [(entry["path"], entry["size"]) for entry in context.inputs]
        parts = self.source.parts(files) if files else []
        context.set_parts(len(parts))
        checksums = {entry["path"]: entry["checksum"] for entry in context.inputs}
        entries = [part_entry(part, checksums) for part in parts]
        storage.write_atomic(_parts_path(context.target), json.dumps(entries).encode())
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
        scan = _ScanWork(context.stage, self, context.target, context.skip_unreadable)
        addresses = numbers | "Scan" >> EachPart(scan, bytes)
        verdicts["older_copy_of_url"] = addresses | "Newest" >> KeepBestPerKey(partitions, known["urls"])
        payloads = dict(verdicts) | "Payloads" >> EachPart(_PayloadWork(self.url, context.target), bytes)
        verdicts["same_payload"] = payloads | "OnePayload" >> KeepBestPerKey(partitions, known["payloads"])
        _ = verdicts | "Finish" >> EachPart(_FinishWork(context.stage, self.source.name, context.target))


def list_files(config: BlocklistConfig) -> list[str]:
    """Return the files of all block lists."""
    plain = (
        config.domains_files, config.urls_files, config.words_files, config.soft_words_files, config.substrings_files,
    )  # fmt: skip
    return [file for paths in (config.directories, *plain) for path in paths for file in storage.files_below(path)]


def _parts_path(target: DataFolder) -> str:
    return f"{target.root}/parts.json"


def _read_parts(target: DataFolder) -> list[Any]:
    """Return the entry of each part (part_entry). A file, because a large crawl has too many for a graph."""
    parts: list[Any] = json.loads(storage.read_bytes(_parts_path(target)))
    return parts


def record_key(record_id: str) -> tuple[int, int]:
    """Return a record id as 128 bits that sort as the UUID in it does; an id without one by its hash."""
    found = _UUID.search(record_id)
    digits = "".join(found.groups()) if found else content_id(record_id)
    return id_words(digits)


def copies_block(rows: Sequence[tuple[tuple[int, int], Header]], part: int) -> bytes:
    """Return a COPY block of (key, header) pairs of one part."""
    block = np.empty(len(rows), COPY)
    for n, (key, header) in enumerate(rows):
        block[n] = (*key, newest(header.fetched_at), *record_key(header.record_id), part, header.row)
    return block.tobytes()


@dataclass
class _ScanWork(PartWork):
    stage: str
    of: IndexStage
    target: DataFolder
    skip_unreadable: bool
    blocklist: Blocklist | None = field(default=None, repr=False)
    parts: list[Any] = field(default_factory=list, repr=False)

    def open(self) -> None:
        self.blocklist = Blocklist.load(self.of.blocklist)
        self.parts = _read_parts(self.target)

    def close(self) -> None:
        self.blocklist = None

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "blocklist": None, "parts": []}

    def run(self, part: int, verdicts: dict[str, list[bytes]]) -> Iterator[bytes]:
        if not storage.exists(self.target.done(part, "scanned")):
            self._scan(part)
        rows: list[tuple[tuple[int, int], Header]] = []
        for headers in read_headers(self.target.part("candidates", part)):
            if self.of.url.newest_per_url:
                rows += [(url_key(header.url), header) for header in headers if header.url]
        yield copies_block(rows, part)

    def _scan(self, part: int) -> None:
        assert self.blocklist is not None  # noqa: S101
        place, _ = part_of(self.parts[part])
        started = time.thread_time_ns()
        batch: list[Header] = []
        notes = _Notes(self.stage, self.of.source.name, place)
        with FateWriter(self.target, self.stage, part, "candidates", arrow_schema(Header)) as fates:
            lost = partial(_lost, fates.counts.read, self.of.source.name, place.start) if self.skip_unreadable else None
            items = to_the_last(self.of.source.scan(place), lost)
            for item in located(items, lambda item: item.offset, place, self.stage):
                fates.counts.read[self.of.source.name] += 1
                if isinstance(item, Header):
                    if item.date_unreadable:
                        fates.counts.edits[UNREADABLE_DATES] += 1
                    drop = self.blocklist.check(item.url) if item.url else None
                    if drop is None:
                        batch.append(item)
                    else:
                        fates.reject(notes.rejection(item, "blocklist", drop.reason, drop.detail))
                elif isinstance(item, Skipped):
                    fates.reject(notes.rejection(item, "headers", item.reason, item.detail, item.value, item.limit))
                else:
                    fates.fail(notes.failure(item))
                    if item.records > 1:
                        fates.counts.edits[LOST] += item.records
                if len(batch) == BATCH_ROWS:
                    fates.keep(headers_batch(batch, self.of.source.name), {})  # candidates: the finish counts
                    batch = []
            fates.keep(headers_batch(batch, self.of.source.name), {})
        fates.counts.cpu_ns["scan"] += time.thread_time_ns() - started
        storage.write_atomic(self.target.done(part, "scanned"), fates.counts.to_json())


def _lost(read: Counter[str], source: str, start: int, error: InputError) -> Iterator[Broken]:
    """Yield the failure that stands for what a part, which begins at byte `start`, does not give any more."""
    yield Broken(row=read[source], offset=start, cause=UNREADABLE, detail=str(error))


def headers_batch(headers: Sequence[Header], source: str) -> pa.RecordBatch:
    """Return some headers as rows, with the name of their source."""
    batch = to_batch(Header, headers)
    at = batch.schema.get_field_index("source")
    return batch.set_column(at, batch.schema.field(at), pa.array([source] * len(headers), pa.string()))


@dataclass(frozen=True)
class _Notes:
    """Rejections and failures of one part."""

    stage: str
    source: str
    part: Part

    def rejection(
        self,
        item: Header | Skipped,
        step: str,
        reason: str,
        detail: str,
        value: float | None = None,
        limit: float | None = None,
    ) -> Rejection:
        archive, offset = self.part.locate(item.offset)
        return Rejection(
            id=item.record_id, url=item.url, source=self.source, stage=self.stage, step=step, reason=reason,
            value=value, limit=limit, detail=detail, archive=storable_path(archive), offset=offset,
        )  # fmt: skip

    def failure(self, item: Broken) -> Failure:
        archive, offset = self.part.locate(item.offset)
        return Failure(
            id=item.record_id, url=item.url, source=self.source, stage=self.stage, step="read", cause=item.cause,
            detail=item.detail, archive=storable_path(archive), offset=offset,
        )  # fmt: skip


@dataclass
class _PayloadWork(PartWork):
    """Emit the digests of the records that won their address."""

    config: UrlConfig
    target: DataFolder

    def run(self, part: int, verdicts: dict[str, list[bytes]]) -> Iterator[bytes]:
        older = losers_of(verdicts["older_copy_of_url"])
        rows: list[tuple[tuple[int, int], Header]] = []
        for headers in read_headers(self.target.part("candidates", part)):
            rows += [
                (id_words(content_id(header.digest)), header)
                for header in headers
                if self.config.one_per_payload and header.digest and header.row not in older
            ]
        yield copies_block(rows, part)


@dataclass
class _FinishWork(PartWork):
    stage: str
    source: str
    target: DataFolder
    parts: list[Any] = field(default_factory=list, repr=False)

    def open(self) -> None:
        self.parts = _read_parts(self.target)

    def run(self, part: int, verdicts: dict[str, list[bytes]]) -> Iterator[Any]:
        notes = _Notes(self.stage, self.source, part_of(self.parts[part])[0])
        losers = {reason: losers_of(blocks) for reason, blocks in verdicts.items() if reason}
        schema = arrow_schema(Header).with_metadata({PART_KEY: json.dumps(self.parts[part])})
        with FateWriter(self.target, self.stage, part, "headers", schema, suffix="-copies") as fates:
            for headers in read_headers(self.target.part("candidates", part)):
                kept = [header for header in headers if not self._lost(header, losers, notes, fates)]
                batch = headers_batch(kept, self.source).replace_schema_metadata(schema.metadata)
                fates.keep(batch, {(self.source, ""): len(kept)} if kept else {})
        storage.write_atomic(self.target.done(part), fates.counts.to_json())
        yield from ()

    def _lost(self, header: Header, losers: Mapping[str, Mapping[int, Any]], notes: _Notes, fates: FateWriter) -> bool:
        """Write the rejection of a header that another one beats."""
        reason = next((name for name, rows in losers.items() if header.row in rows), None)
        if reason is None:
            return False
        winner = losers[reason][header.row]
        reason = IN_EARLIER_RUN[reason] if winner.known else reason
        fates.reject(notes.rejection(header, "copies", reason, winner.id))
        return True
