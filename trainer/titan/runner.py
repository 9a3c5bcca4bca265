"""The titan runner: each stage is a launch of torchtitan, and ends as a checkpoint of the local runner's kind.

    DIR/stages/03-context-512/titan/    job.json, checkpoint/step-N/ and logs, as torchtitan writes them

torchtitan resumes from its own newest checkpoint when it is launched again. It has no roll-back: a loss that is not
finite ends the launch. Gates are measured on a whole model in one process, which the models this runner is for do not
fit: recipes with gates are refused.
"""

from __future__ import annotations

import json
import os
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
from trainer.loop.checkpoints import State
from trainer.loop.journal import Journal
from trainer.loop.loop import StoppedError
from trainer.loop.placement import weights_digest, whole_weights
from trainer.loop.stage_data import measured, training_paths
from trainer.loop.stages import StageJob
from trainer.loop.training import Watcher
from trainer.model.averages import averaged_steps, mean, snapshot_path, write_snapshot
from trainer.model.export import export
from trainer.recipe import Recipe, StageConfig
from trainer.titan.exchange import LocalModel, Whole, read_titan, write_titan
from trainer.titan.job import CHECKPOINTS, FILE, JOB_VARIABLE, TitanJob, read_job

FOLDER = "titan"
MODULE = ("-m", "torchtitan.train", "--module", "trainer.titan.engine", "--config", "stage")
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
        gated = [stage.name for stage in recipe.stages if stage.gate.enabled]
        if gated:
            raise ConfigError(f"stages: {gated[0]}: the titan runner measures no gates; allowed: gate.enabled = false")
        for stage in recipe.stages:
            plain = StageConfig(name=stage.name)
            for name in ("begin", "moments", "objective", "rows", "rope"):
                if getattr(stage, name) != getattr(plain, name):
                    raise ConfigError(f"stages: {stage.name}: {name}: not allowed with the titan runner")
        if "WORLD_SIZE" in os.environ:
            raise ConfigError("runner: titan starts its own processes; run it as one, without torchrun (titan.launch)")
        self._recipe, self._journal, self._watcher = recipe, journal, watcher
        self._launch = launch or launch_and_wait
        self._held_out = held_out_shards(recipe) if held_out is None else held_out

    def run(self, job: StageJob, start: State) -> State:
        """Train a stage to its end. RunError when torchtitan fails, StoppedError when asked to stop."""
        titan = self._titan_job(job, start)
        titan.write()  # what it begins from is made with torchtitan's classes, which read it
        titan = replace(titan, load_from=self._load_from(job, titan))
        path = titan.write()
        self._write("start", step=start.global_step, stage=job.config.name, world=self._recipe.titan.gpus)
        self._watcher.stage_started(job.config, 0)
        self._launch(command(self._recipe), {JOB_VARIABLE: str(path)})
        return self._end(job, titan, start)

    def _write(self, event: str, **fields: Any) -> None:
        if self._journal is not None:
            self._journal.write(event, **fields)

    def _titan_job(self, job: StageJob, start: State) -> TitanJob:
        stage = job.config
        every = averaged_steps(stage, stage.steps)[0] if stage.average else self._recipe.titan.checkpoint_steps
        paths = training_shards(self._recipe)
        return TitanJob(
            key=job.key, recipe=self._recipe, number=job.number, steps=stage.steps, taken=start.taken,
            starts=dict(job.begin(start).starts), unit=job.data.unit,
            shards=training_paths(job.data, paths, measured(paths)), keep_all=stage.average,
            held_out={source: list(found) for source, found in self._held_out.items()}, checkpoint_steps=every,
            folder=str((job.folder / FOLDER).absolute()),
        )  # fmt: skip

    def _load_from(self, job: StageJob, titan: TitanJob) -> str:
        """Return the torchtitan checkpoint that the stage starts from, converted from a local one if needed."""
        before = self._before(job)
        if before is None:
            return ""
        theirs = _newest_of_stage(before.parent)
        if theirs is not None and not self._recipe.stages[job.number - 1].average:
            return str(theirs.absolute())
        made = Path(titan.folder) / "start"
        if not (made / ".metadata").exists():
            self._watcher.say(f"{before}: made into a checkpoint of torchtitan")
            convert(titan, before, made)
        return str(made)

    def _before(self, job: StageJob) -> Path | None:
        if job.number:
            return next(job.folder.parent.glob(f"{job.number - 1:02d}-*/checkpoint"))
        return Path(self._recipe.init_from) if self._recipe.init_from else None

    def _end(self, job: StageJob, titan: TitanJob, start: State) -> State:
        """Convert what torchtitan wrote into average, checkpoint and model, and mark the stage as done."""
        mixture, tokenizer = titan.open_data()
        local = LocalModel(self._recipe, tokenizer)
        local.fill(self._average(job, titan, local) if job.config.average else read(titan, titan.steps, local))
        after = State(
            stage=job.number + 1,
            taken=(*start.taken, titan.steps),
            tokens=start.tokens + titan.steps * job.config.batch_tokens,
            starts={**start.starts, **mixture.ends(titan.steps)},
            weights_sha256=weights_digest(whole_weights(local.model)),
        )
        local.save(job.checkpoint, after)
        export(local.model, job.folder / "model", is_first=True)
        job.finish(after)
        self._write("stage", stage=job.config.name, step=after.global_step, sha256=after.weights_sha256)
        return after

    def _average(self, job: StageJob, titan: TitanJob, local: LocalModel) -> Whole:
        """Return the mean of the weights of the stage's checkpoints, and the moments of its last."""
        paths = []
        for step in averaged_steps(job.config, titan.steps):
            last = read(titan, step, local)
            paths.append(snapshot_path(job.folder / "average", step))
            write_snapshot(paths[-1], dict(last.weights))
        return Whole(mean(paths), last.moments)


def read(titan: TitanJob, step: int, local: LocalModel) -> Whole:
    """Return what torchtitan's checkpoint of a step holds."""
    shapes = {name: parameter.shape for name, parameter in local.model.named_parameters()}
    return read_titan(Path(titan.folder) / CHECKPOINTS / f"step-{step}", titan.recipe, shapes)


def convert(titan: TitanJob, source: Path, target: Path) -> None:
    """Make a checkpoint of torchtitan from one of the local runner, or from a Hugging Face model."""
    try:
        from trainer.titan.engine import build_whole, trainer_config
    except ImportError as error:
        wanted = Path(__file__).with_name("requirements.txt")
        raise ConfigError(
            f"runner: titan needs `pip install --no-deps -r {wanted}` ({error.name} is missing)"
        ) from None
    plain = replace(titan.recipe, titan=replace(titan.recipe.titan, float8="", float8_emulate=False))
    job = replace(titan, recipe=plain)
    _, tokenizer = job.open_data()
    local = LocalModel(plain, tokenizer)
    local.load(source)
    model, optimiser = build_whole(trainer_config(job))
    write_titan(local.whole(), model, optimiser, plain.model, target)


def command(recipe: Recipe) -> list[str]:
    """Return the command that trains the job of the environment."""
    here = (sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={recipe.titan.gpus}")
    return [*(recipe.titan.launch or here), *MODULE]


def launch_and_wait(words: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run a command to its end. RunError when it fails, StoppedError when this process was asked to stop."""
    with subprocess.Popen(list(words), env={**os.environ, **environment}) as process, _passing_on(process) as asked:
        status = process.wait()
    if asked:
        raise StoppedError
    if status:
        raise RunError(f"torchtitan ended with status {status}; the command was: {' '.join(words)}")


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
