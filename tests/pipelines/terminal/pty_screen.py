"""A command on a real terminal: a pseudo-terminal of some width, what was written to it, what a person sees."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
START = "from pipelines.command import main; main()"
MARK = "WINNOW_TEST_TERMINAL"  # in the environment of the command and of all that it starts
TIMEOUT_S = 180
_CONTROL = re.compile(r"\x1b\[([?\d;]*)([A-Za-z])|([\r\n])")


@dataclass
class Terminal:
    """A command that runs on a terminal of its own, whose foreground job it is."""

    process: subprocess.Popen[bytes]
    master: int
    mark: str
    written: bytes = b""
    interrupted_at: float | None = None
    seconds_to_end: float = field(default=0.0, init=False)  # after Ctrl-C

    @property
    def text(self) -> str:
        return self.written.decode("utf-8", "replace")

    def read_until(self, found: Callable[[], bool]) -> None:
        """Read until `found` says so or the command has closed its terminal."""
        end = time.monotonic() + TIMEOUT_S
        while not found():
            assert time.monotonic() < end, self.text
            if select.select([self.master], [], [], 0.05)[0]:
                try:
                    data = os.read(self.master, 1 << 16)
                except OSError:  # Linux: the last one to hold the other end has closed it
                    data = b""
                if not data:
                    return
                self.written += data

    def interrupt(self) -> None:
        """Type Ctrl-C."""
        self.interrupted_at = time.monotonic()
        os.write(self.master, b"\x03")

    def end(self) -> int:
        """Wait for the end; return the exit code as `subprocess` has it."""
        self.read_until(lambda: False)
        code = self.process.wait(TIMEOUT_S)
        if self.interrupted_at is not None:
            self.seconds_to_end = time.monotonic() - self.interrupted_at
        os.close(self.master)
        return code

    def survivors(self, patience_s: float = 5.0) -> list[int]:
        """Return the processes that the command has left behind after some seconds."""
        end = time.monotonic() + patience_s
        while (left := _marked(self.mark)) and time.monotonic() < end:
            time.sleep(0.1)
        return left

    @property
    def lines(self) -> list[str]:
        """What a person sees at the end: the lines on the screen and above it."""
        return seen_lines(self.text)


def open_terminal(columns: int, *words: object, **environment: str) -> Terminal:
    """Start `winnow WORDS` on a terminal that is `columns` wide."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    mark = f"{os.getpid()}-{master}-{time.monotonic_ns()}"
    given = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", MARK: mark, **environment}
    for name in ("COLUMNS", "LINES", *(["NO_COLOR"] if "NO_COLOR" not in environment else [])):
        given.pop(name, None)
    process = subprocess.Popen(
        [sys.executable, "-c", START, *map(str, words)], stdin=slave, stdout=slave, stderr=slave, env=given,
        preexec_fn=_lead,
    )  # fmt: skip
    os.close(slave)
    return Terminal(process, master, mark)


def _lead() -> None:
    """Be the leader of a session whose terminal is standard input, so that Ctrl-C there means this process."""
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _marked(mark: str) -> list[int]:
    found = []
    for place in Path("/proc").glob("[0-9]*/environ"):
        try:
            environment = place.read_bytes()
            is_zombie = ") Z" in (place.parent / "stat").read_text()
        except OSError:  # it has ended
            continue
        if f"{MARK}={mark}".encode() in environment and not is_zombie:
            found.append(int(place.parent.name))
    return found


def seen_lines(text: str) -> list[str]:
    """Return the lines that are left of what was written to a terminal: colours gone, what was drawn over as drawn.

    Only the controls that rich uses are known; the terminal's own wrapping is not.
    """
    lines, row, at, place = [""], 0, 0, 0
    for found in [*_CONTROL.finditer(text), None]:
        plain = text[place : found.start() if found else len(text)]
        lines[row] = lines[row][:at].ljust(at) + plain + lines[row][at + len(plain) :]
        at += len(plain)
        if found is None:
            break
        place = found.end()
        if found[3] == "\r":
            at = 0
        elif found[3] == "\n":
            row += 1
            lines += [""] * (row == len(lines))
        elif found[2] == "A":
            row = max(0, row - int(found[1] or 1))
        elif found[2] == "K":
            lines[row] = ""
        else:
            assert found[2] in "mhl", found[0]
    return [line.rstrip() for line in lines if line.strip()]
