from __future__ import annotations

import math

import pytest

from trainer.faults.bad_steps import Verdict, Watch, checkpoint_interval_s
from trainer.recipe import FaultConfig

CONFIG = FaultConfig(bad_steps=3, spike_window=16, spike_mads=10.0, spike_steps=2)
APPLY, SKIP, BACK = Verdict.APPLY, Verdict.SKIP, Verdict.ROLL_BACK
CALM = [2.0, 2.1, 1.9, 2.0, 2.05, 1.95, 2.0, 2.1]  # median 2.0, median deviation 0.05


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_not_applied_and_then_rolls_back(value: float) -> None:
    watch = Watch(CONFIG, CALM)
    assert [watch.judge(value, 1.0), watch.judge(2.0, value), watch.judge(value, value)] == [SKIP, SKIP, BACK]
    assert watch.troubled == 3


def test_a_good_step_between_bad_ones_starts_the_count_anew() -> None:
    watch = Watch(CONFIG, CALM)
    assert [watch.judge(x, 1.0) for x in (math.nan, math.nan, 2.0, math.nan)] == [SKIP, SKIP, APPLY, SKIP]


@pytest.mark.parametrize(("loss", "is_spike"), [(2.49, False), (2.51, True)])
def test_a_spike_lies_so_many_deviations_above_the_median(loss: float, is_spike: bool) -> None:
    assert Watch(CONFIG, CALM).is_spike(loss) is is_spike


def test_a_spike_that_stays_rolls_back_and_a_wave_does_not() -> None:
    watch = Watch(CONFIG, CALM)
    assert [watch.judge(x, 1.0) for x in (9.0, 2.0, 9.0)] == [APPLY, APPLY, APPLY]
    assert watch.troubled == 1
    assert watch.judge(9.0, 1.0) is BACK


def test_half_a_window_must_be_seen_first() -> None:
    assert not Watch(CONFIG, CALM[:7]).is_spike(100.0)
    assert not Watch(FaultConfig(spike_mads=0.0, spike_window=16), CALM).is_spike(100.0)


def test_a_resumed_watch_judges_as_the_one_that_saw_all() -> None:
    losses = [2.0 + 0.1 * math.sin(n) for n in range(60)]
    whole = Watch(CONFIG)
    for loss in losses:
        whole.judge(loss, 1.0)
    resumed = Watch(CONFIG, losses)
    assert [whole.is_spike(x) for x in (2.5, 3.0, 4.0)] == [resumed.is_spike(x) for x in (2.5, 3.0, 4.0)]


def test_youngs_formula() -> None:
    assert checkpoint_interval_s(FaultConfig(mtbf_s=10_000.0), 2.0) == pytest.approx(200.0)
    assert checkpoint_interval_s(FaultConfig(checkpoint_s=7.0), 2.0) == 7.0
