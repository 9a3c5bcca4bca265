"""The append-only journal of a run: DIR/journal.jsonl, one event a line.

    start     a process started: from which step of the run
    step      one optimiser step: number, loss, gradient norm, rate, tokens, seconds, seconds spent waiting for data,
              and the objective's own metrics by name
    save      a checkpoint is complete
    rollback  back to a step of the run, and the batches of the stage that are skipped from now on; `at`: its bad step
    stage     a stage is complete
    eval      what was measured, and whether a gate let the stage end
    stop      the process ended normally

Every event has `t`, seconds since 1970. The goodput of a run is computed from here: the steps that are still part of
the final weights, against the time since the first start.

A run of a million steps writes some 230 MiB. So a stage reads the journal from its end, only as far as its watch looks
back, and of the rest parses only the kinds of events that it asks for.
"""

from __future__ import annotations

import bisect
import fcntl
import json
import math
import os
import time
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from schemas.errors import RunError

NAME = "journal.jsonl"
_BLOCK = 1 << 16  # bytes that are read at once from the end
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
    with path.open("r+b") as file:
        at = size = file.seek(0, os.SEEK_END)
        whole = 0
        while at and not whole:
            start = max(0, at - _BLOCK)
            file.seek(start)
            found = file.read(at - start).rfind(b"\n")
            whole, at = (start + found + 1 if found >= 0 else 0), start
        if whole < size:
            file.truncate(whole)


def read_journal(folder: Path, only: Collection[str] = ()) -> list[dict[str, Any]]:
    """Return the events of a run, oldest first; an unfinished last line is not one.

    With `only` those of these kinds alone: the other lines are passed over without being parsed.
    """
    return list(read_events(folder, only))


def read_events(folder: Path, only: Collection[str] = ()) -> Iterator[dict[str, Any]]:
    """Yield what `read_journal` returns, one event at a time."""
    path = folder / NAME
    if not path.exists():
        return
    wanted = tuple(f'{{"event":"{kind}"'.encode() for kind in only) or b""
    with path.open("rb") as file:
        lines = (line for line in file if line.endswith(b"\n") and line.startswith(wanted))
        yield from _parse(lines)


def _parse(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and "event" in event:
            yield event


def _lines_backwards(path: Path) -> Iterator[bytes]:
    """Yield the finished lines of a file, the last one first."""
    with path.open("rb") as file:
        at, tail, ended = file.seek(0, os.SEEK_END), b"", False
        while at:
            start = max(0, at - _BLOCK)
            file.seek(start)
            tail, *lines = (file.read(at - start) + tail).split(b"\n")
            at = start
            if lines and not ended:
                lines.pop()  # what follows the last line break: nothing, or an unfinished line
                ended = True
            yield from reversed(lines)
        if ended:
            yield tail


def recent_losses(folder: Path, begin: int, end: int, n: int) -> list[float]:
    """Return the losses, oldest first, of the last `n` applied steps of the lineage from step `begin` to before `end`.

    It is read from the end of the journal, and no further than that takes.
    """
    path, found, limit = folder / NAME, list[float](), end
    for event in _parse(_lines_backwards(path)) if path.exists() else ():
        if event["event"] in ("start", "rollback"):
            limit = min(limit, event["step"])  # what is older and not below it was lost
        elif event["event"] == "step" and event["step"] < limit:
            if event["step"] >= begin and event["applied"]:
                found.append(event["loss"])
            limit = event["step"]
        if limit <= begin or len(found) == n:
            break
    return found[::-1]


class History:
    """The steps that the newest weights are made of, without those that were rolled back or lost, oldest first.

    Numbers in arrays: 56 bytes a step, where its event takes 1.5 kB.
    """

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.steps = array("q")  # of the run
        self.stages = array("q")  # of each step, its place in `names`
        self.names: list[str] = []  # of stages
        self.columns = {name: array("d") for name in ("loss", "rate", "s", "waited_s", "tokens")}
        for event in events:
            self.add(event)

    def add(self, event: Event) -> None:
        """Take the next event of the journal into account."""
        if event["event"] in ("start", "rollback", "step"):
            kept = bisect.bisect_left(self.steps, event["step"])
            del self.steps[kept:], self.stages[kept:]
            for column in self.columns.values():
                del column[kept:]
        if event["event"] == "step":
            stage = str(event.get("stage", ""))
            if stage not in self.names:
                self.names.append(stage)
            self.steps.append(event["step"])
            self.stages.append(self.names.index(stage))
            for name, column in self.columns.items():
                column.append(event.get(name, math.nan))


@dataclass(frozen=True)
class Rollbacks:
    """The roll-backs of a run so far, as a stage sees them."""

    skipped: frozenset[int]  # batches of the stage that are skipped
    turned: tuple[int, ...]  # steps of the stage that ordered one, oldest first
    total: int  # in all stages


def rollbacks_of(events: Iterable[Event], stage: str, key: str) -> Rollbacks:
    """Return the roll-backs of a run, and what of them concerns the stage of this name and key."""
    back = [event for event in events if event["event"] == "rollback"]
    # One without a key is of an earlier version, or made by hand.
    mine = [event for event in back if event["stage"] == stage and event.get("key", key) == key]
    skipped = frozenset(batch for event in mine for batch in event["skip"])
    return Rollbacks(skipped, tuple(event["at"] for event in mine if "at" in event), len(back))


@dataclass(frozen=True)
class Worth:
    """Goodput: where the time of a run went, as shares of the time since its first start."""

    elapsed_s: float
    effective: float  # steps that are part of the newest weights (L3 3.3.4: above 90%)
    lost: float  # steps whose work a failure or a roll-back threw away
    saving: float  # the loop stood still for a checkpoint
    other: float  # starting, evaluating, being down


class Clock:
    """Adds up where the time of a run went, event by event."""

    def __init__(self) -> None:
        self._first: float | None = None
        self._done = self._saving = 0.0

    def add(self, event: Event) -> None:
        """Take the next event of the journal into account."""
        if event["event"] == "start" and self._first is None:
            self._first = event["t"]
        elif event["event"] == "step":
            self._done += event["s"]
        elif event["event"] == "save":
            self._saving += event.get("paused_s", 0.0)

    def worth(self, history: History, now: float) -> Worth:
        """Return how the time up to `now` was spent, given the steps that are left of it."""
        elapsed = max(now - (now if self._first is None else self._first), 1e-9)
        kept = sum(history.columns["s"])
        shares = (kept / elapsed, (self._done - kept) / elapsed, self._saving / elapsed)
        return Worth(elapsed, *shares, other=max(0.0, 1 - sum(shares)))


def worth(events: Iterable[Event], now: float) -> Worth:
    """Return how the time up to `now` was spent."""
    history, clock = History(), Clock()
    for event in events:
        history.add(event)
        clock.add(event)
    return clock.worth(history, now)
