"""Every runner side by side: the same shards, the wall and CPU time of each, and the engine's share.

    .venv/bin/python -m benchmarks.runs.runners [--only demo archives growth] [--runners direct-1 flink-2 ...]

`demo` is the demo's web, `archives` all of ../shared/data/warc, `growth` the web pages once and ten times (copies under
other addresses in other words, crawl_copies.py) on Flink with the same heap. Flink is the local cluster of
deploy/flink, started for each shape; `embedded` is a Flink inside the job server with workers in this process.

CPU is that of all processes: the command and its children, and those of the cluster, read from /proc before and after.
`ours` is what Winnow's steps themselves took, as their manifests tell; the engine's share is the rest. Exit status 1
when a shard differs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.crawl_copies import copy_crawl
from benchmarks.machine import ROOT, WEB_PAGES, WINNOW, children_cpu_s, facts, finish, say, start
from benchmarks.runs.memory import pss_mib
from benchmarks.runs.workers import shards_sha256

sys.path.insert(0, str(ROOT))
from deploy.flink.cluster import Home, Settings
from deploy.flink.packages import fetch
from deploy.flink.processes import members

ARCHIVES = ROOT.parent / "shared" / "data" / "warc"
HERTZ = os.sysconf("SC_CLK_TCK")
HEAP = {"taskmanager.memory.task.heap.size": "1g"}
Place = Iterator[tuple[list[str], list[int]]]  # Beam's options, the groups of processes that do the work


@dataclass
class Told:
    """One run on one runner."""

    wall_s: float = 0.0
    cpu_s: float = 0.0
    ours_s: float = 0.0
    shards: str = ""
    stages: dict[str, float] = field(default_factory=dict)
    peaks_mib: dict[str, float] = field(default_factory=dict)  # of growth: by process

    @property
    def share(self) -> float:
        """Return the engine's share of the CPU time."""
        return 1 - self.ours_s / self.cpu_s if self.cpu_s else 0.0


def direct(workers: int) -> Callable[[], contextlib.AbstractContextManager[tuple[list[str], list[int]]]]:
    @contextlib.contextmanager
    def place() -> Place:
        yield [f"--direct_num_workers={workers}"], []

    return place


@contextlib.contextmanager
def job_service() -> Place:
    """Beam's job service in Python, workers in the command's process."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "apache_beam.runners.portability.local_job_service_main"]
        command += ["--port_file", f"{folder}/port"]
        with open(f"{folder}/log", "wb") as log:  # noqa: PTH123
            process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        try:
            while not (Path(folder) / "port").exists():
                assert process.poll() is None, (Path(folder) / "log").read_text()
                time.sleep(0.2)
            port = (Path(folder) / "port").read_text().strip()
            words = ["--runner=PortableRunner", f"--job_endpoint=localhost:{port}", "--environment_type=LOOPBACK"]
            yield words, [process.pid]
        finally:
            process.terminate()
            process.wait()


@contextlib.contextmanager
def embedded() -> Place:
    jar = fetch().job_server
    yield ["--runner=FlinkRunner", "--flink_master=[local]", f"--flink_job_server_jar={jar}"], []


def flink(slots: int) -> Callable[[], contextlib.AbstractContextManager[tuple[list[str], list[int]]]]:
    @contextlib.contextmanager
    def place() -> Place:
        with tempfile.TemporaryDirectory() as folder:
            home = Home(Path(folder) / "flink")
            cluster = home.up(Settings(slots=slots, changes=HEAP), {}, None, say)
            try:
                yield cluster.beam_args, [process.pid for process in cluster.processes]
            finally:
                home.down()

    return place


RUNNERS = {
    "direct-1": direct(1),
    "direct-2": direct(2),
    "job-service": job_service,
    "flink-embedded": embedded,
    "flink-1": flink(1),
    "flink-2": flink(2),
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("--only", nargs="+", choices=("demo", "archives", "growth"), default=["demo", "archives"])
    arguments.add_argument("--runners", nargs="+", choices=RUNNERS, default=list(RUNNERS))
    arguments.add_argument("--copies", nargs="+", type=int, default=[1, 10])
    given = arguments.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        for corpus in given.only:
            if corpus == "growth":
                report("growth", growth(scratch, given.copies))
                continue
            words = demo(scratch) if corpus == "demo" else ["--input", str(ARCHIVES)]
            told = {name: run(name, words, scratch / f"{corpus}-{name}") for name in given.runners}
            report(corpus, told)
            failed = failed or len({one.shards for one in told.values()}) != 1
    if failed:
        sys.exit("the shards are not the same bytes")


def demo(scratch: Path) -> list[str]:
    """Write the demo's web; return the words of a run over it."""
    web = scratch / "web"
    finish(start([str(WINNOW), "demo-web", "--output", str(web)]))
    pin = ["--output", f"{scratch}/quality.bin", "--pin", f"{scratch}/quality.yaml"]
    settings = ["--set", "epoch=25", "--set", "lr=0.5", "--set", "dim=32"]
    finish(start([str(WINNOW), "train-classifier", "--input", f"{web}/quality_labels.jsonl", *pin, *settings]))
    return ["--input", f"{web}/crawl", "--config", f"{web}/demo.yaml", "--config", f"{scratch}/quality.yaml"]


def growth(scratch: Path, sizes: list[int]) -> dict[str, Told]:
    """Run the web pages at several sizes on Flink, each on a fresh cluster with the same heap."""
    told = {}
    for copies in sizes:
        crawl = scratch / f"crawl-{copies}.warc.gz"
        records = copy_crawl(WEB_PAGES, crawl, copies)
        say(f"{copies} x: {records:,} records, {crawl.stat().st_size >> 20:,} MiB")
        words = ["--input", str(crawl), "--set", "extract.engine=resiliparse"]
        told[f"{copies} x, {records:,} records"] = run("flink-2", words, scratch / f"growth-{copies}")
        crawl.unlink()
    return told


def run(name: str, words: list[str], output: Path) -> Told:
    """Run once on a runner, from a cluster that has done nothing before."""
    told = Told()
    with RUNNERS[name]() as (beam, groups):
        say(f"{output.name}: {' '.join(beam)}")
        before = children_cpu_s() + sum(map(group_cpu_s, groups))
        started = time.monotonic()
        process = start([str(WINNOW), "run", *words, "--output", str(output), *beam])
        with watched(told, groups):
            finish(process)
        told.wall_s = time.monotonic() - started
        told.cpu_s = children_cpu_s() + sum(map(group_cpu_s, groups)) - before
    manifests = [json.loads(path.read_text()) for path in sorted(output.rglob("manifest.json"))]
    told.stages = {manifest["stage"]: manifest["wall_s"] for manifest in manifests}
    told.ours_s = sum(sum(manifest["cpu_s"].values()) for manifest in manifests)
    told.shards = shards_sha256(output)
    return told


def group_cpu_s(group: int) -> float:
    """Return the CPU seconds of the living members of a group and of their children that ended and were waited for.

    So a worker that ended counts by its pool, and a task manager that died by its keeper.
    """
    return sum(process_cpu_s(pid) for pid in members(group))


def process_cpu_s(pid: int) -> float:
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, words[11:15])) / HERTZ


@contextlib.contextmanager
def watched(told: Told, groups: list[int]) -> Iterator[None]:
    """Keep the peaks of the cluster's processes while a run is on."""
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.5):
            for group in groups:
                for pid in members(group):
                    with contextlib.suppress(OSError):
                        name = kind(Path(f"/proc/{pid}/cmdline").read_bytes())
                        told.peaks_mib[name] = max(told.peaks_mib.get(name, 0.0), pss_mib(pid))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def kind(command: bytes) -> str:
    """Return what a process of the cluster is, by its command line."""
    names = {
        b"TaskManagerRunner": "task manager", b"StandaloneSession": "job manager", b"job-server": "job server",
        b"SdkHarness": "Python worker", b"worker_pool": "worker pool",
    }  # fmt: skip
    return next((name for mark, name in names.items() if mark in command), "other")


def report(corpus: str, told: dict[str, Told]) -> None:
    print(f"| {corpus} | wall s | CPU s | of it ours | engine's share | shards |")
    print("| --- | ---: | ---: | ---: | ---: | --- |")
    for name, one in told.items():
        row = f"{one.wall_s:.0f} | {one.cpu_s:.0f} | {one.ours_s:.1f} | {one.share:.0%} | {one.shards[:12]}"
        print(f"| {name} | {row} |")
    for name, one in told.items():
        if one.peaks_mib:
            print(f"{name}: " + ", ".join(f"{what} {mib:,.0f} MiB" for what, mib in sorted(one.peaks_mib.items())))
    runs = {name: asdict(one) for name, one in told.items()}
    print(json.dumps({"benchmark": "runners", "corpus": corpus, **facts(), "runs": runs}), flush=True)


if __name__ == "__main__":
    main()
