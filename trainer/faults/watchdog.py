"""Aborts a stalled run so that one hung rank cannot block the others.

Each rank reports each event of its journal and each pass through its model to its watchdog: to measure can take longer
than any step. When nothing comes for `faults.stall_s`, the ranks that are still alive ask each other who answers, one
line says who does not and where this rank hangs, and the process ends, also from within a collective that would never
return. torchrun then ends what is left, a stopped process too, and starts all anew from the newest checkpoint,
`max_restarts` times. The watch begins before the ranks join, which can hang, too.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator

from trainer.loop.ranks import Ranks, joined, own_rank

STALLED = 75  # exit code: of sysexits.h, a failure that trying again may mend
ROLL_CALL_S = 10.0
LOOKS = 8  # in the time after which a rank counts as stalled

End = Callable[[str], None]


def end_process(line: str) -> None:
    """Print why, and end this process at once: its main thread may hang where no signal reaches."""
    print(f"winnow-train: {line}", file=sys.stderr, flush=True)  # noqa: T201  the console may be what hangs
    os._exit(STALLED)


class Watchdog:
    """Watches this rank from a thread."""

    def __init__(self, stall_s: float, ranks: Ranks | None = None, end: End = end_process) -> None:
        self._ranks, self._stall_s, self._end = ranks, stall_s, end
        self._main = threading.get_ident()
        self._closed = threading.Event()
        self._last = time.monotonic()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._thread.start()

    def has_joined(self, ranks: Ranks) -> None:
        """Tell it whom to ask when this rank hangs."""
        self._ranks = ranks
        self.beat()

    def beat(self) -> None:
        """Record that this rank is making progress."""
        self._last = time.monotonic()

    def close(self) -> None:
        self._closed.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._closed.wait(self._stall_s / LOOKS):
            still = time.monotonic() - self._last
            if still > self._stall_s:
                self._end(f"rank {own_rank()}: nothing for {still:.0f} s, in {self._place()}{self._absent()}")
                return

    def _place(self) -> str:
        """Return the innermost line of the trainer that the main thread is in."""
        frame = sys._current_frames().get(self._main)
        while frame is not None and "trainer" not in frame.f_globals.get("__name__", ""):
            frame = frame.f_back
        if frame is None:
            return "no code of the trainer"
        return f"{frame.f_globals['__name__']}.{frame.f_code.co_name}, line {frame.f_lineno}"

    def _absent(self) -> str:
        if self._ranks is None:
            return "; the ranks have not met"
        missing = self._ranks.who_is_absent(min(ROLL_CALL_S, self._stall_s))
        return f"; {missing}" if missing else ""


@contextlib.contextmanager
def joined_and_watched(stall_s: float) -> Iterator[tuple[Ranks, Watchdog]]:
    """Join the other ranks, and watch this one from before that until the end of the block."""
    dog = Watchdog(stall_s)
    try:
        with joined(stall_s) as ranks:
            dog.has_joined(ranks)
            yield ranks, dog
    finally:
        dog.close()
