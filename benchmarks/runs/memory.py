"""Peak memory of a run as its input grows: 1, 4 and 16 times the same crawl, one worker.

    .venv/bin/python -m benchmarks.runs.memory [ARCHIVE] [--engine resiliparse=1,4,16] [--engine trafilatura=1,4]

The copies are under new addresses and in other words (crawl_copies.py), so no step drops them. While `winnow run`
works, its process tree is read from /proc five times a second: PSS, which counts a page of memory that processes share
once. For each stage the highest sum over the tree is told; a stage begins when its data folder appears. `peak RSS` is
the kernel's own high-water mark of the main process: nothing falls between two looks.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.crawl_copies import copy_crawl
from benchmarks.machine import WEB_PAGES, facts, finish, run_command, say, start

POLL_S = 0.2
STAGES = ("web/index", "web/extract", "web/clean", "dedup", "tokenize", "mix", "shards")
_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)
_PEAK_RSS = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)


@dataclass
class Peaks:
    """Highest figures of one run, MiB."""

    whole: float = 0.0
    main: float = 0.0
    children: float = 0.0
    main_peak_rss: float = 0.0
    wall_s: float = 0.0
    records: int = 0
    stages: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("archive", nargs="?", type=Path, default=WEB_PAGES)
    arguments.add_argument("--engine", action="append", metavar="ENGINE=COPIES", help="which sizes to run it at")
    given = arguments.parse_args()
    runs: dict[str, dict[int, Peaks]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for wanted in given.engine or ["resiliparse=1,4,16", "trafilatura=1,4"]:
            engine, _, sizes = wanted.partition("=")
            runs[engine] = {}
            for copies in map(int, sizes.split(",")):
                crawl = Path(scratch) / f"crawl-{copies}.warc.gz"
                records = copy_crawl(given.archive, crawl, copies)
                say(f"{engine}, {copies} x: {records:,} records, {crawl.stat().st_size >> 20:,} MiB")
                runs[engine][copies] = watch(crawl, engine, records)
                crawl.unlink()
    report(runs, given.archive)


def watch(crawl: Path, engine: str, records: int) -> Peaks:
    """Run `winnow run` over `crawl` and return its peaks."""
    peaks = Peaks(records=records)
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        process = start(run_command(crawl, Path(folder), [f"extract.engine={engine}"], ["--direct_num_workers=1"]))
        while process.poll() is None:
            look(process, Path(folder), peaks)
            time.sleep(POLL_S)
        peaks.wall_s = time.monotonic() - started
        finish(process)
    return peaks


def look(process: subprocess.Popen[str], folder: Path, peaks: Peaks) -> None:
    """Read the process tree once."""
    own = pss_mib(process.pid)
    children = sum(map(pss_mib, descendants(process.pid)))
    peaks.main, peaks.children = max(peaks.main, own), max(peaks.children, children)
    peaks.whole = max(peaks.whole, own + children)
    status = read(Path(f"/proc/{process.pid}/status"))
    found = _PEAK_RSS.search(status)
    peaks.main_peak_rss = max(peaks.main_peak_rss, int(found[1]) / 1024 if found else 0.0)
    begun = [stage for stage in STAGES if (folder / stage).exists()]
    if begun:
        peaks.stages[begun[-1]] = max(peaks.stages[begun[-1]], own + children)


def descendants(pid: int) -> list[int]:
    """Return the processes that `pid` started, and those that these did."""
    children = [int(child) for task in Path(f"/proc/{pid}/task").glob("*/children") for child in read(task).split()]
    return children + [pid for child in children for pid in descendants(child)]


def pss_mib(pid: int) -> float:
    """Return the proportional memory of a process; 0 once it has ended."""
    found = _PSS.search(read(Path(f"/proc/{pid}/smaps_rollup")))
    return int(found[1]) / 1024 if found else 0.0


def read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # the process has ended
        return ""


def report(runs: dict[str, dict[int, Peaks]], archive: Path) -> None:
    columns = [(engine, copies, peaks) for engine, sizes in runs.items() for copies, peaks in sizes.items()]
    rows: list[tuple[str, list[float]]] = [
        ("records", [peaks.records for _, _, peaks in columns]),
        ("wall seconds", [peaks.wall_s for _, _, peaks in columns]),
        ("peak PSS of all processes, MiB", [peaks.whole for _, _, peaks in columns]),
        ("peak PSS of the main process, MiB", [peaks.main for _, _, peaks in columns]),
        ("peak PSS of its children, MiB", [peaks.children for _, _, peaks in columns]),
        ("peak RSS of the main process, MiB", [peaks.main_peak_rss for _, _, peaks in columns]),
        *((f"in stage {stage}, MiB", [peaks.stages[stage] for _, _, peaks in columns]) for stage in STAGES),
    ]
    print(f"| | {' | '.join(f'{engine} {copies} x' for engine, copies, _ in columns)} |")
    print(f"| --- |{' ---: |' * len(columns)}")
    for label, values in rows:
        print(f"| {label} | {' | '.join(f'{value:,.0f}' for value in values)} |")
    told: dict[str, Any] = {engine: {n: asdict(peaks) for n, peaks in sizes.items()} for engine, sizes in runs.items()}
    print(json.dumps({"benchmark": "memory", "archive": archive.name, **facts(), "runs": told}))


if __name__ == "__main__":
    main()
