"""What is measured when a stage's steps are done, and whether the stage may end (L3 section 3.4.2).

A gated stage ends when short-context loss is back where it was before the stage, and the needle is found at every
depth. Each measurement is an event of the journal, so that a resumed run knows what was before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.errors import ConfigError
from schemas.shard_folders import find_shards
from trainer.checkpoints import State
from trainer.data.corpus import Corpus
from trainer.evaluate.needle import needles_found
from trainer.evaluate.perplexity import held_out_losses
from trainer.journal import read_journal
from trainer.recipe import GateConfig
from trainer.stages import StageJob
from trainer.training import Training


class Gatekeeper:
    """Measures at the end of each stage; holds those whose gate is shut."""

    def __init__(self, training: Training) -> None:
        recipe = training.recipe
        shards = find_shards(recipe.evaluation.held_out) if recipe.evaluation.held_out else {}
        self._training = training
        self._held_out = {name: Corpus(name, paths, recipe.unit, recipe.seed) for name, paths in shards.items()}
        gated = [stage.name for stage in recipe.stages if stage.gate.enabled]
        if gated and not self._held_out:
            raise ConfigError(f"evaluation.held_out: none, but the gate of stage {gated[0]} needs some")

    def __call__(self, job: StageJob, state: State) -> bool:
        """Measure, tell the journal, and return whether the stage may end."""
        if not self._held_out:
            return True
        training, stage = self._training, job.config
        measured = self.measure(stage.seq_len)
        before = training.ranks.from_first(self._before(job.number) if training.ranks.is_first else None)
        is_open = not stage.gate.enabled or passes(stage.gate, measured, before)
        training.write("eval", stage=stage.name, number=job.number, step=state.global_step, open=is_open, **measured)
        said = ", ".join(f"{name} {loss:.4f}" for name, loss in measured["short_loss"].items())
        training.watcher.say(
            f"{stage.name}: held-out loss {said}; needle {measured['needle']:.0%}" + ("" if is_open else "; goes on")
        )
        return is_open

    def measure(self, seq_len: int) -> dict[str, Any]:
        """Return loss by source at the recipe's first length and at `seq_len`, and the share of needles found."""
        training, config = self._training, self._training.recipe.evaluation
        short = training.recipe.stages[0].seq_len
        losses = {
            length: held_out_losses(training, self._held_out, length, config.tokens) for length in {short, seq_len}
        }
        filler = self._held_out[min(self._held_out)]
        found = needles_found(training, filler, seq_len, config.needle_depths)
        return {
            "seq_len": seq_len,
            "short_loss": losses[short],
            "loss": losses[seq_len],
            "needle": sum(found.values()) / len(found),
        }

    def _before(self, number: int) -> dict[str, float] | None:
        """Return the short losses at the end of the stage before."""
        events = [e for e in read_journal(self._training.folder) if e["event"] == "eval" and e["number"] < number]
        return dict(events[-1]["short_loss"]) if events else None


def passes(gate: GateConfig, measured: Mapping[str, Any], before: Mapping[str, float] | None) -> bool:
    """Return whether short losses have recovered and enough needles are found."""
    recovered = before is None or all(
        loss <= before[name] + gate.tolerance for name, loss in measured["short_loss"].items() if name in before
    )
    return recovered and bool(measured["needle"] >= gate.needle_accuracy)
