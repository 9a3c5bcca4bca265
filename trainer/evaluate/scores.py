"""The scores of a run's tasks, with the tokenizer of its shards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from trainer.evaluate.choice import measure_task
from trainer.evaluate.tasks import Task
from trainer.evaluate.words import open_words
from trainer.loop.training import Training


def measure_tasks(training: Training, tasks: Sequence[Task]) -> dict[str, dict[str, Any]]:
    """Return the scores of tasks by name."""
    if not tasks:
        return {}
    words = open_words(training.recipe, training.tokenizer, training.folder)
    return {task.name: asdict(measure_task(training, words, task, training.recipe.unit)) for task in tasks}
