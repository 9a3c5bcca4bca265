"""A run that has finished a stage, opened to be measured: its recipe, its newest model, its tokenizer."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from schemas.errors import InputError, RunError
from schemas.settings import overlay
from schemas.shards import TokenizerFacts
from trainer.commands.progress import Silent
from trainer.data.corpus import same_tokenizer
from trainer.data.sources import open_streams, training_shards
from trainer.evaluate.words import kept_facts
from trainer.faults.watchdog import joined_and_watched
from trainer.loop.training import Training
from trainer.model.export import is_causal, load_weights
from trainer.recipe import Recipe
from trainer.stages.graph import model_of
from trainer.stages.start import RECIPE


def read_saved_recipe(folder: Path) -> Recipe:
    """Return the recipe of a run's folder. RunError when there is none."""
    try:
        plain = json.loads((folder / RECIPE).read_bytes())
    except (OSError, ValueError):
        raise RunError(f"{folder}: no training run here ({RECIPE} is missing or broken)") from None
    return overlay(Recipe(), plain)


def newest_stage(folder: Path, *, causal: bool) -> Path:
    """Return the folder of the last finished stage; with `causal` of those whose model gives next tokens.

    InputError when there is none.
    """
    done = sorted(path.parent for path in folder.glob("stages/*/done.json"))
    if causal:
        done = [path for path in done if is_causal(path / "model")]
    if not done:
        raise InputError(f"{folder}: no stage is finished here")
    return done[-1]


def run_tokenizer(folder: Path, recipe: Recipe) -> TokenizerFacts:
    """Return what a run's folder says of the tokenizer, or, where it says nothing, the shards of its recipe."""
    return kept_facts(folder) or same_tokenizer(list(open_streams(recipe, training_shards(recipe)).values()))


@contextlib.contextmanager
def opened(folder: Path, recipe: Recipe) -> Iterator[Training]:
    """Open the newest model of a run on the ranks that torchrun started, or on this process alone.

    Neither the shards that it was trained on nor the model that it began from have to be there.
    """
    stage = newest_stage(folder, causal=True)
    tokenizer = run_tokenizer(folder, recipe)
    recipe = replace(recipe, init_from="", model=model_of(recipe, int(stage.name.partition("-")[0])))
    with joined_and_watched(recipe.faults.stall_s) as (ranks, watchdog):
        training = Training(recipe, folder, {}, ranks, None, Silent(), watchdog, tokenizer)
        load_weights(training.model, stage / "model")
        yield training
