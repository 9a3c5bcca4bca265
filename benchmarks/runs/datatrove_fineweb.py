"""CPU time of Winnow beside datatrove 0.10: FineWeb's sequence of steps, one process each, the same archive.

    .venv/bin/python -m benchmarks.runs.datatrove_fineweb [ARCHIVE] [--runs N]

datatrove runs in a virtual environment of its own, made here under .cache from requirements-datatrove.txt, with the
settings of its examples/fineweb.py (peers/datatrove_side.py). Winnow runs as its user runs it: `winnow run`, one
worker, default settings but for datatrove's own block lists and words, so that both look in the same. Both use the
same lid.176.ftz. The runs take turns; figures are medians. Prints a table, then one JSON line.

A step's figure is CPU milliseconds (user and system, children included) per page that the step read: the two do not
drop the same pages before it. What is started and loaded once is not in a step, it is in the last row.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import os
import sys
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.machine import ROOT, children_cpu_s, commit, machine, say
from benchmarks.peers.environments import CACHE, HERE, foreign_environment, python_of, run_quietly
from classifiers.models.model_files import LID_176, resolve

DEFAULT_ARCHIVE = ROOT.parent / "shared" / "data" / "warc" / "web-pages.warc.gz"
WINNOW = Path(sys.executable).with_name("winnow")
OUR_PACKAGES = ("winnow-corpus", "apache-beam", "trafilatura", "lxml", "fasttext", "numpy", "isal")


@dataclass(frozen=True)
class Row:
    """One line of the table: the steps of either side that do the same work, ours as (stage, step)."""

    label: str
    theirs: tuple[str, ...]
    ours: tuple[tuple[str, str], ...]


ROWS = (
    # Ours looks addresses up while it scans headers, so the two cannot be told apart.
    Row("read the archive, URL filter", ("read", "url"), (("web/index", "scan"), ("web/extract", "read"))),
    Row("extraction", ("extraction",), (("web/extract", "extract_text"),)),
    Row("language", ("language",), (("web/extract", "language_id"),)),
    Row("Gopher repetition", ("repetition",), (("web/clean", "repetition"),)),
    Row("Gopher quality", ("gopher",), (("web/clean", "gopher"),)),
    Row("C4", ("c4",), (("web/clean", "c4_lines"), ("web/clean", "c4"))),
    Row("FineWeb", ("fineweb",), (("web/clean", "fineweb"),)),
    Row("MinHash signatures", ("signatures",), (("dedup", "emit_near_copies"),)),
    Row("personal data", ("pii",), (("web/clean", "pii_density"), ("web/clean", "pii"))),
)
# The order in which steps drop documents, for how many each of them reads.
STEP_ORDER = {
    "web/index": ("scan",),
    "web/extract": ("read", "extract_text", "language_id"),
    "web/clean": ("pii_density", "pii", "dirty_words", "repetition", "gopher", "c4_lines", "c4", "words", "fineweb"),
    "dedup": ("emit_near_copies",),  # of all documents, equal texts too
}


@dataclass(frozen=True)
class Cost:
    """What a step read and what it cost; `cpu_s` is None where a side does not measure it."""

    read: int
    cpu_s: float | None

    @property
    def ms(self) -> float | None:
        return None if self.cpu_s is None or not self.read else 1000 * self.cpu_s / self.read


@dataclass(frozen=True)
class Run:
    """One run of one side: its rows by label, and the CPU time of all its processes."""

    rows: dict[str, Cost]
    whole_cpu_s: float
    kept: int


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("archive", nargs="?", type=Path, default=DEFAULT_ARCHIVE, help="WARC file, local")
    arguments.add_argument("--runs", type=int, default=3, help="runs of each side")
    given = arguments.parse_args()
    if not given.archive.is_file():
        sys.exit(f"{given.archive}: no such archive; give one as argument")
    archive = given.archive.resolve()
    model = resolve("", LID_176.sha256, LID_176)
    python = python_of("datatrove", "800 MB, some minutes")
    theirs: list[Run] = []
    ours: list[Run] = []
    details: dict[str, Any] = {}
    for n in range(1, given.runs + 1):
        say(f"run {n} of {given.runs}: datatrove")
        run, details = run_datatrove(python, archive, model)
        theirs.append(run)
        say(f"run {n} of {given.runs}: winnow")
        ours.append(run_winnow(archive, model, details))
    facts = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "commit": commit(),
        "machine": machine(),
        "archive": archive.name,
        "archive_sha256": hashlib.sha256(archive.read_bytes()).hexdigest(),
        "runs": given.runs,
        "versions": {"datatrove": details["versions"], "winnow": {name: version(name) for name in OUR_PACKAGES}},
    }
    report(theirs, ours, facts)


def run_datatrove(python: Path, archive: Path, model: Path, texts: Path | None = None) -> tuple[Run, dict[str, Any]]:
    """Run datatrove's side; returns its costs and what else it told. The kept texts go to `texts`."""
    assets = CACHE / "datatrove-assets"
    environment = foreign_environment() | {"TLDEXTRACT_CACHE": str(assets / "tldextract")}
    environment |= {"HF_HOME": str(assets), "HF_ASSETS_CACHE": str(assets / "assets"), "HF_HUB_OFFLINE": "1"}
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        given = [archive, model, result, *([texts] if texts else [])]
        run_quietly([python, HERE / "datatrove_side.py", *given], environment)
        told: dict[str, Any] = json.loads(result.read_text())
    steps = told["steps"]
    rows = {
        row.label: Cost(steps[row.theirs[0]]["read"], sum(steps[name]["cpu_s"] for name in row.theirs)) for row in ROWS
    }
    return Run(rows, told["whole_cpu_s"], steps["signatures"]["kept"]), told


def run_winnow(archive: Path, model: Path, details: dict[str, Any]) -> Run:
    """Run `winnow run` into a folder that is removed; returns what its ledger says and what its processes cost."""
    lists, words = Path(details["blocklists"]), Path(details["word_lists"])
    settings = {
        "language.model_path": model,
        "index.blocklist.domains_files": [str(lists / "domains")],
        "index.blocklist.urls_files": [str(lists / "urls")],
        "index.blocklist.words_files": [str(words / "banned_words.txt")],
        "index.blocklist.soft_words_files": [str(words / "soft_banned_words.txt")],
        "index.blocklist.substrings_files": [str(words / "banned_subwords.txt")],
    }
    settings["measure_dropped"] = 0  # datatrove measures no document that is dropped already
    changes = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    with tempfile.TemporaryDirectory() as folder:
        before = children_cpu_s()
        run_quietly(
            [WINNOW, "run", "--input", archive, "--output", folder, *changes, "--", "--direct_num_workers=1"],
            dict(os.environ),
        )
        whole_cpu_s = children_cpu_s() - before
        book = ask_winnow("ledger", folder)
        lost = [
            row
            for table in ("rejected", "failed")
            for row in ask_winnow("show", folder, "--table", table, "--limit", "0")
        ]
    stages = {stage["name"]: stage for stage in book["stages"]}
    dropped = Counter((row["stage"], row["step"]) for row in lost)
    rows = {row.label: our_cost(row, stages, dropped) for row in ROWS}
    return Run(rows, whole_cpu_s, stages["web/clean"]["kept"])


def our_cost(row: Row, stages: dict[str, Any], dropped: Counter[tuple[str, str]]) -> Cost:
    """Add up the steps of a row; it read what the first of them did."""
    stage, first = row.ours[0]
    order = STEP_ORDER[stage]
    read = stages[stage]["read"] - sum(dropped[stage, step] for step in order[: order.index(first)])
    told = [stages[stage]["cpu_s"].get(step) for stage, step in row.ours]
    return Cost(read, None if None in told else sum(told))


def ask_winnow(*words: str) -> Any:
    return json.loads(run_quietly([WINNOW, *words, "--json"], dict(os.environ)))


def middle(runs: list[Run]) -> Run:
    """Return the median of each figure; reads and counts are the same in every run."""
    rows = {}
    for label, cost in runs[0].rows.items():
        found = [run.rows[label].cpu_s for run in runs]
        told = [cpu_s for cpu_s in found if cpu_s is not None]
        rows[label] = Cost(cost.read, median(told) if len(told) == len(found) else None)
    return Run(rows, median(run.whole_cpu_s for run in runs), runs[0].kept)


def total_cpu_s(run: Run, labels: list[str]) -> float:
    return sum(run.rows[label].cpu_s or 0.0 for label in labels)


def report(theirs: list[Run], ours: list[Run], facts: dict[str, Any]) -> None:
    """Print the table, what belongs to it, and the JSON line."""
    their, our = middle(theirs), middle(ours)
    lines = table_lines(their, our)
    print("| step | datatrove CPU ms/page | winnow CPU ms/page | ratio | datatrove read | winnow read |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for label, left, right in lines:
        times = f"{shown(left.ms)} | {shown(right.ms)} | {ratio(left.ms, right.ms)}"
        print(f"| {label} | {times} | {left.read} | {right.read} |")
    print()
    untold = [label for label, cost in our.rows.items() if cost.cpu_s is None]
    if untold:
        print(f"Winnow's ledger has no CPU time of {', '.join(untold)}: in the sums of neither.")
    print(f"Kept by the filters: datatrove {their.kept}, winnow {our.kept} of {lines[-1][1].read} pages.")
    print("The whole of winnow also finds copies and frequent lines, trains a tokenizer, tokenizes and packs shards.")
    print(f"Medians of {facts['runs']} runs over {facts['archive']}, {facts['date']}, commit {facts['commit']}.")
    print(facts["machine"])
    for side, versions in facts["versions"].items():
        print(f"{side}: {', '.join(f'{name} {number}' for name, number in versions.items())}")
    print(
        json.dumps(
            {
                "benchmark": "datatrove_fineweb",
                **facts,
                "kept": {"datatrove": their.kept, "winnow": our.kept},
                "whole_cpu_s": {"datatrove": spread(theirs), "winnow": spread(ours)},
                "rows": {label: {"datatrove": asdict(left), "winnow": asdict(right)} for label, left, right in lines},
            }
        )
    )


def table_lines(their: Run, our: Run) -> list[tuple[str, Cost, Cost]]:
    """Return the rows, then their sums and the whole of either side, per page of the archive."""
    both = [label for label, cost in our.rows.items() if cost.cpu_s is not None]
    rest = [label for label in both if label != "extraction"]
    sums = [
        ("these steps together", total_cpu_s(their, both), total_cpu_s(our, both)),
        ("all but extraction together", total_cpu_s(their, rest), total_cpu_s(our, rest)),
        ("the whole process, with its start", their.whole_cpu_s, our.whole_cpu_s),
    ]
    pages = their.rows[ROWS[0].label].read  # HTML pages: of other records datatrove makes no document
    lines = [(label, their.rows[label], our.rows[label]) for label in their.rows]
    return lines + [(label, Cost(pages, left), Cost(pages, right)) for label, left, right in sums]


def spread(runs: list[Run]) -> list[float]:
    """Return the whole CPU seconds of each run, in ascending order."""
    return sorted(round(run.whole_cpu_s, 3) for run in runs)


def shown(ms: float | None) -> str:
    return "not measured" if ms is None else f"{ms:.3g}" if ms < 100 else f"{ms:.0f}"


def ratio(theirs_ms: float | None, ours_ms: float | None) -> str:
    return "" if theirs_ms is None or not ours_ms else f"{theirs_ms / ours_ms:.1f}"


if __name__ == "__main__":
    main()
