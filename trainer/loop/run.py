"""A whole run: which stages are done, and the next ones in order."""

from __future__ import annotations

import contextlib
import json
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch

import storage
from schemas.errors import ConfigError
from schemas.settings import to_plain
from trainer.data.corpus import Corpus, same_tokenizer
from trainer.data.sources import open_streams, training_shards
from trainer.evaluate.gates import Gatekeeper
from trainer.evaluate.words import keep_tokenizer
from trainer.faults.watchdog import joined_and_watched
from trainer.loop.checkpoints import State
from trainer.loop.journal import Journal
from trainer.loop.local import LocalRunner
from trainer.loop.ranks import Ranks
from trainer.loop.stages import StageJob, jobs
from trainer.loop.start import RECIPE, place_in_data, with_absolute_paths
from trainer.loop.training import Training, Watcher
from trainer.recipe import Recipe
from trainer.titan.runner import TitanRunner


def plan_jobs(recipe: Recipe, shards: dict[str, list[str]], folder: Path) -> list[StageJob]:
    """Return the stages over these shards, which count by name and size."""
    data = {
        source: [(path.rpartition("/")[2], storage.size(path)) for path in paths] for source, paths in shards.items()
    }
    return jobs(recipe, data, folder)


def first_open(planned: list[StageJob], begin: State) -> tuple[int, State]:
    """Return the number of the first unfinished stage, and the run's state before it; `begin` is that at its start."""
    state = begin
    for job in planned:
        finished = job.finished()
        if finished is None:
            return job.number, state
        state = finished
    return len(planned), state


def run(recipe: Recipe, folder: Path, watcher: Watcher) -> State:
    """Train all stages that are not done; every rank calls it. Returns the run's final state.

    Raises StoppedError after a signal, once all is saved, and WinnowError for what is wrong with recipe or data.
    """
    if not recipe.stages:
        raise ConfigError("stages: none; a recipe has at least one")
    recipe = place_in_data(recipe)
    shards = training_shards(recipe)
    planned = plan_jobs(recipe, shards, folder)
    number, state = first_open(planned, State(starts=recipe.data_starts))
    if number == len(planned):
        return state
    corpora = open_streams(recipe, shards)
    if recipe.runner == "titan":
        return _run_titan(recipe, folder, watcher, corpora, planned[number:], state)
    if recipe.local.threads:
        torch.set_num_threads(recipe.local.threads)
    with (
        joined_and_watched(recipe.faults.stall_s) as (ranks, watchdog),
        _journal(folder, ranks, recipe, corpora) as journal,
    ):
        training = Training(recipe, folder, corpora, ranks, journal, watcher, watchdog)
        runner = LocalRunner(training, Gatekeeper(training))
        with _stopping(training):
            for job in planned[number:]:
                state = runner.run(job, state)
    return state


def _run_titan(
    recipe: Recipe, folder: Path, watcher: Watcher, corpora: Mapping[str, Corpus], planned: list[StageJob], state: State
) -> State:
    alone = Ranks(0, 1, torch.device("cpu"), None)  # torchtitan's launch starts the processes that compute
    with _journal(folder, alone, recipe, corpora) as journal:
        runner = TitanRunner(recipe, journal, watcher)
        for job in planned:
            state = runner.run(job, state)
    return state


@contextlib.contextmanager
def _journal(
    folder: Path, ranks: Ranks, recipe: Recipe, corpora: Mapping[str, Corpus]
) -> Iterator[Journal | None]:  # fmt: skip
    """Open the journal on rank 0, and put recipe and tokenizer beside it: the folder says all that its model needs."""
    if not ranks.is_first:
        yield None
        return
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(Journal(folder)) as journal:
        storage.write_atomic(str(folder / RECIPE), json.dumps(to_plain(with_absolute_paths(recipe)), indent=1).encode())
        keep_tokenizer(folder, recipe, same_tokenizer(list(corpora.values())))
        yield journal


@contextlib.contextmanager
def _stopping(training: Training) -> Iterator[None]:
    """Let SIGTERM and Ctrl-C end the run after the current step, once it is saved."""

    def asked(_number: int, _frame: object) -> None:
        training.stop_asked = True

    before = {number: signal.signal(number, asked) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
