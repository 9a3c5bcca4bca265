"""What a monitor reads of a dataset and of its last run: Prometheus text format 0.0.4, for node_exporter's textfiles.

The file is replaced in one step, so a scrape sees all of it or what was there before. What the runs have made is read
from their manifests each time; what only the former file knows (runs by outcome, the last success) is read back from
it and goes on. A run that failed writes its metrics too, and so does one over a folder that cannot be read.

Labels are few by construction: stages, steps and reasons are words of our own source, never data; `dataset` lets
several datasets be collected into one directory. A metrics file is never a reason for a run to fail: what is wrong with
it is one warning line on stderr.
Source: Prometheus, "Exposition formats" and "Metric and label naming"; node_exporter, "Textfile Collector".
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import storage
from pipelines.reports.ledger import dataset_ledger
from pipelines.reports.outcome import KINDS, Outcome
from pipelines.runs.dataset import Dataset
from schemas.errors import ConfigError, WinnowError

SUFFIX = ".prom"  # node_exporter reads no other file
_SAMPLE = re.compile(r'(\w+)\{((?:\w+="(?:[^"\\\n]|\\.)*",?)*)\} (\d{1,15}(?:\.\d{1,9})?)')
_LABEL = re.compile(r'(\w+)="((?:[^"\\\n]|\\.)*)"')

Labels = tuple[tuple[str, str], ...]


@dataclass
class Family:
    """One metric: its name, type, what it means, and its samples by labels."""

    name: str
    kind: str  # counter or gauge
    help: str
    samples: dict[Labels, float] = field(default_factory=dict)

    def add(self, value: float, **labels: str) -> None:
        """Add to the sample of `labels`."""
        key = tuple(labels.items())
        self.samples[key] = self.samples.get(key, 0.0) + value


def check_metrics(path: str) -> None:
    """Raise ConfigError unless `path` can be a file of metrics: local, with the suffix that node_exporter reads."""
    if not storage.is_local(path) or Path(path).suffix != SUFFIX or Path(path).is_dir():
        raise ConfigError(f"--metrics {path}: expected a local file whose name ends in {SUFFIX}")


def write_metrics(path: str, dataset_path: str, outcome: Outcome) -> None:
    """Replace the metrics file at `path` by what is known of the dataset and of the run that just ended.

    Never raises for a file or a dataset that cannot be read or written: a warning goes to stderr instead.
    """
    try:
        check_metrics(path)
        with _in_turn(path):
            families = [*_dataset_families(dataset_path), *_outcome_families(outcome, _former(path, dataset_path))]
            storage.write_atomic(path, render(families, dataset_path).encode())
    except (ConfigError, OSError) as error:
        text = str(error) if isinstance(error, ConfigError) else f"--metrics {path}: {error.strerror or error}"
        _warn(f"{text}; no metrics were written")


def _warn(text: str) -> None:
    print(f"winnow: warning: {text}", file=sys.stderr, flush=True)  # noqa: T201


@contextlib.contextmanager
def _in_turn(path: str) -> Iterator[None]:
    """Let one process at a time read and replace the file: a run that found the dataset held counts itself too.

    The lock is on the directory: one on the file would go with the file that is replaced.
    """
    parent = Path(path).absolute().parent
    parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


# --- the text format


def render(families: Iterable[Family], dataset: str) -> str:
    """Return the families as text; every sample carries the label `dataset` first. A family without samples is left
    out.
    """
    lines: list[str] = []
    for family in families:
        if not family.samples:
            continue
        lines.append(f"# HELP {family.name} {_escape(family.help, quote=False)}")
        lines.append(f"# TYPE {family.name} {family.kind}")
        for labels, value in sorted(family.samples.items()):
            inner = ",".join(f'{name}="{_escape(text)}"' for name, text in (("dataset", dataset), *labels))
            lines.append(f"{family.name}{{{inner}}} {_number(value)}")
    return "\n".join(lines) + "\n"


def _escape(text: str, *, quote: bool = True) -> str:
    """Escape backslash, line feed and, in a label, the double quote; what is not UTF-8 in a path becomes '?'."""
    escaped = text.encode("utf-8", "replace").decode().replace("\\", "\\\\").replace("\n", "\\n")
    return escaped.replace('"', '\\"') if quote else escaped


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(round(value, 6))


def _former(path: str, dataset: str) -> dict[tuple[str, str], float]:
    """Return what the former file reported of the dataset, by metric and value of `outcome` ('' without).

    Lines of another shape or dataset (by hand, by another program) are passed over: the counts then start anew.
    """
    try:
        text = Path(path).read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        return {}
    found = {}
    for line in text.split("\n"):  # and at no other separator: a path may hold one
        if sample := _SAMPLE.fullmatch(line):
            labels = dict(_LABEL.findall(sample[2]))
            if labels.get("dataset") != _escape(dataset):
                continue
            found[sample[1], labels.get("outcome", "")] = float(sample[3])
    return found


# --- the families


def _outcome_families(outcome: Outcome, former: dict[tuple[str, str], float]) -> list[Family]:
    """Return what is known of the last run and, with the former file, of those before it."""
    ended = round(outcome.started_at.timestamp() + outcome.wall_s, 3)
    runs = Family("winnow_runs_total", "counter", "Runs that ended, by outcome.")
    for kind in KINDS:
        runs.add(former.get((runs.name, kind), 0.0) + (kind == outcome.kind), outcome=kind)
    success = Family("winnow_last_success_timestamp_seconds", "gauge", "End of the last run with exit code 0.")
    latest = ended if outcome.exit_code == 0 else former.get((success.name, ""))
    if latest is not None:
        success.add(latest)
    last = [
        ("winnow_last_run_timestamp_seconds", "End of the last run, whatever its exit code.", ended),
        ("winnow_last_run_duration_seconds", "Duration of the last run.", round(outcome.wall_s, 3)),
        ("winnow_last_run_exit_code", "Exit code of the last run; docs/cron.md has the table.", outcome.exit_code),
        ("winnow_last_run_new_inputs", "Inputs of the last run that no committed run had read.", outcome.new_inputs),
    ]
    return [*(Family(name, "gauge", text, {(): float(value)}) for name, text, value in last), success, runs]


def _dataset_families(path: str) -> list[Family]:
    """Return what the committed stages of all runs of a dataset add up to; what cannot be read is left out."""
    try:
        book = dataset_ledger(Dataset(path))
    except (WinnowError, OSError) as error:
        _warn(f"{error}; the metrics lack what the dataset holds")
        return []
    return [*_fate_families(book["stages"]), *_time_families(book["stages"]), *_size_families(book)]


def _fate_families(stages: list[dict[str, Any]]) -> list[Family]:
    pages = Family("winnow_pages", "gauge", "Records that a stage read, by fate and by why; their sum is what it read.")
    edits = Family("winnow_edits", "gauge", "Edits made by a stage, by kind.")
    for stage in stages:
        name = stage["name"]
        pages.add(stage["kept"], stage=name, fate="kept", reason="")
        for fate in ("dropped", "failed"):
            for reason, n in stage[fate].items():
                pages.add(n, stage=name, fate=fate, reason=reason)
        for what, n in stage["edits"].items():
            edits.add(n, stage=name, edit=what)
    return [pages, edits]


def _time_families(stages: list[dict[str, Any]]) -> list[Family]:
    wall = Family("winnow_stage_wall_seconds", "gauge", "Wall time of a stage, over all runs.")
    cpu = Family("winnow_stage_cpu_seconds", "gauge", "CPU time of the steps of a stage, over all runs and workers.")
    rate = Family("winnow_stage_pages_per_second", "gauge", "Records read by a stage per second of its wall time.")
    for stage in stages:
        name = stage["name"]
        wall.add(stage["wall_s"], stage=name)
        for step, seconds in stage["cpu_s"].items():
            cpu.add(seconds, stage=name, step=step)
        if stage["wall_s"] > 0:
            rate.add(stage["read"] / stage["wall_s"], stage=name)
    return [wall, cpu, rate]


def _size_families(book: dict[str, Any]) -> list[Family]:
    """Return how large the dataset is; a run that is not finished counts in `runs` as such, and by no shard yet."""
    runs = Family("winnow_dataset_runs", "gauge", "Runs of the dataset, by whether they are finished.")
    finished = sum(1 for run in book["runs"] if run["finished"])
    runs.add(finished, state="finished")
    runs.add(len(book["runs"]) - finished, state="unfinished")
    inputs = sum(run["inputs"] for run in book["runs"] if run["finished"])
    sizes = [
        ("winnow_dataset_inputs", "Inputs of the finished runs.", inputs),
        ("winnow_dataset_shards", "Token shards in the dataset.", len(book["shards"])),
        ("winnow_dataset_bytes", "Bytes of the token shards.", sum(shard["size_bytes"] for shard in book["shards"])),
        ("winnow_dataset_documents", "Documents in the shards.", sum(shard["documents"] for shard in book["shards"])),
        ("winnow_dataset_tokens", "Tokens in the shards.", sum(shard["tokens"] for shard in book["shards"])),
    ]
    return [runs, *(Family(name, "gauge", text, {(): float(value)}) for name, text, value in sizes)]
