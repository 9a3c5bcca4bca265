"""Training the runs of a ladder, each in a folder of its own, and reading their results.

    DIR/runs/<name>/    an ordinary run of the trainer: it resumes, and is skipped once it is done
    DIR/points.jsonl    their results

Runs depend on nothing but their recipe, so a cluster may train each on its own machine and gather the folders.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import ConfigError, RunError
from schemas.settings import overlay
from storage.shard_folders import find_shards
from trainer.data.corpus import Corpus, same_tokenizer
from trainer.loop.checkpoints import State
from trainer.loop.journal import read_journal
from trainer.loop.run import first_open, plan_jobs, run
from trainer.loop.training import Watcher
from trainer.recipe import EvalConfig, Recipe
from trainer.scaling.ladder import Cell
from trainer.scaling.points import Point, mean_loss
from trainer.stages.start import RECIPE, place_in_data, with_absolute_paths

POINTS = "points.jsonl"


@dataclass(frozen=True)
class Facts:
    """What recipes are made from that only the shards know."""

    vocab_size: int
    epoch_tokens: dict[str, int]  # of each source


def facts_of(recipe: Recipe, unit: int) -> Facts:
    """Return what the shards of a recipe say; `unit` is the length of its sequences. ConfigError without any."""
    if not recipe.data:
        raise ConfigError("recipe.data: none; give outputs of Winnow or folders of token shards")
    corpora = [Corpus(name, paths, unit, recipe.seed) for name, paths in find_shards(recipe.data).items()]
    return Facts(same_tokenizer(corpora).vocab_size, {corpus.source: corpus.epoch_tokens for corpus in corpora})


def folder_of(cell: Cell, directory: Path) -> Path:
    return directory / "runs" / cell.name


def is_done(cell: Cell, directory: Path) -> bool:
    """Return whether a run is finished, by this very recipe."""
    planned = plan_jobs(place_in_data(cell.recipe), find_shards(cell.recipe.data), folder_of(cell, directory))
    return first_open(planned, State())[0] == len(planned)


def train(cell: Cell, directory: Path, watcher: Watcher) -> None:
    """Train a run, or go on with it. Raises StoppedError when asked to stop, once all is saved."""
    run(cell.recipe, folder_of(cell, directory), watcher)


def read_losses(cell: Cell, directory: Path) -> dict[str, float]:
    """Return the held-out losses at the end of a finished run, by source.

    RunError when it is not finished, or was measured on other held-out shards than the recipe names.
    """
    folder = folder_of(cell, directory)
    if not is_done(cell, directory):
        raise RunError(f"{folder}: this run is not finished")
    wanted = with_absolute_paths(cell.recipe).evaluation
    measured = json.loads((folder / RECIPE).read_bytes())["evaluation"]
    if overlay(EvalConfig(), measured) != wanted:
        raise RunError(f"{folder}: was measured on other held-out shards than the recipe names; use another folder")
    losses = [e["loss"] for e in read_journal(folder) if e["event"] == "eval" and e["stage"] == cell.stage.name]
    if not losses:
        raise RunError(f"{folder}: no held-out loss in its journal")
    return {name: float(loss) for name, loss in losses[-1].items()}


def point_of(cell: Cell, directory: Path) -> Point:
    """Return the result of a finished run."""
    losses = read_losses(cell, directory)
    return Point(
        name=cell.name, mix=cell.mix, rung=cell.rung, seed=cell.recipe.seed, budget=cell.budget, flops=cell.flops,
        parameters=cell.parameters, tokens=cell.tokens, loss=mean_loss(losses, dict(cell.weights)), losses=losses,
    )  # fmt: skip


def select(cells: Sequence[Cell], names: Iterable[str]) -> list[Cell]:
    """Return the runs of these names, all when there are none. ConfigError for a name that is not one."""
    wanted, known = set(names), {cell.name for cell in cells}
    if unknown := sorted(wanted - known):
        raise ConfigError(f"--only {unknown[0]}: no such run; allowed: {', '.join(sorted(known))}")
    return [cell for cell in cells if not wanted or cell.name in wanted]
