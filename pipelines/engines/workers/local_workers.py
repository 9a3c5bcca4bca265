"""The worker processes of Beam's local runner: kept apart from the terminal, and ended with what waits for them.

Ctrl-C reaches every process of the terminal's group. Beam then asks the workers that are left to finish and waits for
them without a limit; one that was still starting never hears of it, and the command hung (tests/pipelines/terminal).
So workers are in sessions of their own, and whoever asks the command to stop has them killed first.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

INSIST_S = 5.0  # between two interruptions of a main thread that is still tidying up
_ASKS = (signal.SIGINT, signal.SIGTERM)


class LocalWorkers:
    """The worker processes that were started within `recorded`."""

    def __init__(self) -> None:
        self.stopped = False  # by `kill`: what ends after that was not lost
        self._processes: list[subprocess.Popen[Any]] = []

    def start(self, *words: Any, **how: Any) -> subprocess.Popen[Any]:
        """Do as `subprocess.Popen`, in a session of its own."""
        process: subprocess.Popen[Any] = subprocess.Popen(*words, **how, start_new_session=True)
        self._processes.append(process)
        if self.stopped:  # it was being started meanwhile
            self.kill()
        return process

    def kill(self) -> None:
        """Kill all of them, and what they have started; they hold nothing that a next run would miss."""
        self.stopped = True
        for process in self._processes:
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


class _Subprocess:
    """The module `subprocess` for the one module of Beam that starts workers."""

    def __init__(self, workers: LocalWorkers) -> None:
        self.Popen = workers.start

    def __getattr__(self, name: str) -> Any:
        return getattr(subprocess, name)


@contextlib.contextmanager
def recorded() -> Iterator[LocalWorkers]:
    """Record the workers that Beam starts in this block; when it ends in any other way than well, they are killed."""
    from apache_beam.runners.portability import local_job_service

    workers = LocalWorkers()
    before = vars(local_job_service)["subprocess"]
    vars(local_job_service)["subprocess"] = _Subprocess(workers)
    try:
        with _asked_to_stop(workers):
            yield workers
    except BaseException:
        workers.kill()
        raise
    finally:
        vars(local_job_service)["subprocess"] = before


@contextlib.contextmanager
def _asked_to_stop(workers: LocalWorkers) -> Iterator[None]:
    """Kill the workers on SIGINT and SIGTERM, then do what the signal did before; interrupt the tidying time and again.

    Beam's tidying waits in turn for bundles, threads and servers, some of which a killed worker never answers.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    over = threading.Event()

    def insist(number: int) -> None:
        while not over.wait(INSIST_S):
            signal.pthread_kill(threading.main_thread().ident or 0, number)

    def heard(number: int, frame: FrameType | None) -> None:
        if not workers.stopped:
            threading.Thread(target=insist, args=(number,), daemon=True).start()
        workers.kill()
        act = before[signal.Signals(number)]
        if callable(act):
            act(number, frame)

    before = {number: signal.getsignal(number) for number in _ASKS}
    ours = [number for number in _ASKS if callable(before[number])]  # what is ignored, as under nohup, stays so
    for number in ours:
        signal.signal(number, heard)
    try:
        yield
    finally:
        over.set()
        for number in ours:
            signal.signal(number, before[number])
