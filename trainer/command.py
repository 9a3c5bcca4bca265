"""What `winnow-train` starts: the command line, after its imports, which take a second."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

from schemas.distribution import missing_module

STOPPED = 130  # exit code: Ctrl-C


def main() -> None:
    interrupted = signal.getsignal(signal.SIGINT)
    if interrupted is signal.default_int_handler:  # what is ignored, as under nohup, stays so
        signal.signal(signal.SIGINT, _leave)
    try:
        from trainer.commands.cli import main as run

        signal.signal(signal.SIGINT, interrupted)
        run()
    except ModuleNotFoundError as error:  # commands import what takes seconds when they need it
        line = missing_module(error)
        if not line:
            raise
        print(f"winnow-train: {line}", file=sys.stderr)  # noqa: T201
        raise SystemExit(1) from None


def _leave(_number: int, _frame: FrameType | None) -> None:
    """End at once: a KeyboardInterrupt within the imports comes out of a library as any error."""
    os.write(2, f"{os.linesep if os.isatty(2) else ''}winnow-train: stopped{os.linesep}".encode())
    os._exit(STOPPED)


if __name__ == "__main__":
    main()
