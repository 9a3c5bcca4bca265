"""Stages that begin with others than the one before: each result depends on its own inputs alone."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification

from schemas.errors import ConfigError, InputError
from tests.trainer.loop.test_run import stop_after
from tests.trainer.row_files import answers, dialogues, row_stage, write
from tests.trainer.small import MODEL, Listener, recipe_of, stage, train, write_shards
from trainer.commands.plan import Machine, plan
from trainer.data.sources import training_shards
from trainer.evaluate.finished import newest_stage, opened, read_saved_recipe
from trainer.evaluate.gates import Evaluation, Gatekeeper
from trainer.loop.checkpoints import State
from trainer.loop.journal import read_journal
from trainer.loop.loop import StoppedError
from trainer.loop.run import plan_jobs, run
from trainer.recipe import FaultConfig, GateConfig, Recipe, RopeConfig, WatchConfig
from trainer.stages.graph import faults_of, line, model_of, parents

RARE = FaultConfig(checkpoint_s=1e9, stall_s=60.0)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    """Pre-training, two branches from it, their average, a reward model and one that goes on from it."""
    folder = tmp_path_factory.mktemp("inputs")
    talks, ranked = write(folder / "talks", dialogues()), write(folder / "ranked", answers())
    return recipe_of(
        write_shards(folder / "shards"),
        stage("base", 6),
        row_stage("sft", "weighted_next_token", talks, 5),
        stage("anneal", 4, begin=("base",), rope=RopeConfig(theta=10_000.0)),
        stage("soup", 2, begin=("sft", "anneal"), seq_len=16),
        row_stage("reward", "pairwise", ranked, 5, begin=("base",)),
        row_stage("reward-2", "pairwise", ranked, 3, moments="fresh"),
        faults=RARE,
    )


@pytest.fixture(scope="module")
def done(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, State]:
    folder = tmp_path_factory.mktemp("done")
    return folder, train(recipe, folder)


def model_at(folder: Path, name: str) -> dict[str, torch.Tensor]:
    [path] = folder.glob(f"stages/*-{name}/model/model.safetensors")
    return load_file(path)


def config_at(folder: Path, name: str) -> dict[str, Any]:
    [path] = folder.glob(f"stages/*-{name}/model/config.json")
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def planned_keys(recipe: Recipe, folder: Path) -> dict[str, str]:
    return {job.config.name: job.key for job in plan_jobs(recipe, training_shards(recipe), folder)}


def test_the_graph_of_the_stages(recipe: Recipe) -> None:
    assert [parents(recipe, n) for n in range(6)] == [(), (0,), (0,), (1, 2), (0,), (4,)]
    assert [line(recipe, n) for n in range(6)] == [[0], [0, 1], [0, 2], [3], [0, 4], [0, 4, 5]]
    assert [model_of(recipe, n).rope_theta for n in range(6)] == [5e5, 5e5, 1e4, 5e5, 5e5, 5e5]


def test_each_kind_of_stage_is_trained_and_exported(recipe: Recipe, done: tuple[Path, State]) -> None:
    folder, state = done
    assert state.taken == (6, 5, 4, 2, 5, 3)
    assert config_at(folder, "base")["architectures"] == ["LlamaForCausalLM"]
    assert config_at(folder, "reward")["architectures"] == ["LlamaForSequenceClassification"]
    found = AutoModelForSequenceClassification.from_pretrained(newest_stage(folder, causal=False) / "model")
    weights = model_at(folder, "reward-2")
    assert torch.equal(found.score.weight, weights["score.weight"])
    assert "lm_head.weight" not in weights
    [path] = folder.glob("stages/*-soup/model")
    assert newest_stage(folder, causal=True) / "model" == path
    with opened(folder, read_saved_recipe(folder)) as training:
        assert training.model.lm_head.weight.shape == (64, 32)
    assert plan(recipe, 64, {"a": 1000}, Machine()).stages[1].tokens == 5 * 6 * 16


def test_what_lies_between_changes_nothing_for_a_branch(
    recipe: Recipe, done: tuple[Path, State], tmp_path: Path
) -> None:
    base, _, anneal, *_ = recipe.stages
    alone = dataclasses.replace(recipe, stages=(base, anneal))
    train(alone, tmp_path / "run")
    keys = planned_keys(recipe, done[0])
    assert planned_keys(alone, tmp_path / "run") == {"base": keys["base"], "anneal": keys["anneal"]}
    mine, theirs = model_at(tmp_path / "run", "anneal"), model_at(done[0], "anneal")
    assert all(torch.equal(mine[name], theirs[name]) for name in theirs)
    assert keys["reward"] != planned_keys(dataclasses.replace(recipe, seed=4), done[0])["reward"]


def test_another_branch_is_trained_anew_alone(recipe: Recipe, done: tuple[Path, State], tmp_path: Path) -> None:
    short = dataclasses.replace(recipe, stages=recipe.stages[:3])
    train(short, tmp_path)
    other = dataclasses.replace(short.stages[1], units=12)
    changed = dataclasses.replace(short, stages=(short.stages[0], other, short.stages[2]))
    heard = Listener()
    state = run(changed, tmp_path, heard, anew=True)
    assert (len(heard.losses), state.taken) == (2, (6, 5, 4))  # what is done keeps the steps of then
    mine, theirs = model_at(tmp_path, "anneal"), model_at(done[0], "anneal")
    assert all(torch.equal(mine[name], theirs[name]) for name in theirs)


def test_an_average_begins_with_the_mean_and_fresh_moments(recipe: Recipe, done: tuple[Path, State]) -> None:
    planned = plan_jobs(recipe, training_shards(recipe), done[0])
    assert [job.carries for job in planned] == [True, True, True, False, False, False]
    with opened(done[0], read_saved_recipe(done[0])) as training:
        training.begin_with(planned[3].models)
        held = dict(training.model.named_parameters())
        sft, anneal = (model_at(done[0], name) for name in ("sft", "anneal"))
        for name in sft:
            mean = (sft[name].double() + anneal[name].double()) / 2
            assert torch.equal(held[name].detach(), mean.float())
        assert not training.optimiser.state


def test_a_reward_model_begins_with_the_trunk_and_a_drawn_head(recipe: Recipe, done: tuple[Path, State]) -> None:
    planned = plan_jobs(recipe, training_shards(recipe), done[0])
    with opened(done[0], read_saved_recipe(done[0])) as training:
        assert not training.become("scalar", planned[4].model)
        training.begin_with(planned[4].models)
        held = {name: parameter.detach().clone() for name, parameter in training.model.named_parameters()}
        training.begin_with(planned[4].models)
        head = dict(training.model.named_parameters())["score.weight"].detach()
    base = model_at(done[0], "base")
    assert all(torch.equal(held[name], base[name]) for name in base if name != "lm_head.weight")
    assert torch.equal(held["score.weight"], head)
    assert float(head.std()) == pytest.approx(MODEL.init_std, rel=0.5)


@pytest.mark.parametrize("step", [8, 13, 16, 19, 23])
def test_each_kind_of_stage_is_resumed_to_the_same_bits(
    recipe: Recipe, done: tuple[Path, State], tmp_path: Path, step: int
) -> None:
    with pytest.raises(StoppedError):
        train(recipe, tmp_path, stop_after(step))
    resumed = Listener()
    assert train(recipe, tmp_path, resumed).weights_sha256 == done[1].weights_sha256
    assert len(resumed.losses) == 25 - step - 1
    for name in ("sft", "soup", "reward"):
        mine, theirs = model_at(tmp_path, name), model_at(done[0], name)
        assert all(torch.equal(mine[weight], theirs[weight]) for weight in theirs)


def test_places_in_the_data_follow_the_line(recipe: Recipe, done: tuple[Path, State]) -> None:
    planned = plan_jobs(recipe, training_shards(recipe), done[0])
    ended = {job.number: job.finished() or State() for job in planned}
    assert ended[1].starts == ended[0].starts == {"a": 6 * 64}  # rows take nothing from the shards
    assert ended[2].starts == {"a": 10 * 64}
    assert planned[3].start(State(), ended).starts == {"a": 10 * 64}  # behind what either has seen
    assert planned[4].start(State(), ended).starts == {"a": 6 * 64}


def test_a_stage_has_its_own_rate(recipe: Recipe, done: tuple[Path, State]) -> None:
    rates: dict[str, list[float]] = {}
    for event in read_journal(done[0], only=("step",)):
        rates.setdefault(event["stage"], []).append(event["rate"])
    assert rates["sft"] == pytest.approx([6e-3 * n for n in (0.25, 0.5, 0.75, 1.0, 1.0)])
    assert rates["reward"] == rates["sft"]
    assert rates["anneal"][0] < rates["base"][-1]  # the cosine goes on from the base's six steps
    assert rates["soup"][0] == rates["base"][0]  # an average is a beginning


def test_rope_changes_from_a_stage_on(recipe: Recipe, done: tuple[Path, State]) -> None:
    thetas = {n: config_at(done[0], n)["rope_parameters"]["rope_theta"] for n in ("base", "anneal", "soup", "reward")}
    assert thetas == {"base": 5e5, "anneal": 1e4, "soup": 5e5, "reward": 5e5}


def test_the_rope_of_a_stage_is_what_it_computes_with(recipe: Recipe, tmp_path: Path) -> None:
    first, second = stage("a", 2), stage("b", 3)
    plain = dataclasses.replace(recipe, stages=(first, second))
    train(plain, tmp_path / "plain")
    changed = dataclasses.replace(second, rope=RopeConfig(theta=100.0, factor=2.0, original_len=8))
    train(dataclasses.replace(plain, stages=(first, changed)), tmp_path / "changed")
    losses = [
        [event["loss"] for event in read_journal(tmp_path / name, only=("step",))] for name in ("plain", "changed")
    ]
    assert losses[0][:2] == losses[1][:2]
    assert losses[0][2] != losses[1][2]
    with opened(tmp_path / "changed", read_saved_recipe(tmp_path / "changed")) as training:
        assert training.model.config.rope_parameters["factor"] == 2.0


def test_a_stage_has_its_own_watch(recipe: Recipe) -> None:
    watched = dataclasses.replace(recipe.stages[1], watch=WatchConfig(spike_window=16, spike_mads=0.0))
    changed = dataclasses.replace(recipe, stages=(recipe.stages[0], watched))
    assert faults_of(changed, 0) == recipe.faults
    assert faults_of(changed, 1) == dataclasses.replace(recipe.faults, spike_window=16, spike_mads=0.0)


def _refused(recipe: Recipe) -> Mapping[str, tuple[Recipe, str]]:
    base, sft, *_, reward, _ = recipe.stages

    def of(*stages: Any) -> Recipe:
        return dataclasses.replace(recipe, stages=stages)

    return {
        "moments of an average": (
            of(base, sft, dataclasses.replace(base, name="x", begin=("base", "sft"), moments="carried")),
            "stages: x: moments: carried is not allowed",
        ),
        "moments of another kind": (of(base, dataclasses.replace(reward, moments="carried")), "of another kind"),
        "a causal model from a reward model": (
            of(base, reward, dataclasses.replace(base, name="x", begin=("reward",))),
            "stages: x: begin: a reward model is not allowed",
        ),
        "columns that shards lack": (
            of(dataclasses.replace(base, objective="weighted_next_token")),
            "reads weights, which shards do not have; give rows",
        ),
        "no such objective": (of(dataclasses.replace(base, objective="dpo")), "objective: 'dpo' is not allowed"),
        "rows that are not there": (
            of(dataclasses.replace(sft, rows=("/nowhere",))), "rows: /nowhere: no Parquet files"
        ),
    }  # fmt: skip


@pytest.mark.parametrize("nth", range(6))
def test_what_cannot_work_is_refused(recipe: Recipe, tmp_path: Path, nth: int) -> None:
    wrong, message = list(_refused(recipe).values())[nth]
    with pytest.raises((ConfigError, InputError)) as caught:
        train(wrong, tmp_path)
    assert message in str(caught.value)


def test_a_stage_begins_with_none_that_comes_later(recipe: Recipe) -> None:
    with pytest.raises(ConfigError, match="stages: base: begin: 'sft' is not allowed; it is no stage before it"):
        dataclasses.replace(recipe, stages=(dataclasses.replace(recipe.stages[0], begin=("sft",)), *recipe.stages[1:]))


def test_a_gate_compares_with_what_its_stage_began_with(recipe: Recipe, tmp_path: Path) -> None:
    """Stages over rows are measured at the shards' length, and those that lie between do not count."""
    base, sft, anneal, *_ = recipe.stages
    gate = GateConfig(enabled=True, tolerance=10.0, needle_accuracy=0.0)
    gated = dataclasses.replace(anneal, name="gated", gate=gate)
    soup = dataclasses.replace(gated, name="soup", begin=("base", "sft"))
    data = write_shards(tmp_path / "shards", documents=500)
    measured = dataclasses.replace(recipe.evaluation, held_out_shards=1)
    changed = dataclasses.replace(
        recipe, data=(data,), stages=(base, dataclasses.replace(sft, seq_len=23), gated, soup), evaluation=measured
    )
    train(changed, tmp_path / "run")
    events = read_journal(tmp_path / "run", only=("eval",))
    assert [(event["stage"], event["number"], event["open"]) for event in events] == [
        ("base", 0, True), ("sft", 1, True), ("gated", 2, True), ("init_from", -4, None), ("soup", 3, True)
    ]  # fmt: skip
    assert [event["seq_len"] for event in events] == [16] * 5
    with opened(tmp_path / "run", read_saved_recipe(tmp_path / "run")) as training:
        keeper = Gatekeeper(training, Evaluation({}, []))
        assert [(keeper._before(n) or {})["step"] for n in (1, 2, 3)] == [6, 6, 15]
