"""The local runner: Winnow's own loop, on one process or on all that torchrun started, CPU or GPU."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

from schemas.errors import RunError
from trainer.loop import checkpoints
from trainer.loop.checkpoints import Saver, State
from trainer.loop.loop import StageLoop
from trainer.loop.training import Training
from trainer.model.averages import average, averaged_steps, is_averaged, read_snapshot, snapshot_path
from trainer.model.export import export
from trainer.objectives.find import find_objective
from trainer.objectives.objective import CAUSAL
from trainer.recipe import StageConfig
from trainer.stages.jobs import AVERAGE, StageJob

GATE_EXTENSIONS = 10  # a stage that its gate holds goes on by a tenth of its steps at a time


class Gate(Protocol):
    """Measures the model; all ranks call it together."""

    def __call__(self, job: StageJob, state: State) -> bool:
        """Return whether the stage may end here."""

    def begin(self, job: StageJob, state: State) -> None:
        """Evaluate before the stage is trained, or trained further."""

    def look(self, job: StageJob, state: State) -> None:
        """Evaluate during the stage."""


class LocalRunner:
    """Trains stages one after the other; keeps the model in memory between them."""

    def __init__(self, training: Training, gate: Gate) -> None:
        self._training, self._gate = training, gate
        self._holds: int | None = None  # the stage whose result is in memory

    def run(self, job: StageJob, start: State) -> State:
        """Train a stage to its end. Raises StoppedError when asked to stop, RunError when its gate does not pass.

        `start` is the state before the stage; what it begins with lies in the folders of those stages.
        """
        training = self._training
        begin = job.begin(start)
        restart = functools.partial(self._restart, job)
        if not training.become(job.kind, job.model):
            self._holds = None
        state = self._resume(job, begin, restart)
        if training.ranks.is_first:
            training.checkpoints.remove_after(state.global_step)
        training.write("start", step=state.global_step, stage=job.config.name, world=training.ranks.world)
        training.watcher.stage_started(job.config, state.step)
        training.ranks.barrier()
        if job.kind == CAUSAL:  # no other can be measured by its next tokens
            self._gate.begin(job, state)
        objective = find_objective(job.config.objective)
        with StageLoop(training, job, begin, state.global_step, restart, objective) as loop:
            state = self._until_open(loop, job, state)
            return self._end(job, loop.ends(state), state)

    def _resume(self, job: StageJob, begin: State, restart: Callable[[], None]) -> State:
        found = self._training.newest_of(job.key)
        if found is not None:
            checkpoints.load(found[0], self._training.model, self._training.optimiser)
            return found[1]
        wanted = job.parents[0].number if job.parents and job.carries else None
        if wanted is None or self._holds != wanted:
            restart()
        return begin

    def _restart(self, job: StageJob) -> None:
        """Bring the model to where the stage begins: the stages or models that it names, or the initial weights."""
        if job.is_first:
            self._training.begin_anew()
        elif job.carries:
            checkpoints.load(job.parents[0].checkpoint, self._training.model, self._training.optimiser)
        else:
            self._training.begin_with(job.models, job.folders)

    def _until_open(self, loop: StageLoop, job: StageJob, state: State) -> State:
        """Train the stage's steps, and more until its gate passes."""
        stage = job.config
        until, more = stage.steps, max(1, stage.steps // GATE_EXTENSIONS)
        while until < state.step:
            until += more
        state = self._train(loop, job, state, until)
        while job.kind == CAUSAL and not self._gate(job, state):
            until += more
            if until * stage.batch_tokens > max_tokens(stage):
                raise RunError(f"stage {stage.name}: its gate is still shut after {state.step} steps (gate.max_tokens)")
            state = self._train(loop, job, state, until)
        return state

    def _train(self, loop: StageLoop, job: StageJob, state: State, until: int) -> State:
        """Train up to a step, with evaluations on schedule."""
        every = self._training.recipe.evaluation.every_steps
        while every and (then := state.step - state.step % every + every) < until:
            state = loop.train(state, then)
            self._look(job, state)
        return loop.train(state, until, ends=True)

    def _look(self, job: StageJob, state: State) -> None:
        if job.kind == CAUSAL:
            self._gate.look(job, state)

    def _end(self, job: StageJob, ends: Mapping[str, int], state: State) -> State:
        """Average if the stage asks for it, write checkpoint and model, mark the stage as done.

        `ends` is the position in each source that the stage drew from.
        """
        training = self._training
        if job.config.average:
            self._average(job, state)
            self._look(job, state)  # what is exported is the average: the last measurement is of that
        after = end_stage(training, job, State(
            stage=job.number + 1, taken=(*state.taken, state.step), tokens=state.tokens,
            starts={**state.starts, **ends},
        ))  # fmt: skip
        self._holds = job.number
        return after

    def _average(self, job: StageJob, state: State) -> None:
        """Put the mean of the stage's kept weights into the model; steps that its gate added count."""
        training, folder = self._training, job.folder / AVERAGE
        if not is_averaged(job.config, state.step):
            training.snapshot(folder, state.step)

        def fill(step: int) -> None:
            training.watchdog.beat()
            read_snapshot(training.model, snapshot_path(folder, step))

        average(training.model, [functools.partial(fill, step) for step in averaged_steps(job.config, state.step)])


def end_stage(training: Training, job: StageJob, after: State) -> State:
    """Write checkpoint and model of now as a stage's result, mark the stage as done, and return the state after it.

    All ranks call it together.
    """
    after = replace(after, weights_sha256=training.digest())
    saver = Saver(training.model, training.optimiser, training.ranks)
    saver.begin(job.checkpoint, after)
    saver.finish()
    training.watchdog.beat()
    export(training.model, job.folder / "model", training.ranks.is_first)
    training.watchdog.beat()
    if training.ranks.is_first:
        job.finish(after)
        shutil.rmtree(job.folder / AVERAGE, ignore_errors=True)
    training.write("stage", stage=job.config.name, step=after.global_step, sha256=after.weights_sha256)
    training.ranks.barrier()
    return after


def max_tokens(stage: StageConfig) -> int:
    """Return the tokens after which a stage whose gate does not pass ends the run."""
    return stage.gate.max_tokens or 2 * stage.tokens
