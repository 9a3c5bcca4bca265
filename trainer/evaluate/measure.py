"""All evaluations of a run's newest model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from schemas.errors import ConfigError
from trainer.data.sources import open_held_out
from trainer.evaluate.finished import newest_stage, opened
from trainer.evaluate.needle import NeedleTest
from trainer.evaluate.perplexity import held_out_losses
from trainer.evaluate.scores import measure_tasks
from trainer.evaluate.tasks import read_task
from trainer.recipe import Recipe


def measure(folder: Path, recipe: Recipe, length: int) -> dict[str, Any]:
    """Return losses by held-out source and needles at `length`, and the scores of the recipe's tasks.

    Of several ranks the first gets the figures, the others an empty dict.
    """
    if recipe.unit % length:
        raise ConfigError(f"--length: {length} is not allowed; must divide {recipe.unit}, the recipe's longest")
    held_out = open_held_out(recipe)
    if not held_out and not recipe.evaluation.tasks:
        raise ConfigError("nothing to measure: the recipe holds no shards out; give --held-out or --task")
    tasks = [read_task(Path(name)) for name in recipe.evaluation.tasks]
    with opened(folder, recipe) as training:
        found: dict[str, Any] = {"model": str(newest_stage(folder) / "model"), "length": length, "needle": None}
        found["loss"] = held_out_losses(training, held_out, length, recipe.evaluation.tokens)
        if held_out:
            found["needle"] = NeedleTest(held_out, recipe.evaluation).share_found(training, length)
        found["tasks"] = measure_tasks(training, tasks)
        return found if training.ranks.is_first else {}
