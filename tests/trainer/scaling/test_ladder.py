from __future__ import annotations

import dataclasses

import pytest

from schemas.errors import ConfigError
from schemas.settings import overlay
from tests.trainer.scaling.surfaces import letter_cells
from trainer.model.llama import count_parameters, flops_per_token
from trainer.recipe import EvalConfig, Recipe, StageConfig
from trainer.scaling.fits.powerlaw import FIGURE_LAW
from trainer.scaling.fits.surface import BESIROGLU, HOFFMANN
from trainer.scaling.ladder import BudgetConfig, LadderConfig, RungConfig, batch_of, between, make_cells
from trainer.scaling.presets import LADDERS

BASE = Recipe(seed=5, data=("d",), evaluation=EvalConfig(held_out=("h",)))
EPOCH = {"web": 10**15, "code": 10**15}


def _ladder(**changes: object) -> LadderConfig:
    plain = LadderConfig(
        recipe=BASE, rungs=(RungConfig(shape="40m"), RungConfig(shape="400m")),
        budgets=(BudgetConfig(flops=1e20), BudgetConfig(flops=6e18)),
    )  # fmt: skip
    return dataclasses.replace(plain, **changes)  # type: ignore[arg-type]


def test_tokens_are_the_budget_over_operations_of_a_token() -> None:
    cells, left_out = make_cells(_ladder(), 128_000, EPOCH)
    assert [cell.name for cell in cells] == ["6e+18-40m-s0", "6e+18-400m-s0", "1e+20-40m-s0", "1e+20-400m-s0"]
    assert left_out == []
    for cell in cells:
        assert cell.flops == pytest.approx(cell.budget, rel=1e-3)
        model = cell.recipe.model
        assert cell.tokens * flops_per_token(model, 128_000, 4096) == pytest.approx(cell.flops)
        assert cell.parameters == count_parameters(model, 128_000)


def test_a_run_follows_the_report() -> None:
    cell = make_cells(_ladder(), 128_000, EPOCH)[0][0]
    stage = cell.stage
    assert stage.schedule.floor == pytest.approx(0.1 * stage.schedule.peak)
    assert (stage.schedule.kind, stage.schedule.warmup_steps, stage.schedule.decay_steps) == (
        "cosine",
        2000,
        stage.steps,
    )
    assert cell.recipe.adamw.weight_decay == 0.1
    assert stage.batch_tokens == 2**18


@pytest.mark.parametrize(("steps_share", "warmup"), [(0.1, 14), (1.0, 145), (0.0, 0)])
def test_a_short_run_warms_up_for_a_share(steps_share: float, warmup: int) -> None:
    config = _ladder(budgets=(BudgetConfig(flops=2.6e16),), rungs=(RungConfig(shape="40m"),), warmup_share=steps_share)
    cell = make_cells(config, 128_000, EPOCH)[0][0]
    assert (cell.stage.steps, cell.stage.schedule.warmup_steps) == (145, warmup)


@pytest.mark.parametrize(
    ("value", "result"), [(1e6, 4e-4), (40e6, 4e-4), (800e6, (4e-4 * 2e-4) ** 0.5), (16e9, 2e-4), (405e9, 2e-4)]
)
def test_between_the_report_s_ends(value: float, result: float) -> None:
    assert between(value, (40e6, 16e9), (4e-4, 2e-4)) == pytest.approx(result)


@pytest.mark.parametrize(
    ("flops", "tokens"), [(1e10, 2**18), (6e18, 2**18), (2.5e20, 2**20), (1e22, 2**22), (1e26, 2**22)]
)
def test_batch_by_budget(flops: float, tokens: int) -> None:
    assert batch_of(BudgetConfig(flops=flops), 4096) == tokens


def test_batch_is_a_multiple_of_the_length() -> None:
    assert batch_of(BudgetConfig(batch_tokens=1000), 128) == 896
    assert batch_of(BudgetConfig(batch_tokens=100), 128) == 128


def test_seeds_and_given_rates() -> None:
    cells, _ = make_cells(_ladder(rungs=(RungConfig(shape="40m", peak=0.01),), seeds=2), 128_000, EPOCH)
    assert [(cell.recipe.seed, cell.stage.schedule.peak) for cell in cells[:2]] == [(5, 0.01), (6, 0.01)]


def test_paired_rungs_run_at_their_own_budget() -> None:
    cells, _ = make_cells(_ladder(paired=True), 128_000, EPOCH)
    assert [cell.name for cell in cells] == ["6e+18-400m-s0", "1e+20-40m-s0"]


def test_what_is_not_worth_its_budget_is_left_out_with_the_reason() -> None:
    small = {"web": 10**9, "code": 10**15}
    cells, left_out = make_cells(_ladder(mix={"web": 0.5, "code": 0.5}), 128_000, small)
    assert [cell.name for cell in cells] == ["6e+18-400m-s0"]
    assert left_out[0].name == "6e+18-40m-s0"
    assert left_out[0].reason.endswith("epochs of web; max_epochs is 4")
    _, left_out = make_cells(_ladder(min_steps=10_000), 128_000, EPOCH)
    assert [run.name for run in left_out] == ["6e+18-400m-s0"]
    assert left_out[0].reason == "6261 steps; min_steps is 10000"


def test_runs_far_from_the_expected_tokens_are_left_out() -> None:
    """6e18 operations: L3's law says 3.6B tokens; 40m reads 8.8B of them, 400m 1.6B."""
    config = _ladder(budgets=(BudgetConfig(flops=6e18),), around=2.3)
    cells, left_out = make_cells(config, 128_000, EPOCH)
    assert [cell.rung for cell in cells] == ["400m"]
    assert [run.reason for run in left_out] == ["2.4 times the tokens of L3's law; around is 2.3"]
    assert len(make_cells(dataclasses.replace(config, around=2.5), 128_000, EPOCH)[0]) == 2


def test_the_report_s_ladder_has_sizes_about_each_minimum() -> None:
    """Of the three laws that are published, and by no more than the step between two sizes to one side."""
    for law in (FIGURE_LAW, HOFFMANN, BESIROGLU):
        for budget in LADDERS["letter"].budgets:
            places = [c.tokens / law.tokens(c.budget) for c in letter_cells() if c.budget == budget.flops]
            assert sum(1 / 4 <= place <= 4 for place in places) >= 4
            assert min(places) < 1 / 1.2
            assert max(places) > 1.2


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ({"rungs": [{"shape": "2b"}]}, r"rungs\[0\].shape: '2b' is not allowed; must be one of"),
        ({"rungs": [{"shape": "40m"}, {"shape": "40m"}]}, "rungs: names"),
        ({"rungs": [{}]}, "rungs: names"),
        ({"budgets": [{"flops": 1e18}, {"flops": 1e18}]}, "budgets: .* each must be another"),
        ({"budgets": [{"flops": 0}]}, r"budgets\[0\].flops: 0.0 is not allowed; must be > 0"),
        ({"paired": True, "rungs": [{"shape": "40m"}]}, "paired: 1 rungs and 0 budgets"),
        ({"recipe": {"stages": [{"name": "a"}]}}, "recipe.stages: must be empty"),
        ({"seed": 3}, "seed: unknown setting; did you mean seeds"),
    ],
)
def test_a_wrong_ladder_is_one_line(plain: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        overlay(LadderConfig(), plain)
    assert "\n" not in str(caught.value)


def test_a_ladder_needs_rungs_budgets_and_held_out_shards() -> None:
    with pytest.raises(ConfigError, match="at least one of each"):
        make_cells(LadderConfig(), 10, {})
    with pytest.raises(ConfigError, match=r"recipe.evaluation.held_out: none"):
        make_cells(_ladder(recipe=Recipe()), 10, {})
    with pytest.raises(ConfigError, match="stages"):
        LadderConfig(recipe=Recipe(stages=(StageConfig(name="a"),)))


@pytest.mark.parametrize(("name", "vocab_size", "runs"), [("letter", 128_000, 93), ("cpu", 258, 16)])
def test_ladders_by_name(name: str, vocab_size: int, runs: int) -> None:
    recipe = dataclasses.replace(LADDERS[name].recipe, evaluation=BASE.evaluation)
    cells, _ = make_cells(dataclasses.replace(LADDERS[name], recipe=recipe), vocab_size, EPOCH)
    assert len(cells) == runs
