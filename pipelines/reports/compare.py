"""Two runs over the same inputs: what is kept in both, in one alone, and by which rule the other has dropped it.

A record is the same in both runs when it is the same record of the same file (archive, offset, record id), whatever the
source is called and whatever recipe read it. A file is the same when its name and size are. Kept are the documents of
the last stages that have texts: what the mix takes of them is not compared.

In memory are 40 bytes for each kept document of either run, and of the documents that are in one alone what is told of
them. Every kept text is read once, the texts that differ once more, or once for each pair of files that share some.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.reports.diff import differences
from pipelines.reports.records import Chains, chains_of, headers_of, last_holders, rows_of
from pipelines.runs.dataset import FORMER_ADDRESS, Dataset
from pipelines.runs.folder import DataFolder
from pipelines.runs.plan import changed_settings
from pipelines.runs.tables import read_batches
from pipelines.stages.read import document_id
from schemas.errors import RunError
from schemas.identity import keyed_hash
from transforms.safety.pii.columns import redact_id
from transforms.safety.pii.redact import PiiConfig

NOT_READ = ("", "", "not_read")  # stage, step, reason of a record that the other run has never met
SHOWN_WORDS = 12
_AS_DEFAULT = PiiConfig()
_FOUND = np.dtype(
    [("key", "<u8"), ("text", "<u8"), ("words", "<i8"), ("group", "<u4"), ("file", "<u4"), ("row", "<u4")]
)
Found = npt.NDArray[np.void]
Keys = npt.NDArray[np.uint64]
Why = tuple[str, str, str]  # stage, step, reason
Group = tuple[str, str, str]  # page kind, language, source


@dataclass
class _Run:
    """The kept documents of a run, as far as they are of files that both runs have read."""

    name: str
    chains: Chains
    archives: dict[str, int]  # number of each file, the same in both runs, by path
    files: list[str] = field(default_factory=list)
    groups: dict[Group, int] = field(default_factory=dict)
    found: Found = field(default_factory=lambda: np.zeros(0, _FOUND))

    def key(self, archive: str, offset: int, record_id: str) -> int | None:
        """Return what a record is known by in both runs; None for one of a file that the other has not read."""
        number = self.archives.get(archive)
        if number is None:
            return None
        plain, _ = redact_id(record_id, _AS_DEFAULT)  # as documents have it, and headers not
        return keyed_hash("compared record", f"{number}:{offset}:{plain}")

    def read(self) -> None:
        found = [np.zeros(0, _FOUND)]
        for chain in self.chains.values():
            for _, data in last_holders(chain, "documents"):
                for path in data.files("documents"):
                    found.append(np.array(list(self._kept(path)), _FOUND))
                    self.files.append(path)
        self.found = np.sort(np.concatenate(found), order="key")

    def _kept(self, path: str) -> Iterator[tuple[int, ...]]:
        columns = ["archive", "offset", "record_id", "page_kind", "language", "source", "text"]
        row = -1
        for batch in read_batches(path, columns):
            for archive, offset, record_id, *group, text in zip(
                *(batch.column(name).to_pylist() for name in columns), strict=True
            ):
                row += 1
                key = self.key(archive, offset, record_id)
                if key is not None:
                    number = self.groups.setdefault((group[0], group[1], group[2]), len(self.groups))
                    yield key, keyed_hash("compared text", text), len(text.split()), number, len(self.files), row

    def group(self, at: int) -> Group:
        return list(self.groups)[at]

    def at(self, keys: Keys) -> Found:
        """Return the documents of some keys, ascending."""
        return self.found[np.searchsorted(self.found["key"], keys)]

    def rows(self, places: Found, columns: Sequence[str]) -> dict[int, dict[str, Any]]:
        """Return some of the kept documents by key."""
        some: dict[int, dict[str, Any]] = {}
        for number in np.unique(places["file"]).tolist():
            here = places[places["file"] == number]
            wanted = dict(zip(here["row"].tolist(), here["key"].tolist(), strict=True))
            first = 0
            for batch in read_batches(self.files[number], columns):
                picked = [row for row in range(first, first + batch.num_rows) if row in wanted]
                taken = batch.take(pa.array([row - first for row in picked], pa.int64())).to_pylist() if picked else []
                some.update((wanted[row], values) for row, values in zip(picked, taken, strict=True))
                first += batch.num_rows
        return some

    def fates(self, keys: Collection[int]) -> dict[int, dict[str, Any]]:
        """Return why records are not kept, by key: rows of the tables `rejected` and `failed`."""
        wanted, ids = set(keys), dict[str, int]()
        fates: dict[int, dict[str, Any]] = {}
        places = [place for chain in self.chains.values() for place in chain] if wanted else []
        for _, data in places:
            ids.update(self._ids(data, wanted))
        for manifest, data in places:
            for row in itertools.chain(rows_of(data, "rejected"), rows_of(data, "failed")):
                key = ids.get(row["id"])
                if key is None and not manifest.upstream:  # a record that has no document's id yet
                    key = self.key(row["archive"], row["offset"], row["id"])
                if key in wanted:
                    fates[key] = row
        return fates

    def _ids(self, data: DataFolder, wanted: Collection[int]) -> Iterator[tuple[str, int]]:
        """Yield the document ids that some records have in this run."""
        for header, archive in headers_of(data):
            key = self.key(archive, header.offset, header.record_id)
            if key is not None and key in wanted:
                yield document_id(header.source, header, archive), key


def compare(a: Dataset, b: Dataset, samples: int = 2) -> dict[str, Any]:
    """Return what two runs or datasets have in common and what not, as plain data; `samples` documents for each reason.

    RunError for a run that is not finished, and for runs that have no input in common.
    """
    first, second, common = _opened(a, b)
    first.read()
    second.read()
    keys_a, keys_b = first.found["key"], second.found["key"]
    both = np.intersect1d(keys_a, keys_b)
    return {
        "a": {"run": first.name, "kept": len(keys_a)},
        "b": {"run": second.name, "kept": len(keys_b)},
        "inputs": common,
        "settings": _settings_apart(first, second),
        "both": {"documents": len(both), "groups": _groups(first, both), **_texts(first, second, both, samples)},
        "only_a": _only(first, second, np.setdiff1d(keys_a, keys_b), samples),
        "only_b": _only(second, first, np.setdiff1d(keys_b, keys_a), samples),
    }


def _opened(a: Dataset, b: Dataset) -> tuple[_Run, _Run, dict[str, int]]:
    inputs = []
    for dataset in (a, b):
        for run in dataset.runs():
            if not run.finished():
                raise RunError(f"{run.path}: is not finished; run it to its end before it is compared")
        inputs.append([entry for run in dataset.runs() for entry in run.inputs() or ()])
    names = [_names(some) for some in inputs]
    shared = sorted(set(names[0].values()) & set(names[1].values()))
    if not shared:
        raise RunError(f"{_name(a)} and {_name(b)}: have read other inputs, so there is nothing to compare")
    numbers = {name: number for number, name in enumerate(shared)}
    runs = [
        _Run(
            _name(dataset), chains_of(dataset), {path: numbers[name] for path, name in some.items() if name in numbers}
        )
        for dataset, some in zip((a, b), names, strict=True)
    ]
    counts = {"both": len(shared), "only_a": len(names[0]) - len(shared), "only_b": len(names[1]) - len(shared)}
    return runs[0], runs[1], counts


def _name(dataset: Dataset) -> str:
    return dataset.path + (FORMER_ADDRESS if dataset.former else "")


def _names(inputs: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Return by what each input is known in both runs, by path: name and size; where a run has two such, the path."""
    plain = {entry["path"]: f"{PurePosixPath(entry['path']).name}:{entry['size']}" for entry in inputs}
    twice = {name for name, n in Counter(plain.values()).items() if n > 1}
    return {path: f"{path}:{name}" if name in twice else name for path, name in plain.items()}


def _settings_apart(first: _Run, second: _Run) -> list[str]:
    before, now = ({manifest.stage: manifest.config for chain in run.chains.values() for manifest, _ in chain}
                   for run in (first, second))  # fmt: skip
    return changed_settings(before, now)


def _groups(run: _Run, keys: Keys) -> list[dict[str, Any]]:
    """Return how many documents there are of each page kind, language and source."""
    numbers, counts = np.unique(run.at(keys)["group"], return_counts=True)
    names = [run.group(number) for number in numbers.tolist()]
    return [
        {"page_kind": kind, "language": language, "source": source, "documents": n}
        for (kind, language, source), n in sorted(zip(names, counts.tolist(), strict=True))
    ]


def _only(run: _Run, other: _Run, keys: Keys, samples: int) -> dict[str, Any]:
    """Return the documents that `run` alone has kept: why the other has not, and some of them for each reason."""
    fates = other.fates(keys.tolist())
    whys: dict[Why, list[int]] = defaultdict(list)
    for key in keys.tolist():
        row = fates.get(key)
        why = (row["stage"], row["step"], row.get("reason") or f"failed: {row['cause']}") if row else NOT_READ
        whys[why].append(key)
    rules = sorted(whys.items(), key=lambda item: (-len(item[1]), item[0]))
    return {
        "documents": len(keys),
        "rules": [_rule(run, why, np.array(some, np.uint64)) for why, some in rules],
        "groups": _groups(run, keys),
        "samples": [sample for why, some in rules for sample in _samples(run, why, some[:samples], fates)],
    }


def _rule(run: _Run, why: Why, keys: Keys) -> dict[str, Any]:
    return {
        **dict(zip(("stage", "step", "reason"), why, strict=True)),
        "documents": len(keys),
        "groups": _groups(run, keys),
    }


def _samples(run: _Run, why: Why, keys: list[int], fates: dict[int, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return some documents with their texts; the keys are hashes, so those that sort first are drawn at random."""
    places = run.at(np.array(keys, np.uint64))
    rows = run.rows(places, ["id", "url", "source", "language", "page_kind", "text"])
    told = {key: {name: fates.get(key, {}).get(name) for name in ("value", "limit", "detail")} for key in keys}
    return [{**dict(zip(("stage", "step", "reason"), why, strict=True)), **told[key], **rows[key]} for key in keys]


def _texts(first: _Run, second: _Run, both: Keys, samples: int) -> dict[str, Any]:
    """Return how the texts of documents that both runs have kept differ, in words."""
    a, b = first.at(both), second.at(both)
    differ = a["text"] != b["text"]
    gone, new = Counter[str](), Counter[str]()
    for one, other in _pairs(first, second, a[differ], b[differ]):
        words, others = Counter(one.split()), Counter(other.split())
        gone.update(words - others)
        new.update(others - words)
    chosen_a, chosen_b = a[differ][:samples], b[differ][:samples]
    rows = first.rows(chosen_a, ["id", "url", "text"])
    texts = second.rows(chosen_b, ["text"])
    return {
        "equal": int((~differ).sum()),
        "changed": int(differ.sum()),
        "words_gone": gone.total(),
        "words_new": new.total(),
        "often_gone": _most(gone),
        "often_new": _most(new),
        "samples": [
            {
                "id": row["id"],
                "url": row["url"],
                "text_a": row["text"],
                "changes": _changes(row["text"], texts[key]["text"]),
            }
            for key, row in sorted(rows.items())
        ],
    }


def _changes(old: str, new: str) -> list[dict[str, Any]]:
    return [
        {"start": start, "end": end, "removed": old[start:end], "replacement": piece}
        for start, end, piece in differences(old, new)
    ]


def _most(words: Counter[str]) -> dict[str, int]:
    return dict(sorted(words.items(), key=lambda item: (-item[1], item[0]))[:SHOWN_WORDS])


def _pairs(first: _Run, second: _Run, a: Found, b: Found) -> Iterator[tuple[str, str]]:
    """Yield the texts of the same documents in both runs, a file of the first run at a time."""
    for number in np.unique(a["file"]).tolist():
        here = a["file"] == number
        texts, others = first.rows(a[here], ["text"]), second.rows(b[here], ["text"])
        for key in a["key"][here].tolist():
            yield texts[key]["text"], others[key]["text"]


def by_axis(groups: Sequence[dict[str, Any]], axis: str) -> dict[str, int]:
    """Return how many documents some groups have of each page kind, language or source."""
    totals: Counter[str] = Counter()
    for group in groups:
        totals[group[axis]] += group["documents"]
    return dict(totals)
