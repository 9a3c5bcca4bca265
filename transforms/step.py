"""The two usual kinds of per-document step, and the loop that runs a list of steps over a batch.

* `Filter(name, measure, decide, config)`: measures a text, stores the measures as a struct column called `name`,
  and decides on them. It never edits.
* `Editor(name, edit, config)`: returns another text and counts of what it changed. It never decides.

Both are built from pure functions that a rule's own file supplies; the recipe puts them in order. A step that wants
many texts at once, or a model to be opened first, writes its own class with the members of `schemas.step.Step`.

A stage runs its steps inside one Beam DoFn (pipelines/), batch by batch, so that a rule costs its own work and no
framework overhead, and so that a row's place in its file, which is its address in every shuffle, stays known.
"""

from __future__ import annotations

import time
import typing
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from schemas.step import Draft, Drop, Edit, Step
from transforms.text_stats import TextView

__all__ = ["Draft", "Drop", "Edit", "Editor", "Filter", "Step", "run_steps"]

S = TypeVar("S")
C = TypeVar("C")


@dataclass(frozen=True)
class Filter(Generic[S, C]):
    """Measure, then decide."""

    name: str
    measure: Callable[[TextView], S]
    decide: Callable[[S, C], Drop | None]
    config: C

    @property
    def stats(self) -> type:
        return typing.cast(type, typing.get_type_hints(self.measure)["return"])

    def open(self) -> None:
        """Nothing to open."""

    def run(self, drafts: Sequence[Draft], edits: Counter[str]) -> None:
        for draft in drafts:
            stats = self.measure(draft.view)
            draft.measures[self.name] = stats
            draft.drop = self.decide(stats, self.config)


@dataclass(frozen=True)
class Editor(Generic[C]):
    """Edit the text and count the edits."""

    name: str
    edit: Callable[[TextView, C], Edit]
    config: C
    stats: None = None

    def open(self) -> None:
        """Nothing to open."""

    def run(self, drafts: Sequence[Draft], edits: Counter[str]) -> None:
        for draft in drafts:
            edit = self.edit(draft.view, self.config)
            edits.update({f"{self.name}:{what}": n for what, n in edit.counts.items() if n})
            if edit.text != draft.document.text:
                draft.replace_text(edit.text)


def run_steps(steps: Sequence[Step], drafts: Sequence[Draft], edits: Counter[str], cpu_ns: Counter[str]) -> None:
    """Run `steps` in order over the drafts still alive; `cpu_ns` gains the CPU time of each step."""
    live = list(drafts)
    for step in steps:
        started = time.thread_time_ns()
        step.run(live, edits)
        for draft in live:
            if not draft.alive:
                draft.step = step.name
        live = [draft for draft in live if draft.alive]
        cpu_ns[step.name] += time.thread_time_ns() - started
