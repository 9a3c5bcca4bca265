"""All evaluations of a run's newest model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from schemas.errors import ConfigError
from storage.shard_folders import find_shards
from trainer.data.sources import Shards, open_held_out
from trainer.evaluate.finished import newest_stage, opened
from trainer.evaluate.needle import NeedleTest
from trainer.evaluate.perplexity import held_out_losses
from trainer.evaluate.scores import core, measure_tasks, token_bytes
from trainer.evaluate.tasks import read_task
from trainer.recipe import Recipe
from trainer.stages.data import held_out_paths, read_frozen


def measure(folder: Path, recipe: Recipe, length: int, more: Sequence[str] = ()) -> dict[str, Any]:
    """Return losses and bits a byte by held-out source, needles at `length`, and the scores of the recipe's tasks.

    What is held out is what the run was measured on, and the shards in the folders `more`. Of several ranks the first
    gets the figures, the others an empty dict.
    """
    if recipe.unit % length:
        raise ConfigError(f"--length: {length} is not allowed; must divide {recipe.unit}, the recipe's longest")
    held_out = open_held_out(recipe, _held_out_shards(folder, recipe, more))
    if not held_out and not recipe.evaluation.tasks:
        raise ConfigError("nothing to measure: the recipe holds no shards out; give --held-out or --task")
    tasks = [read_task(Path(name)) for name in recipe.evaluation.tasks]
    with opened(folder, recipe) as training:
        found: dict[str, Any] = {
            "model": str(newest_stage(folder, causal=True) / "model"),
            "length": length,
            "needle": None,
        }
        losses = held_out_losses(training, held_out, length, recipe.evaluation.tokens, token_bytes(training))
        found["loss"] = {source: measured.loss for source, measured in losses.items()}
        found["bits_per_byte"] = {s: m.bits_per_byte for s, m in losses.items() if m.bits_per_byte is not None}
        if held_out:
            found["needle"] = NeedleTest(held_out, recipe.evaluation).share_found(training, length)
        found["tasks"] = measure_tasks(training, tasks)
        found["core"] = core(found["tasks"])
        return found if training.ranks.is_first else {}


def _held_out_shards(folder: Path, recipe: Recipe, more: Sequence[str]) -> Shards:
    frozen = read_frozen(folder)
    everything = find_shards(recipe.data) if recipe.evaluation.held_out_shards and recipe.data else {}
    held_out = held_out_paths(recipe, frozen, list(frozen.stages.values()), everything)
    added = find_shards(more) if more else {}
    return {
        source: [*held_out.get(source, ()), *added.get(source, ())] for source in sorted(held_out.keys() | added.keys())
    }
