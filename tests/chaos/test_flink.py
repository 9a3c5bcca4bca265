"""On a real Flink: a task manager, the worker pool, the job manager or our own process killed in the midst of a job.

The job recovers, or fails in one line; in each case the same command ends with the undisturbed run's bytes.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.flink.cluster import Cluster, Home
from deploy.flink.processes import members
from pipelines.engines.flink_rest import FlinkRest
from schemas.errors import RunError
from tests.chaos.harness import Running, Web, assert_balanced, assert_one_line, commits, shards
from tests.flink import TWO_SLOTS, flink_home

LIMIT_S = 900.0  # of a run on Flink: each of ten jobs costs some ten seconds on an idle machine
LOST_S = 120.0  # within which a run notices that its cluster is gone


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with flink_home(tmp_path_factory.mktemp("flink")) as home:
        yield home


@pytest.fixture
def cluster(home: Home) -> Cluster:
    """A whole cluster, made anew when the test before destroyed it."""
    try:
        return home.up(TWO_SLOTS, {}, None, print)
    except RunError:
        home.down()
        return home.up(TWO_SLOTS, {}, None, print)


def kill(cluster: Cluster, part: str) -> None:
    """Kill what does the work of a part; a task manager or a pool is started again by its keeper."""
    leader = next(process.pid for process in cluster.processes if process.name.startswith(part))
    kept = part in ("taskmanager", "workerpool")
    for pid in members(leader):
        if not (kept and pid == leader):
            os.kill(pid, signal.SIGKILL)


def until_job(running: Running, cluster: Cluster, stage: str) -> None:
    """Wait until the job of a stage runs, and a little more."""
    rest = FlinkRest(f"http://{cluster.flink}")

    def has_begun() -> bool:
        time.sleep(0.2)
        return any(f"-{stage.replace('/', '-')}-" in name for name in rest.running("winnow-").values())

    assert running.until(has_begun, LIMIT_S), "the run ended before it was struck"
    time.sleep(2.0)


def finish(web: Web, cluster: Cluster, output: Path, undisturbed: Path) -> None:
    """Run the same command to its end and look at what it wrote."""
    done = commits(output)
    ended = web.start(output, *cluster.beam_args).wait(LIMIT_S)
    assert ended.code == 0, ended.err
    after = commits(output)
    assert {stage: after[stage] for stage in done} == done, "a finished stage was done again"
    assert shards(output) == shards(undisturbed)
    assert_balanced(output)


@pytest.mark.parametrize(("part", "stage"), [("taskmanager", "web/extract"), ("workerpool", "dedup")])
def test_a_part_that_comes_back(
    web: Web, undisturbed: Path, cluster: Cluster, tmp_path: Path, part: str, stage: str
) -> None:
    output = tmp_path / "run"
    running = web.start(output, *cluster.beam_args)
    until_job(running, cluster, stage)
    kill(cluster, part)
    ended = running.wait(LIMIT_S)
    assert running.orphans() == []
    if ended.code:  # recovered or failed clean, either is right
        assert_one_line(ended, f"stage {stage}")
    finish(web, cluster, output, undisturbed)


@pytest.mark.parametrize(("part", "said"), [("jobmanager", "Flink at"), ("jobserver", "job server")])
def test_a_part_that_does_not_come_back(
    web: Web, undisturbed: Path, home: Home, cluster: Cluster, tmp_path: Path, part: str, said: str
) -> None:
    output = tmp_path / "run"
    running = web.start(output, *cluster.beam_args)
    until_job(running, cluster, "web/extract")
    kill(cluster, part)
    ended = running.wait(LOST_S)
    assert_one_line(ended, "stage web/extract", said)
    assert running.orphans() == []
    home.down()
    finish(web, home.up(cluster.settings, {}, None, print), output, undisturbed)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_our_own_process_killed(
    web: Web, undisturbed: Path, cluster: Cluster, tmp_path: Path, number: signal.Signals
) -> None:
    """After SIGTERM we cancel the job ourselves; after SIGKILL the next start of the same run does."""
    output = tmp_path / "run"
    running = web.start(output, *cluster.beam_args)
    until_job(running, cluster, "web/extract")
    running.signal_group(number)
    ended = running.wait(60.0)
    assert ended.code == (-signal.SIGKILL if number == signal.SIGKILL else 143)
    left = FlinkRest(f"http://{cluster.flink}").running("winnow-")
    if number == signal.SIGTERM:
        assert left == {}
    assert running.orphans() == []
    finish(web, cluster, output, undisturbed)
