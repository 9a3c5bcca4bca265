"""Wall and CPU time of one worker process and of two, and whether the shards are the same bytes.

    .venv/bin/python -m benchmarks.runs.workers [ARCHIVE] [--workers 1 2] [--runs 3] [--engine trafilatura]

The runs take turns; figures are medians. Exit status 1 when a shard differs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.machine import WEB_PAGES, children_cpu_s, facts, finish, run_command, say, start


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("archive", nargs="?", type=Path, default=WEB_PAGES)
    arguments.add_argument("--workers", nargs="+", type=int, default=[1, 2])
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--engine", default="trafilatura")
    given = arguments.parse_args()
    times: dict[int, list[tuple[float, float]]] = {workers: [] for workers in given.workers}
    walls: dict[int, list[dict[str, float]]] = {workers: [] for workers in given.workers}
    shards: set[str] = set()
    for number in range(1, given.runs + 1):
        for workers in given.workers:
            say(f"run {number} of {given.runs}: {workers} workers")
            with tempfile.TemporaryDirectory() as folder:
                command = run_command(
                    given.archive, Path(folder), [f"extract.engine={given.engine}"], [f"--direct_num_workers={workers}"]
                )
                wall, cpu = time.monotonic(), children_cpu_s()
                finish(start(command))
                times[workers].append((time.monotonic() - wall, children_cpu_s() - cpu))
                walls[workers].append(stage_walls(Path(folder)))
                shards.add(shards_sha256(Path(folder)))
    report(given, times, walls, shards)


def stage_walls(folder: Path) -> dict[str, float]:
    manifests = [json.loads(path.read_text()) for path in sorted(folder.rglob("manifest.json"))]
    return {manifest["stage"]: manifest["wall_s"] for manifest in manifests}


def shards_sha256(folder: Path) -> str:
    """Return one hash of the names and bytes of all shards."""
    manifest = json.loads((folder / "shards" / "manifest.json").read_text())
    total = hashlib.sha256()
    for shard in sorted(manifest["facts"]["shards"], key=lambda shard: shard["path"]):
        found = hashlib.sha256((folder / "shards" / manifest["key"] / shard["path"]).read_bytes()).hexdigest()
        assert found == shard["sha256"], f"{shard['path']}: its bytes are not those its manifest names"
        total.update(f"{shard['path']} {found}\n".encode())
    return total.hexdigest()


def report(
    given: argparse.Namespace,
    times: dict[int, list[tuple[float, float]]],
    walls: dict[int, list[dict[str, float]]],
    shards: set[str],
) -> None:
    print(f"| {given.engine} | {' | '.join(f'{workers} workers' for workers in times)} |")
    print(f"| --- |{' ---: |' * len(times)}")
    for label, which in (("wall seconds", 0), ("CPU seconds", 1)):
        print(f"| {label} | {' | '.join(f'{median(pair[which] for pair in runs):.1f}' for runs in times.values())} |")
    for stage in max(walls.values(), key=len)[0]:
        middle = [median(run[stage] for run in runs) for runs in walls.values()]
        print(f"| of it {stage} | {' | '.join(f'{value:.1f}' for value in middle)} |")
    told = {
        "benchmark": "workers",
        "archive": given.archive.name,
        "engine": given.engine,
        **facts(),
        "wall_cpu_s": times,
        "stage_wall_s": walls,
        "shards_sha256": sorted(shards),
    }
    print(json.dumps(told))
    if len(shards) != 1:
        sys.exit("the shards are not the same bytes")


if __name__ == "__main__":
    main()
