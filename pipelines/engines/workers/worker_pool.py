"""Asks a worker pool (Beam's EXTERNAL environment) for a worker, as a Flink task manager does.

A pool says that it has started a worker also when the worker could not start: its `python` is another one than the
virtual environment's, or there is none. Then a job waits for ever, and only the pool's own log says why. So a worker is
asked for and must call back.
"""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from apache_beam.portability.api import (
    beam_fn_api_pb2,
    beam_fn_api_pb2_grpc,
    beam_provision_api_pb2,
    beam_provision_api_pb2_grpc,
    endpoints_pb2,
)

from schemas.errors import RunError

ANSWER_S = 10.0
WORKER_S = 60.0  # a new interpreter imports Beam and calls: 3 s on an idle machine


class _Control(beam_fn_api_pb2_grpc.BeamFnControlServicer):
    """The end of the line that a worker calls: hears that it did, and lets it go."""

    def __init__(self) -> None:
        self.called = threading.Event()

    def Control(self, answers: Any, context: Any) -> Iterator[Any]:  # noqa: N802  gRPC's name
        self.called.set()
        return iter(())


class _Logging(beam_fn_api_pb2_grpc.BeamFnLoggingServicer):
    """Hears what a worker logs; without it `boot` waits before each of its lines."""

    def Logging(self, entries: Any, context: Any) -> Iterator[Any]:  # noqa: N802  gRPC's name
        for _ in entries:
            pass
        yield from ()


class _Provision(beam_provision_api_pb2_grpc.ProvisionServiceServicer):
    """Tells a worker where its services are: `boot`, which container images start, asks before all else."""

    def __init__(self) -> None:
        self.here = endpoints_pb2.ApiServiceDescriptor()

    def GetProvisionInfo(self, request: Any, context: Any) -> Any:  # noqa: N802  gRPC's name
        info = beam_provision_api_pb2.ProvisionInfo(
            control_endpoint=self.here, logging_endpoint=self.here, artifact_endpoint=self.here
        )
        return beam_provision_api_pb2.GetProvisionInfoResponse(info=info)


def check_worker_pool(address: str, worker_s: float = WORKER_S) -> float:
    """Return the seconds in which the pool at `address` (host:port, on this machine) brought a worker to life.

    Raises RunError when it does not answer or no worker calls within `worker_s`.
    """
    control, provision = _Control(), _Provision()
    server = grpc.server(ThreadPoolExecutor(max_workers=8))
    beam_fn_api_pb2_grpc.add_BeamFnControlServicer_to_server(control, server)
    beam_fn_api_pb2_grpc.add_BeamFnLoggingServicer_to_server(_Logging(), server)
    beam_provision_api_pb2_grpc.add_ProvisionServiceServicer_to_server(provision, server)
    port = server.add_insecure_port("localhost:0")
    provision.here.url = f"localhost:{port}"
    server.start()
    try:
        return _ask(address, port, control, worker_s)
    finally:
        server.stop(None)


def _ask(address: str, port: int, control: _Control, worker_s: float) -> float:
    here = endpoints_pb2.ApiServiceDescriptor(url=f"localhost:{port}")
    worker = f"winnow-check-{uuid.uuid4().hex[:8]}"
    started = time.monotonic()
    with grpc.insecure_channel(address) as channel:
        pool = beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolStub(channel)
        asked = beam_fn_api_pb2.StartWorkerRequest(
            worker_id=worker, control_endpoint=here, logging_endpoint=here, artifact_endpoint=here,
            provision_endpoint=here,
        )  # fmt: skip
        try:
            answer = pool.StartWorker(asked, timeout=ANSWER_S)
        except grpc.RpcError as error:
            raise RunError(f"the worker pool at {address} does not answer ({_cause(error)})") from None
        if answer.error:
            raise RunError(f"the worker pool at {address} starts no worker: {answer.error.strip().splitlines()[-1]}")
        called = control.called.wait(worker_s)
        seconds = time.monotonic() - started
        with contextlib.suppress(grpc.RpcError):
            pool.StopWorker(beam_fn_api_pb2.StopWorkerRequest(worker_id=worker), timeout=ANSWER_S)
    if not called:
        raise RunError(
            f"the worker pool at {address} brought no worker to life within {worker_s:.0f} s: the first `python` of its"
            " PATH must be that of Winnow's virtual environment; its log says more"
        )
    return seconds


def _cause(error: grpc.RpcError) -> str:
    code = getattr(error, "code", lambda: None)()
    return "no connection" if code is grpc.StatusCode.UNAVAILABLE else getattr(code, "name", "unknown").lower()
