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


@pytest.mark.parametrize(("floor", "given"), [(0.0, 1e-9), (1.5, 1.5), (0.0, 0.0), (1.5, 0.0), (2.0, 0.0)])
def test_exact_laws_come_back_in_order(floor: float, given: float) -> None:
    """Also their floor, where it is not given."""
    found = compare(_runs(floor=floor), 1e22, given)
    assert [forecast.name for forecast in found.forecasts] == ["best", "near", "far"]
    for forecast in found.forecasts:
        height, power = LAWS[forecast.name]
        assert forecast.loss == pytest.approx(floor + (height - floor) * 1e4**-power, abs=1e-5)
    assert found.floor == pytest.approx(floor, abs=1e-3)
    assert found.winner.win_share == pytest.approx(1.0)


def test_a_power_law_to_zero_is_not_taken_for_granted() -> None:
    """Losses about a floor of 1.8 at budgets a factor of ten apart; to zero, the forecast was half of the truth."""
    drawn = np.random.default_rng(0)
    runs = [
        Point(mix=mix, budget=budget, tokens=1, loss=1.8 + scale * (budget / 1e18) ** -0.16 + 0.003 * drawn.normal())
        for mix, scale in (("a", 0.8), ("b", 0.82)) for budget in (6e18, 1e19, 3e19, 6e19)
    ]  # fmt: skip
    truth = 1.8 + 0.8 * (6e21 / 1e18) ** -0.16
    to_zero, fitted = compare(runs, 6e21, 1e-6).winner, compare(runs, 6e21).winner
    assert to_zero.interval is not None
    assert to_zero.interval.high < truth - 0.02
    assert fitted.interval is not None
    assert fitted.interval.low < truth < fitted.interval.high


def test_intervals_and_win_shares_of_noisy_runs() -> None:
    found = compare(_runs(noise=0.002, seeds=3, floor=1.5), 1e22, key="k")
    for forecast in found.forecasts:
        height, power = LAWS[forecast.name]
        assert forecast.interval is not None
        assert forecast.interval.low < 1.5 + (height - 1.5) * 1e4**-power < forecast.interval.high
    assert found.floor_interval is not None
    assert found.floor_interval.low < 1.5 < found.floor_interval.high
    first, _, far = found.forecasts
    assert first.behind is not None
    assert (first.behind.low, first.behind.high) == (0.0, 0.0)
    assert far.behind is not None
    assert far.behind.low > 0
    shares = [forecast.win_share for forecast in found.forecasts]
    assert None not in shares
    assert math.fsum(share or 0.0 for share in shares) == pytest.approx(1)
    assert far.win_share == 0.0
    assert compare(list(reversed(_runs(noise=0.002, seeds=3, floor=1.5))), 1e22, key="k") == found


def test_intervals_hold_the_truth_and_the_better_mix_wins_as_often_as_they_say() -> None:
    """60 pairs of mixes at four budgets: 52 and more hold 99 times of 100, wins are within three deviations."""
    drawn, loss_held, gap_held, wins, shares = np.random.default_rng(7), 0, 0, 0, []
    budgets, target = (6e18, 1e19, 3e19, 6e19), 6e21
    for trial in range(60):
        scales = {mix: 2.1 * math.exp(drawn.normal(0, 0.02)) for mix in "ab"}
        law = {
            mix: {c: 1.69 + scale * (c / 6e18) ** -0.154 for c in (*budgets, target)} for mix, scale in scales.items()
        }
        runs = [
            Point(mix=mix, budget=c, tokens=1, loss=law[mix][c] + drawn.normal(0, 0.005))
            for mix in "ab"
            for c in budgets
        ]
        first, second = compare(runs, target, key=str(trial)).forecasts
        assert first.interval is not None
        assert second.behind is not None
        assert first.win_share is not None
        loss_held += first.interval.low <= law[first.name][target] <= first.interval.high
        gap = law[second.name][target] - law[first.name][target]
        gap_held += second.behind.low <= gap <= second.behind.high
        wins += gap > 0
        shares.append(first.win_share)
    assert min(loss_held, gap_held) >= 52
    deviation = math.sqrt(math.fsum(share * (1 - share) for share in shares))
    assert abs(wins - math.fsum(shares)) < 3 * deviation


def test_the_lowest_of_the_sizes_counts() -> None:
    worse = [dataclasses.replace(point, loss=point.loss + 1) for point in _runs()]
    assert compare([*worse, *_runs()], 1e22).winner.loss == compare(_runs(), 1e22).winner.loss


def test_the_minimum_between_sizes_counts_where_there_is_one_at_each_budget() -> None:
    """The sizes lie about the minimum otherwise at each budget, so the lowest of them is no power law."""
    truth = {c: 1.7 + 2 * (c / 1e18) ** -0.15 for c in (1e18, 1e19, 1e20, 1e21)}
    runs = [
        Point(mix="a", budget=c, tokens=round(1e9 * math.exp(z)), loss=loss + 0.07 * (z - 0.4 * n + 0.5) ** 2)
        for n, (c, loss) in enumerate(truth.items()) for z in (-1.2, -0.4, 0.4, 1.2)
    ]  # fmt: skip
    assert dict(compare(runs, 1e22).runs["a"]) == pytest.approx(truth, abs=1e-6)
    one_side = [run for run in runs if run.budget > 1e18 or run.tokens > 6e8]
    lowest = {c: min(run.loss for run in one_side if run.budget == c) for c in truth}
    assert dict(compare(one_side, 1e22).runs["a"]) == lowest


def test_ties_go_by_name() -> None:
    points = [Point(mix=mix, budget=budget, tokens=1, loss=2.0) for mix in "ba" for budget in BUDGETS]
    assert [forecast.name for forecast in compare(points, 1e20, 1.0).forecasts] == ["a", "b"]


def test_two_runs_of_each_mix_tell_no_interval() -> None:
    found = compare([point for point in _runs() if point.budget < 1e20], 1e21, 0.5)
    assert [(f.interval, f.behind, f.win_share) for f in found.forecasts] == [(None, None, None)] * 3


def test_what_cannot_be_compared_is_named() -> None:
    with pytest.raises(InputError, match="no runs to compare"):
        compare([], 1e20)
    with pytest.raises(InputError, match="loss against operations of mix 'best': 1 budgets; a line needs 2"):
        compare([point for point in _runs() if point.budget == 1e18], 1e20)
    with pytest.raises(InputError, match=r"6 runs of 3 mixes do not tell their floor; give `floor`, .* are 8 runs"):
        compare([point for point in _runs() if point.budget < 1e20], 1e20)
    with pytest.raises(ConfigError, match=r"floor: 3.0 is not allowed; must be below every loss, and one is 2\."):
        compare(_runs(), 1e20, floor=3.0)


def test_a_target_too_far_out_is_refused_before_anything_is_trained() -> None:
    message = (
        r"target: 3.8e\+25 FLOPs are 5.6 orders of magnitude beyond the largest budget, 1e\+20; max_orders allows 2"
    )
    with pytest.raises(ConfigError, match=message):
        compare(_runs(), 3.8e25)
    with pytest.raises(ConfigError, match=r"target: 3.8e\+25 FLOPs are 6.1 orders"):
        mix_cells(_config(target=3.8e25), 128_000, {"web": 10**15})
    assert mix_cells(_config(target=3.8e25, max_orders=6.2, floor=1.0), 128_000, {"web": 10**15})[0]
    assert compare(_runs()).target == pytest.approx(1e22)


def test_the_mix_file_is_what_the_pipeline_reads() -> None:
    shares = {"web": 0.7, "code": 0.2, "maths: 2": 0.1}
    text = mix_file(shares, compare(_runs(noise=0.001, floor=1.5), 1e22))
    plain = yaml.safe_load(text)
    assert overlay(MixConfig(), plain["mix"]).source_shares == shares
    assert text.startswith("# mix best: expected held-out loss 2.")
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
    even = (NamedMix(name="even", shares={"web": 0.5, "code": 0.5}),)
    config = _config(mixes=even, proposals=2, floor=1.0)
    epoch = {"web": 3 * 10**12, "code": 10**12}
    cells, left_out, shares = mix_cells(config, 128_000, epoch)
    assert list(shares)[2:] == ["as-found", "even"]
    assert shares["as-found"] == {"code": 0.25, "web": 0.75}
    assert [cell.name for cell in cells[-2:]] == ["even-6e+18-40m-s0", "even-3e+19-150m-s0"]
    assert cells[-1].stage.mix == {"web": 0.5, "code": 0.5}
    assert (len(cells), left_out) == (8, [])


def test_too_few_runs_to_tell_a_floor_are_refused_before_they_are_trained() -> None:
    epoch = {"web": 3 * 10**15, "code": 10**15}
    with pytest.raises(ConfigError, match=r"floor: 2 runs of 1 mixes do not tell their floor; .* there are 4 runs"):
        mix_cells(_config(), 128_000, epoch)
    seeds = dataclasses.replace(_config().ladder, seeds=2)
    assert len(mix_cells(_config(ladder=seeds), 128_000, epoch)[0]) == 4
    sizes = dataclasses.replace(_config().ladder, paired=False)  # two sizes of one budget are one run of the law
    with pytest.raises(ConfigError, match="floor: 2 runs of 1 mixes"):
        mix_cells(_config(ladder=sizes), 128_000, epoch)


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
        ({"target": -1}, "target: -1.0 is not allowed; must be >= 0"),
    ],
)
def test_wrong_settings_are_one_line(plain: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        overlay(MixesConfig(), plain)
