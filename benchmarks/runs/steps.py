"""CPU seconds for each 1,000 pages, step by step, and what the framework around the steps costs.

    .venv/bin/python -m benchmarks.runs.steps [ARCHIVE] [--copies 1 4] [--runs 3] [--engine trafilatura]

Every row is CPU time, user and system, divided by the thousands of records in the archive, so the rows add up:

    stage.step      what the manifest says of a step, as the stage itself measured it
    stage, rest     our code beside its steps: reading and writing tables, hashes, loading models, counting, committing
    start           the interpreter and the imports, once a run
    Beam            what pipelines cost less what Beam called in them (metered_run.py): graphs, types, coders, grouping

`winnow run` beside it is the same run by its command, with progress and ledger: the check that the rows miss nothing.
One worker. A run over N copies (crawl_copies.py) tells what is paid once from what is paid for each page.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.crawl_copies import copy_crawl
from benchmarks.machine import WEB_PAGES, children_cpu_s, facts, finish, run_command, say, start

START, BEAM, SUM, COMMAND, SHARE = "start", "Beam", "sum", "`winnow run`", "Beam's share, %"
METERED = "import sys; from benchmarks.runs import metered_run; metered_run.main(*sys.argv[1:])"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("archive", nargs="?", type=Path, default=WEB_PAGES)
    arguments.add_argument("--copies", nargs="+", type=int, default=[1, 4])
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--engine", default="trafilatura")
    given = arguments.parse_args()
    columns: dict[int, dict[str, float]] = {}
    records: dict[int, int] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for copies in given.copies:
            crawl = Path(scratch) / "crawl.warc.gz"
            records[copies] = copy_crawl(given.archive, crawl, copies)
            runs = []
            for number in range(1, given.runs + 1):
                say(f"{copies} x, run {number} of {given.runs}")
                runs.append(one_run(crawl, given.engine))
            columns[copies] = {row: median(run.get(row, 0.0) for run in runs) for row in runs[0]}
    report(given, columns, records)


def one_run(crawl: Path, engine: str) -> dict[str, float]:
    """Return the CPU seconds of each row for one run with clocks and one by the command."""
    changes = json.dumps({"extract": {"engine": engine}})
    told = json.loads(finish(start([sys.executable, "-c", METERED, str(crawl), changes])).splitlines()[-1])
    rows = {START: told["start_up_s"]}
    for stage in told["stages"]:
        steps = {f"{stage['name']}.{step}": cpu_s for step, cpu_s in stage["steps_s"].items()}
        rows |= steps
        rows[f"{stage['name']}, rest"] = stage["whole_s"] - stage["beam_s"] - sum(steps.values())
    rows[BEAM] = sum(stage["beam_s"] for stage in told["stages"])
    rows["between stages"] = told["whole_s"] - told["start_up_s"] - sum(stage["whole_s"] for stage in told["stages"])
    rows[SUM] = told["whole_s"]
    rows[COMMAND] = command_cpu_s(crawl, engine)
    return rows


def command_cpu_s(crawl: Path, engine: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        before = children_cpu_s()
        finish(start(run_command(crawl, Path(folder), [f"extract.engine={engine}"], ["--direct_num_workers=1"])))
        return children_cpu_s() - before


def report(given: argparse.Namespace, columns: dict[int, dict[str, float]], records: dict[int, int]) -> None:
    print(f"| CPU s for 1,000 records, {given.engine} | {' | '.join(f'{copies} x' for copies in columns)} |")
    print(f"| --- |{' ---: |' * len(columns)}")
    for row in next(iter(columns.values())):
        values = [1000 * column.get(row, 0.0) / records[copies] for copies, column in columns.items()]
        print(f"| {row} | {' | '.join(f'{value:.2f}' for value in values)} |")
    shares = {copies: 100 * column[BEAM] / column[SUM] for copies, column in columns.items()}
    print(f"| {SHARE} | {' | '.join(f'{share:.1f}' for share in shares.values())} |")
    told: dict[str, Any] = {
        "benchmark": "steps", "archive": given.archive.name, "engine": given.engine, "runs": given.runs, **facts(),
        "records": records, "cpu_s": columns, "beam_share_percent": shares,
    }  # fmt: skip
    print(json.dumps(told))


if __name__ == "__main__":
    main()
