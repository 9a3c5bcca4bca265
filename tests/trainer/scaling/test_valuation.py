from __future__ import annotations

import dataclasses

import pytest

from schemas.errors import ConfigError, InputError
from schemas.settings import overlay
from trainer.loop.schedule import learning_rate
from trainer.presets import MODELS
from trainer.recipe import EvalConfig, Recipe
from trainer.scaling.points import Point
from trainer.scaling.valuation import ValuationConfig, differences, mixes_of, valuation_cells

EPOCH = {"web": 300, "code": 100, "new": 50}
CONFIG = ValuationConfig(
    recipe=Recipe(seed=4, model=MODELS["40m"], data=("d",), evaluation=EvalConfig(held_out=("h",))),
    start="run/stages/00-initial/checkpoint", source="new", tokens=40 * 2**22, rate=1e-4,
)  # fmt: skip


def _point(arm: str, seed: int, web: float, maths: float) -> Point:
    return Point(mix=arm, seed=seed, tokens=1, loss=(web + maths) / 2, losses={"web": web, "maths": maths})


def test_thirty_and_seventy() -> None:
    mixes = mixes_of(CONFIG, EPOCH)
    assert mixes["without"] == {"code": 0.25, "web": 0.75}
    assert mixes["with"] == pytest.approx({"code": 0.175, "web": 0.525, "new": 0.3})
    given = mixes_of(dataclasses.replace(CONFIG, mix={"code": 1.0}, weight=0.5), EPOCH)
    assert given == {"without": {"code": 1.0}, "with": {"code": 0.5, "new": 0.5}}


def test_both_arms_anneal_from_the_same_model_to_zero() -> None:
    cells = valuation_cells(CONFIG, 128_000, EPOCH)
    assert [cell.name for cell in cells] == [f"{arm}-s{n}" for n in range(3) for arm in ("without", "with")]
    assert [cell.recipe.seed for cell in cells] == [4, 4, 5, 5, 6, 6]
    for cell in cells:
        stage = cell.stage
        assert cell.recipe.init_from == CONFIG.start
        assert stage.steps == 40
        assert learning_rate([stage], (), 0) == pytest.approx(1e-4 * 39 / 40)
        assert learning_rate([stage], (), 39) == 0.0


def test_the_report_s_defaults() -> None:
    config = ValuationConfig()
    assert (config.weight, config.tokens) == (0.3, 40 * 10**9)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source": "nwe"}, "source: 'nwe' is not among the shards; allowed: code, new, web"),
        ({"mix": {"cod": 1.0}}, r"mix.cod: no such source; allowed: code, new, web"),
        ({"mix": {"web": 0.0}}, "mix: the default mix is empty"),
        ({"start": ""}, "start: none"),
        ({"recipe": {"evaluation": {"held_out": []}}}, r"recipe.evaluation.held_out: none"),
        ({"mix": {"new": 0.1}}, r"mix.new: the new source is not part of the default mix"),
        ({"recipe": {"stages": [{"name": "a"}]}}, "recipe.stages: must be empty"),
        ({"weight": 0.0}, "weight: 0.0 is not allowed; must be > 0"),
    ],
)
def test_wrong_settings_are_one_line(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        valuation_cells(overlay(CONFIG, changes), 128_000, EPOCH)


def test_difference_by_hand() -> None:
    """Gaps of web 0 and -0.2: mean -0.1, standard error 0.1; t of one degree of freedom is 12.7062."""
    points = [
        _point("with", 0, 2.0, 1.0), _point("without", 0, 2.0, 1.5),
        _point("with", 1, 1.9, 1.1), _point("without", 1, 2.1, 1.6),
    ]  # fmt: skip
    mean, maths, web = differences(points)
    assert [one.held_out for one in (mean, maths, web)] == ["", "maths", "web"]
    assert (maths.without, maths.difference) == (pytest.approx(1.55), pytest.approx(-0.5))
    assert web.interval is not None
    assert web.difference == pytest.approx(-0.1)
    assert web.interval.high == pytest.approx(-0.1 + 1.27062, rel=1e-5)
    assert mean.difference == pytest.approx(-0.3)


def test_one_seed_tells_no_interval() -> None:
    found = differences([_point("with", 0, 2.0, 1.0), _point("without", 0, 2.1, 1.5)])
    assert [one.interval for one in found] == [None] * 3


@pytest.mark.parametrize(
    "points", [[], [_point("with", 0, 1, 1)], [_point("with", 0, 1, 1), _point("without", 1, 1, 1)]]
)
def test_a_seed_without_its_pair_is_named(points: list[Point]) -> None:
    with pytest.raises(InputError, match="need the same"):
        differences(points)
