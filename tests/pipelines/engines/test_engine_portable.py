"""Where a job goes, and that what is missing is said in one line before anything is submitted."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import grpc
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.engines import portable
from pipelines.engines.engine import Engine
from pipelines.engines.flink_rest import FlinkRest
from pipelines.engines.portable import Target, check_target, is_here, lost, target_of, watched
from schemas.errors import ConfigError, RunError

MIB = 1 << 20
EXTERNAL = ("--environment_type=EXTERNAL", "--environment_config=localhost:50000")


def options(*words: str) -> PipelineOptions:
    return PipelineOptions(list(words))


class FakeFlink:
    """Answers as Flink's REST interface does."""

    def __init__(self) -> None:
        self.slots, self.free, self.network, self.cancelled = 2, 2, 1024 * MIB, list[str]()
        self.jobs: list[dict[str, str]] = []
        self.garbled = self.deaf = False
        self.restarted_ms = 0
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answers = {"/overview": fake.overview, "/taskmanagers": fake.managers, "/jobs/overview": fake.listing}
                body = b"<html>" if fake.garbled else json.dumps(answers.get(self.path, fake.detail)()).encode()
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body)

            def do_PATCH(self) -> None:
                fake.cancelled.append(self.path)
                fake.jobs = [job for job in fake.jobs if fake.deaf or f"/jobs/{job['jid']}" != self.path]
                self.send_response(202)
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self.server = HTTPServer(("localhost", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"http://localhost:{self.server.server_port}"

    def overview(self) -> dict[str, Any]:
        return {"flink-version": "1.19.3", "slots-total": self.slots, "slots-available": self.free, "taskmanagers": 1}

    def managers(self) -> dict[str, Any]:
        one = {"slotsNumber": self.slots, "memoryConfiguration": {"networkMemory": self.network}}
        return {"taskmanagers": [one] if self.slots else []}

    def listing(self) -> dict[str, Any]:
        return {"jobs": self.jobs}

    def detail(self) -> dict[str, Any]:
        return {"timestamps": {"RUNNING": 1, "RESTARTING": self.restarted_ms}}


@pytest.fixture
def flink() -> Iterator[FakeFlink]:
    fake = FakeFlink()
    yield fake
    fake.server.shutdown()
    fake.server.server_close()


@pytest.mark.parametrize("words", [(), ("--runner=DirectRunner",), ("--runner=DataflowRunner",)])
def test_other_runners_have_no_target(words: tuple[str, ...]) -> None:
    assert target_of(options(*words)) is None


def test_target_of_a_cluster() -> None:
    words = ("--runner=FlinkRunner", "--flink_master=localhost:8081", "--job_endpoint=h:8099", "--parallelism=2")
    assert target_of(options(*words, *EXTERNAL)) == Target(
        runner="flinkrunner", job_server="h:8099", flink="http://localhost:8081", parallelism=2,
        environment="EXTERNAL", pool="localhost:50000", command="", java="java",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "environment"),
    [
        (("--runner=FlinkRunner",), "LOOPBACK"),
        (("--runner=FlinkRunner", "--flink_master=[local]"), "LOOPBACK"),
        (("--runner=PortableRunner", "--job_endpoint=embed", "--environment_type=loopback"), "LOOPBACK"),
        (("--runner=FlinkRunner", "--flink_master=h:1", "--sdk_container_image=i"), "DOCKER"),
        (("--runner=FlinkRunner", "--flink_master=h:1", "--environment_type=PROCESS",
          '--environment_config={"command": "/opt/boot"}'), "PROCESS"),
        (("--runner=FlinkRunner", "--flink_master=h:1", "--environment_type=EXTERNAL",
          '--environment_config={"url": "h:7"}'), "EXTERNAL"),
        (("--runner=FlinkRunner", "--flink_master=h:1", "--environment_type=EXTERNAL",
          "--environment_options=external_service_address=h:7"), "EXTERNAL"),
    ],
)  # fmt: skip
def test_environments(words: tuple[str, ...], environment: str) -> None:
    target = target_of(options(*words))
    assert target is not None
    assert target.environment == environment
    assert (target.pool, target.command) == (
        "h:7" if environment == "EXTERNAL" else "",
        "/opt/boot" if environment == "PROCESS" else "",
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--runner=PortableRunner", *EXTERNAL), "--runner PortableRunner needs --job_endpoint HOST:PORT"),
        (("--runner=PortableRunner", "--job_endpoint=here", *EXTERNAL), "--job_endpoint here: expected HOST:PORT"),
        (("--runner=FlinkRunner", "--flink_master=localhost:8081"), "no place for Python workers"),
        (
            ("--runner=FlinkRunner", "--flink_master=localhost", *EXTERNAL),
            "--flink_master localhost: expected HOST:PORT",
        ),
        (("--runner=FlinkRunner", "--flink_master=h:99999", *EXTERNAL), "--flink_master h:99999: expected HOST:PORT"),
        (("--runner=FlinkRunner", "--flink_master=ftp://h:1", *EXTERNAL), "expected HOST:PORT"),
        (("--runner=FlinkRunner", "--environment_type=EXTERNAL"), "--environment_config (none): expected HOST:PORT"),
        (("--runner=FlinkRunner", "--environment_type=CLOUD"), "--environment_type CLOUD: not one of EXTERNAL, PROC"),
        (("--runner=FlinkRunner", "--environment_type=PROCESS"), "--environment_type PROCESS needs"),
        (("--runner=FlinkRunner", "--flink_master=far.example:8081", "--environment_type=LOOPBACK"), "LOOPBACK"),
    ],
)
def test_what_is_wrong_is_said_when_the_engine_is_made(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        Engine(words, tmp_path / "log")
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("host", "here"), [("localhost", True), ("127.0.0.1", True), ("[::1]", True), ("10.0.0.1", False), ("far", False)]
)
def test_is_here(host: str, here: bool) -> None:
    assert is_here(host) is here


def cluster(flink: FakeFlink, parallelism: int = 2) -> Target:
    return Target("flinkrunner", "embed", flink.address, parallelism, "LOOPBACK", "", "", "java")


def test_a_cluster_with_enough_of_all(flink: FakeFlink) -> None:
    check_target(cluster(flink))
    flink.network = 2 * portable.NETWORK_MIB_PER_SLOT * MIB
    check_target(cluster(flink))


@pytest.mark.parametrize(("parallelism", "slots", "workers"), [(1, 2, 1), (2, 2, 2), (8, 4, 4), (-1, 4, 1), (2, 0, 1)])
def test_each_slot_of_a_job_has_a_python_process(flink: FakeFlink, parallelism: int, slots: int, workers: int) -> None:
    flink.slots = slots
    assert portable.workers_of(cluster(flink, parallelism)) == workers


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"slots": 1, "free": 1}, "has 1 slots in 1 task managers, but --parallelism is 2"),
        ({"slots": 0, "free": 0}, "has 0 slots"),
        ({"free": 1}, "has 1 of 2 slots free"),
        ({"network": 2 * portable.NETWORK_MIB_PER_SLOT * MIB - 1}, "MiB of network memory, but 2 slots need 256"),
        ({"garbled": True}, "answers, but not as Flink does"),
    ],
)
def test_a_cluster_with_too_little(flink: FakeFlink, change: dict[str, Any], said: str) -> None:
    vars(flink).update(change)
    with pytest.raises(RunError, match=said):
        check_target(cluster(flink))


def test_what_does_not_answer_is_named(nobody: str, flink: FakeFlink) -> None:
    whole = cluster(flink)
    for target, said in (
        (replace(whole, flink=f"http://{nobody}"), f"Flink at http://{nobody} does not answer"),
        (replace(whole, job_server=nobody), f"the job server at {nobody} does not answer"),
        (replace(whole, environment="EXTERNAL", pool=nobody), f"the worker pool at {nobody} does not answer"),
        (replace(whole, environment="PROCESS", command="/no/such/boot"), "no program /no/such/boot"),
    ):
        with pytest.raises(RunError, match=said):
            check_target(target)


def test_workers_beside_a_cluster_elsewhere_are_not_tried_from_here(nobody: str) -> None:
    target = Target("flinkrunner", "embed", "http://far.example:8081", 1, "EXTERNAL", nobody, "", "java")
    assert not target.sees_workers
    assert target.job_server == "embed"


def test_a_run_ends_in_one_line_before_anything_is_built(nobody: str, tmp_path: Path) -> None:
    engine = Engine(["--runner=FlinkRunner", f"--flink_master={nobody}", *EXTERNAL], tmp_path / "log")
    with pytest.raises(RunError, match=f"Flink at http://{nobody} does not answer"):
        engine.run("clean", lambda _: pytest.fail("built"), 1.0)


def test_without_java_no_job_server_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RunError, match="needs Java, and there is no `java` on the PATH"):
        Engine(["--runner=FlinkRunner", "--flink_master=[local]"], tmp_path / "log").run("clean", print, 1.0)


def test_a_jar_that_is_not_there(tmp_path: Path) -> None:
    target = Target("flinkrunner", "", "", 1, "LOOPBACK", "", "", "sh")
    with pytest.raises(RunError, match=r"--flink_job_server_jar .*none\.jar: no such file"):
        portable.check_java(target, f"{tmp_path}/none.jar")


def test_jobs_of_a_killed_run_are_cancelled_and_others_are_not(flink: FakeFlink) -> None:
    flink.jobs = [
        {"jid": "1", "name": "winnow-ab-clean-1", "state": "RUNNING"},
        {"jid": "2", "name": "winnow-ab-dedup-2", "state": "FINISHED"},
        {"jid": "3", "name": "winnow-cd-clean-3", "state": "RUNNING"},
    ]
    assert portable.cancel_jobs(flink.address, "winnow-ab-") == ["winnow-ab-clean-1"]
    assert flink.cancelled == ["/jobs/1"]
    assert set(FlinkRest(flink.address).running("winnow-cd-")) == {"3"}


def test_a_job_that_does_not_end_is_named(flink: FakeFlink) -> None:
    flink.jobs = [{"jid": "9", "name": "winnow-ab-clean-1", "state": "RUNNING"}]
    flink.deaf = True
    with pytest.raises(RunError, match="does not end job winnow-ab-clean-1; cancel it there and run again"):
        portable.cancel_jobs(flink.address, "winnow-ab-", wait_s=0.1)


def test_what_a_running_job_lost(flink: FakeFlink, nobody: str) -> None:
    target = cluster(flink)
    assert lost(target) == ""
    assert lost(replace(target, job_server=nobody)) == f"the job server at {nobody} is gone"
    assert lost(replace(target, pool=nobody)) == f"the worker pool at {nobody} is gone"
    flink.slots = 1
    assert lost(target) == f"Flink at {flink.address} has only 1 slots left"
    assert "does not answer" in lost(replace(target, flink=f"http://{nobody}"))


def test_a_loss_that_lasts_ends_the_run_and_a_short_one_does_not(
    flink: FakeFlink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portable, "CHECK_S", 0.02)
    monkeypatch.setattr(portable, "LOST_S", 0.3)
    told, heard = threading.Event(), list[str]()

    def stop(reason: str) -> None:
        heard.append(reason)
        told.set()

    with watched(cluster(flink), stop):
        flink.slots = 0
        assert not told.wait(0.1)
        flink.slots = 2
        assert not told.wait(0.5)
        flink.slots = 0
        assert told.wait(10)
    assert heard == [f"Flink at {flink.address} has only 0 slots left"]


def test_a_pool_that_was_started_anew_ends_a_run_whose_job_did_not_begin_anew(
    flink: FakeFlink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beam waits for ever for a worker that died before it called; the pool answers as if nothing had been."""
    monkeypatch.setattr(portable, "CHECK_S", 0.05)
    monkeypatch.setattr(portable, "LOST_S", 1.0)
    flink.jobs = [{"jid": "9", "name": "winnow-ab-dedup-1", "state": "RUNNING"}]
    told, heard = threading.Event(), list[str]()

    def stop(reason: str) -> None:
        heard.append(reason)
        told.set()

    def pool(port: int = 0) -> tuple[grpc.Server, int]:
        server = grpc.server(ThreadPoolExecutor(max_workers=1))
        port = server.add_insecure_port(f"localhost:{port}")
        server.start()
        return server, port

    first, port = pool()
    with watched(replace(cluster(flink), pool=f"localhost:{port}"), stop):
        assert not told.wait(1.5)
        flink.restarted_ms = 2**53  # whatever is lost now, the job asks for its workers again
        first.stop(None).wait()
        second, _ = pool(port)
        assert not told.wait(2.5)
        flink.restarted_ms = 0
        second.stop(None).wait()
        third, _ = pool(port)
        assert told.wait(30)
        third.stop(None).wait()
    assert heard == [
        f"the worker pool at localhost:{port} was started anew, and the job waits for workers of the old one"
    ]
