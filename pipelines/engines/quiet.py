"""Keeps Beam's log, warnings and all that worker processes print off the terminal, in a file of the run."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def quiet(log_path: Path) -> Iterator[None]:
    """Send what is logged or written to stderr, by this process and its children, to the file at `log_path`.

    Everything goes through a pipe, never to the file itself: when its disk is full, a Beam worker that could not print
    why its bundle failed would not report the failure either, and the run would wait for ever (tests/chaos). A log that
    cannot be written is given up; the run is not.
    """
    log_path.parent.mkdir(parents=True, exist_ok=True)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    reading, writing = os.pipe()
    pump = threading.Thread(target=_pump, args=(reading, log_path), daemon=True)
    pump.start()
    sys.stderr.flush()
    saved = os.dup(2)
    os.dup2(writing, 2)
    os.close(writing)
    try:
        # Not sys.stderr: whoever has put something else there, as rich does, would get the log instead of the file.
        stream = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
        handler = logging.StreamHandler(stream)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        root.handlers, root.level = [handler], logging.INFO
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            logging.captureWarnings(True)
            yield
    finally:
        logging.captureWarnings(False)
        sys.stderr.flush()
        os.dup2(saved, 2)
        os.close(saved)
        root.handlers, root.level = handlers, level
        pump.join(timeout=1.0)  # a child that ends later keeps its end of the pipe open


def _pump(reading: int, log_path: Path) -> None:
    """Copy a pipe to a file until its last writer is gone; go on reading when the file cannot be written."""
    with open(reading, "rb", buffering=0) as pipe, contextlib.ExitStack() as stack:
        try:
            log = stack.enter_context(log_path.open("ab", buffering=0))
        except OSError:
            log = None
        while data := pipe.read(1 << 16):
            if log is not None:
                with contextlib.suppress(OSError):
                    log.write(data)
