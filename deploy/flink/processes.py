"""Processes that outlive the command that started them, and are found again to be stopped: a group each.

A group is known by its leader, and the leader by its pid and the instant it was born, so that nothing foreign that got
the same pid later is ever signalled.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

STOP_S = 10.0  # from SIGTERM to SIGKILL
KILLED_S = 5.0
PAUSE_S = 1.0
MAX_DEATHS, DEATHS_S = 8, 60.0


@dataclass(frozen=True)
class Started:
    """The leader of a process group."""

    name: str
    pid: int
    born: str

    @property
    def alive(self) -> bool:
        return born(self.pid) == self.born


def born(pid: int) -> str:
    """Return when a process was born, in words that no later process of the same pid has; '' when it is not there."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return ""
        listed = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
        return listed.stdout.strip()
    state, *rest = text.rpartition(")")[2].split()
    return "" if state in "ZX" else rest[18]


def start(
    name: str, command: Sequence[str], log: Path, environment: Mapping[str, str], folder: Path, keep: bool = False
) -> Started:
    """Start a command as the leader of its own group; with `keep` it is started again whenever it dies."""
    words = [sys.executable, "-m", "deploy.flink.processes", *command] if keep else list(command)
    with log.open("ab") as out:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=folder,
            start_new_session=True,
        )
    process.returncode = 0  # it is meant to outlive us: Popen would warn of that
    return Started(name, process.pid, born(process.pid))


def stop(processes: Iterable[Started]) -> None:
    """End the groups: all that is in them, also where the leader is dead already."""
    groups = [process.pid for process in processes if process.alive or not born(process.pid)]
    for number, limit in ((signal.SIGTERM, STOP_S), (signal.SIGKILL, KILLED_S)):
        for group in groups:
            _signal(group, number)
        until = time.monotonic() + limit
        while groups and time.monotonic() < until:
            groups = [group for group in groups if members(group)]
            time.sleep(0.1)


def members(group: int) -> list[int]:
    """Return the processes of a group that are not zombies; where there is no /proc, the group itself if it exists."""
    if not Path("/proc/self/stat").exists():
        return [group] if _signal(group, 0) else []
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, of = path.read_text().rpartition(")")[2].split()[:3]
            if int(of) == group and state not in "ZX":
                found.append(int(path.parent.name))
    return found


def _signal(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def keep(command: Sequence[str]) -> int:
    """Run a command again whenever it ends; give up when it ends MAX_DEATHS times within DEATHS_S."""
    deaths: deque[float] = deque(maxlen=MAX_DEATHS)
    while len(deaths) < MAX_DEATHS or deaths[-1] - deaths[0] > DEATHS_S:
        subprocess.run(command, check=False)
        deaths.append(time.monotonic())
        time.sleep(PAUSE_S)
    return 1


if __name__ == "__main__":
    sys.exit(keep(sys.argv[1:]))
