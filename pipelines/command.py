"""Entry point of the `winnow` command: keeps off the terminal what libraries say on import, and stack traces."""

from __future__ import annotations

import logging
import os
import signal
import sys
import tempfile
import traceback
from types import FrameType, TracebackType

from pipelines.reports.outcome import GO_ON, STOPPED
from schemas.distribution import missing_module


def main() -> None:
    """Run the command line."""
    logging.getLogger().addHandler(logging.NullHandler())  # Beam warns of clouds that are not installed
    sys.excepthook = _report
    interrupted = signal.getsignal(signal.SIGINT)
    if interrupted is signal.default_int_handler:  # what is ignored, as under nohup, stays so
        signal.signal(signal.SIGINT, _leave)
    from pipelines import cli

    signal.signal(signal.SIGINT, interrupted)
    cli.main()


def _leave(_number: int, _frame: FrameType | None) -> None:
    """End at once: a KeyboardInterrupt within the seconds of imports comes out of a library as any error."""
    os.write(2, f"{os.linesep if os.isatty(2) else ''}winnow: {GO_ON}{os.linesep}".encode())
    os._exit(STOPPED)


def _report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Tell of an error that nobody foresaw in one line; the trace goes to a file for the report.

    A module that only an extra brings is a line on how to install it.
    """
    line = missing_module(error) if isinstance(error, ModuleNotFoundError) else ""
    if line:
        print(f"winnow: {line}", file=sys.stderr)  # noqa: T201
        return
    with tempfile.NamedTemporaryFile("w", prefix="winnow-", suffix=".txt", delete=False) as file:
        traceback.print_exception(kind, error, trace, file=file)
    text = " ".join(str(error).split())
    print(f"winnow: internal error: {kind.__name__}: {text}; please report {file.name}", file=sys.stderr)  # noqa: T201
