"""Which stages a stage follows from, as pure functions of the recipe.

Stages are trained in the order of the list. A stage begins with the one before it, unless `begin` names others: then it
depends on those alone, and what lies between changes nothing for it.
"""

from __future__ import annotations

import dataclasses

from trainer.recipe import FaultConfig, ModelConfig, Recipe


def parents(recipe: Recipe, number: int) -> tuple[int, ...]:
    """Return the numbers of the stages whose weights a stage begins with; none when it is the first, or begins with
    folders."""
    names = [stage.name for stage in recipe.stages]
    begin = recipe.stages[number].begin
    if not begin:
        return (number - 1,) if number else ()
    return tuple(names.index(name) for name in begin if name in names)


def folders(recipe: Recipe, number: int) -> tuple[str, ...]:
    """Return the folders of models that a stage begins with."""
    names = {stage.name for stage in recipe.stages}
    return tuple(name for name in recipe.stages[number].begin if name not in names)


def line(recipe: Recipe, number: int) -> list[int]:
    """Return the stages that lead to a stage, itself last, from the newest that does not begin with one stage alone."""
    found = [number]
    while len(parents(recipe, found[0])) == 1 and not folders(recipe, found[0]):
        found.insert(0, parents(recipe, found[0])[0])
    return found


def model_of(recipe: Recipe, number: int) -> ModelConfig:
    """Return the model of a stage: the recipe's, with what stages on the way there changed of its RoPE."""
    config, before = recipe.model, parents(recipe, number)
    if before:
        config = model_of(recipe, before[0])
    rope = recipe.stages[number].rope
    return dataclasses.replace(
        config,
        rope_theta=rope.theta or config.rope_theta,
        rope_factor=rope.factor or config.rope_factor,
        rope_original_len=rope.original_len or config.rope_original_len,
    )


def faults_of(recipe: Recipe, number: int) -> FaultConfig:
    """Return how a stage is watched."""
    watch = recipe.stages[number].watch
    changes = {name: value for name, value in dataclasses.asdict(watch).items() if value is not None}
    return dataclasses.replace(recipe.faults, **changes)
