"""Evaluation at the end of a stage, and whether the stage may end (L3 section 3.4.2).

A gated stage ends when what is measured at short lengths, held-out loss and the accuracies of tasks, is back where it
was before the stage, and the needle is found at every depth. Each measurement is an event of the journal, so that a
resumed run has the earlier values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.errors import ConfigError, RunError
from trainer.data.corpus import Corpus
from trainer.data.sources import Shards, open_held_out
from trainer.evaluate.needle import NeedleTest
from trainer.evaluate.perplexity import HeldOut, held_out_losses
from trainer.evaluate.recovery import Change, not_recovered
from trainer.evaluate.scores import core, measure_tasks, token_bytes
from trainer.evaluate.tasks import Task, read_task
from trainer.loop.checkpoints import State
from trainer.loop.journal import NAME as JOURNAL
from trainer.loop.journal import read_journal
from trainer.loop.training import Training
from trainer.recipe import Recipe
from trainer.stages.graph import line
from trainer.stages.jobs import StageJob

INIT = "init_from"  # names in the journal, as a stage would, the model that a run begins with


@dataclass(frozen=True)
class Evaluation:
    """What a run is measured on."""

    held_out: Mapping[str, Corpus]
    tasks: Sequence[Task]


def open_evaluation(recipe: Recipe, held_out: Shards) -> Evaluation:
    """Open held-out shards and tasks. ConfigError when a gate would have nothing to measure."""
    gated = [stage.name for stage in recipe.stages if stage.gate.enabled]
    if gated and not held_out:
        raise ConfigError(f"evaluation.held_out: none, but the gate of stage {gated[0]} needs some")
    tasks = [read_task(Path(name)) for name in recipe.evaluation.tasks]
    return Evaluation(open_held_out(recipe, held_out), tasks)


def _start_of(number: int) -> int:
    """Return the number, in the journal, of the weights that a stage begins with which begins with no one stage."""
    return -1 - number


class Gatekeeper:
    """Evaluates at the end of each stage and extends a stage whose gate has not passed."""

    def __init__(self, training: Training, evaluation: Evaluation) -> None:
        self._training = training
        self._held_out, self._tasks = evaluation.held_out, evaluation.tasks
        self._token_bytes = token_bytes(training) if self._held_out else None
        self._needles = NeedleTest(self._held_out, training.recipe.evaluation) if self._held_out else None

    def begin(self, job: StageJob, state: State) -> None:
        """Measure what the stage's gate compares with, where the journal does not have it.

        That is so for a model from elsewhere (init_from), which no stage was there to measure, and for a stage whose
        predecessor was trained when nothing was held out. RunError when it is too late for that.
        """
        training, stage = self._training, job.config
        begins = not job.is_first or bool(training.recipe.init_from)  # from weights that a gate has to compare with
        if not stage.gate.enabled or not begins:
            return
        if training.ranks.from_first(self._before(job.number) if training.ranks.is_first else None) is not None:
            return
        if state.step:
            raise RunError(f"stage {stage.name}: its gate has nothing to compare with in {JOURNAL}; begin it anew")
        *before, _ = line(training.recipe, job.number)
        number = before[-1] if before else _start_of(job.number)
        name = training.recipe.stages[number].name if before else INIT
        self._tell(name, number, state, self.measure(stage.seq_len), None)

    def __call__(self, job: StageJob, state: State) -> bool:
        """Measure, write to the journal, and return whether the stage may end."""
        if not self._held_out and not self._tasks:
            return True
        training, gate = self._training, job.config.gate
        measured = self.measure(self._length(job))
        before = training.ranks.from_first(self._before(job.number) if training.ranks.is_first else None)
        worse = not_recovered(gate, before, measured) if gate.enabled and before is not None else []
        is_open = not gate.enabled or (not worse and measured["needle"] >= gate.needle_accuracy)
        self._tell(job.config.name, job.number, state, measured, is_open, worse)
        return is_open

    def look(self, job: StageJob, state: State) -> None:
        """Measure during a stage, and write to the journal."""
        if self._held_out or self._tasks:
            self._tell(job.config.name, job.number, state, self.measure(self._length(job)), None)

    def _length(self, job: StageJob) -> int:
        """Return the length that a stage is measured at: its own, or the longest of the shards' where it reads rows."""
        return self._training.recipe.unit if job.config.rows else job.config.seq_len

    def measure(self, seq_len: int) -> dict[str, Any]:
        """Return loss by source at the recipe's first length and at `seq_len`, needles found, and scores of tasks."""
        training = self._training
        short = next((s.seq_len for s in training.recipe.stages if s.reads_text), training.recipe.unit)
        losses = {length: self._losses(length) for length in {short, seq_len}}
        found: dict[str, Any] = {
            "seq_len": seq_len,
            "short_loss": {source: held.loss for source, held in losses[short].items()},
            "short_parts": {source: held.parts for source, held in losses[short].items()},
            "loss": {source: held.loss for source, held in losses[seq_len].items()},
            "bits_per_byte": {s: h.bits_per_byte for s, h in losses[short].items() if h.bits_per_byte is not None},
        }
        if self._needles is not None:
            found["needle"] = self._needles.share_found(training, seq_len)
        tasks = measure_tasks(training, self._tasks)
        return {**found, "tasks": tasks, **({"core": core(tasks)} if tasks else {})}

    def _losses(self, length: int) -> dict[str, HeldOut]:
        tokens = self._training.recipe.evaluation.tokens
        return held_out_losses(self._training, self._held_out, length, tokens, self._token_bytes)

    def _tell(
        self, name: str, number: int, state: State, measured: Mapping[str, Any], is_open: bool | None,
        worse: Sequence[Change] = (),
    ) -> None:  # fmt: skip
        """Write the measurements to the journal and the console; `is_open` is None except at the end of a stage."""
        held_back = {"worse": {change.name: change.worse_by for change in worse}} if worse else {}
        event = {"stage": name, "number": number, "step": state.global_step, "open": is_open, **measured, **held_back}
        self._training.write("eval", **event)
        self._training.watcher.measured(event)
        words = [f"held-out loss of {source} {loss:.4f}" for source, loss in measured["short_loss"].items()]
        words += [f"needles {measured['needle']:.0%}"] if "needle" in measured else []
        words += [f"{task} {scores['acc']:.1%}" for task, scores in measured["tasks"].items()]
        words += ["the stage goes on"] if is_open is False else []
        words += [f"{change.name} worse by {change.worse_by:.4f} (± {change.error:.4f})" for change in worse]
        self._training.watcher.say(f"{name}, step {state.global_step:,}: {', '.join(words)}")

    def _before(self, number: int) -> dict[str, Any] | None:
        """Return what was measured last of the stages that led to this one, or of what the first of them began with."""
        stages = line(self._training.recipe, number)
        wanted = {*stages[:-1], _start_of(stages[0])}
        events = [e for e in read_journal(self._training.folder, only=("eval",)) if e["number"] in wanted]
        return events[-1] if events else None
