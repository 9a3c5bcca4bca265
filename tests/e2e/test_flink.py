"""The demo's recipe on a real Flink: two slots, Python workers in a pool, the direct runner's bytes.

Brings Flink from package registries, up to 400 MB: where Java, Maven or the registries are not to be had, the tests
are skipped with what is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.flink.cluster import Cluster
from pipelines.engines.flink_rest import FlinkRest
from tests.flink import TWO_SLOTS, flink_home

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the state of programs is, for this module."""
    return tmp_path_factory.mktemp("flink")


@pytest.fixture(scope="module")
def cluster(state: Path) -> Iterator[Cluster]:
    """A cluster of two slots on ports of its own."""
    with flink_home(state) as home:
        yield home.up(TWO_SLOTS, dict.fromkeys(("rest", "job", "pool"), 0), None, print)


def test_two_slots_write_the_direct_runners_bytes(
    cluster: Cluster, state: Path, small_web: Any, small_run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--runner FlinkRunner` and nothing more: the cluster is found by its state."""
    monkeypatch.setenv("XDG_STATE_HOME", str(state))
    run = small_web.run(tmp_path / "run", "--runner", "FlinkRunner")
    jobs = FlinkRest(f"http://{cluster.flink}")._get("/jobs/overview")["jobs"]
    assert {job["state"] for job in jobs if job["name"].startswith("winnow-")} == {"FINISHED"}
    assert run.shards() == small_run.shards()
    mine, theirs = run.stages(), small_run.stages()
    assert {name: mine[name][0].counts for name in mine} == {name: theirs[name][0].counts for name in theirs}
    assert "committed and unchanged" not in run.printed


def test_what_is_missing_is_said_before_anything_is_submitted(cluster: Cluster, small_web: Any, tmp_path: Path) -> None:
    for change, said in (
        ("--parallelism=3", "has 2 slots in 1 task managers, but --parallelism is 3"),
        ("--environment_config=localhost:1", "the worker pool at localhost:1 does not answer"),
        ("--job_endpoint=localhost:1", "the job server at localhost:1 does not answer"),
        ("--flink_master=localhost:1", "Flink at http://localhost:1 does not answer"),
    ):
        run = small_web.run(tmp_path / "run", *cluster.beam_args, change, check=False)
        assert said in run.printed
        assert len(run.printed.strip().splitlines()) == 1, run.printed
