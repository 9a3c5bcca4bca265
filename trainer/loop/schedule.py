"""The learning rate of each step, as a pure function: there is no scheduler whose state could be lost."""

from __future__ import annotations

import math
from collections.abc import Sequence

from trainer.recipe import CONSTANT, COSINE, ScheduleConfig, StageConfig


def cosine(config: ScheduleConfig, step: int) -> float:
    """Return the rate at `step` of the run, the first being 0: linear warm-up, then a cosine from peak to floor."""
    if step < config.warmup_steps:
        return config.peak * (step + 1) / config.warmup_steps
    done = (step - config.warmup_steps) / max(1, config.decay_steps - config.warmup_steps)
    return config.floor + (config.peak - config.floor) * (1 + math.cos(math.pi * min(1.0, done))) / 2


def learning_rate(stages: Sequence[StageConfig], taken: Sequence[int], step: int) -> float:
    """Return the rate at `step` of the stage after those that took `taken` steps.

    A linear stage reaches its floor at the step the recipe plans as its last; where a gate holds it longer it stays.
    """
    stage = stages[len(taken)]
    config = stage.schedule
    if config.own:
        return _own(stage, step)
    if config.kind == COSINE:
        return cosine(config, sum(taken) + step)
    start = _start(stages, taken)
    if config.kind == CONSTANT:
        return start
    return start + (config.floor - start) * min(1.0, (step + 1) / stage.steps)


def _own(stage: StageConfig, step: int) -> float:
    """Return the rate of a curve that the stages before have no part in."""
    config = stage.schedule
    if config.kind == COSINE:
        return cosine(config, step)
    if step < config.warmup_steps:
        return config.peak * (step + 1) / config.warmup_steps
    if config.kind == CONSTANT:
        return config.peak
    left = max(1, stage.steps - config.warmup_steps)
    return config.peak + (config.floor - config.peak) * min(1.0, (step + 1 - config.warmup_steps) / left)


def _start(stages: Sequence[StageConfig], taken: Sequence[int]) -> float:
    """Return the rate of the step before the stage; the stage's own peak when there is none."""
    if not taken:
        return stages[0].schedule.peak
    return learning_rate(stages, taken[:-1], max(0, taken[-1] - 1))
