"""Ctrl-C and SIGTERM end a run, even where something in between takes them for an error of its own.

A signal raises in the main thread, wherever that is just then: in a library's bare `except`, in a finaliser. What is
lost there is remembered and raised again before the next stage.
"""

from __future__ import annotations

import signal
from types import FrameType


class TerminatedError(BaseException):
    """SIGTERM; no library's `except Exception` takes it for an error of its own."""


_RAISES: dict[int, type[BaseException]] = {signal.SIGINT: KeyboardInterrupt, signal.SIGTERM: TerminatedError}
_asked: list[type[BaseException]] = []  # a process has one main thread, and so one such list


def heed_signals() -> None:
    """Let both signals end this process from now on; Ctrl-C stays ignored where a shell has it so (`nohup`, `&`)."""
    _asked.clear()
    signal.signal(signal.SIGTERM, _heard)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _heard)


def check_stop() -> None:
    """Raise again what a signal has raised and something has swallowed."""
    if _asked:
        raise _asked[0]


def _heard(number: int, _frame: FrameType | None) -> None:
    _asked.append(_RAISES[number])
    raise _RAISES[number]
