"""Runs one Beam pipeline on the runner the user asked for, with Beam's own noise in a file of the run."""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import hashlib
import logging
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import apache_beam as beam
import grpc
from apache_beam.options.pipeline_options import (
    DirectOptions,
    FlinkRunnerOptions,
    GoogleCloudOptions,
    JobServerOptions,
    PipelineOptions,
    PortableOptions,
    SetupOptions,
)
from apache_beam.runners.runner import PipelineRunner

from pipelines.engines.child import start_child, stop_child
from pipelines.engines.flink_rest import FlinkRest
from pipelines.engines.interrupt import LostError, interruptible, worker_deaths
from pipelines.engines.local_flink import with_local_cluster
from pipelines.engines.option_check import check_options, is_local_runner, runner_of
from pipelines.engines.portable import (
    Target,
    cancel_jobs,
    check_java,
    check_target,
    listens,
    target_of,
    watched,
    workers_of,
)
from pipelines.engines.quiet import quiet
from pipelines.engines.workers.local_workers import recorded
from pipelines.engines.workers.worker_check import NO_MODULES, add_worker_check
from schemas.errors import RunError, WinnowError

JOB_SERVER_START_S = 60.0
CANCEL_S = 15.0
A_RUN_S = 30 * 24 * 3600  # Beam's limit for an answer of the job server is one for the whole job with some of them
WORKER_START_S = 3.0  # of CPU: a new interpreter imports Beam and starts a pipeline (measured 2.7)
_WHERE = re.compile(r" \[while running '.*'\]$")  # what Beam appends to every message
_REFUSED = re.compile(r"\[Errno \d+\] (.*)")  # an OSError in the text of a worker's stack trace
_FAILED = re.compile(r"^Pipeline \S+ failed in state [A-Z]+: ")  # what Beam puts before a job server's message
_LOST_WORKER = re.compile(r"StatusRuntimeException: (CANCELLED|UNAVAILABLE)")
PipelineOptionsT = TypeVar("PipelineOptionsT", bound=PipelineOptions)


class Engine:
    """Beam options and the log file of a run; `run` executes one pipeline to its end."""

    def __init__(self, beam_args: Sequence[str], log_path: Path, owner: str = "") -> None:
        """`owner` names the run (its folder): jobs that a killed process of the same run left behind are cancelled."""
        self._args = list(beam_args)
        self._log_path = log_path
        self._owner = hashlib.blake2b(owner.encode(), digest_size=6).hexdigest() if owner else ""
        check_options(self._args)
        self._args = with_local_cluster(self._args)
        self._target = target_of(PipelineOptions(self._args))
        self._is_checked = False
        # What workers on other machines must have, as `CodeIdentity.user_modules` of all stages: set by the caller.
        self.user_modules: Mapping[str, str] = NO_MODULES
        self._seen_modules: Mapping[str, str] = NO_MODULES  # those that a worker had

    @property
    def is_local(self) -> bool:
        """Whether pipelines run in this process and its children."""
        return is_local_runner(runner_of(self._args))

    def run(self, name: str, build: Callable[[beam.Pipeline], Any], work_s: float) -> None:
        """Build and run one pipeline of about `work_s` CPU seconds. Raises RunError with the cause when it fails."""
        options = _Options(self._args)
        options.view_as(SetupOptions).save_main_session = False
        local = self.is_local
        if local and not self._is_given("--direct_running_mode"):
            _choose_workers(options.view_as(DirectOptions), work_s)
        with quiet(self._log_path):
            logging.getLogger(__name__).info("stage %s", name)
            try:
                if self._target is not None:
                    target = self._ready(self._target)
                    self._check_modules(target)
                    state = self._run_portable(target, name, build, options)
                else:
                    pipeline = beam.Pipeline(runner=_local_runner() if local else None, options=options)
                    build(pipeline)
                    if self.user_modules and not local:  # Dataflow, where a job of its own would take minutes
                        add_worker_check(pipeline, self.user_modules)
                    with _same_modules(), recorded() as workers, interruptible() as stop, worker_deaths(stop, workers):
                        state = pipeline.run().wait_until_finish()
            except LostError as lost:
                logging.getLogger(__name__).error("stage %s: %s", name, lost)
                raise RunError(
                    f"stage {name}: {lost}; run the same command again to go on; see {self._log_path}"
                ) from None
            except (RuntimeError, OSError, ValueError, TypeError, ImportError, WinnowError, grpc.RpcError) as error:
                logging.getLogger(__name__).exception("stage %s failed", name)
                asked = next((seen for seen in _chain(error) if not isinstance(seen, Exception)), None)
                if asked is not None:  # Ctrl-C or SIGTERM inside a DoFn: Beam makes a RuntimeError of it
                    raise asked from None
                raise _translated(name, error, self._log_path) from error
            if state != "DONE":
                raise RunError(f"stage {name}: the runner ended in state {state}; see {self._log_path}")

    def _ready(self, target: Target) -> Target:
        """Return the target with a job server, after checking once that all it needs is there."""
        if not self._is_checked:
            if target.flink and self._owner:
                cancel_jobs(target.flink, self._prefix)
            check_target(target)
            self._is_checked = True
        if not target.job_server:
            target = dataclasses.replace(target, job_server=start_job_server(target, self._args, self._log_path))
            self._target = target
        return target

    def _check_modules(self, target: Target) -> None:
        """Compare the user's modules in a job of its own: the stage's would fail first, unpickling what needs them."""
        if self.user_modules != self._seen_modules:
            options = _Options(self._args)
            options.view_as(SetupOptions).save_main_session = False
            self._run_portable(target, "check_workers", lambda pipeline: None, options)
            self._seen_modules = dict(self.user_modules)

    def _is_given(self, *names: str) -> bool:
        return any(word.partition("=")[0] in names for word in self._args)

    @property
    def _prefix(self) -> str:
        return f"winnow-{self._owner}-"

    def _run_portable(
        self, target: Target, name: str, build: Callable[[beam.Pipeline], Any], options: PipelineOptions
    ) -> str:
        """Run one pipeline by a job server; when it ends early, whatever the cause, its job is cancelled."""
        portable = options.view_as(PortableOptions)
        portable.job_endpoint = target.job_server
        portable.environment_type = target.environment
        if not self._is_given("--job_server_timeout", "--job-server-timeout"):
            portable.job_server_timeout = A_RUN_S
        if target.flink and not self._is_given("--sdk_worker_parallelism"):
            portable.sdk_worker_parallelism = workers_of(target)
        job = options.view_as(GoogleCloudOptions).job_name
        if not job:
            stage = name.replace("/", "-")
            job = f"{self._prefix if self._owner else 'winnow-'}{stage}-{time.time_ns():x}"
            options.view_as(GoogleCloudOptions).job_name = job
        pipeline = beam.Pipeline(options=options)
        build(pipeline)
        add_worker_check(pipeline, self.user_modules)
        result = None
        with _same_modules(), interruptible() as stop, watched(target, stop):
            try:
                result = pipeline.run()
                return str(result.wait_until_finish())
            except BaseException:
                _cancel(result, target, job)
                raise


def start_job_server(target: Target, args: Sequence[str], log_path: Path) -> str:
    """Start Beam's own Flink job server for as long as this process lives; return its address.

    The jar is the one of `--flink_job_server_jar`, else that of the SDK's version for the cluster's Flink, from Maven
    Central. Raises RunError when it does not come to life.
    """
    from apache_beam.runners.portability.flink_runner import FlinkJarJobServer, FlinkRunner

    options = PipelineOptions(list(args))
    flink = options.view_as(FlinkRunnerOptions)
    check_java(target, flink.flink_job_server_jar)
    if target.flink:
        flink.flink_master = FlinkRunner.add_http_scheme(flink.flink_master)
        if not any(word.startswith("--flink_version") for word in args):
            flink.flink_version = ".".join(FlinkRest(target.flink).state().version.split(".")[:2])
    server = options.view_as(JobServerOptions)
    if not server.artifacts_dir:
        folder = tempfile.TemporaryDirectory(prefix="winnow-artifacts-")
        atexit.register(folder.cleanup)
        server.artifacts_dir = folder.name
    try:
        command, address = FlinkJarJobServer(options).subprocess_cmd_and_endpoint()
    except (OSError, RuntimeError, ValueError) as error:
        raise RunError(
            f"Beam's job server for Flink {flink.flink_version} cannot be fetched ({' '.join(str(error).split())});"
            " give --flink_job_server_jar PATH, or --job_endpoint of a job server that runs"
        ) from None
    child = start_child([str(word) for word in command], 2)
    atexit.register(stop_child, child)
    until = time.monotonic() + JOB_SERVER_START_S
    while not listens(address):
        if child.poll() is not None:
            raise RunError(f"Beam's Flink job server ended with status {child.returncode}; see {log_path}")
        if time.monotonic() > until:
            stop_child(child)
            raise RunError(f"Beam's Flink job server did not answer in {JOB_SERVER_START_S:.0f} s; see {log_path}")
        time.sleep(0.2)
    return str(address)


def _cancel(result: Any, target: Target, job: str) -> None:
    """End a job that nobody waits for any more; what cannot be asked within CANCEL_S is given up."""

    def ask() -> None:
        with contextlib.suppress(grpc.RpcError, RuntimeError, ValueError):
            if result is not None:
                result.cancel()
        if target.flink:  # a job server that is gone cannot pass it on, and one that is there may not
            with contextlib.suppress(RunError):
                cancel_jobs(target.flink, job, CANCEL_S)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(CANCEL_S)


class _Options(PipelineOptions):
    """Options that make each view once: Beam asks for some 2,000 a run and parses for each (0.9 s)."""

    def view_as(self, cls: type[PipelineOptionsT]) -> PipelineOptionsT:
        views = self.__dict__.setdefault("_made_views", {})
        if cls not in views:
            views[cls] = super().view_as(cls)
        view: PipelineOptionsT = views[cls]
        return view


def _choose_workers(direct: DirectOptions, work_s: float) -> None:
    """Use worker processes when several are asked for, and one process when starting them costs more than they save."""
    workers = direct.direct_num_workers or os.cpu_count() or 1
    if workers > 1 and work_s * (1 - 1 / workers) < WORKER_START_S:
        direct.direct_num_workers, direct.direct_running_mode = 1, "in_memory"
    elif workers > 1:
        direct.direct_running_mode = "multi_processing"


@contextlib.contextmanager
def _same_modules() -> Iterator[None]:
    """Let worker processes find modules where this one does: `python -m` would look in the working folder first."""
    wanted = {"PYTHONSAFEPATH": "1", "PYTHONPATH": os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _local_runner() -> PipelineRunner:
    """Return Beam's portable in-process runner; `DirectRunner` would first try to download and start another one."""
    from apache_beam.runners.portability.fn_api_runner import fn_runner

    return fn_runner.FnApiRunner()


def _translated(name: str, error: Exception, log_path: Path) -> WinnowError:
    """Return what went wrong in a worker as one line; our own errors keep their text."""
    for seen in _chain(error):
        if isinstance(seen, WinnowError):
            seen.args = (_of_stage(name, _WHERE.sub("", str(seen))),)
            return seen
        if isinstance(seen, grpc.RpcError):
            cause = getattr(seen, "details", lambda: "")() or type(seen).__name__
            return RunError(f"stage {name}: the job server was lost ({' '.join(cause.split())}); see {log_path}")
        if isinstance(seen, OSError) and seen.errno is not None:
            return RunError(f"stage {name}: {os.strerror(seen.errno)}: {seen.filename or ''}".rstrip(": "))
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    ours = next((line for line in reversed(lines) if line.startswith("schemas.errors.")), None)
    if ours is not None:
        return RunError(_of_stage(name, _WHERE.sub("", ours.split(": ", 1)[-1])))
    refused = next((found for line in reversed(lines) if (found := _REFUSED.search(line))), None)
    if refused is not None:
        return RunError(f"stage {name}: {_WHERE.sub('', refused[1])}")
    last = _FAILED.sub("", _WHERE.sub("", lines[-1])) if lines else ""
    if _LOST_WORKER.search(last):
        return RunError(f"stage {name}: Python workers were lost, time and again (out of memory?); see {log_path}")
    return RunError(f"stage {name}: {type(error).__name__}: {last}; see {log_path}")


def _of_stage(name: str, text: str) -> str:
    """Return the text of an error with the stage, where it names a step alone."""
    return f"stage {name}: {text}" if text.startswith("step ") else text


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it came from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
