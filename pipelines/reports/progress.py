"""Live progress of a run for a person: one line a stage with parts, counts, rate and the time that is left.

Counts are read from the `done` files that workers leave, wherever they run, so the display needs nothing of the runner.
A terminal has one line that is drawn anew, of what fits its width; a pipe, a file or a dumb terminal a line now and
then.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

import storage
from pipelines.runs.counts import Counts, PartCounts
from pipelines.runs.folder import DataFolder, Manifest
from pipelines.runs.plan import PlannedStage
from pipelines.runs.runner import Watcher
from pipelines.runs.stage import PHASES
from schemas.errors import WinnowError

POLL_S = 0.5  # between two looks at a stage's folders
REMOTE_POLL_S = 5.0  # where each look costs requests
QUIET_EVERY_S = 30.0  # between lines when the output is no terminal
_GAP = "  "


@dataclass(frozen=True)
class Piece:
    """A part of a line: what matters least (the highest `rank`) is left out first where a terminal is narrow."""

    text: str
    rank: int
    style: str = ""


def fitted(pieces: Sequence[Piece], width: int) -> Text:
    """Return the pieces that fit into `width` columns, in order; those of rank 0 always."""
    left = list(pieces)
    while sum(len(piece.text) + len(_GAP) for piece in left) - len(_GAP) > width:
        last = max(left, key=lambda piece: piece.rank)
        if last.rank == 0:
            break
        left.remove(last)
    return Text(_GAP).join(Text(piece.text, style=piece.style) for piece in left)


def seconds_left(done: int, parts: int, done_before: int, elapsed_s: float) -> float | None:
    """Return how long a stage will take to its end, from the parts that it has done in `elapsed_s`; None if unknown.

    `done_before` of its `parts` were there when it began, from a run that was stopped.
    """
    new = done - done_before
    return elapsed_s * (parts - done) / new if new > 0 and parts >= done else None


def clock(seconds: float) -> str:
    """Return a duration as 0:07, 12:30 or 1:02:03."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"


class Progress(Watcher):
    """Prints to `console`; use as a context manager around the run."""

    def __init__(self, console: Console) -> None:
        self._console = console
        is_live = console.is_terminal and not console.is_dumb_terminal
        # Not stderr: rich would stand between it and the log of Beam, which goes where file descriptor 2 does.
        self._live = (
            Live(console=console, auto_refresh=False, transient=True, redirect_stderr=False) if is_live else None
        )
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._stages: list[str] = []
        self._parts = 0
        self._name = ""
        self._started = 0.0

    def __enter__(self) -> Progress:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._halt()
        if self._live:
            self._live.stop()

    def run_planned(self, planned: Sequence[PlannedStage]) -> None:
        self._stages = [step.id for step in planned]

    def stage_skipped(self, planned: PlannedStage, manifest: Manifest) -> None:
        self._console.print(Text(f"= {manifest.stage:<12} {planned.why}", style="dim"))

    def stage_started(self, planned: PlannedStage, target: DataFolder) -> None:
        self._parts, self._name, self._started = 0, planned.id, time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, args=(target, self._stop), daemon=True)
        self._thread.start()

    def stage_parts(self, parts: int) -> None:
        self._parts = parts

    def stage_committed(self, manifest: Manifest) -> None:
        self._halt()
        counts = manifest.counts
        dropped, failed = sum(counts.dropped.values()), sum(counts.failed.values())
        rate = counts.read / max(manifest.wall_s, 1e-3)
        whole = (
            f"+ {manifest.stage:<12} {counts.read:>9,} read {counts.kept:>9,} kept {dropped:>8,} dropped"
            f" {failed:>5,} failed  {manifest.wall_s:6.1f} s  {rate:,.0f}/s"
        )
        line = Text(whole)
        if self._console.is_terminal and len(whole) > self._console.width:
            numbers = _numbers(counts.read, counts.kept, dropped, failed, manifest.wall_s, rate)
            line = fitted([Piece(f"+ {manifest.stage}", 0), *numbers], self._console.width)
        line.stylize("green", 0, 1)
        self._console.print(line)

    def _halt(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._live:
            self._live.update(Text(""), refresh=True)

    def _watch(self, target: DataFolder, stop: threading.Event) -> None:
        seen: dict[str, dict[str, Any]] = {}
        done_before: int | None = None
        printed_at = time.monotonic()
        while True:
            try:
                self._look(target, seen)
                done = sum(1 for place in seen if "/done/" in place)
                done_before = done if done_before is None else done_before
                if self._live:
                    self._live.update(self._line(seen, done, done_before, self._console.width - 1), refresh=True)
                elif time.monotonic() - printed_at > QUIET_EVERY_S:
                    printed_at = time.monotonic()
                    self._console.print(self._line(seen, done, done_before, self._unlimited))
            except (OSError, WinnowError):  # a listing that a store refuses once must not end a run
                pass
            if stop.wait(POLL_S if storage.is_local(target.root) else REMOTE_POLL_S):
                return

    @property
    def _unlimited(self) -> int:
        return self._console.width if self._console.is_terminal else 1000

    def _look(self, target: DataFolder, seen: dict[str, dict[str, Any]]) -> None:
        """Add the counts of the parts that are done by now."""
        for phase in PHASES:
            for name in storage.list_names(target.table(phase)):
                place = f"{target.table(phase)}/{name}"
                if name.endswith(".json") and place not in seen:
                    seen[place] = json.loads(storage.read_bytes(place))

    def _line(self, seen: dict[str, dict[str, Any]], done: int, done_before: int, width: int) -> Text:
        counted = PartCounts()
        for plain in seen.values():
            counted.add(plain)
        total = Counts.of(counted.read, counted.fates)
        elapsed = time.monotonic() - self._started
        left = seconds_left(done, self._parts, done_before, elapsed)
        dropped, failed = sum(total.dropped.values()), sum(total.failed.values())
        number = self._stages.index(self._name) + 1 if self._name in self._stages else 0
        line = fitted(
            [
                Piece(f"> stage {number} of {len(self._stages)}", 0),
                Piece(self._name, 0),
                Piece(f"parts {done}/{self._parts or '?'}", 1),
                Piece(f"ETA {'-' if left is None else clock(left)}", 2),
                *_numbers(total.read, total.kept, dropped, failed, elapsed, total.read / max(elapsed, 1e-3)),
            ],
            width,
        )
        line.stylize("yellow", 0, 1)
        return line


def _numbers(read: int, kept: int, dropped: int, failed: int, seconds: float, rate: float) -> list[Piece]:
    words = (
        f"{read:,} read", f"{kept:,} kept", f"{dropped:,} dropped", f"{failed:,} failed", f"{seconds:.0f} s",
        f"{rate:,.0f}/s",
    )  # fmt: skip
    return [Piece(text, rank) for rank, text in enumerate(words, 3)]
