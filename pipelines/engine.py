"""Runs one Beam pipeline on the runner the user asked for, with Beam's own noise in a file of the run."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import apache_beam as beam
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions, SetupOptions, StandardOptions
from apache_beam.runners.runner import PipelineRunner

from pipelines.quiet import quiet
from schemas.errors import ConfigError, RunError, WinnowError

WORKER_START_S = 3.0  # of CPU: a new interpreter imports Beam and starts a pipeline (measured 2.7)
_WHERE = re.compile(r" \[while running '.*'\]$")  # what Beam appends to every message
_REFUSED = re.compile(r"\[Errno \d+\] (.*)")  # an OSError in the text of a worker's stack trace
PipelineOptionsT = TypeVar("PipelineOptionsT", bound=PipelineOptions)
_LOCAL = ("direct", "directrunner", "fnapirunner", "bundlebaseddirectrunner")


class Engine:
    """Beam options and the log file of a run; `run` executes one pipeline to its end."""

    def __init__(self, beam_args: Sequence[str], log_path: Path) -> None:
        self._args = list(beam_args)
        self._log_path = log_path
        self._check()

    @property
    def is_local(self) -> bool:
        """Whether pipelines run in this process and its children."""
        runner = PipelineOptions(self._args).view_as(StandardOptions).runner
        return runner is None or runner.lower() in _LOCAL

    def _check(self) -> None:
        """Refuse what no part of Beam knows, before anything runs; Beam itself would pass over it."""
        parser = argparse.ArgumentParser(allow_abbrev=False, add_help=False)
        for options in sorted(set(PipelineOptions.__subclasses__()), key=lambda cls: cls.__name__):
            adder = getattr(options, "_add_argparse_args", None)
            if adder is not None:
                with contextlib.suppress(argparse.ArgumentError):  # two parts of Beam that share a name mean the same
                    adder(parser)
        try:
            with contextlib.redirect_stderr(_Swallow()) as complaint:
                _, unknown = parser.parse_known_args(self._args)
        except SystemExit:
            raise ConfigError(f"Beam options: {complaint.last_line()}") from None
        if not self.is_local:  # a job server has options of its own; a stray word it has not
            unknown = [
                word for n, word in enumerate(unknown) if word[:2] != "--" and (n == 0 or unknown[n - 1][:2] != "--")
            ]
        if unknown:
            raise ConfigError(f"Beam options: {' '.join(unknown)}: not known to Beam")

    def run(self, name: str, build: Callable[[beam.Pipeline], Any], work_s: float) -> None:
        """Build and run one pipeline of about `work_s` CPU seconds. Raises RunError with the cause when it fails."""
        options = _Options(self._args)
        options.view_as(SetupOptions).save_main_session = False
        local = self.is_local
        if local and not any(word.startswith("--direct_running_mode") for word in self._args):
            _choose_workers(options.view_as(DirectOptions), work_s)
        with quiet(self._log_path):
            logging.getLogger(__name__).info("stage %s", name)
            try:
                pipeline = beam.Pipeline(runner=_local_runner() if local else None, options=options)
                build(pipeline)
                with _same_modules(), _watched():
                    result = pipeline.run()
                    state = result.wait_until_finish()
            except _WorkerDiedError as died:
                logging.getLogger(__name__).error("stage %s: %s", name, died)
                raise RunError(
                    f"stage {name}: {died}; run the same command again to go on; see {self._log_path}"
                ) from None
            except (RuntimeError, OSError, ValueError, TypeError, ImportError, WinnowError) as error:
                logging.getLogger(__name__).exception("stage %s failed", name)
                asked = next((seen for seen in _chain(error) if not isinstance(seen, Exception)), None)
                if asked is not None:  # Ctrl-C or SIGTERM inside a DoFn: Beam makes a RuntimeError of it
                    raise asked from None
                raise _translated(name, error, self._log_path) from error
            if state != "DONE":
                raise RunError(f"stage {name}: the runner ended in state {state}; see {self._log_path}")


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


class _WorkerDiedError(BaseException):
    """Raised in the main thread; not an Exception, so that no handler of Beam's stands in its way."""


@contextlib.contextmanager
def _watched() -> Iterator[None]:
    """Raise _WorkerDiedError when a worker process dies, as by the kernel's want of memory: Beam would wait for ever.

    Beam's thread `run_worker` waits for the process and raises when it ends badly. From there the main thread is
    interrupted by a signal, and Beam tidies up as it does after Ctrl-C.
    """
    main = threading.main_thread()
    if threading.current_thread() is not main or main.ident is None:
        yield
        return
    told, ident = threading.excepthook, main.ident
    deaths: list[str] = []

    def heard(failed: Any) -> None:
        told(failed)
        if failed.thread is not None and failed.thread.name == "run_worker":
            deaths.append(str(failed.exc_value).rpartition(" ")[2])
            signal.pthread_kill(ident, signal.SIGUSR1)

    def stop(_number: int, _frame: FrameType | None) -> None:
        if sys.exc_info()[0] is None:  # else it is ending already, and took its workers along
            raise _WorkerDiedError(f"a worker process died (status {deaths[0]}; out of memory?)")

    before = signal.signal(signal.SIGUSR1, stop)
    threading.excepthook = heard
    try:
        yield
    finally:
        threading.excepthook = told
        signal.signal(signal.SIGUSR1, before)


def _local_runner() -> PipelineRunner:
    """Return Beam's portable in-process runner; `DirectRunner` would first try to download and start another one."""
    from apache_beam.runners.portability.fn_api_runner import fn_runner

    return fn_runner.FnApiRunner()


def _translated(name: str, error: Exception, log_path: Path) -> WinnowError:
    """Return what went wrong in a worker as one line; our own errors keep their text."""
    for seen in _chain(error):
        if isinstance(seen, WinnowError):
            seen.args = (_WHERE.sub("", str(seen)),)
            return seen
        if isinstance(seen, OSError) and seen.errno is not None:
            return RunError(f"stage {name}: {os.strerror(seen.errno)}: {seen.filename or ''}".rstrip(": "))
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    ours = next((line for line in reversed(lines) if line.startswith("schemas.errors.")), None)
    if ours is not None:
        return RunError(_WHERE.sub("", ours.split(": ", 1)[-1]))
    refused = next((found for line in reversed(lines) if (found := _REFUSED.search(line))), None)
    if refused is not None:
        return RunError(f"stage {name}: {_WHERE.sub('', refused[1])}")
    last = _WHERE.sub("", lines[-1]) if lines else ""
    return RunError(f"stage {name}: {type(error).__name__}: {last}; see {log_path}")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it came from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


class _Swallow:
    """Collects what a library prints on stderr."""

    def __init__(self) -> None:
        self._text = ""

    def write(self, text: str) -> int:
        self._text += text
        return len(text)

    def flush(self) -> None:
        """Nothing is buffered."""

    def last_line(self) -> str:
        return (self._text.strip().splitlines() or ["not understood"])[-1]
