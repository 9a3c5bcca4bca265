"""The runner with a stand-in for torchtitan's processes, which writes checkpoints where they would."""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import pytest
import torch
from torch.distributed.checkpoint.state_dict_saver import save

from schemas.errors import ConfigError, RunError
from tests.trainer.small import FACTS
from tests.trainer.titan.jobs import MODEL, recipe
from tests.trainer.titan.local import LocalModel, same
from trainer.commands.progress import Silent
from trainer.data.sources import held_out_shards, training_shards
from trainer.loop.checkpoints import State, read_state
from trainer.loop.journal import read_journal
from trainer.loop.loop import StoppedError
from trainer.loop.run import plan_jobs, run
from trainer.model.mean_rows import EMBEDDINGS
from trainer.recipe import EvalConfig, GateConfig, Recipe, WatchConfig
from trainer.titan import between
from trainer.titan import runner as runner_module
from trainer.titan.exchange import read_moments, read_weights
from trainer.titan.job import JOB_VARIABLE, TitanJob, read_job
from trainer.titan.names import titan_name, to_titan
from trainer.titan.runner import BETWEEN, TRAIN, TitanRunner, command, launch_and_wait
from trainer.titan.settings import TitanConfig

pytestmark = pytest.mark.filterwarnings("ignore:torch.distributed is disabled")


class Engine:
    """Writes at each of torchtitan's checkpoints weights that are all the number of steps since the run began."""

    def __init__(self) -> None:
        self.jobs: list[TitanJob] = []

    def __call__(self, words: Sequence[str], environment: Mapping[str, str]) -> None:
        job = read_job(environment[JOB_VARIABLE])
        if "trainer.titan.between" in words:
            with patch.dict(os.environ, environment):
                between.main([words[-1]])
            return
        self.jobs.append(job)
        local = LocalModel(job.recipe)
        for step in sorted({*range(job.checkpoint_steps, job.steps + 1, job.checkpoint_steps), job.steps}):
            self.write(job, local, step)

    def value(self, job: TitanJob, step: int) -> float:
        return float(sum(job.taken) + step)

    def write(self, job: TitanJob, local: LocalModel, step: int) -> None:
        value = self.value(job, step)
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
    local = LocalModel(whole)
    local.load(ended / "checkpoint")
    assert {float(tensor.max()) for tensor in local.model.state_dict().values()} == {4.0}
    assert {float(found["exp_avg"].min()) for found in local.optimiser.state.values()} == {2.0}
    other = LocalModel(whole)
    other.load(ended / "model")  # the Hugging Face folder
    assert all(torch.equal(a, b) for a, b in zip(other.model.parameters(), local.model.parameters(), strict=True))


def test_a_stage_that_asks_for_it_is_averaged(tmp_path: Path) -> None:
    whole, folder = recipe(tmp_path), tmp_path / "run"
    run_by(Engine(), whole, folder)
    local = LocalModel(whole)
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
    whole, folder = recipe(tmp_path), tmp_path / "run"
    run_by(Engine(), whole, folder, stages=1)
    before, begun = tmp_path / "of" / "the" / "local" / "runner", Engine()
    shutil.copytree(folder / "stages" / "00-first" / "checkpoint", before / "checkpoint")
    run_by(begun, replace(whole, init_from=str(before / "checkpoint")), tmp_path / "on", 1)
    start = tmp_path / "on" / "stages" / "00-first" / "titan" / "start"
    assert begun.jobs[0].load_from == str(start)
    ours, theirs = LocalModel(whole), LocalModel(whole)
    ours.load(before / "checkpoint")
    read_weights(theirs.model, whole.model, start)
    read_moments(theirs.model, theirs.optimiser, whole.model, start)
    assert same(ours, theirs)


def test_tokens_of_dialogues_begin_at_the_mean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights alone: what torchtitan saves of its optimiser is left out, so that it runs where torchtitan is absent."""
    monkeypatch.setattr(between, "_options", lambda job: {})
    chat = replace(FACTS, special_ids=(5, 62))
    whole, begun = recipe(tmp_path, tokenizer=chat), Engine()
    run_by(begun, whole, tmp_path / "run")
    start = tmp_path / "run" / "stages" / "00-first" / "titan" / "start"
    assert begun.jobs[0].load_from == str(start)
    drawn, found = LocalModel(whole), LocalModel(whole)
    read_weights(found.model, whole.model, start)
    others = [n for n in range(64) if n not in chat.special_ids]
    for name, before in drawn.model.named_parameters():
        after = found.model.get_parameter(name).detach()
        if name in EMBEDDINGS:
            assert torch.equal(after[others], before.detach()[others])
            assert torch.allclose(after[list(chat.special_ids)], before.detach()[others].mean(0), atol=1e-6)
        else:
            assert torch.equal(after, before.detach())


def test_after_an_averaged_stage_torchtitan_starts_from_the_average(engine: ModuleType, tmp_path: Path) -> None:
    whole, made = recipe(tmp_path), Engine()
    third = replace(whole.stages[0], name="third")
    run_by(made, replace(whole, stages=(*whole.stages, third)), tmp_path / "run", 3)
    found = LocalModel(whole)
    read_weights(found.model, whole.model, Path(made.jobs[2].load_from))
    assert {float(parameter.detach().max()) for parameter in found.model.parameters()} == {(6.0 + 8.0) / 2}


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


class Slow(Engine):
    """Needs one extension of its gated stage before its weights are numbers."""

    def value(self, job: TitanJob, step: int) -> float:
        early = job.stage.gate.enabled and step <= job.stage.steps
        return math.nan if early else super().value(job, step)


def gated(folder: Path, **gate: Any) -> Recipe:
    whole = recipe(folder)
    second = replace(whole.stages[1], gate=GateConfig(enabled=True, **{"needle_accuracy": 0.0, **gate}))
    evaluation = EvalConfig(held_out_shards=1, tokens=64, needle_depths=1, needles=1)
    return replace(whole, stages=(whole.stages[0], second), evaluation=evaluation)


def test_a_gate_holds_a_stage_for_further_launches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, folder = Slow(), tmp_path / "run"
    monkeypatch.setattr(runner_module, "launch_and_wait", engine)
    state = run(gated(tmp_path), folder, Silent())
    assert [(job.number, job.steps) for job in engine.jobs] == [(0, 4), (1, 4), (1, 5)]
    assert (state.taken, state.tokens, state.starts) == ((4, 5), 9 * 128, {"web": 9 * 128})
    events = read_journal(folder)
    assert [(e["event"], e.get("stage"), e.get("open")) for e in events] == [
        ("start", "first", None), ("eval", "first", True), ("stage", "first", None),
        ("start", "anneal", None), ("eval", "anneal", False), ("eval", "anneal", True), ("eval", "anneal", None),
        ("stage", "anneal", None),
    ]  # fmt: skip
    local = LocalModel(engine.jobs[0].recipe)
    local.load(folder / "stages" / "01-anneal" / "model")


def test_a_gate_that_stays_shut_ends_the_run_and_the_next_goes_on_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, folder = Engine(), tmp_path / "run"
    monkeypatch.setattr(runner_module, "launch_and_wait", engine)
    whole = gated(tmp_path, needle_accuracy=1.0, max_tokens=5 * 128)
    for _ in range(2):
        with pytest.raises(RunError, match=r"stage anneal: its gate is still shut after 5 steps \(gate.max_tokens\)"):
            run(whole, folder, Silent())
    assert [job.steps for job in engine.jobs] == [4, 4, 5]


def test_a_gate_compares_with_the_model_that_a_run_begins_with(
    engine: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "launch_and_wait", Engine())
    plain = recipe(tmp_path)
    run(plain, tmp_path / "run", Silent())
    begun = replace(gated(tmp_path), stages=gated(tmp_path).stages[1:],
                    init_from=str(tmp_path / "run" / "stages" / "00-first" / "model"))  # fmt: skip
    run(begun, tmp_path / "on", Silent())
    evals = read_journal(tmp_path / "on", only=("eval",))
    assert [(event["stage"], event["number"]) for event in evals] == [("init_from", -1), ("anneal", 0), ("anneal", 0)]


def test_torchrun_and_gates_without_held_out_text_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = recipe(tmp_path)
    unmeasured = replace(gated(tmp_path), evaluation=EvalConfig())
    with pytest.raises(ConfigError, match=r"evaluation.held_out: none, but the gate of stage anneal needs some"):
        TitanRunner(unmeasured, None, Silent())
    branch = replace(whole, stages=(*whole.stages, replace(whole.stages[1], name="third", begin=("first",))))
    with pytest.raises(ConfigError, match="stages: third: begin: not allowed with the titan runner"):
        TitanRunner(branch, None, Silent())
    watched = replace(whole, stages=(whole.stages[0], replace(whole.stages[1], watch=WatchConfig(spike_mads=0.0))))
    with pytest.raises(ConfigError, match="stages: anneal: watch: not allowed with the titan runner"):
        TitanRunner(watched, None, Silent())
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match="without torchrun"):
        TitanRunner(whole, None, Silent())


def test_the_command(tmp_path: Path) -> None:
    whole = recipe(tmp_path)
    words = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    assert command(whole, BETWEEN) == [*words, "-m", "trainer.titan.between"]
    there = replace(whole, titan=TitanConfig(launch=("srun", "torchrun", "--nnodes=4")))
    assert command(there, TRAIN)[:3] == ["srun", "torchrun", "--nnodes=4"]
    assert command(there, TRAIN)[3:] == [
        "-m",
        "torchtitan.train",
        "--module",
        "trainer.titan.engine",
        "--config",
        "stage",
    ]


def test_a_launch_that_fails_is_an_error_in_one_line() -> None:
    launch_and_wait([sys.executable, "-c", "import os; assert os.environ['THERE'] == 'yes'"], {"THERE": "yes"})
    with pytest.raises(RunError, match="a launch ended with status 3; the command was"):
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
            super().write(replace(job, recipe=wide), LocalModel(wide), step)

    with pytest.raises(RunError, match="is missing or of another shape than the recipe's model"):
        run_by(Other(), whole, folder, stages=1)
