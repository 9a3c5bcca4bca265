from __future__ import annotations

import itertools

import pytest

from trainer.loop.schedule import cosine, learning_rate
from trainer.presets import PRESETS, SENSIBLE
from trainer.recipe import ScheduleConfig, StageConfig

CURVE = ScheduleConfig(kind="cosine", peak=1.0, floor=0.1, warmup_steps=10, decay_steps=110)


def _stage(name: str, schedule: ScheduleConfig, steps: int) -> StageConfig:
    return StageConfig(name=name, tokens=steps * 4, seq_len=2, batch_tokens=4, schedule=schedule)


@pytest.mark.parametrize(
    ("step", "rate"), [(0, 0.1), (4, 0.5), (9, 1.0), (10, 1.0), (60, 0.55), (110, 0.1), (10_000, 0.1)]
)
def test_cosine_with_warm_up(step: int, rate: float) -> None:
    assert cosine(CURVE, step) == pytest.approx(rate)


def test_the_reports_curve_at_its_corners() -> None:
    stages = PRESETS[SENSIBLE].stages
    assert learning_rate(stages, (), 7_999) == pytest.approx(8e-5)
    assert learning_rate(stages, (), 604_000 - 0) == pytest.approx((8e-5 + 8e-7) / 2, rel=1e-6)
    assert cosine(stages[0].schedule, 1_200_000) == pytest.approx(8e-7)


def test_stages_share_one_cosine() -> None:
    stages = [_stage("a", CURVE, 30), _stage("b", CURVE, 30)]
    assert learning_rate(stages, (30,), 5) == cosine(CURVE, 35)


def test_linear_goes_from_where_it_starts_to_its_floor() -> None:
    anneal = ScheduleConfig(kind="linear", peak=9.0, floor=0.0)
    stages = [_stage("a", CURVE, 30), _stage("b", anneal, 4)]
    start = cosine(CURVE, 29)
    rates = [learning_rate(stages, (30,), step) for step in range(6)]
    assert rates == pytest.approx([start * 0.75, start * 0.5, start * 0.25, 0.0, 0.0, 0.0])


def test_constant_stays_where_it_starts() -> None:
    constant = ScheduleConfig(kind="constant", peak=0.3)
    stages = [_stage("a", CURVE, 30), _stage("b", constant, 4), _stage("c", constant, 4)]
    assert learning_rate(stages, (30, 4), 2) == cosine(CURVE, 29)
    assert learning_rate(stages[1:], (), 3) == 0.3


def test_a_stage_that_a_gate_prolonged_hands_on_its_last_rate() -> None:
    stages = [_stage("a", CURVE, 30), _stage("b", ScheduleConfig(kind="constant"), 4)]
    assert learning_rate(stages, (50,), 0) == cosine(CURVE, 49)


@pytest.mark.parametrize("kind", ["cosine", "linear", "constant"])
def test_a_curve_of_its_own_begins_with_its_stage(kind: str) -> None:
    own = ScheduleConfig(kind=kind, peak=1.0, floor=0.5, warmup_steps=4, decay_steps=14, own=True)
    mine = StageConfig(name="b", tokens=14 * 8, seq_len=4, batch_tokens=8, schedule=own)
    before = StageConfig(name="a", tokens=100 * 8, seq_len=4, batch_tokens=8, schedule=ScheduleConfig(peak=8.0))
    rates = [learning_rate((before, mine), (100,), step) for step in range(14)]
    assert rates == [learning_rate((mine,), (), step) for step in range(14)]
    assert rates[:4] == [0.25, 0.5, 0.75, 1.0]
    last = {"cosine": 0.5, "linear": 0.5, "constant": 1.0}[kind]
    assert rates[-1] == pytest.approx(last, abs=0.02)
    assert all(later <= sooner for sooner, later in itertools.pairwise(rates[3:]))
