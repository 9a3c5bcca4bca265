"""Live progress of a run for a person: one line a stage with parts, counts and rate.

Counts are read from the `done` files that workers leave, wherever they run, so the display needs nothing of the runner.
"""

from __future__ import annotations

import json
import threading
import time
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


class Progress(Watcher):
    """Prints to `console`; use as a context manager around the run."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = (
            Live(console=console, auto_refresh=False, transient=True, redirect_stderr=False)
            if console.is_terminal
            else None
        )
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
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

    def stage_skipped(self, planned: PlannedStage, manifest: Manifest) -> None:
        self._console.print(f"[dim]= {manifest.stage:<12} {planned.why}[/dim]", highlight=False)

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
        self._console.print(
            f"[green]+[/green] {manifest.stage:<12} {counts.read:>9,} read {counts.kept:>9,} kept {dropped:>8,} dropped"
            f" {failed:>5,} failed  {manifest.wall_s:6.1f} s  {rate:,.0f}/s",
            highlight=False,
        )

    def _halt(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._live:
            self._live.update(Text(""), refresh=True)

    def _watch(self, target: DataFolder, stop: threading.Event) -> None:
        seen: dict[str, dict[str, Any]] = {}
        printed_at = time.monotonic()
        while not stop.wait(POLL_S if storage.is_local(target.root) else REMOTE_POLL_S):
            try:
                line = self._line(target, seen)
            except (OSError, WinnowError):  # a listing that a store refuses once must not end a run
                continue
            if self._live:
                self._live.update(Text.from_markup(line), refresh=True)
            elif time.monotonic() - printed_at > QUIET_EVERY_S:
                printed_at = time.monotonic()
                self._console.print(line, highlight=False)

    def _line(self, target: DataFolder, seen: dict[str, dict[str, Any]]) -> str:
        for phase in PHASES:
            for name in storage.list_names(target.table(phase)):
                place = f"{target.table(phase)}/{name}"
                if name.endswith(".json") and place not in seen:
                    seen[place] = json.loads(storage.read_bytes(place))
        counted = PartCounts()
        for plain in seen.values():
            counted.add(plain)
        total = Counts.of(counted.read, counted.fates)
        elapsed = time.monotonic() - self._started
        done = sum(1 for place in seen if "/done/" in place)
        return (
            f"[yellow]>[/yellow] {self._name:<12} parts {done}/{self._parts or '?'}  {total.read:,} read "
            f" {total.kept:,} kept  {sum(total.dropped.values()):,} dropped  {sum(total.failed.values()):,} failed "
            f" {elapsed:.0f} s  {total.read / max(elapsed, 1e-3):,.0f}/s"
        )
