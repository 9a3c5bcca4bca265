"""Entry point of the `winnow` command: keeps off the terminal what libraries say on import, and stack traces."""

from __future__ import annotations

import logging
import sys
import tempfile
import traceback
from types import TracebackType

from schemas.distribution import missing_module


def main() -> None:
    """Run the command line."""
    logging.getLogger().addHandler(logging.NullHandler())  # Beam warns of clouds that are not installed
    sys.excepthook = _report
    from pipelines import cli

    cli.main()


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
