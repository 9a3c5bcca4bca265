"""Ends what the main thread waits for from another thread: Beam itself would wait for ever for what is gone."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from pipelines.engines.workers.local_workers import LocalWorkers

Stop = Callable[[str], None]


class LostError(BaseException):
    """Raised in the main thread with what was lost; not an Exception, so that no handler in Beam catches it."""


@contextlib.contextmanager
def interruptible() -> Iterator[Stop]:
    """Yield a function that raises LostError in the main thread, with the reason it is given; the first one counts.

    The main thread is interrupted by SIGUSR1, and Beam tidies up as it does after Ctrl-C. Elsewhere the function does
    nothing: only a main thread takes signals.
    """
    main = threading.main_thread()
    if threading.current_thread() is not main or main.ident is None:
        yield lambda _reason: None
        return
    ident = main.ident
    reasons: list[str] = []

    def stop(reason: str) -> None:
        reasons.append(reason)
        signal.pthread_kill(ident, signal.SIGUSR1)

    def heard(_number: int, _frame: FrameType | None) -> None:
        if reasons and sys.exc_info()[0] is None:  # else it is ending already, and took its workers along
            raise LostError(reasons[0])

    before = signal.signal(signal.SIGUSR1, heard)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGUSR1, before)


@contextlib.contextmanager
def worker_deaths(stop: Stop, workers: LocalWorkers) -> Iterator[None]:
    """Call `stop` when one of the direct runner's worker processes dies, as by the kernel's want of memory.

    Beam's thread `run_worker` waits for the process and raises when it ends badly. Workers that we have killed are not
    lost.
    """
    previous_hook = threading.excepthook

    def heard(failed: Any) -> None:
        previous_hook(failed)
        if failed.thread is not None and failed.thread.name == "run_worker" and not workers.stopped:
            status = str(failed.exc_value).rpartition(" ")[2]
            stop(f"a worker process died (status {status}; out of memory?)")

    threading.excepthook = heard
    try:
        yield
    finally:
        threading.excepthook = previous_hook
