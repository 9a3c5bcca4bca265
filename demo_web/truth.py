"""What is known of every record before anything has looked at it, and how it is written down.

`stage` is a stage's id in the recipe `common_crawl`: web/index, web/extract, web/clean or dedup. A fate of None is
undetermined by design: the page may be kept or not, and `rule` says what it is there for. Of spam `rule` names the
heuristic it is meant for and `reason` is None: another heuristic may come first.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

KEPT, DROPPED, FAILED = "kept", "dropped", "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What should become of a record; the default is a page that is kept."""

    fate: str | None = KEPT
    stage: str | None = None
    reason: str | None = None
    rule: str | None = None


IS_KEPT = Fate()
BLOCKED_DOMAIN = Fate(fate=DROPPED, stage="web/index", reason="blocked_domain")
BLOCKED_URL = Fate(fate=DROPPED, stage="web/index", reason="blocked_url")
BLOCKED_WORD = Fate(fate=DROPPED, stage="web/index", reason="blocked_word")
NOT_A_RESPONSE = Fate(fate=DROPPED, stage="web/index", reason="not_a_response")
REVISIT = Fate(fate=DROPPED, stage="web/index", reason="revisit")
HTTP_STATUS = Fate(fate=DROPPED, stage="web/index", reason="http_status")
NOT_HTML = Fate(fate=DROPPED, stage="web/index", reason="not_html")
BODY_TOO_LARGE = Fate(fate=DROPPED, stage="web/index", reason="body_too_large")
OLDER_COPY = Fate(fate=DROPPED, stage="web/index", reason="older_copy_of_url")
SAME_PAYLOAD = Fate(fate=DROPPED, stage="web/index", reason="same_payload")
TRUNCATED = Fate(fate=FAILED, stage="web/index", reason="truncated_member")
GARBAGE = Fate(fate=FAILED, stage="web/index", reason="not_a_member", rule="garbage_between_members")
LANGUAGE_NOT_KEPT = Fate(fate=DROPPED, stage="web/extract", reason="language_not_kept")
DIRTY_WORDS = Fate(fate=DROPPED, stage="web/clean", reason="too_many_dirty_words")
EXACT_COPY = Fate(fate=DROPPED, stage="dedup", reason="exact_copy")
NEAR_COPY = Fate(fate=DROPPED, stage="dedup", reason="near_copy")
LOW_QUALITY = Fate(fate=None, rule="low_quality")
SLOW_PARSER = Fate(fate=None, rule="slow_parser")


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthRecord:
    """One record of one archive."""

    file: str  # name of the archive in crawl/
    offset: int  # byte where the record, or its compressed member, starts; of JSONL the line's
    kind: str  # WARC-Type, `jsonl`, or `garbage`: bytes that are no record
    page_class: str
    url: str  # as the archive has it
    record_id: str  # without < >; '' for garbage
    fetched_at: str | None  # ISO 8601, UTC; None where the archive's is unreadable
    language: str
    fate: str | None
    stage: str | None
    reason: str | None
    rule: str | None
    cluster: str | None
    text: tuple[str, ...] = ()  # blocks of the main text without its title; not in truth.json


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Records of which one is kept: the newest, and of equally new ones that of the smallest id."""

    name: str
    kind: str  # the page class
    kept: str  # record id
    members: tuple[str, ...]  # record ids, the kept one included
    similarity: tuple[float, ...] = ()  # near copies: Jaccard similarity of each member with the next in the chain


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatedLine:
    """A line planted in `copies` documents; all of them lose it, or none."""

    line: str
    languages: tuple[str, ...]
    copies: int
    dropped: bool
    variants: tuple[str, ...]  # as they stand in the pages; digits and case may differ


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedPII:
    """Personal data in pages that are kept. A literal occurs in one place only; so counts are lengths."""

    emails: tuple[str, ...] = ()
    ipv4: tuple[str, ...] = ()
    ipv6: tuple[str, ...] = ()
    private_ip: tuple[str, ...] = ()  # must stay


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """Everything known about one web."""

    seed: str
    pages: int
    large_body_bytes: int
    files: Mapping[str, int]  # records of each archive, garbage not counted
    records: tuple[TruthRecord, ...]
    clusters: tuple[Cluster, ...]
    lines: tuple[RepeatedLine, ...]
    pii: PlantedPII = field(default_factory=PlantedPII)

    def classes(self) -> dict[str, int]:
        """Return the number of records of each class."""
        return dict(sorted(Counter(record.page_class for record in self.records).items()))

    def fates(self) -> dict[str, int]:
        """Return the number of records of each fate, named `fate/stage/reason`; unknown parts are `?`."""
        keys = (
            "/".join((r.fate or "?", r.stage or "?", r.reason or "?")) if r.fate != KEPT else KEPT for r in self.records
        )
        return dict(sorted(Counter(keys).items()))

    def of_class(self, *names: str) -> list[TruthRecord]:
        return [record for record in self.records if record.page_class in names]

    def to_json(self) -> str:
        """Return the truth as JSON, one record a line, totals first; texts are left out."""
        head: dict[str, Any] = {
            "seed": self.seed,
            "pages": self.pages,
            "large_body_bytes": self.large_body_bytes,
            "files": dict(self.files),
            "classes": self.classes(),
            "fates": self.fates(),
            "pii": dataclasses.asdict(self.pii),
            "lines": [dataclasses.asdict(line) for line in self.lines],
            "clusters": [dataclasses.asdict(cluster) for cluster in self.clusters],
        }
        parts = [f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in head.items()]
        rows = ",\n".join(json.dumps(_plain(record), ensure_ascii=False) for record in self.records)
        return "{\n" + ",\n".join(parts) + f',\n"records": [\n{rows}\n]\n}}\n'


def _plain(record: TruthRecord) -> dict[str, Any]:
    names = [item.name for item in dataclasses.fields(record) if item.name != "text"]
    return {name: getattr(record, name) for name in names}


def read_truth(path: Path) -> Truth:
    """Read truth.json; the records come without their texts."""
    plain = json.loads(path.read_text(encoding="utf-8"))
    return Truth(
        seed=plain["seed"],
        pages=plain["pages"],
        large_body_bytes=plain["large_body_bytes"],
        files=plain["files"],
        records=tuple(TruthRecord(**row) for row in plain["records"]),
        clusters=tuple(Cluster(**_tuples(row)) for row in plain["clusters"]),
        lines=tuple(RepeatedLine(**_tuples(row)) for row in plain["lines"]),
        pii=PlantedPII(**_tuples(plain["pii"])),
    )


def _tuples(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}


def newest(members: Iterable[tuple[datetime, str]]) -> str:
    """Return the record id that a cluster keeps: of the newest, the smallest id."""
    known: Sequence[tuple[datetime, str]] = list(members)
    latest = max(date for date, _ in known)
    return min(record_id for date, record_id in known if date == latest)
