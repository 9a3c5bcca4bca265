"""Runs a command that ends with the process that asked for it, even when that one is killed.

    python -m pipelines.engines.child COMMAND ...

Its standard input is a pipe that the asking process holds open and never writes to: when it ends, so does the command.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO

STOP_S = 10.0  # from SIGTERM to SIGKILL


def start_child(command: Sequence[str], log: IO[bytes] | int) -> subprocess.Popen[bytes]:
    """Start `command`, its output in `log`; it lasts no longer than this process."""
    root = str(Path(__file__).resolve().parents[2])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]).rstrip(":")}
    words = [sys.executable, "-m", "pipelines.engines.child", *command]
    return subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT, env=environment, start_new_session=True
    )


def stop_child(child: subprocess.Popen[bytes]) -> None:
    """End a child and wait until it is gone."""
    if child.stdin is not None:
        with contextlib.suppress(OSError):
            child.stdin.close()
    try:
        child.wait(STOP_S + 5)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def main(command: Sequence[str]) -> int:
    """Run `command` until it ends or standard input does; return its exit status."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    signal.signal(signal.SIGTERM, lambda _number, _frame: process.terminate())
    threading.Thread(target=_outlive, args=(process,), daemon=True).start()
    return process.wait()


def _outlive(process: subprocess.Popen[bytes]) -> None:
    while os.read(0, 1):
        pass
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
