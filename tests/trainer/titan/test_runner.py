"""The runner with a stand-in for torchtitan's processes, which writes checkpoints where they would."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch.distributed.checkpoint.state_dict_saver import save

from schemas.errors import ConfigError, RunError
from tests.trainer.small import FACTS as TOKENIZER
from tests.trainer.titan.jobs import MODEL, recipe
from trainer.commands.progress import Silent
from trainer.data.sources import held_out_shards, training_shards
from trainer.loop.checkpoints import State, read_state
from trainer.loop.loop import StoppedError
from trainer.loop.run import plan_jobs, run
from trainer.recipe import EvalConfig, GateConfig, Recipe
from trainer.titan import runner as runner_module
from trainer.titan.exchange import LocalModel
from trainer.titan.job import JOB_VARIABLE, TitanJob, read_job
from trainer.titan.names import titan_name, to_titan
from trainer.titan.runner import TitanRunner, command, convert, launch_and_wait
from trainer.titan.settings import TitanConfig

pytestmark = pytest.mark.filterwarnings("ignore:torch.distributed is disabled")


class Engine:
    """Writes at each of torchtitan's checkpoints weights that are all the number of steps since the run began."""

    def __init__(self) -> None:
        self.jobs: list[TitanJob] = []

    def __call__(self, words: Sequence[str], environment: Mapping[str, str]) -> None:
        job = read_job(environment[JOB_VARIABLE])
        self.jobs.append(job)
        local = LocalModel(job.recipe, TOKENIZER)
        for step in sorted({*range(job.checkpoint_steps, job.steps + 1, job.checkpoint_steps), job.steps}):
            self.write(job, local, step)

    def write(self, job: TitanJob, local: LocalModel, step: int) -> None:
        value = float(sum(job.taken) + step)
        named = {name: torch.full_like(p, value) for name, p in local.model.named_parameters()}
        model = {titan_name(name): to_titan(name, tensor, job.recipe.model) for name, tensor in named.items()}
        moments = {
            f"state.{titan_name(name)}.{kind}": tensor / 2 if kind != "step" else torch.tensor(value)
            for name, tensor in named.items()
            for kind in ("step", "exp_avg", "exp_avg_sq")
        }
        folder = Path(job.folder) / "checkpoint" / f"step-{step}"
        if not folder.exists():
            save({**model, "optimizer": moments}, checkpoint_id=str(folder), no_dist=True)


def run_by(engine: Engine, whole: Recipe, folder: Path, stages: int = 2) -> State:
    state, runner = State(), TitanRunner(whole, None, Silent(), engine)
    for job in plan_jobs(whole, training_shards(whole), folder)[:stages]:
        state = runner.run(job, state)
    return state


def test_stages_follow_each_other(tmp_path: Path) -> None:
    whole, engine, folder = recipe(tmp_path), Engine(), tmp_path / "run"
    state = run_by(engine, whole, folder)
    assert (state.stage, state.taken, state.tokens) == (2, (4, 4), 1024)
    first, second = engine.jobs
    assert (first.number, first.steps, first.taken, first.load_from, first.keep_all) == (0, 4, (), "", False)
    assert (second.number, second.taken, second.keep_all, second.checkpoint_steps) == (1, (4,), True, 2)
    assert second.load_from == str(folder / "stages" / "00-first" / "titan" / "checkpoint" / "step-4")
    assert second.starts == {"web": 512}
    assert [job.finished() is not None for job in plan_jobs(whole, training_shards(whole), folder)] == [True, True]


def test_a_stage_ends_as_the_local_runners_do(tmp_path: Path) -> None:
    whole, folder = recipe(tmp_path), tmp_path / "run"
    state = run_by(Engine(), whole, folder, stages=1)
    ended = folder / "stages" / "00-first"
    assert read_state(ended / "checkpoint") == state
    local = LocalModel(whole, TOKENIZER)
    local.load(ended / "checkpoint")
    assert {float(tensor.max()) for tensor in local.whole().weights.values()} == {4.0}
    assert {float(found["exp_avg"].min()) for found in local.whole().moments.values()} == {2.0}
    other = LocalModel(whole, TOKENIZER)
    other.load(ended / "model")  # the Hugging Face folder
    assert all(torch.equal(a, b) for a, b in zip(other.model.parameters(), local.model.parameters(), strict=True))


def test_a_stage_that_asks_for_it_is_averaged(tmp_path: Path) -> None:
    whole, folder = recipe(tmp_path), tmp_path / "run"
    run_by(Engine(), whole, folder)
    local = LocalModel(whole, TOKENIZER)
    local.load(folder / "stages" / "01-anneal" / "model")
    assert {float(parameter.detach().max()) for parameter in local.model.parameters()} == {(6.0 + 8.0) / 2}


def test_what_another_recipe_left_is_removed_only_when_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, folder = recipe(tmp_path), tmp_path / "run"
    monkeypatch.setattr(runner_module, "launch_and_wait", Engine())
    run_by(Engine(), whole, folder, stages=1)
    stale = folder / "stages" / "00-first" / "titan" / "checkpoint" / "step-900"
    stale.mkdir()
    run(whole, folder, Silent())
    assert stale.exists()
    other = replace(whole, seed=8)
    with pytest.raises(RunError, match=r"00-first: made by another recipe, or with other shards \(differing: seed\)"):
        run(other, folder, Silent())
    assert stale.exists()
    run(other, folder, Silent(), anew=True)
    assert not stale.exists()


def test_it_begins_from_the_local_runners_checkpoint(engine: ModuleType, tmp_path: Path) -> None:
    whole, folder, made = recipe(tmp_path), tmp_path / "run", Engine()
    run_by(made, whole, folder, stages=1)
    start = tmp_path / "start"
    convert(replace(made.jobs[0], number=1, taken=(4,)), folder / "stages" / "00-first" / "checkpoint", start)
    assert (start / ".metadata").exists()
    begun = Engine()
    run_by(begun, replace(whole, init_from=str(folder / "stages" / "00-first" / "checkpoint")), tmp_path / "on", 1)
    assert begun.jobs[0].load_from == str(tmp_path / "on" / "stages" / "00-first" / "titan" / "start")


def test_a_whole_run_by_its_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine()
    monkeypatch.setattr(runner_module, "launch_and_wait", engine)
    whole, folder = recipe(tmp_path), tmp_path / "run"
    state = run(whole, folder, Silent())
    assert run(whole, folder, Silent()) == state
    assert len(engine.jobs) == 2
    events = [json.loads(line)["event"] for line in (folder / "journal.jsonl").read_text().splitlines()]
    assert events == ["start", "stage", "start", "stage"]


def test_a_job_leaves_out_what_the_run_holds_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine()
    monkeypatch.setattr(runner_module, "launch_and_wait", engine)
    held = replace(recipe(tmp_path), evaluation=EvalConfig(held_out_shards=1))
    run(held, tmp_path / "run", Silent())
    for job in engine.jobs:
        assert job.held_out == held_out_shards(held)
        assert job.shards == training_shards(held)
    assert (tmp_path / "run" / "tokenizer" / "facts.json").exists()


def test_gates_and_torchrun_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = recipe(tmp_path)
    gated = replace(whole, stages=(replace(whole.stages[0], gate=GateConfig(enabled=True)),))
    branch = replace(whole, stages=(*whole.stages, replace(whole.stages[1], name="third", begin=("first",))))
    with pytest.raises(ConfigError, match="stages: third: begin: not allowed with the titan runner"):
        TitanRunner(branch, None, Silent())
    with pytest.raises(ConfigError, match="stages: first: the titan runner measures no gates"):
        TitanRunner(gated, None, Silent())
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match="without torchrun"):
        TitanRunner(whole, None, Silent())


def test_the_command(tmp_path: Path) -> None:
    whole = recipe(tmp_path)
    assert command(whole)[:5] == [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    there = replace(whole, titan=TitanConfig(launch=("srun", "torchrun", "--nnodes=4")))
    assert command(there)[:3] == ["srun", "torchrun", "--nnodes=4"]
    assert command(there)[3:] == ["-m", "torchtitan.train", "--module", "trainer.titan.engine", "--config", "stage"]


def test_a_launch_that_fails_is_an_error_in_one_line() -> None:
    launch_and_wait([sys.executable, "-c", "import os; assert os.environ['THERE'] == 'yes'"], {"THERE": "yes"})
    with pytest.raises(RunError, match="torchtitan ended with status 3; the command was"):
        launch_and_wait([sys.executable, "-c", "raise SystemExit(3)"], {})


def test_a_signal_is_passed_on_and_the_run_is_stopped() -> None:
    told = "import os, signal, time; os.kill(os.getppid(), signal.SIGTERM); time.sleep(60)"
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(StoppedError):
        launch_and_wait([sys.executable, "-c", told], {})
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_model_of_another_shape_is_refused(tmp_path: Path) -> None:
    whole, folder = recipe(tmp_path), tmp_path / "run"

    class Other(Engine):
        def write(self, job: TitanJob, local: LocalModel, step: int) -> None:
            wide = replace(job.recipe, model=replace(MODEL, dim=64))
            super().write(replace(job, recipe=wide), LocalModel(wide, TOKENIZER), step)

    with pytest.raises(RunError, match="is missing or of another shape than the recipe's model"):
        run_by(Other(), whole, folder, stages=1)
