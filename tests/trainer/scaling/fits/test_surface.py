from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from schemas.errors import InputError
from tests.trainer.scaling.surfaces import letter_runs
from trainer.scaling.fits.surface import BESIROGLU, HOFFMANN, Surface, fit_surface
from trainer.scaling.points import FLAGSHIP_FLOPS, Point

SURFACES = pytest.mark.parametrize("surface", [HOFFMANN, BESIROGLU], ids=["hoffmann", "besiroglu"])


@SURFACES
def test_the_optimum_is_where_the_loss_is_lowest(surface: Surface) -> None:
    flops = 1e21
    best = minimize_scalar(lambda x: surface.at_budget(flops, np.exp(x)), bounds=(20, 30), method="bounded")
    assert surface.tokens(flops) == pytest.approx(np.exp(best.x), rel=1e-4)
    assert surface.tokens(flops * 10) / surface.tokens(flops) == pytest.approx(10**surface.exponent)


def test_the_published_surfaces_say_what_their_papers_do() -> None:
    """Hoffmann et al. print exponents .46 and .54 of their third approach; Besiroglu et al. .51 and .49."""
    assert 1 - HOFFMANN.exponent == pytest.approx(0.452, abs=5e-4)
    assert 1 - BESIROGLU.exponent == pytest.approx(0.513, abs=5e-4)
    assert BESIROGLU.tokens(FLAGSHIP_FLOPS) == pytest.approx(10.24e12, rel=1e-3)


@SURFACES
def test_a_surface_comes_back_from_its_losses(surface: Surface) -> None:
    found = fit_surface(letter_runs(surface)).surface
    for name in ("e", "a", "alpha", "b", "beta"):
        assert getattr(found, name) == pytest.approx(getattr(surface, name), rel=1e-5)
    assert found.tokens(FLAGSHIP_FLOPS) == pytest.approx(surface.tokens(FLAGSHIP_FLOPS), rel=1e-5)


def test_a_run_that_went_wrong_hardly_counts() -> None:
    """That is what the Huber loss is for; by least squares .3 nats on one of 93 runs move the tokens by 30%."""
    runs = letter_runs(HOFFMANN, 0.001)
    spoilt = [dataclasses.replace(run, loss=run.loss + 0.3 * (n == 90)) for n, run in enumerate(runs)]
    with_it, without = (fit_surface(points).surface.tokens(FLAGSHIP_FLOPS) for points in (spoilt, runs))
    assert with_it == pytest.approx(without, rel=0.02)


def test_intervals_hold_the_truth_and_are_about_as_wide_as_trials_differ() -> None:
    held, found, halves = 0, [], []
    truth = HOFFMANN.tokens(FLAGSHIP_FLOPS)
    for seed in range(5):
        fit = fit_surface(letter_runs(HOFFMANN, 0.01, seed))
        interval = fit.tokens_interval(FLAGSHIP_FLOPS)
        assert interval is not None
        held += interval.low <= truth <= interval.high
        found.append(np.log(fit.surface.tokens(FLAGSHIP_FLOPS) / truth))
        halves.append(np.log(interval.high / interval.low) / 2)
    assert held >= 3  # fewer come once in 800 times
    assert 0.4 < np.std(found) / (np.mean(halves) / 1.99) < 1.8


def test_runs_are_in_no_order() -> None:
    runs = letter_runs(BESIROGLU, 0.005)
    assert fit_surface(runs).surface == fit_surface(list(reversed(runs))).surface


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([Point(budget=1e18, tokens=n, loss=3.0) for n in (1, 2, 3, 4, 5)], "5 runs of 1 budgets"),
        (
            [Point(budget=b, tokens=10**9, loss=3.0) for b in (1e18, 1e19)],
            "2 runs of 2 budgets; .* needs 5 of 2",
        ),
        ([Point(budget=b, tokens=10**9, loss=-1.0) for b in range(1, 7)], "not a number above 0"),
    ],
)
def test_what_makes_no_surface_is_named(points: list[Point], message: str) -> None:
    with pytest.raises(InputError, match=message):
        fit_surface(points)


def test_as_many_runs_as_coefficients_give_no_interval() -> None:
    found = fit_surface(letter_runs(HOFFMANN)[::20])
    assert (found.dof, found.exponent_interval(), found.tokens_interval(1e22)) == (0, None, None)
