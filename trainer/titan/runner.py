"""The titan runner: each stage is launches of torchtitan, and ends as a checkpoint of the local runner's kind.

    DIR/stages/03-context-512/titan/    job.json, checkpoint/step-N/ and logs, as torchtitan writes them

torchtitan resumes from its own newest checkpoint when it is launched again. It has no roll-back: a loss that is not
finite ends the launch. It measures nothing of ours either: between its launches the same GPUs are launched to measure
the model, and a stage that its gate holds is launched again, for a tenth more of its steps (trainer/titan/between.py).
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from schemas.errors import ConfigError, RunError
from trainer.data.sources import Shards, held_out_shards, training_shards
from trainer.evaluate.gates import open_evaluation
from trainer.loop.checkpoints import State
from trainer.loop.journal import Journal, read_journal
from trainer.loop.local import GATE_EXTENSIONS, max_tokens
from trainer.loop.loop import StoppedError
from trainer.loop.training import Watcher
from trainer.model.averages import averaged_steps
from trainer.recipe import Recipe, StageConfig
from trainer.stages.data import measured, training_paths
from trainer.stages.jobs import StageJob
from trainer.titan.between import BEGIN, END
from trainer.titan.job import CHECKPOINTS, EVENTS, FILE, JOB_VARIABLE, START, TitanJob, read_job

FOLDER = "titan"
TRAIN = ("-m", "torchtitan.train", "--module", "trainer.titan.engine", "--config", "stage")
BETWEEN = ("-m", "trainer.titan.between")
Launch = Callable[[Sequence[str], Mapping[str, str]], None]


class TitanRunner:
    """Trains stages by torchtitan. One process, on the first machine; the launch starts all others."""

    def __init__(
        self, recipe: Recipe, journal: Journal | None, watcher: Watcher, launch: Launch | None = None,
        held_out: Shards | None = None,
    ) -> None:  # fmt: skip
        """`launch` runs a command with additions to the environment; RunError when it fails.

        Documents of `held_out` are left out, without it those of the shards that the recipe holds out.
        """
        for stage in recipe.stages:
            plain = StageConfig(name=stage.name)
            for name in ("begin", "moments", "objective", "rows", "rope", "watch"):
                if getattr(stage, name) != getattr(plain, name):
                    raise ConfigError(f"stages: {stage.name}: {name}: not allowed with the titan runner")
        if "WORLD_SIZE" in os.environ:
            raise ConfigError("runner: titan starts its own processes; run it as one, without torchrun (titan.launch)")
        self._recipe, self._journal, self._watcher = recipe, journal, watcher
        self._launch = launch or launch_and_wait
        self._held_out = held_out_shards(recipe) if held_out is None else held_out
        open_evaluation(recipe, self._held_out)  # what cannot be measured is refused before anything is launched

    def run(self, job: StageJob, start: State) -> State:
        """Train a stage to its end. RunError when torchtitan fails or the gate stays shut, StoppedError when asked to
        stop.
        """
        stage = job.config
        titan = self._titan_job(job, start)
        self._write("start", step=start.global_step, stage=stage.name, world=self._recipe.titan.gpus)
        self._watcher.stage_started(stage, 0)
        if titan.load_from == str(Path(titan.folder) / START) or self._lacks_measurement(job):
            self._between(BEGIN, titan)
        steps, more = stage.steps, max(1, stage.steps // GATE_EXTENSIONS)
        while steps < titan.trained:
            steps += more
        while True:
            titan = self._with_steps(titan, steps)
            if titan.trained < steps:
                self._launch(command(self._recipe, TRAIN), {JOB_VARIABLE: str(titan.write())})
            self._between(END, titan)
            after = job.finished()
            if after is not None:
                return after
            if (steps + more) * stage.batch_tokens > max_tokens(stage):
                raise RunError(f"stage {stage.name}: its gate is still shut after {steps} steps (gate.max_tokens)")
            steps += more

    def _between(self, action: str, titan: TitanJob) -> None:
        """Launch what is done before or after torchtitan, and take over its events."""
        events = Path(titan.folder) / EVENTS
        shutil.rmtree(events, ignore_errors=True)
        self._launch(command(self._recipe, (*BETWEEN, action)), {JOB_VARIABLE: str(titan.write())})
        for event in read_journal(events):
            self._write(**{name: value for name, value in event.items() if name != "t"})

    def _write(self, event: str, **fields: Any) -> None:
        if self._journal is not None:
            self._journal.write(event, **fields)

    def _titan_job(self, job: StageJob, start: State) -> TitanJob:
        stage = job.config
        every = averaged_steps(stage, stage.steps)[0] if stage.average else self._recipe.titan.checkpoint_steps
        paths = training_shards(self._recipe)
        folder = (job.folder / FOLDER).absolute()
        before = self._before(job)
        titan = TitanJob(
            key=job.key, recipe=self._recipe, number=job.number, steps=stage.steps, taken=start.taken,
            starts=dict(job.begin(start).starts), tokens=start.tokens, unit=job.data.unit,
            shards=training_paths(job.data, paths, measured(paths)), keep_all=stage.average,
            held_out={source: list(found) for source, found in self._held_out.items()}, checkpoint_steps=every,
            begins_with=str(before.absolute()) if before else "",
            load_from=self._load_from(job, before, folder), folder=str(folder),
        )  # fmt: skip
        _ = titan.local_batch  # a batch that cannot be cut is refused before anything is launched
        if before is None and titan.open_data()[1].special_ids:
            # torchtitan would draw the rows of these tokens; the local runner's initial weights have mean rows there.
            return replace(titan, load_from=str(folder / START))
        return titan

    @staticmethod
    def _with_steps(titan: TitanJob, steps: int) -> TitanJob:
        mixture, _ = titan.open_data()
        return replace(titan, steps=steps, ends=mixture.ends(steps))

    def _load_from(self, job: StageJob, before: Path | None, folder: Path) -> str:
        """Return the torchtitan checkpoint that the stage starts from; one that is to be made, if need be."""
        if before is None:
            return ""
        theirs = _newest_of_stage(before.parent)
        averaged = job.number and self._recipe.stages[job.number - 1].average
        return str(folder / START) if theirs is None or averaged else str(theirs.absolute())

    def _before(self, job: StageJob) -> Path | None:
        if job.number:
            return next(job.folder.parent.glob(f"{job.number - 1:02d}-*/checkpoint"))
        return Path(self._recipe.init_from) if self._recipe.init_from else None

    def _lacks_measurement(self, job: StageJob) -> bool:
        """Return whether the journal has nothing that the stage's gate could compare with, and there is something."""
        if not job.config.gate.enabled or self._before(job) is None:
            return False
        run = job.folder.parents[1]
        return all(event["number"] >= job.number for event in read_journal(run, only=("eval",)))


def command(recipe: Recipe, module: Sequence[str]) -> list[str]:
    """Return the command that runs a module, given with its options, for the job of the environment."""
    here = (sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={recipe.titan.gpus}")
    return [*(recipe.titan.launch or here), *module]


def launch_and_wait(words: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run a command to its end. RunError when it fails, StoppedError when this process was asked to stop."""
    with subprocess.Popen(list(words), env={**os.environ, **environment}) as process, _passing_on(process) as asked:
        status = process.wait()
    if asked:
        raise StoppedError
    if status:
        raise RunError(f"a launch ended with status {status}; the command was: {' '.join(words)}")


@contextmanager
def _passing_on(process: subprocess.Popen[bytes]) -> Iterator[list[int]]:
    """Send a process the signals that ask this one to stop; yields those that came."""
    asked: list[int] = []

    def pass_on(number: int, _frame: object) -> None:
        asked.append(number)
        process.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _newest_of_stage(folder: Path) -> Path | None:
    """Return torchtitan's last checkpoint of a finished stage; None when something else trained it."""
    path = folder / FOLDER / FILE
    if not path.exists():
        return None
    job, done = read_job(str(path)), json.loads((folder / "done.json").read_bytes())
    last = folder / FOLDER / CHECKPOINTS / f"step-{job.steps}"
    return last if done["key"] == job.key and (last / ".metadata").exists() else None
