"""Counts: what became of the records of a part and of a stage, by source and language."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import storage

KEPT, DROPPED, FAILED = "kept", "dropped", "failed"
LANGUAGES = "languages_with_settings"  # a stage's fact: the languages with settings of their own, where some have any


class Fate(NamedTuple):
    """What became of some records, and why."""

    source: str
    language: str  # as known at the end of the stage; '' before it is
    fate: str  # KEPT, DROPPED or FAILED
    reason: str  # of the rejection, or the cause of the failure; '' for what is kept


@dataclass
class PartCounts:
    """What one part of a stage read and did: the content of its `done` file."""

    read: Counter[str] = field(default_factory=Counter)  # records by source
    fates: Counter[Fate] = field(default_factory=Counter)
    edits: Counter[str] = field(default_factory=Counter)
    cpu_ns: Counter[str] = field(default_factory=Counter)  # by step
    tallies: dict[str, Counter[str]] = field(default_factory=dict)  # sums that the stage itself needs, by name
    text_bytes: int = 0  # of the kept texts, UTF-8
    not_routed: int = 0  # records of the stage before that belong to other branches

    def tally(self, name: str) -> Counter[str]:
        """Return the named sums, to add to."""
        return self.tallies.setdefault(name, Counter())

    def to_json(self) -> bytes:
        plain = {**vars(self), "fates": [[*fate, n] for fate, n in sorted(self.fates.items())]}
        return json.dumps(plain, sort_keys=True).encode()

    def add(self, plain: Mapping[str, Any]) -> None:
        """Add another part's counts, as `to_json` wrote them."""
        for source, language, fate, reason, n in plain["fates"]:
            self.fates[Fate(source, language, fate, reason)] += n
        for name in ("read", "edits", "cpu_ns"):
            getattr(self, name).update(plain[name])
        for name, sums in plain["tallies"].items():
            self.tally(name).update(sums)
        self.text_bytes += plain["text_bytes"]
        self.not_routed += plain["not_routed"]


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Fates of the records of a stage, counted from its outputs."""

    read_of: dict[str, int] = field(default_factory=dict)  # records by source
    fates: list[Fate] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)  # of records, one for each of `fates`
    edits: dict[str, int] = field(default_factory=dict)
    text_bytes: int = 0

    @staticmethod
    def of(
        read: Mapping[str, int], fates: Mapping[Fate, int], edits: Mapping[str, int] | None = None, text_bytes: int = 0
    ) -> Counts:
        """Return counts in canonical order."""
        some = sorted((fate, n) for fate, n in fates.items() if n)
        return Counts(
            read_of={name: read[name] for name in sorted(read)},
            fates=[fate for fate, _ in some],
            numbers=[n for _, n in some],
            edits=dict(sorted((edits or {}).items())),
            text_bytes=text_bytes,
        )

    @staticmethod
    def from_plain(plain: Mapping[str, Any]) -> Counts:
        """Return the counts that a manifest holds."""
        return Counts(**{**plain, "fates": [Fate(*fate) for fate in plain["fates"]]})

    def items(self) -> Iterable[tuple[Fate, int]]:
        """Return the fates and their numbers."""
        return zip(self.fates, self.numbers, strict=True)

    @property
    def read(self) -> int:
        return sum(self.read_of.values())

    @property
    def kept(self) -> int:
        return sum(n for fate, n in self.items() if fate.fate == KEPT)

    @property
    def dropped(self) -> dict[str, int]:
        """Records by reason."""
        return self._by_reason(DROPPED)

    @property
    def failed(self) -> dict[str, int]:
        """Records by cause."""
        return self._by_reason(FAILED)

    @property
    def documents(self) -> dict[str, int]:
        """Kept records by language."""
        return self._kept_by("language")

    @property
    def kept_of(self) -> dict[str, int]:
        """Kept records by source."""
        return self._kept_by("source")

    def unbalanced(self) -> list[str]:
        """Return a line for each source whose records have not exactly one fate each."""
        ends: Counter[str] = Counter()
        for fate, n in self.items():
            ends[fate.source] += n
        return [
            f"source {source}: read {self.read_of.get(source, 0)} records, {ends[source]} have a fate"
            for source in sorted({*self.read_of, *ends})
            if self.read_of.get(source, 0) != ends[source]
        ]

    def _kept_by(self, axis: str) -> dict[str, int]:
        kept: Counter[str] = Counter()
        for fate, n in self.items():
            if fate.fate == KEPT:
                kept[getattr(fate, axis)] += n
        return dict(kept)

    def _by_reason(self, which: str) -> dict[str, int]:
        found: Counter[str] = Counter()
        for fate, n in self.items():
            if fate.fate == which:
                found[fate.reason] += n
        return dict(sorted(found.items()))


def sum_of(counts: Iterable[Counts]) -> Counts:
    """Return the sum of several stages' or runs' counts."""
    read: Counter[str] = Counter()
    fates: Counter[Fate] = Counter()
    edits: Counter[str] = Counter()
    text_bytes = 0
    for one in counts:
        read.update(one.read_of)
        edits.update(one.edits)
        fates.update(dict(one.items()))
        text_bytes += one.text_bytes
    return Counts.of(read, fates, edits, text_bytes)


def add_up(done_files: Iterable[str]) -> PartCounts:
    """Return the sum of the counts in the given `done` files."""
    total = PartCounts()
    with ThreadPoolExecutor(max_workers=16) as pool:  # an object store takes 50 ms for each
        for data in pool.map(storage.read_bytes, done_files):
            total.add(json.loads(data))
    return total
