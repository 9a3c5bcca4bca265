from __future__ import annotations

import math

import pytest

from tests.trainer.scaling.surfaces import letter_cells, letter_runs
from trainer.scaling.fits.isoflops import LEAST_SIZES, fit_isoflops, fit_window
from trainer.scaling.fits.powerlaw import law_of
from trainer.scaling.fits.surface import BESIROGLU, HOFFMANN, Surface
from trainer.scaling.points import FLAGSHIP_FLOPS, Point

SURFACES = pytest.mark.parametrize("surface", [HOFFMANN, BESIROGLU], ids=["hoffmann", "besiroglu"])


@SURFACES
def test_the_report_s_ladder_comes_back_with_the_truth(surface: Surface) -> None:
    """Losses without noise; with five sizes a factor of 200 apart, tokens were 20% and 60% too many."""
    law = law_of(fit_isoflops(letter_runs(surface)))
    assert law.alpha == pytest.approx(surface.exponent, abs=0.005)
    assert law.tokens(FLAGSHIP_FLOPS) == pytest.approx(surface.tokens(FLAGSHIP_FLOPS), rel=0.05)


@SURFACES
def test_each_minimum_is_that_of_the_surface(surface: Surface) -> None:
    found = fit_isoflops(letter_runs(surface))
    assert found.without_minimum == ()
    for minimum in found.minima:
        assert minimum.tokens == pytest.approx(surface.tokens(minimum.budget), rel=0.04)
        best = surface.at_budget(minimum.budget, surface.tokens(minimum.budget))
        assert minimum.loss == pytest.approx(best, abs=0.003)


@SURFACES
def test_sizes_far_from_a_minimum_do_not_move_it(surface: Surface) -> None:
    """All 15 sizes at each budget, a factor of 330 apart: one parabola through all misses by up to a quarter."""
    sizes = sorted({cell.flops / cell.tokens / 6 for cell in letter_cells()})
    runs = [
        Point(budget=budget, tokens=round(budget / 6 / n), loss=surface.at_budget(budget, budget / 6 / n))
        for budget in sorted({cell.budget for cell in letter_cells()}) for n in sizes
    ]  # fmt: skip
    misses = {
        window: max(abs(m.tokens / surface.tokens(m.budget) - 1) for m in fit_isoflops(runs, window).minima)
        for window in (4.0, math.inf)
    }
    assert misses[4.0] < 0.04
    assert misses[math.inf] > 0.1


def test_intervals_of_a_noisy_ladder_hold_the_truth_as_often_as_they_say() -> None:
    """100 ladders with .01 nats of noise: 89 to 99 is what a fair coin of 95% gives 99 times of 100."""
    exponent = tokens = 0
    truth = BESIROGLU.tokens(FLAGSHIP_FLOPS)
    for seed in range(100):
        law = law_of(fit_isoflops(letter_runs(BESIROGLU, 0.01, seed)))
        slope, far = law.alpha_interval(), law.tokens_interval(FLAGSHIP_FLOPS)
        assert slope is not None
        assert far is not None
        exponent += slope.low <= BESIROGLU.exponent <= slope.high
        tokens += far.low <= truth <= far.high
    assert 89 <= exponent <= 99
    assert 89 <= tokens <= 99


def _runs(tokens: list[int], middle: float = 1000.0) -> list[Point]:
    """Return runs whose loss is a parabola within a factor of 4 of `middle`, and lower than it further out."""
    places = [(n, math.log(n / middle)) for n in tokens]
    return [
        Point(budget=1.0, tokens=n, loss=3 + (0.1 * z * z if abs(z) <= math.log(4) else 0.05 * abs(z)))
        for n, z in places
    ]


def test_what_lies_outside_the_window_does_not_count_and_is_kept() -> None:
    curve = fit_window(_runs([50, 300, 600, 1000, 1600, 3000, 20_000]), 4.0)
    assert [run.tokens for run in curve.outside] == [50, 20_000]
    assert curve.lowest_at == pytest.approx(math.log(1000), abs=1e-6)
    assert curve.rss == pytest.approx(0.0, abs=1e-12)


def test_the_window_moves_to_the_minimum() -> None:
    """Most runs lie far to one side, so that the curve through all has its minimum elsewhere."""
    curve = fit_window(_runs([300, 600, 1000, 1600, 3000, 9000, 20_000, 40_000, 80_000, 160_000]), 4.0)
    assert [run.tokens for run in curve.outside] == [9000, 20_000, 40_000, 80_000, 160_000]
    assert curve.lowest_at == pytest.approx(math.log(1000), abs=1e-6)


@pytest.mark.parametrize("window", [1.01, 1.5])
def test_a_narrow_window_widens_to_the_nearest_sizes(window: float) -> None:
    tokens = [300, 600, 1000, 1600, 3000]
    curve = fit_window(_runs(tokens), window)
    assert len(curve.losses) == LEAST_SIZES
    assert [run.tokens for run in curve.outside] == [300]


def test_two_seeds_of_a_size_are_in_the_window_or_out_of_it_together() -> None:
    runs = [*_runs([50, 300, 600, 1000, 1600, 3000]), *_runs([50, 300, 600, 1000, 1600, 3000])]
    assert [run.tokens for run in fit_window(runs, 4.0).outside] == [50, 50]
