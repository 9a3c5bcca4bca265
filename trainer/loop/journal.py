"""The append-only journal of a run: DIR/journal.jsonl, one event a line.

    start     a process started: from which step of the run
    step      one optimiser step: number, loss, gradient norm, rate, tokens, seconds, seconds spent waiting for data
    save      a checkpoint is complete
    rollback  back to a step, and the batches of the stage that are skipped from now on
    stage     a stage is complete
    eval      what was measured, and whether a gate let the stage end
    stop      the process ended normally

Every event has `t`, seconds since 1970. The goodput of a run is computed from here: the steps that are still part of
the final weights, against the time since the first start.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from schemas.errors import RunError

NAME = "journal.jsonl"
_DURABLE = frozenset({"start", "save", "rollback", "stage", "stop"})
Event = Mapping[str, Any]


class Journal:
    """Appends events. Only rank 0 has one."""

    def __init__(self, folder: Path) -> None:
        """Lock the journal, and with it the folder. RunError when another process has it."""
        path = folder / NAME
        self._file: BinaryIO = path.open("ab")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise RunError(f"{folder}: another process trains here") from None
        _mend(path)

    def write(self, event: str, **fields: Any) -> None:
        line = json.dumps({"event": event, "t": round(time.time(), 3), **fields}, separators=(",", ":"))
        self._file.write(line.encode() + b"\n")
        self._file.flush()
        if event in _DURABLE:
            os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()


def _mend(path: Path) -> None:
    """Cut off a last line that a killed process left unfinished."""
    if path.exists():
        data = path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            with path.open("r+b") as file:
                file.truncate(whole)


def read_journal(folder: Path) -> list[dict[str, Any]]:
    """Return the events of a run, oldest first; an unfinished last line is not one."""
    path = folder / NAME
    return list(_parse(path.read_bytes())) if path.exists() else []


def _parse(data: bytes) -> Iterator[dict[str, Any]]:
    for line in data.split(b"\n")[:-1]:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and "event" in event:
            yield event


def lineage(events: Iterable[Event]) -> dict[int, Event]:
    """Return the steps that the newest weights are made of, by number: without steps that were rolled back or lost."""
    steps: dict[int, Event] = {}
    for event in events:
        if event["event"] in ("start", "rollback"):
            for lost in [step for step in steps if step >= event["step"]]:
                del steps[lost]
        elif event["event"] == "step":
            steps[event["step"]] = event
    return steps


def skipped_batches(events: Iterable[Event], stage: str) -> frozenset[int]:
    """Return the numbers of the batches of a stage that roll-backs marked to be skipped."""
    return frozenset(
        batch for event in events if event["event"] == "rollback" and event["stage"] == stage for batch in event["skip"]
    )


@dataclass(frozen=True)
class Worth:
    """Goodput: where the time of a run went, as shares of the time since its first start."""

    elapsed_s: float
    effective: float  # steps that are part of the newest weights (L3 3.3.4: above 90%)
    lost: float  # steps whose work a failure or a roll-back threw away
    saving: float  # the loop stood still for a checkpoint
    other: float  # starting, evaluating, being down


def worth(events: Iterable[Event], now: float) -> Worth:
    """Return how the time up to `now` was spent."""
    events = list(events)
    first = next((event["t"] for event in events if event["event"] == "start"), now)
    elapsed = max(now - first, 1e-9)
    done = sum(event["s"] for event in events if event["event"] == "step")
    kept = sum(event["s"] for event in lineage(events).values())
    saving = sum(event.get("paused_s", 0.0) for event in events if event["event"] == "save")
    shares = (kept / elapsed, (done - kept) / elapsed, saving / elapsed)
    return Worth(elapsed, *shares, other=max(0.0, 1 - sum(shares)))
