from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import yaml

from schemas.errors import ConfigError, InputError
from schemas.settings import overlay
from trainer.recipe import EvalConfig, Recipe
from trainer.scaling.fits.mixes import MixesConfig, NamedMix, candidates, compare, mix_cells, mix_file
from trainer.scaling.ladder import BudgetConfig, LadderConfig, RungConfig
from trainer.scaling.points import Point
from transforms.mixing.mix import MixConfig

BUDGETS = (1e18, 1e19, 1e20)
LAWS = {"best": (2.9, 0.050), "near": (2.9, 0.049), "far": (2.9, 0.03)}  # loss at 1e18, exponent


def _runs(noise: float = 0.0, floor: float = 0.0, seeds: int = 1) -> list[Point]:
    drawn = np.random.default_rng(3)
    return [
        Point(
            mix=mix, budget=budget, seed=seed, tokens=1,
            loss=floor + (height - floor) * (budget / 1e18) ** -power * math.exp(noise * drawn.normal()),
        )
        for mix, (height, power) in LAWS.items() for budget in BUDGETS for seed in range(seeds)
    ]  # fmt: skip


@pytest.mark.parametrize("floor", [0.0, 1.5])
def test_exact_laws_come_back_in_order(floor: float) -> None:
    found = compare(_runs(floor=floor), 1e24, floor)
    assert [forecast.name for forecast in found.forecasts] == ["best", "near", "far"]
    for forecast in found.forecasts:
        height, power = LAWS[forecast.name]
        assert forecast.loss == pytest.approx(floor + (height - floor) * 1e6**-power, rel=1e-9)
    assert found.winner.win_share == pytest.approx(1.0)


def test_intervals_and_win_shares_of_noisy_runs() -> None:
    found = compare(_runs(noise=0.002, seeds=3), 1e22, key="k")
    for forecast in found.forecasts:
        height, power = LAWS[forecast.name]
        assert forecast.interval is not None
        assert forecast.interval.low < height * 1e4**-power < forecast.interval.high
    first, _, far = found.forecasts
    assert first.behind is not None
    assert (first.behind.low, first.behind.high) == (0.0, 0.0)
    assert far.behind is not None
    assert far.behind.low > 0
    shares = [forecast.win_share for forecast in found.forecasts]
    assert None not in shares
    assert math.fsum(share or 0.0 for share in shares) == pytest.approx(1)
    assert far.win_share == 0.0
    assert compare(list(reversed(_runs(noise=0.002, seeds=3))), 1e22, key="k") == found


def test_the_lowest_of_the_sizes_counts() -> None:
    worse = [dataclasses.replace(point, loss=point.loss + 1) for point in _runs()]
    assert compare([*worse, *_runs()], 1e24).winner.loss == compare(_runs(), 1e24).winner.loss


def test_ties_go_by_name() -> None:
    points = [Point(mix=mix, budget=budget, tokens=1, loss=2.0) for mix in "ba" for budget in BUDGETS]
    assert [forecast.name for forecast in compare(points, 1e20).forecasts] == ["a", "b"]


def test_two_runs_of_each_mix_tell_no_interval() -> None:
    found = compare([point for point in _runs() if point.budget < 1e20], 1e24)
    assert [(f.interval, f.behind, f.win_share) for f in found.forecasts] == [(None, None, None)] * 3


def test_what_cannot_be_compared_is_named() -> None:
    with pytest.raises(InputError, match="no runs to compare"):
        compare([], 1e20)
    with pytest.raises(InputError, match="loss against operations of mix 'best': 1 different"):
        compare([point for point in _runs() if point.budget == 1e18], 1e20)
    with pytest.raises(ConfigError, match=r"floor: 3.0 is not allowed; must be below every loss, and one is 2\."):
        compare(_runs(), 1e20, floor=3.0)


def test_the_mix_file_is_what_the_pipeline_reads() -> None:
    shares = {"web": 0.7, "code": 0.2, "maths: 2": 0.1}
    text = mix_file(shares, compare(_runs(noise=0.001), 1e24))
    plain = yaml.safe_load(text)
    assert overlay(MixConfig(), plain["mix"]).source_shares == shares
    assert text.startswith("# mix best: expected held-out loss 1.4")
    assert "95% interval" in text
    assert "the lowest of 3 mixes in" in text


def _config(**changes: object) -> MixesConfig:
    ladder = LadderConfig(
        recipe=Recipe(data=("d",), evaluation=EvalConfig(held_out=("h",))), paired=True,
        rungs=(RungConfig(shape="40m"), RungConfig(shape="150m")),
        budgets=(BudgetConfig(flops=6e18), BudgetConfig(flops=3e19)),
    )  # fmt: skip
    return dataclasses.replace(MixesConfig(ladder=ladder), **changes)  # type: ignore[arg-type]


def test_each_mix_climbs_the_ladder() -> None:
    config = _config(mixes=(NamedMix(name="even", shares={"web": 0.5, "code": 0.5}),), proposals=2)
    epoch = {"web": 3 * 10**12, "code": 10**12}
    cells, left_out, shares = mix_cells(config, 128_000, epoch)
    assert list(shares)[2:] == ["as-found", "even"]
    assert shares["as-found"] == {"code": 0.25, "web": 0.75}
    assert [cell.name for cell in cells[-2:]] == ["even-6e+18-40m-s0", "even-3e+19-150m-s0"]
    assert cells[-1].stage.mix == {"web": 0.5, "code": 0.5}
    assert (len(cells), left_out) == (8, [])


def test_a_mix_of_an_unknown_source() -> None:
    config = _config(mixes=(NamedMix(name="odd", shares={"web": 0.5, "cod": 0.5}),))
    with pytest.raises(ConfigError, match=r"mixes.odd.cod: no such source; allowed: code, web"):
        candidates(config, {"web": 1, "code": 1})


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ({"mixes": [{"name": "a", "shares": {"web": 0.5}}]}, r"mixes: 'a' with shares 0.5 is not allowed"),
        ({"mixes": [{"shares": {"web": 1.0}}]}, r"mixes: '' with shares 1 is not allowed"),
        ({"mixes": [{"name": "as-found", "shares": {"web": 1.0}}]}, "and none 'as-found'"),
        ({"ladder": {"mix": {"web": 1.0}}}, "ladder.mix: must be empty"),
        ({"target": 0}, "target: 0.0 is not allowed; must be > 0"),
    ],
)
def test_wrong_settings_are_one_line(plain: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        overlay(MixesConfig(), plain)
