"""Who holds the lock of a folder: what a lock says of its process, and whether that process is still there."""

from __future__ import annotations

import dataclasses
import datetime
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ENDED = "ended"


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A process that holds a folder."""

    pid: int
    host: str
    since: str  # UTC, ISO 8601
    machine: str  # this start of this machine, and the namespace of its process ids; '' where that cannot be known
    started: str  # when the process started, in the kernel's count: tells it from a later one with its id

    @staticmethod
    def us() -> Holder:
        """Return this process as a holder from now on."""
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        pid = os.getpid()
        return Holder(pid=pid, host=socket.gethostname(), since=now, machine=_machine(), started=_started(pid))

    @staticmethod
    def parse(plain: Any) -> Holder | None:
        """Return the holder that a lock names; None when it names nobody."""
        try:
            texts = {name: str(plain[name]) for name in ("host", "since", "machine", "started")}
            return Holder(pid=int(plain["pid"]), **texts)
        except (KeyError, TypeError, ValueError):
            return None

    @property
    def is_dead(self) -> bool:
        """Whether it is known to have ended: it ran on this machine, and does not any more."""
        if not self.machine or self.machine != _machine():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:  # somebody else's: it is there
            return False
        return _started(self.pid) not in ("", self.started)

    def to_plain(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} since {self.since}"


def _machine() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """Return when a process started, in ticks since the machine did; '' when that cannot be known."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return _ENDED if fields[0] in "ZX" else fields[19]
