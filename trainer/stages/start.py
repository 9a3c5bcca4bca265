"""Where in the data a run begins whose weights come from another run.

A checkpoint says how far its run had read each source; the order in which it read is that of its recipe's seed. A run
that begins from it goes on there, in that order: from the beginning, it would train on what the model has seen.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from schemas.settings import overlay
from trainer.data.mixture import data_step
from trainer.data.sources import open_streams, training_shards
from trainer.loop.checkpoints import State, read_state
from trainer.loop.journal import read_journal, rollbacks_of
from trainer.loop.loop import make_mixture
from trainer.recipe import Recipe
from trainer.stages.data import measured, read_frozen, training_paths

RECIPE = "recipe.json"


@dataclass(frozen=True)
class Place:
    """How far a run has read."""

    starts: Mapping[str, int]  # token of each source's stream
    order_seed: int


def read_place(start: Path) -> Place | None:
    """Return how far the run has read whose checkpoint or exported model `start` is; None for other models.

    `start` is DIR/stages/NN-name/checkpoint, the model beside it, or DIR/checkpoints/step-N, with DIR/recipe.json.
    """
    folder = start.parent / "checkpoint" if start.name == "model" else start
    state = read_state(folder) if folder.is_dir() else None
    saved = [path for path in (parent / RECIPE for parent in folder.resolve().parents[:3]) if path.exists()]
    if state is None or not saved:
        return None
    recipe = overlay(Recipe(), json.loads(saved[0].read_bytes()))
    return Place(dict(state.starts) | _within_stage(saved[0].parent, recipe, state), recipe.stream_seed)


def _within_stage(folder: Path, recipe: Recipe, state: State) -> dict[str, int]:
    """Return how far a stage has read that is not finished, skipped batches included; its shards have to be there."""
    if not state.step or recipe.stages[state.stage].rows:
        return {}
    stage, shards, unit = recipe.stages[state.stage], training_shards(recipe), recipe.unit
    data = read_frozen(folder).stages.get(stage.name)
    if data is not None:
        shards, unit = training_paths(data, shards, measured(shards)), data.unit
    mixture = make_mixture(recipe, open_streams(recipe, shards, unit, held_out={}), stage, state)
    back = rollbacks_of(read_journal(folder, only=("rollback",)), stage.name, state.stage_key)
    return mixture.ends(data_step(state.step, back.skipped))


def with_absolute_paths(recipe: Recipe) -> Recipe:
    """Return the recipe with paths that hold from any working directory; addresses stay."""
    evaluation = replace(
        recipe.evaluation,
        held_out=tuple(map(_absolute, recipe.evaluation.held_out)),
        tasks=tuple(map(_absolute, recipe.evaluation.tasks)),
        tokenizer=_absolute(recipe.evaluation.tokenizer),
    )
    data = tuple(map(_absolute, recipe.data))
    names = {stage.name for stage in recipe.stages}
    stages = tuple(
        replace(
            stage,
            rows=tuple(map(_absolute, stage.rows)),
            begin=tuple(name if name in names else _absolute(name) for name in stage.begin),
        )
        for stage in recipe.stages
    )
    return replace(recipe, data=data, stages=stages, init_from=_absolute(recipe.init_from), evaluation=evaluation)


def _absolute(path: str) -> str:
    return path if not path or "://" in path else str(Path(path).absolute())


def place_in_data(recipe: Recipe) -> Recipe:
    """Return the recipe with the place in the data at which it begins, where `init_from` knows one.

    What the recipe says itself, in `order_seed` or `data_starts`, holds.
    """
    if not recipe.init_from or recipe.order_seed >= 0 or recipe.data_starts:
        return recipe
    place = read_place(Path(recipe.init_from))
    return recipe if place is None else replace(recipe, order_seed=place.order_seed, data_starts=dict(place.starts))
