"""Evaluation at the end of a stage, and whether the stage may end (L3 section 3.4.2).

A gated stage ends when short-context loss is back where it was before the stage, and the needle is found at every
depth. Each measurement is an event of the journal, so that a resumed run has the earlier values.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schemas.errors import ConfigError
from trainer.data.sources import open_held_out
from trainer.evaluate.needle import NeedleTest
from trainer.evaluate.perplexity import held_out_losses
from trainer.evaluate.scores import measure_tasks
from trainer.evaluate.tasks import read_task
from trainer.loop.checkpoints import State
from trainer.loop.journal import read_journal
from trainer.loop.stages import StageJob
from trainer.loop.training import Training
from trainer.recipe import GateConfig


class Gatekeeper:
    """Evaluates at the end of each stage and extends a stage whose gate has not passed."""

    def __init__(self, training: Training) -> None:
        recipe = training.recipe
        self._training = training
        self._held_out = open_held_out(recipe)
        self._needles = NeedleTest(self._held_out, recipe.evaluation) if self._held_out else None
        self._tasks = [read_task(Path(name)) for name in recipe.evaluation.tasks]
        gated = [stage.name for stage in recipe.stages if stage.gate.enabled]
        if gated and not self._held_out:
            raise ConfigError(f"evaluation.held_out: none, but the gate of stage {gated[0]} needs some")

    def __call__(self, job: StageJob, state: State) -> bool:
        """Measure, write to the journal, and return whether the stage may end."""
        if not self._held_out and not self._tasks:
            return True
        training, gate = self._training, job.config.gate
        measured = self.measure(job.config.seq_len)
        before = training.ranks.from_first(self._before(job.number) if training.ranks.is_first else None)
        is_open = not gate.enabled or passes(gate, measured, before)
        self._tell(job, state, measured, is_open)
        return is_open

    def look(self, job: StageJob, state: State) -> None:
        """Measure during a stage, and write to the journal."""
        if self._held_out or self._tasks:
            self._tell(job, state, self.measure(job.config.seq_len), None)

    def measure(self, seq_len: int) -> dict[str, Any]:
        """Return loss by source at the recipe's first length and at `seq_len`, needles found, and scores of tasks."""
        training, config = self._training, self._training.recipe.evaluation
        short = training.recipe.stages[0].seq_len
        losses = {
            length: held_out_losses(training, self._held_out, length, config.tokens) for length in {short, seq_len}
        }
        found: dict[str, Any] = {"seq_len": seq_len, "short_loss": losses[short], "loss": losses[seq_len]}
        if self._needles is not None:
            found["needle"] = self._needles.share_found(training, seq_len)
        return {**found, "tasks": measure_tasks(training, self._tasks)}

    def _tell(self, job: StageJob, state: State, measured: Mapping[str, Any], is_open: bool | None) -> None:
        """Write the measurements to the journal and the console; `is_open` is None during a stage."""
        name = job.config.name
        self._training.write("eval", stage=name, number=job.number, step=state.global_step, open=is_open, **measured)
        words = [f"held-out loss of {source} {loss:.4f}" for source, loss in measured["short_loss"].items()]
        words += [f"needles {measured['needle']:.0%}"] if "needle" in measured else []
        words += [f"{task} {scores['acc']:.1%}" for task, scores in measured["tasks"].items()]
        words += ["the stage goes on"] if is_open is False else []
        self._training.watcher.say(f"{name}, step {state.global_step:,}: {', '.join(words)}")

    def _before(self, number: int) -> dict[str, float] | None:
        """Return the short losses at the end of the previous stage."""
        events = [e for e in read_journal(self._training.folder) if e["event"] == "eval" and e["number"] < number]
        return dict(events[-1]["short_loss"]) if events else None


def passes(gate: GateConfig, measured: Mapping[str, Any], before: Mapping[str, float] | None) -> bool:
    """Return whether short losses have recovered and enough needles are found."""
    recovered = before is None or all(
        loss <= before[name] + gate.tolerance for name, loss in measured["short_loss"].items() if name in before
    )
    return recovered and bool(measured["needle"] >= gate.needle_accuracy)
