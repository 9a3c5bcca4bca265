"""The local cluster's settings, ports and processes, without a Flink."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from deploy.flink import cluster, processes
from deploy.flink.cluster import Cluster, Home, Settings, check_java, choose_ports, commands, environment, write_conf
from deploy.flink.packages import HERE, Installed
from deploy.flink.processes import Started, born, members, start, stop
from schemas.errors import ConfigError, RunError

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def installed(tmp_path: Path) -> Installed:
    (tmp_path / "flink" / "conf").mkdir(parents=True)
    (tmp_path / "flink" / "conf" / "config.yaml").write_text("rest:\n  port: 1\n")
    (tmp_path / "flink" / "conf" / "log4j-console.properties").write_text("x")
    return Installed(tmp_path / "flink", tmp_path / "job-server.jar")


def test_settings_are_those_of_the_file_the_changes_and_the_ports(installed: Installed, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "conf").mkdir(parents=True)
    settings = Settings(slots=3, changes={"taskmanager.memory.task.heap.size": "512m", "new.key": "a: b"})
    write_conf(installed, home, settings, {"rest": 18081, "rpc": 16123})
    lines = (home / "conf" / "flink-conf.yaml").read_text().splitlines()
    written = dict(line.split(": ", 1) for line in lines)
    assert len(written) == len(lines)
    assert written["taskmanager.numberOfTaskSlots"] == "3"
    assert written["taskmanager.memory.task.heap.size"] == "512m"
    assert written["taskmanager.memory.network.min"] == "1g"
    assert written["rest.port"] == "18081"
    assert written["new.key"] == "a: b"
    assert sorted(path.name for path in (home / "conf").iterdir()) == ["flink-conf.yaml", "log4j-console.properties"]


def test_each_setting_is_one_line_that_flink_can_read() -> None:
    values = yaml.safe_load((HERE / "flink-conf.yaml").read_text())
    assert all("\n" not in str(value) and not isinstance(value, dict | list) for value in values.values())


def test_the_worker_pool_finds_our_python_first(installed: Installed, tmp_path: Path) -> None:
    found = environment(installed, tmp_path)["PATH"].split(os.pathsep)
    assert found[0] == str(Path(sys.executable).parent)


def test_every_part_is_told_its_port(installed: Installed, tmp_path: Path) -> None:
    ports = {"rest": 1, "rpc": 2, "job": 3, "artifact": 4, "expansion": 5, "pool": 6}
    parts = {name: (command, keep) for name, command, keep in commands(installed, tmp_path, Settings(2, 2), ports)}
    assert list(parts) == ["jobmanager", "taskmanager-0", "taskmanager-1", "jobserver", "workerpool"]
    assert [keep for _, keep in parts.values()] == [False, True, True, False, True]
    assert parts["jobserver"][0][-6:] == ["--job-port", "3", "--artifact-port", "4", "--expansion-port", "5"]
    assert parts["workerpool"][0][-1] == "--service_port=6"


def test_ports_that_are_asked_for_usual_and_free() -> None:
    chosen = choose_ports({})
    assert len(set(chosen.values())) == len(chosen) == 6
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port} for rest is taken"):
            choose_ports({"rest": port})
    assert choose_ports({"rest": port})["rest"] == port


def test_a_usual_port_that_another_part_asks_for_or_that_is_taken_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_is_free", lambda port: port != cluster.DEFAULT_PORTS["pool"])
    usual = cluster.DEFAULT_PORTS
    chosen = choose_ports({"rest": usual["job"]})
    assert {name for name in usual if chosen[name] == usual[name]} == {"rpc", "artifact", "expansion"}
    assert len(set(chosen.values())) == 6


def fake_java(folder: Path, says: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "java").write_text(f"#!/bin/sh\necho '{says}' >&2\n")
    (folder / "java").chmod(0o755)


@pytest.mark.parametrize(
    ("says", "fits"),
    [
        ('openjdk version "17.0.15"', True),
        ('openjdk version "11.0.2"', True),
        ('openjdk version "21.0.1"', True),
        ('java version "1.8.0_292"', False),
        ('openjdk version "22"', False),
        ("what?", False),
    ],
)
def test_java_versions(says: str, fits: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_java(tmp_path / "bin", says)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin{os.pathsep}/bin{os.pathsep}/usr/bin")
    if fits:
        check_java()
    else:
        with pytest.raises(ConfigError, match=f"Flink needs Java 11 or 17; .* says: {says[:5]}"):
            check_java()


def test_without_java_nothing_is_fetched_or_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(cluster, "fetch", lambda _: pytest.fail("fetched"))
    with pytest.raises(ConfigError, match="Flink needs Java 11 or 17, and there is no `java`"):
        Home(tmp_path / "home").up(Settings(), {}, None, print)


def test_a_group_is_stopped_with_all_its_members(tmp_path: Path) -> None:
    script = f"import subprocess, time; subprocess.Popen({SLEEP!r}); time.sleep(600)"
    started = start("x", [sys.executable, "-c", script], tmp_path / "log", os.environ, tmp_path)
    until(lambda: len(members(started.pid)) == 2)
    assert started.alive
    stop([started])
    assert members(started.pid) == []
    assert not started.alive


def test_a_group_whose_leader_died_is_stopped_too(tmp_path: Path) -> None:
    script = f"import subprocess, time; subprocess.Popen({SLEEP!r}); time.sleep(600)"
    started = start("x", [sys.executable, "-c", script], tmp_path / "log", os.environ, tmp_path)
    until(lambda: len(members(started.pid)) == 2)
    os.kill(started.pid, signal.SIGKILL)
    until(lambda: not started.alive)
    stop([started])
    assert members(started.pid) == []


def test_a_stubborn_one_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "STOP_S", 0.3)
    script = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    started = start("x", [sys.executable, "-c", script], tmp_path / "log", os.environ, tmp_path)
    until(lambda: "deaf" in (tmp_path / "log").read_text())
    stop([started])
    assert members(started.pid) == []


def test_a_stranger_with_the_same_pid_is_left_alone(tmp_path: Path) -> None:
    stranger = start("x", SLEEP, tmp_path / "log", os.environ, tmp_path)
    stop([Started("x", stranger.pid, born="long ago")])
    assert stranger.alive
    stop([stranger])


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    kept = start("x", SLEEP, tmp_path / "log", {**os.environ, "PYTHONPATH": str(HERE.parents[1])}, tmp_path, keep=True)
    until(lambda: len(members(kept.pid)) == 2)
    (first,) = set(members(kept.pid)) - {kept.pid}
    os.kill(first, signal.SIGKILL)
    until(lambda: len(members(kept.pid)) == 2 and first not in members(kept.pid))
    stop([kept])
    assert members(kept.pid) == []


def test_what_dies_again_and_again_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "PAUSE_S", 0.0)
    assert processes.keep(["true"]) == 1


def test_nothing_is_born_twice() -> None:
    assert born(os.getpid()) == born(os.getpid()) != ""
    assert born(2**22 + 1) == ""


def test_down_without_a_cluster(tmp_path: Path) -> None:
    assert Home(tmp_path).down() is False


def test_a_broken_state_is_named(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("{}")
    with pytest.raises(RunError, match=r"state\.json: not the state of a cluster"):
        Home(tmp_path).cluster()


def test_a_start_that_fails_leaves_no_process(
    installed: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "fetch", lambda _: installed)
    monkeypatch.setattr(cluster, "check_java", lambda: None)
    parts = [
        ("sleeper", SLEEP, False),
        ("dier", [sys.executable, "-c", "print('no heap'); raise SystemExit(1)"], False),
    ]
    monkeypatch.setattr(cluster, "commands", lambda *_: parts)
    seen: list[Cluster] = []
    write = Home._write
    monkeypatch.setattr(Home, "_write", lambda self, made: (seen.append(made), write(self, made)))
    home = Home(tmp_path / "home")
    with pytest.raises(RunError, match=r"dier died: no heap; see .*/home/log"):
        home.up(Settings(), {}, None, print)
    assert [process.name for process in seen[-1].processes] == ["sleeper", "dier"]
    assert not any(process.alive for process in seen[-1].processes)
    assert home.cluster() is None
