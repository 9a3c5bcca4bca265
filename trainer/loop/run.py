"""A whole run: which stages are done, and the next ones in order."""

from __future__ import annotations

import contextlib
import json
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch.distributed.checkpoint.api import CheckpointException

import storage
from schemas.errors import ConfigError, RunError
from schemas.settings import overlay, to_plain
from schemas.shards import TokenizerFacts
from storage.shard_folders import find_shards
from trainer.data.batches import PRE_TRAINING
from trainer.data.corpus import Corpus, same_tokenizer
from trainer.data.rows import RowFolder, row_files
from trainer.data.sources import Shards, open_streams, training_shards
from trainer.evaluate.gates import Gatekeeper, open_evaluation
from trainer.evaluate.words import keep_tokenizer
from trainer.faults.watchdog import Watchdog, joined_and_watched
from trainer.loop.checkpoints import State
from trainer.loop.journal import Journal
from trainer.loop.local import LocalRunner
from trainer.loop.loop import make_mixture
from trainer.loop.ranks import Ranks
from trainer.loop.training import Training, Watcher
from trainer.objectives.find import find_objective
from trainer.recipe import Recipe, StageConfig
from trainer.stages.data import (
    Lists,
    freeze,
    held_out_paths,
    is_there,
    measured,
    plan_data,
    read_frozen,
    training_paths,
    write_frozen,
)
from trainer.stages.inputs import Digest, Inputs
from trainer.stages.jobs import FORMAT, StageJob, format_in, jobs, made_by_others, remove_made
from trainer.stages.start import RECIPE, place_in_data, with_absolute_paths
from trainer.titan.runner import TitanRunner

# Settings that a result depends on, with what `init_from` says of the place in the data.
_IN_KEYS = ("seed", "model.", "adamw.", "mix_block", "init_from", "order_seed", "data_starts", "stages.")


def plan_jobs(recipe: Recipe, shards: Shards, folder: Path) -> list[StageJob]:
    """Return the stages, over the shards that the folder froze, and over these where it did not."""
    return _plan(recipe, measured(shards), folder, Inputs(folder).digest)


def _plan(
    recipe: Recipe, present: Lists, folder: Path, digest: Digest, keep: int | None = None
) -> list[StageJob]:  # fmt: skip
    """Return the stages; with `keep` only the first so many read what was frozen."""
    return jobs(recipe, plan_data(recipe, present, read_frozen(folder), keep), folder, digest)


def first_open(planned: list[StageJob], begin: State) -> tuple[int, State]:
    """Return the number of the first unfinished stage, and the run's state before it; `begin` is that at its start."""
    state = begin
    for job in planned:
        finished = job.finished()
        if finished is None:
            return job.number, state
        state = finished
    return len(planned), state


def run(recipe: Recipe, folder: Path, watcher: Watcher, anew: bool = False) -> State:
    """Train all stages that are not done; every rank calls it. Returns the run's final state.

    What another recipe, or other data, left in the folder is removed if `anew` says so, and else refused. Raises
    StoppedError after a signal, once all is saved, and WinnowError for what is wrong with recipe or data: before any
    weight is drawn, where that can be known.
    """
    if not recipe.stages:
        raise ConfigError("stages: none; a recipe has at least one")
    recipe = with_absolute_paths(place_in_data(recipe))
    shards = {} if all(stage.rows for stage in recipe.stages) else training_shards(recipe)
    with _processes(recipe) as (ranks, watchdog):
        return _run(recipe, folder, watcher, shards, anew, ranks, watchdog)


@contextlib.contextmanager
def _processes(recipe: Recipe) -> Iterator[tuple[Ranks, Watchdog | None]]:
    """Join the other ranks, watched; of the titan runner this process is alone: torchtitan's launch starts others."""
    if recipe.runner == "titan":
        yield Ranks(0, 1, torch.device("cpu"), None), None
        return
    with joined_and_watched(recipe.faults.stall_s) as both:
        yield both


def _run(
    recipe: Recipe, folder: Path, watcher: Watcher, shards: Shards, anew: bool, ranks: Ranks, watchdog: Watchdog | None
) -> State:  # fmt: skip
    present, inputs = measured(shards), Inputs(folder)
    beat = watchdog.beat if watchdog else lambda: None

    def digest(path: str, is_rows: bool) -> str:  # hashed once, however many ranks there are
        return ranks.first_does(lambda: inputs.digest(path, is_rows), beat)

    planned = _plan(recipe, present, folder, digest)
    begin = State(starts=recipe.data_starts)
    number, state = first_open(planned, begin)
    if number == len(planned):
        return state
    left = made_by_others(planned, folder)
    if left and not anew:
        raise RunError(_refusal(recipe, folder, left))
    gone = [job.number for job in planned[number:] if not is_there(job.data, present)]
    if anew and (left or gone):
        planned = _plan(recipe, present, folder, digest, keep=min([*gone, *(number for number, _ in left)]))
        left = made_by_others(planned, folder)
    start = _Start(recipe, folder, planned, [path for _, path in left], inputs)

    def open_rows(config: StageConfig) -> RowFolder:
        wanted = find_objective(config.objective).columns
        return ranks.first_does(lambda: RowFolder(row_files(config.rows), wanted, config.seq_len), beat)

    opened = start.open([job for job in planned if job.finished() is None], shards, present, open_rows)
    tokenizer = _one_tokenizer(opened.values())
    if watchdog is None:
        with start.journal(ranks, tokenizer) as journal:
            titan = TitanRunner(recipe, journal, watcher, held_out=start.held_out)
            return _train(titan.run, planned, begin)
    if recipe.local.threads:
        torch.set_num_threads(recipe.local.threads)
    evaluation = open_evaluation(recipe, start.held_out)
    ranks.barrier()  # what is in the folder changes only when all have looked at it
    with start.journal(ranks, tokenizer) as journal:
        _refuse_before_drawing(recipe, ranks)
        training = Training(recipe, folder, {}, ranks, journal, watcher, watchdog, tokenizer)
        runner = LocalRunner(training, Gatekeeper(training, evaluation))

        def train(job: StageJob, state: State) -> State:
            training.corpora, training.rows = opened[job.number].streams, opened[job.number].rows
            return runner.run(job, state)

        with _stopping(training), _one_line(folder):
            return _train(train, planned, begin)


def _train(run_stage: Callable[[StageJob, State], State], planned: Sequence[StageJob], begin: State) -> State:
    """Train the stages that are not done, in order; return the state after the last."""
    ended: dict[int, State] = {}
    for job in planned:
        finished = job.finished()
        ended[job.number] = finished if finished is not None else run_stage(job, job.start(begin, ended))
    return ended[planned[-1].number]


@dataclass(frozen=True)
class _Opened:
    """What a stage reads."""

    streams: Mapping[str, Corpus]
    rows: RowFolder | None = None


def _one_tokenizer(opened: Iterable[_Opened]) -> TokenizerFacts:
    """Return the tokenizer of all stages. ConfigError when there are several."""
    opened = list(opened)
    rows = [one.rows.tokenizer for one in opened if one.rows is not None]
    corpora = [corpus for one in opened for corpus in one.streams.values()]
    first = same_tokenizer(corpora) if corpora else rows[0]
    if any(facts != first for facts in rows):
        raise ConfigError("rows: of another tokenizer than what the other stages read")
    return first


def _refusal(recipe: Recipe, folder: Path, left: Sequence[tuple[int, Path]]) -> str:
    """Return the line that says what the folder holds of another recipe, and by which settings that differs."""
    try:
        former = flat(to_plain(overlay(Recipe(), json.loads((folder / RECIPE).read_bytes()))))  # with later settings
    except (OSError, ValueError, ConfigError):
        former = {}
    now = flat(to_plain(recipe))
    differing = sorted(
        name for name in former.keys() | now.keys() if former.get(name) != now.get(name) and name.startswith(_IN_KEYS)
    )
    made = format_in(left[0][1])
    if not differing and made != str(FORMAT):
        differing = [f"the format of keys, {made}, which is {FORMAT} in this version"]
    why = f" (differing: {', '.join(differing[:3])}{', ...' if len(differing) > 3 else ''})" if differing else ""
    return (
        f"{left[0][1]}: made by another recipe, or with other shards{why}; give another folder, or --anew to remove"
        f" it and what else this recipe did not make here ({len(left)} in all)"
    )


def flat(plain: Any, name: str = "") -> dict[str, Any]:
    """Return the values of nested plain data by their paths."""
    if isinstance(plain, dict | list) and plain:
        pairs = plain.items() if isinstance(plain, dict) else enumerate(plain)
        return {k: v for key, value in pairs for k, v in flat(value, f"{name}.{key}" if name else str(key)).items()}
    return {name: plain}


def _refuse_before_drawing(recipe: Recipe, ranks: Ranks) -> None:
    """Raise ConfigError for what would otherwise end the run only after its weights are drawn, or stages later."""
    for stage in recipe.stages:
        if ranks.world > stage.batch_sequences:
            raise ConfigError(
                f"stages: {stage.name}: a batch of {stage.batch_sequences} {'units' if stage.rows else 'sequences'}"
                f" cannot be shared by"
                f" {ranks.world} ranks"
            )
    if ranks.world % recipe.local.replicas:
        raise ConfigError(
            f"local.replicas: {recipe.local.replicas} is not allowed; must divide the {ranks.world} ranks"
        )
    if recipe.local.attention == "flex_attention" and ranks.device.type == "cpu":
        raise ConfigError(
            "local.attention: flex_attention is not allowed: it has no backward pass on CPUs; allowed there: auto,"
            " sdpa, eager"
        )


class _Start:
    """What a run writes and opens before it trains."""

    def __init__(
        self, recipe: Recipe, folder: Path, planned: Sequence[StageJob], left: Sequence[Path], inputs: Inputs
    ) -> None:  # fmt: skip
        """`left` is what others made and is to be removed."""
        self._recipe, self._folder, self._left, self._inputs = recipe, folder, left, inputs
        frozen, data = read_frozen(folder), [job.data for job in planned]
        everything = find_shards(recipe.data) if recipe.data else {}
        self.held_out = held_out_paths(recipe, frozen, data, everything)
        self._frozen = freeze(recipe, data, frozen, self.held_out)

    def open(
        self, planned: Sequence[StageJob], shards: Shards, present: Lists, open_rows: Callable[[StageConfig], RowFolder]
    ) -> dict[int, _Opened]:  # fmt: skip
        """Return what each stage reads, by its number. ConfigError when its mix or its objective does not fit that."""
        found: dict[int, _Opened] = {}
        before: StageJob | None = None
        for job in planned:
            if job.config.rows:
                found[job.number] = _Opened({}, open_rows(job.config))
                continue
            if before is not None and job.data == before.data:
                found[job.number] = found[before.number]
            else:
                paths = training_paths(job.data, shards, present)
                found[job.number] = _Opened(open_streams(self._recipe, paths, job.data.unit, self.held_out))
            make_mixture(self._recipe, found[job.number].streams, job.config, State())
            lacking = find_objective(job.config.objective).columns.keys() - PRE_TRAINING.keys()
            if lacking:
                raise ConfigError(
                    f"stages: {job.config.name}: objective {job.config.objective} reads {min(lacking)}, which shards do"
                    " not have; give rows"
                )
            before = job
        return found

    @contextlib.contextmanager
    def journal(self, ranks: Ranks, tokenizer: TokenizerFacts) -> Iterator[Journal | None]:
        """Open the journal, on rank 0, and put recipe, tokenizer and list of shards into the folder, which it locks.

        So the folder says all that its model needs.
        """
        if not ranks.is_first:
            yield None
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(Journal(self._folder)) as journal:
            for path in self._left:
                remove_made(path)
            write_frozen(self._folder, self._frozen)
            self._inputs.write()
            recipe = json.dumps(to_plain(self._recipe), indent=1).encode()
            storage.write_atomic(str(self._folder / RECIPE), recipe)
            keep_tokenizer(self._folder, self._recipe, tokenizer)
            yield journal


@contextlib.contextmanager
def _one_line(folder: Path) -> Iterator[None]:
    """Turn what torch and safetensors raise when a file cannot be written or read into a RunError."""
    try:
        yield
    except CheckpointException as error:
        causes = [str(failure[0]).strip() for failure in error.failures.values()]
        raise RunError(f"{folder}: a checkpoint cannot be written or read: {_first_line(causes)}") from None
    except SafetensorError as error:
        raise RunError(f"{folder}: weights cannot be written or read: {_first_line([str(error)])}") from None


def _first_line(texts: Sequence[str]) -> str:
    return next((line for text in texts for line in text.splitlines() if line), "for an unknown reason")


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
