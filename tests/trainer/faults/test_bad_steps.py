from __future__ import annotations

import math

import pytest

from trainer.faults.bad_steps import LANDMARKS, Verdict, Watch, checkpoint_interval_s, distrusted_from, kept
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


def test_all_suspicious_steps_in_a_row_count_as_trouble() -> None:
    watch = Watch(CONFIG, CALM)
    assert [watch.judge(x, 1.0) for x in (9.0, math.nan, math.nan, 9.0)] == [APPLY, SKIP, SKIP, BACK]
    assert watch.troubled == 4  # not two high ones: the trouble began before the steps that were not finite


def test_batches_are_distrusted_from_before_the_trouble_and_older_ones_at_each_repeat() -> None:
    config = FaultConfig(spike_back=100)
    assert distrusted_from(config, 1000, []) == 900
    assert distrusted_from(config, 40, []) == 0
    assert distrusted_from(config, 1000, [100, 900]) == 900  # the run had come 100 steps past the trouble before
    assert distrusted_from(config, 1000, [901]) == 800
    assert distrusted_from(config, 902, [1003]) == 702
    assert distrusted_from(config, 1000, [990, 950]) == 700
    assert distrusted_from(config, 1000, [990, 950, 940, 930]) == 700  # as far as landmarks reach


@pytest.mark.parametrize("interval", [1, 7, 30, 99, 100, 250])
@pytest.mark.parametrize("keep", [1, 3])
def test_a_checkpoint_for_each_repeat_is_always_kept(interval: int, keep: int) -> None:
    config = FaultConfig(spike_back=100, keep=keep)
    there: set[int] = set()
    for newest in range(interval, 3000, interval):
        there = kept(config, sorted(there | {newest}))
        assert newest in there
        assert len(there) <= keep + LANDMARKS
        for first in {distrusted_from(config, newest, turned) for turned in ([], [newest], [newest] * 9)} - {0}:
            old_enough = max((step for step in there if step <= first), default=0)
            assert first - old_enough < config.spike_back + 2 * interval


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
