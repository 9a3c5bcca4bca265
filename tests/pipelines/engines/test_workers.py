"""The pool of Python workers, workers that differ from us, and children that end with their parent."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import apache_beam as beam
import grpc
import pytest
from apache_beam.portability.api import beam_fn_api_pb2, beam_fn_api_pb2_grpc

from pipelines.engines import portable
from pipelines.engines.engine import Engine
from pipelines.engines.workers import worker_check
from pipelines.engines.workers.worker_pool import check_worker_pool
from schemas.errors import RunError


class Pool(beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolServicer):
    """A worker pool whose answer a test chooses."""

    def __init__(self, start: Callable[[str], str]) -> None:
        self.start, self.stopped = start, list[str]()

    def StartWorker(self, request: Any, context: Any) -> Any:  # noqa: N802  gRPC's name
        return beam_fn_api_pb2.StartWorkerResponse(error=self.start(request.control_endpoint.url))

    def StopWorker(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.stopped.append(request.worker_id)
        return beam_fn_api_pb2.StopWorkerResponse()


@pytest.fixture
def pool_of() -> Iterator[Callable[[Pool], str]]:
    servers = []

    def serve(pool: Pool) -> str:
        server = grpc.server(ThreadPoolExecutor(max_workers=2))
        beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(pool, server)
        servers.append(server)
        port = server.add_insecure_port("localhost:0")
        server.start()
        return f"localhost:{port}"

    yield serve
    for server in servers:
        server.stop(None).wait()


def call(address: str) -> str:
    """Do what a worker does first."""

    def talk() -> None:
        # The server may stop first, which ends the call with an error.
        with contextlib.suppress(grpc.RpcError), grpc.insecure_channel(address) as channel:
            list(beam_fn_api_pb2_grpc.BeamFnControlStub(channel).Control(iter(())))

    threading.Thread(target=talk, daemon=True).start()
    return ""


def test_a_pool_whose_worker_calls_back(pool_of: Callable[[Pool], str]) -> None:
    pool = Pool(call)
    assert check_worker_pool(pool_of(pool)) < 10
    assert len(pool.stopped) == 1


def test_a_pool_that_says_yes_and_brings_nobody(pool_of: Callable[[Pool], str]) -> None:
    with pytest.raises(RunError, match=r"brought no worker to life within 0 s: the first `python` of its PATH"):
        check_worker_pool(pool_of(Pool(lambda _: "")), worker_s=0.2)


def test_a_pool_that_says_why_not(pool_of: Callable[[Pool], str]) -> None:
    address = pool_of(Pool(lambda _: "Traceback\nFileNotFoundError: 'python'\n"))
    with pytest.raises(RunError, match=f"the worker pool at {address} starts no worker: FileNotFoundError: 'python'"):
        check_worker_pool(address)


def test_workers_with_another_winnow_are_refused() -> None:
    worker_check.check_worker(b"", worker_check.own_state())
    with pytest.raises(
        RunError, match=r"the Python workers have another Winnow \(Python 3.*\) than this command \(old\)"
    ):
        worker_check.check_worker(b"", "old")


def test_the_python_job_service_inside_runs_a_pipeline(tmp_path: Path) -> None:
    words = ["--runner=PortableRunner", "--job_endpoint=embed", "--environment_type=LOOPBACK"]
    target = tmp_path / "out"
    engine = Engine(words, tmp_path / "log", str(tmp_path))
    engine.run("clean", lambda p: p | beam.Create(["a"]) | beam.Map(lambda text: target.write_text(text)), 1.0)
    assert target.read_text() == "a"
    with pytest.raises(RunError, match=r"^row 3 is broken$"):
        engine.run("clean", lambda p: p | beam.Create(["a"]) | beam.Map(_break), 1.0)


def _break(_: str) -> None:
    raise RunError("row 3 is broken")


@pytest.fixture
def beams_pool(nobody: str, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Start Beam's own worker pool with a PATH."""
    pools: list[subprocess.Popen[bytes]] = []

    def begin(path: str) -> str:
        port = nobody.rpartition(":")[2]
        command = [sys.executable, "-m", "apache_beam.runners.worker.worker_pool_main", f"--service_port={port}"]
        with (tmp_path / "pool").open("wb") as log:
            environment = {**os.environ, "PATH": path}
            pools.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True))
        end = time.monotonic() + 60
        while not portable.listens(nobody):
            assert time.monotonic() < end
            time.sleep(0.1)
        return nobody

    yield begin
    for pool in pools:
        os.killpg(pool.pid, signal.SIGKILL)
        pool.wait()


def test_beams_pool_with_our_python_brings_a_worker(beams_pool: Callable[[str], str]) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    assert check_worker_pool(beams_pool(path)) > 0


def test_beams_pool_with_another_python_says_yes_and_brings_nobody(
    beams_pool: Callable[[str], str], tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to("/bin/false")
    address = beams_pool(f"{tmp_path}/bin{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(RunError, match="brought no worker to life within 2 s"):
        check_worker_pool(address, worker_s=2.0)


def test_a_child_ends_with_the_process_that_asked_for_it(tmp_path: Path) -> None:
    script = "import sys, time; from pipelines.engines.child import start_child; "
    script += "print(start_child([sys.executable, '-c', 'import time; time.sleep(600)'], 2).pid, flush=True); "
    parent = subprocess.Popen([sys.executable, "-c", script + "time.sleep(600)"], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout:
        child = int(parent.stdout.readline())
    assert Path(f"/proc/{child}").exists()
    parent.kill()
    parent.wait()
    end = time.monotonic() + 30
    while _lives(child):
        assert time.monotonic() < end
        time.sleep(0.05)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False
