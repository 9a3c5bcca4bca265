"""What needs the tokenizer of a run's shards: the scores of its tasks, and the bytes of its tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.errors import ConfigError
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


def core(tasks: Mapping[str, Mapping[str, Any]]) -> float | None:
    """Return the mean of the tasks' centered accuracies, CORE of DCLM where the tasks are its; None without tasks."""
    return float(np.mean([scores["centered"] for scores in tasks.values()])) if tasks else None


def token_bytes(training: Training) -> npt.NDArray[np.int64] | None:
    """Return the bytes that each token writes; None where the shards' tokenizer is not to be found."""
    try:
        return open_words(training.recipe, training.tokenizer, training.folder).token_bytes()
    except ConfigError:
        return None
