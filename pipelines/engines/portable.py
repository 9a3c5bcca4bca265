"""Where a job goes that runs outside this process: job server, Flink cluster, workers; and whether all of it is there.

What is missing is reported in one line before anything is submitted. Beam would wait for ever: for a job server, for
slots, for a worker that its pool could not start.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
from apache_beam.options.pipeline_options import (
    FlinkRunnerOptions,
    JobServerOptions,
    PipelineOptions,
    PortableOptions,
    StandardOptions,
    WorkerOptions,
)
from apache_beam.portability.api import beam_job_api_pb2, beam_job_api_pb2_grpc

from pipelines.engines.flink_rest import FlinkRest
from pipelines.engines.interrupt import Stop
from pipelines.engines.workers.pool_line import PoolLine
from pipelines.engines.workers.worker_pool import check_worker_pool
from schemas.errors import ConfigError, RunError

RUNNERS = ("portablerunner", "flinkrunner")
EMBEDDED = ("[local]", "[auto]")  # Flink inside the job server
ENVIRONMENTS = ("EXTERNAL", "PROCESS", "DOCKER", "LOOPBACK")
ANSWER_S = 15.0
CHECK_S = 5.0  # between two looks at a running job's cluster
LOST_S = 30.0  # what has not answered for so long is gone: a restarted process is back by then
CANCEL_S = 60.0
# The largest stage, dedup, in one task manager of Flink 1.19: 2 slots fail with 48 MiB and pass with 96, 4 fail with
# 96 and pass with 192. An earlier graph needed more than 160 at 2.
NETWORK_MIB_PER_SLOT = 128
_HOST_PORT = re.compile(r"(\[[0-9a-fA-F:]+\]|[^:\s/]+):(\d{1,5})")


@dataclass(frozen=True)
class Target:
    """The places that a job needs, as Beam's options name them; '' for none."""

    runner: str
    job_server: str  # host:port, 'embed', or '' where one is to be started
    flink: str  # http(s)://host:port of an existing cluster
    parallelism: int
    environment: str  # DOCKER, PROCESS, EXTERNAL, LOOPBACK ...
    pool: str  # host:port of the worker pool, as task managers see it
    command: str  # what starts a worker process
    java: str  # starts the job server

    @property
    def sees_workers(self) -> bool:
        """Whether task managers are on this machine, so that what they will use can be tried from here."""
        return not self.flink or is_here(urllib.parse.urlsplit(self.flink).hostname or "")


def target_of(options: PipelineOptions) -> Target | None:
    """Return where the options send a job; None when it is not to a portable runner. Raises ConfigError."""
    runner = (options.view_as(StandardOptions).runner or "").rpartition(".")[2].lower()
    if runner not in RUNNERS:
        return None
    portable, flink = options.view_as(PortableOptions), options.view_as(FlinkRunnerOptions)
    environment = _environment(options, runner)
    target = Target(
        runner=runner,
        job_server=portable.job_endpoint or "",
        flink=_flink_address(flink.flink_master),
        parallelism=flink.parallelism,
        environment=environment,
        pool=_pool_address(portable) if environment == "EXTERNAL" else "",
        command=_process_command(portable) if environment == "PROCESS" else "",
        java=options.view_as(JobServerOptions).job_server_java_launcher,
    )
    if not target.job_server and runner == "portablerunner":
        raise ConfigError("--runner PortableRunner needs --job_endpoint HOST:PORT, the address of a job server")
    if target.job_server not in ("", "embed") and not _HOST_PORT.fullmatch(target.job_server):
        raise ConfigError(f"--job_endpoint {target.job_server}: expected HOST:PORT")
    if environment == "LOOPBACK" and not target.sees_workers:
        raise ConfigError(
            f"--environment_type LOOPBACK: its workers live in this process, where {target.flink} cannot reach them;"
            " use EXTERNAL, PROCESS or DOCKER"
        )
    return target


def is_here(host: str) -> bool:
    """Return whether a host name means this machine."""
    name = host.strip("[]").lower()
    if name in ("localhost", socket.gethostname().lower()):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _environment(options: PipelineOptions, runner: str) -> str:
    portable = options.view_as(PortableOptions)
    given = str(portable.environment_type or "")
    if given:
        if given.upper() in ENVIRONMENTS:
            return given.upper()
        if given.startswith("beam:env:"):
            return given
        raise ConfigError(f"--environment_type {given}: not one of {', '.join(ENVIRONMENTS)}")
    if runner == "flinkrunner" and options.view_as(FlinkRunnerOptions).flink_master in EMBEDDED:
        return "LOOPBACK"
    if options.view_as(WorkerOptions).sdk_container_image or portable.environment_config:
        return "DOCKER"
    raise ConfigError(
        "Beam options: no place for Python workers; give --environment_type EXTERNAL --environment_config HOST:PORT of"
        " a worker pool, LOOPBACK for this process, or --sdk_container_image of the worker image"
    )


def _flink_address(master: str) -> str:
    if master in EMBEDDED:
        return ""
    address = master if "://" in master else f"http://{master}"
    parts = urllib.parse.urlsplit(address)
    with contextlib.suppress(ValueError):  # of a port that is none
        if parts.scheme in ("http", "https") and parts.hostname and (parts.port or parts.scheme == "https"):
            return f"{parts.scheme}://{parts.netloc}"
    raise ConfigError(f"--flink_master {master}: expected HOST:PORT of Flink's REST interface, or [local]")


def _pool_address(portable: PortableOptions) -> str:
    given = portable.environment_config or portable.lookup_environment_option("external_service_address") or ""
    with contextlib.suppress(ValueError):
        plain = json.loads(given)
        given = plain.get("url", "") if isinstance(plain, dict) else given
    if not _HOST_PORT.fullmatch(given):
        raise ConfigError(f"--environment_config {given or '(none)'}: expected HOST:PORT of a worker pool")
    return str(given)


def _process_command(portable: PortableOptions) -> str:
    given = portable.lookup_environment_option("process_command") or ""
    with contextlib.suppress(ValueError):
        plain = json.loads(portable.environment_config or "")
        given = plain.get("command", "") if isinstance(plain, dict) else given
    if not given:
        raise ConfigError('--environment_type PROCESS needs --environment_config \'{"command": "PATH"}\'')
    return str(given)


def check_target(target: Target) -> None:
    """Raise RunError when something that a job will need is not there or not enough."""
    if target.flink:
        _check_flink(target)
    if target.job_server not in ("", "embed"):
        check_job_server(target.job_server)
    if target.sees_workers:
        _check_environment(target)


def _check_flink(target: Target) -> None:
    state = FlinkRest(target.flink).state()
    wanted = max(target.parallelism, 1)
    if state.slots < wanted:
        raise RunError(
            f"Flink at {target.flink} has {state.slots} slots in {state.task_managers} task managers, but --parallelism"
            f" is {wanted}; start more task managers or lower it"
        )
    if state.free_slots < wanted:
        raise RunError(
            f"Flink at {target.flink} has {state.free_slots} of {state.slots} slots free, but --parallelism is"
            f" {wanted}: another job runs there; wait for its end or cancel it"
        )
    used = min(wanted, state.slots_of_it)
    needed = used * NETWORK_MIB_PER_SLOT << 20
    if state.network_bytes < needed:
        raise RunError(
            f"Flink at {target.flink}: a task manager has {state.network_bytes >> 20} MiB of network memory, but {used}"
            f" slots need {needed >> 20}; raise taskmanager.memory.network.min and .max"
        )


def workers_of(target: Target) -> int:
    """Return how many Python processes a task manager is to have: one for each slot that the job takes there.

    Beam's own choice is one for all slots, whose threads take turns at one core.
    """
    return max(1, min(target.parallelism, FlinkRest(target.flink).state().slots_of_it))


def check_job_server(address: str) -> None:
    """Raise RunError when no job server answers at `address` (host:port)."""
    with grpc.insecure_channel(address) as channel:
        try:
            beam_job_api_pb2_grpc.JobServiceStub(channel).DescribePipelineOptions(
                beam_job_api_pb2.DescribePipelineOptionsRequest(), timeout=ANSWER_S
            )
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.UNIMPLEMENTED:
                raise RunError(f"the job server at {address} does not answer; start it, or correct it") from None


def _check_environment(target: Target) -> None:
    if target.environment == "EXTERNAL" and is_here(target.pool.rpartition(":")[0]):
        check_worker_pool(target.pool)
    if target.environment == "PROCESS" and shutil.which(target.command) is None:
        raise RunError(f"--environment_config: there is no program {target.command} to start workers with")
    if target.environment == "DOCKER" and not _docker_answers():
        raise RunError("--environment_type DOCKER: no `docker` answers on this machine; use EXTERNAL or PROCESS")


def _docker_answers() -> bool:
    docker = shutil.which("docker")
    if docker is None:
        return False
    try:
        return subprocess.run([docker, "version"], capture_output=True, timeout=ANSWER_S, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def check_java(target: Target, jar: str | None) -> None:
    """Raise RunError when a job server cannot be started: no Java, or no such jar."""
    if shutil.which(target.java) is None:
        raise RunError(
            f"Beam's Flink job server needs Java, and there is no `{target.java}` on the PATH; install Java 11 or 17,"
            " or give --job_endpoint of a job server that runs"
        )
    if jar and "://" not in jar and not Path(jar).is_file():
        raise RunError(f"--flink_job_server_jar {jar}: no such file")


@contextlib.contextmanager
def watched(target: Target, stop: Stop) -> Iterator[None]:
    """Call `stop` when something that a running job needs has been gone for LOST_S."""
    over = threading.Event()
    threading.Thread(target=_watch, args=(target, stop, over), daemon=True).start()
    try:
        yield
    finally:
        over.set()


def _watch(target: Target, stop: Stop, over: threading.Event) -> None:
    since: float | None = None
    line = PoolLine(target.pool) if _has_pool_here(target) else None
    while not over.wait(CHECK_S):
        if line is not None and line.broken_at is not None and _has_restarted(target, line.broken_at):
            line.close()  # the job has asked for its workers again
            line = PoolLine(target.pool)
        reason = lost(target)
        if not reason and line is not None and line.broken_at is not None:
            reason = f"the worker pool at {target.pool} was started anew, and the job waits for workers of the old one"
        if not reason:
            since = None
            continue
        since = since or time.monotonic()
        if time.monotonic() - since >= LOST_S:
            stop(reason)
            break
    if line is not None:
        line.close()


def _has_pool_here(target: Target) -> bool:
    return bool(target.pool) and target.sees_workers and is_here(target.pool.rpartition(":")[0])


def _has_restarted(target: Target, since: float) -> bool:
    """Return whether Flink began one of our jobs anew after a moment (seconds since 1970)."""
    if not target.flink:
        return False
    try:
        return FlinkRest(target.flink).restarted_at("winnow-") / 1000 >= since - CHECK_S
    except RunError:
        return False


def lost(target: Target) -> str:
    """Return what a running job needs and has not any more; '' when all is there."""
    if target.flink:
        try:
            state = FlinkRest(target.flink).state()
        except RunError as error:
            return str(error)
        if state.slots < max(target.parallelism, 1):
            return f"Flink at {target.flink} has only {state.slots} slots left"
    if target.job_server not in ("", "embed") and not listens(target.job_server):
        return f"the job server at {target.job_server} is gone"
    if _has_pool_here(target) and not listens(target.pool):
        return f"the worker pool at {target.pool} is gone"
    return ""


def listens(address: str) -> bool:
    """Return whether something takes connections at `address` (host:port)."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CHECK_S).close()
    except OSError:
        return False
    return True


def cancel_jobs(flink: str, prefix: str, wait_s: float = CANCEL_S) -> list[str]:
    """Cancel the jobs whose names begin with `prefix` and wait for their end; return their names.

    Raises RunError when one is still there after `wait_s`.
    """
    rest = FlinkRest(flink)
    found = rest.running(prefix)
    for job in found:
        rest.cancel(job)
    until = time.monotonic() + wait_s
    while left := rest.running(prefix):
        if time.monotonic() > until:
            raise RunError(f"Flink at {flink} does not end job {min(left.values())}; cancel it there and run again")
        time.sleep(1)
    return sorted(found.values())
