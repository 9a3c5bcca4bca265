"""`--runner FlinkRunner` alone finds the cluster of `make flink-up`; any place that is named is the user's choice."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from deploy.flink.cluster import Cluster, Home, Settings
from deploy.flink.processes import Started
from pipelines.engines.engine import Engine
from pipelines.engines.local_flink import PLACES, default_home, with_local_cluster
from pipelines.engines.portable import target_of
from schemas.errors import RunError

ALONE = ["--runner=FlinkRunner"]


@pytest.fixture
def rest() -> Iterator[int]:
    """A port that takes connections, as Flink's REST interface does."""
    with socket.create_server(("localhost", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where a cluster is looked for, empty."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    default_home().mkdir(parents=True)
    return default_home()


def written(home: Path, rest: int, slots: int = 2, task_managers: int = 1) -> Cluster:
    """Write the state of a cluster as `up` does; return it."""
    ports = {"rest": rest, "rpc": 2, "job": 8099, "artifact": 4, "expansion": 5, "pool": 50000}
    cluster = Cluster(Settings(slots, task_managers), ports, (Started("jobmanager", 1, 1.0),))
    Home(home)._write(cluster)
    assert Home(home).cluster() == cluster
    return cluster


@pytest.mark.parametrize("args", [ALONE, ["--runner", "FlinkRunner"], ["--runner=flinkrunner", "--streaming"]])
@pytest.mark.parametrize(("slots", "task_managers"), [(2, 1), (1, 3), (4, 2)])
def test_the_runner_alone_goes_to_the_local_cluster(
    home: Path, rest: int, args: list[str], slots: int, task_managers: int
) -> None:
    cluster = written(home, rest, slots, task_managers)
    found = with_local_cluster(args)
    assert found == [*args, *cluster.beam_args[1:]]
    target = target_of(PipelineOptions(found))
    assert target is not None
    assert (target.flink, target.job_server) == (f"http://localhost:{rest}", "localhost:8099")
    assert (target.environment, target.pool) == ("EXTERNAL", "localhost:50000")
    assert target.parallelism == slots * task_managers


def test_the_engine_asks(home: Path, rest: int, tmp_path: Path) -> None:
    written(home, rest)
    target: Any = Engine(ALONE, tmp_path / "log")._target
    assert target.flink == f"http://localhost:{rest}"
    assert Engine([], tmp_path / "log")._target is None


def test_fewer_slots_are_the_users_choice(home: Path, rest: int) -> None:
    written(home, rest, slots=4)
    assert target_of(PipelineOptions(with_local_cluster([*ALONE, "--parallelism=1"]))).parallelism == 1  # type: ignore[union-attr]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("form", ["{}=x:1", "{} x:1"])
def test_a_place_that_is_named_is_left_alone(home: Path, rest: int, place: str, form: str) -> None:
    written(home, rest)
    args = [*ALONE, *form.format(place).split()]
    assert with_local_cluster(args) == args


@pytest.mark.parametrize("args", [[], ["--runner=DirectRunner"], ["--runner=PortableRunner"], ["--parallelism=2"]])
def test_other_runners_do_not_look(home: Path, args: list[str]) -> None:
    (home / "state.json").write_text("damaged")
    assert with_local_cluster(args) == args


def test_without_a_cluster_flink_is_in_the_job_server(home: Path) -> None:
    assert with_local_cluster(ALONE) == ALONE
    assert target_of(PipelineOptions(ALONE)).environment == "LOOPBACK"  # type: ignore[union-attr]


def test_a_cluster_that_is_gone_is_one_line_with_what_to_do(home: Path) -> None:
    with socket.create_server(("localhost", 0)) as server:
        port = server.getsockname()[1]
    written(home, port)
    with pytest.raises(RunError, match=f"does not answer at localhost:{port}; start it anew with `make flink-up`") as e:
        with_local_cluster(ALONE)
    assert "\n" not in str(e.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", json.dumps({"ports": {}, "settings": {"slots": 1}})])
def test_a_damaged_state_names_its_file(home: Path, text: str) -> None:
    (home / "state.json").write_text(text)
    with pytest.raises(RunError, match=r"state\.json: not the state of a cluster"):
        with_local_cluster(ALONE)
