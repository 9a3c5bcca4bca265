"""What is done between two launches of torchtitan, a launch of its own on the same GPUs:

    begin    measure what the stage's gate compares with, where no stage before has; make the checkpoint that
             torchtitan starts from, where it cannot take that of the stage before as it is, or where initial weights
             have mean rows for special tokens
    end      measure; unless a gate holds the stage, write its average, checkpoint and model

`python -m trainer.titan.between ACTION` finds the job by the environment. The model is that of the local runner,
sharded over all ranks and gathered block by block, also for measuring: neither tensor nor pipeline parallelism is
needed where nothing is trained. Events for the run's journal go to a file, from which the process that has the journal
takes them.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer
from torch.distributed.fsdp import FSDPModule

from schemas.errors import ConfigError
from trainer.commands.progress import Silent
from trainer.data.sources import held_out_shards
from trainer.evaluate.finished import run_tokenizer
from trainer.evaluate.gates import Gatekeeper, open_evaluation
from trainer.faults.watchdog import joined_and_watched
from trainer.loop import checkpoints
from trainer.loop.checkpoints import State
from trainer.loop.journal import Journal
from trainer.loop.local import end_stage
from trainer.loop.training import Training
from trainer.model.averages import average, averaged_steps
from trainer.model.optimiser import make_optimiser
from trainer.stages.data import StageData
from trainer.stages.jobs import StageJob
from trainer.titan.exchange import read_moments, read_weights, write_titan
from trainer.titan.job import CHECKPOINTS, EVENTS, JOB_VARIABLE, START, TitanJob, read_job

BEGIN, END = "begin", "end"


def main(words: list[str]) -> None:
    """Do what `words` say to the job that the environment names; every rank calls it."""
    job = read_job(os.environ[JOB_VARIABLE])
    recipe, run = job.recipe, Path(job.folder).parents[2]
    evaluation = open_evaluation(recipe, job.held_out or held_out_shards(recipe))
    tokenizer = run_tokenizer(run, recipe)
    with joined_and_watched(recipe.faults.stall_s) as (ranks, watchdog), _events(job, ranks.is_first) as journal:
        watcher = Printed() if ranks.is_first else Silent()
        training = Training(recipe, run, {}, ranks, journal, watcher, watchdog, tokenizer)
        if isinstance(training.model, FSDPModule):
            training.model.set_reshard_after_forward(True)  # GPUs that train it in pieces have no room for all of it
        act = {BEGIN: _begin, END: _end}[words[0]]
        act(job, training, Gatekeeper(training, evaluation))


class Printed(Silent):
    """Prints what is said: the console of the run shows the output of its launches."""

    def say(self, line: str) -> None:
        typer.echo(line)


@contextlib.contextmanager
def _events(job: TitanJob, is_first: bool) -> Iterator[Journal | None]:
    if not is_first:
        yield None
        return
    folder = Path(job.folder) / EVENTS
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(Journal(folder)) as journal:
        yield journal


def _begin(job: TitanJob, training: Training, gate: Gatekeeper) -> None:
    if job.begins_with:
        training.optimiser = make_optimiser(training.model, job.recipe.adamw)
        training.load_start(Path(job.begins_with))
    else:
        training.begin_anew()
    gate.begin(_stage_job(job), _state(job, 0))
    start = Path(job.folder) / START
    if job.load_from != str(start) or checkpoints.is_torch_checkpoint(start):
        return
    training.watcher.say(f"{job.begins_with or 'initial weights'}: made into a checkpoint of torchtitan")
    if training.ranks.is_first:
        checkpoints.remove(start)  # the files of an older one would mix with the new one's
    training.ranks.barrier()
    write_titan(training.model, training.optimiser, job.recipe.model, _options(job), start)


def _options(job: TitanJob) -> Mapping[str, Any]:
    try:
        from trainer.titan.engine import saved_options
    except ImportError as error:
        wanted = Path(__file__).with_name("requirements.txt")
        raise ConfigError(
            f"runner: titan needs `pip install --no-deps -r {wanted}` ({error.name} is missing)"
        ) from None
    return saved_options(job)


def _end(job: TitanJob, training: Training, gate: Gatekeeper) -> None:
    def read(step: int) -> None:
        training.watchdog.beat()
        read_weights(training.model, job.recipe.model, Path(job.folder) / CHECKPOINTS / f"step-{step}")

    read(job.steps)
    state, stage_job = _state(job, job.steps), _stage_job(job)
    if not gate(stage_job, state):
        return
    if job.stage.average:
        average(training.model, [functools.partial(read, step) for step in averaged_steps(job.stage, job.steps)])
        gate.look(stage_job, state)  # what is exported is the average: the last measurement is of that
    last = Path(job.folder) / CHECKPOINTS / f"step-{job.steps}"
    read_moments(training.model, training.optimiser, job.recipe.model, last)
    end_stage(training, stage_job, State(
        stage=job.number + 1, taken=(*job.taken, job.steps), tokens=state.tokens, starts={**job.starts, **job.ends},
    ))  # fmt: skip


def _stage_job(job: TitanJob) -> StageJob:
    return StageJob(job.number, job.stage, job.key, Path(job.folder).parent, StageData(job.unit, {}))


def _state(job: TitanJob, step: int) -> State:
    """Return the state of the run after a step of the stage."""
    tokens = job.tokens + step * job.stage.batch_tokens
    return State(stage=job.number, stage_key=job.key, step=step, taken=job.taken, tokens=tokens, starts=job.starts)


if __name__ == "__main__":
    main(sys.argv[1:])
