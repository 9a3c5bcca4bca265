from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import InputError
from trainer.scaling.fits.isoflops import fit_isoflops, fit_parabola
from trainer.scaling.fits.lines import fit_line, t_quantile
from trainer.scaling.fits.powerlaw import FIGURE_LAW, TEXT_LAW, bootstrap, fit_law, law_of
from trainer.scaling.points import FLAGSHIP_FLOPS, Point

BUDGETS = (6e18, 3e19, 1e20, 1e21)
SPREAD = (-1.5, -0.5, 0.4, 1.6)  # of ln(tokens) about the minimum


def _ladder(alpha: float, a: float, noise: float = 0.0, seed: int = 0) -> list[Point]:
    """Return runs whose losses are exact parabolas about the law's tokens, plus normal noise."""
    drawn = np.random.default_rng(seed)
    points = []
    for n, budget in enumerate(BUDGETS):
        for z in SPREAD:
            tokens = round(a * budget**alpha * math.exp(z))
            loss = 3 - 0.2 * n + 0.05 * math.log(tokens / (a * budget**alpha)) ** 2 + noise * drawn.normal()
            points.append(Point(budget=budget, tokens=tokens, loss=loss))
    return points


def test_line_by_hand() -> None:
    line = fit_line([0.0, 1.0, 2.0], [1.0, 2.0, 6.0], "x")
    assert (line.slope, line.at(1.0), line.dof) == (2.5, 3.0, 1)
    assert line.variance == pytest.approx(1.5)
    assert line.standard_error(1.0) == pytest.approx(math.sqrt(1.5 / 3))
    assert line.standard_error(3.0) == pytest.approx(math.sqrt(1.5 * (1 / 3 + 4 / 2)))
    slope = line.slope_interval()
    assert slope is not None
    assert slope.high - 2.5 == pytest.approx(12.7062 * math.sqrt(1.5 / 2), rel=1e-5)


def test_two_points_make_a_line_without_an_interval() -> None:
    line = fit_line([0.0, 1.0], [1.0, 2.0], "x")
    assert (line.dof, line.interval(5.0), line.slope_interval()) == (0, None, None)


@pytest.mark.parametrize(
    ("x", "y"), [([], []), ([1.0], [1.0]), ([1.0, 1.0], [1.0, 2.0]), ([1.0, 2.0], [1.0, math.nan])]
)
def test_what_makes_no_line_is_named(x: list[float], y: list[float]) -> None:
    with pytest.raises(InputError, match="tokens against operations: "):
        fit_line(x, y, "tokens against operations")


@pytest.mark.parametrize(("dof", "quantile"), [(1, 12.7062), (2, 4.30265), (10, 2.22814), (10**6, 1.95996)])
def test_t_quantiles_of_the_tables(dof: int, quantile: float) -> None:
    assert t_quantile(0.95, dof) == pytest.approx(quantile, rel=1e-5)


def test_parabola_by_hand() -> None:
    """loss = (ln D - 2)**2 + 1."""
    curve = fit_parabola(1e18, np.exp([0.0, 1.0, 2.0, 3.0]).tolist(), [5.0, 2.0, 1.0, 2.0])
    assert curve.lowest_at == pytest.approx(2.0)
    assert curve.at(np.array([2.0])) == pytest.approx([1.0])
    assert (curve.dof, curve.is_inside) == (1, True)
    assert curve.rss == pytest.approx(0.0, abs=1e-20)


@pytest.mark.parametrize(("losses", "inside"), [([5, 2, 1, 2], True), ([16, 9, 4, 1], False), ([1, 2, 2, 1], False)])
def test_a_minimum_lies_between_the_runs_or_does_not_count(losses: list[float], inside: bool) -> None:
    assert fit_parabola(1.0, np.exp([0.0, 1.0, 2.0, 3.0]).tolist(), losses).is_inside is inside


def test_error_of_a_minimum_is_what_repeating_the_runs_gives() -> None:
    """The delta method against the spread over 4,000 noisy ladders."""
    tokens, noise = np.exp([-1.5, -0.5, 0.4, 1.6]), 0.002
    drawn = np.random.default_rng(1)
    losses = 3 + 0.05 * np.log(tokens) ** 2 + noise * drawn.normal(size=(4000, 4))
    places = [fit_parabola(1.0, tokens.tolist(), row.tolist()).lowest_at for row in losses]
    exact = fit_parabola(1.0, tokens.tolist(), (3 + 0.05 * np.log(tokens) ** 2).tolist())
    assert np.std(places) == pytest.approx(exact.lowest_error(noise**2), rel=0.05)


@pytest.mark.parametrize(
    ("tokens", "losses", "message"),
    [
        ([1, 2], [1.0, 2.0], "budget 1: runs of 2 sizes; a parabola needs 3"),
        ([1, 2, 2], [1.0, 2.0, 2.0], "budget 1: runs of 2 sizes"),
        ([1, 2, 3], [1.0, math.inf, 2.0], "budget 1: the loss of a run is not finite"),
    ],
)
def test_what_makes_no_parabola_is_named(tokens: list[float], losses: list[float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        fit_parabola(1.0, tokens, losses)


@settings(deadline=None, max_examples=50)
@given(alpha=st.floats(0.3, 0.7), log_a=st.floats(-3, 3))
def test_known_exponents_come_back(alpha: float, log_a: float) -> None:
    law = law_of(fit_isoflops(_ladder(alpha, math.exp(log_a))))
    assert law.alpha == pytest.approx(alpha, abs=1e-5)
    assert law.tokens(1e25) == pytest.approx(math.exp(log_a) * 1e25**alpha, rel=1e-3)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """95% intervals of 300 noisy ladders; 275 to 295 is what a fair coin of that kind gives 99 times of 100."""
    held = 0
    for seed in range(300):
        law = law_of(fit_isoflops(_ladder(0.53, 0.3, noise=0.005, seed=seed)))
        interval = law.tokens_interval(3.8e25)
        assert interval is not None
        held += interval.low <= 0.3 * 3.8e25**0.53 <= interval.high
    assert 275 <= held <= 295


def test_the_report_s_two_laws() -> None:
    """SPEC trap 2: the text gives 10.5T tokens, the figure 16.3T; the 402B parameters stated follow from neither."""
    assert TEXT_LAW.tokens(FLAGSHIP_FLOPS) == pytest.approx(10.46e12, rel=1e-3)
    assert FIGURE_LAW.tokens(FLAGSHIP_FLOPS) == pytest.approx(16.29e12, rel=1e-3)
    assert FIGURE_LAW.parameters(FLAGSHIP_FLOPS) == pytest.approx(388.7e9, rel=1e-3)
    assert pytest.approx(FLAGSHIP_FLOPS, rel=1e-3) == 6 * 402e9 * 15.75e12
    assert FIGURE_LAW.tokens_interval(FLAGSHIP_FLOPS) is None


def test_the_report_s_law_comes_back_from_a_ladder_and_is_carried_to_its_budget() -> None:
    law = law_of(fit_isoflops(_ladder(0.537, 0.299)))
    assert (law.alpha, law.a) == (pytest.approx(0.537, abs=1e-5), pytest.approx(0.299, rel=1e-3))
    assert law.tokens(FLAGSHIP_FLOPS) == pytest.approx(16.29e12, rel=1e-3)


def test_two_budgets_give_a_law_without_an_interval() -> None:
    law = fit_law([1e18, 1e20], [1e9, 1e10])
    assert (law.alpha, law.alpha_interval(), law.a_interval()) == (pytest.approx(0.5), None, None)
    assert law.tokens(1e22) == pytest.approx(1e11)


def test_a_budget_without_a_minimum_does_not_count_and_is_named() -> None:
    steep = [Point(budget=1e22, tokens=n, loss=5 - 0.1 * n) for n in (1, 2, 3, 4)]
    found = fit_isoflops([*_ladder(0.5, 1.0), *steep])
    assert found.without_minimum == (1e22,)
    assert law_of(found).alpha == pytest.approx(0.5, abs=1e-5)
    with pytest.raises(InputError, match=r"0 budgets have a minimum .* needs 2 \(without one: 1e\+22\)"):
        law_of(fit_isoflops(steep))
    with pytest.raises(InputError, match="no runs to fit"):
        fit_isoflops([])


def test_scatter_is_pooled_over_budgets() -> None:
    points = _ladder(0.5, 1.0, noise=0.01)
    found = fit_isoflops(points)
    assert found.dof == 4
    assert found.variance == pytest.approx(sum(curve.rss for curve in found.curves) / 4)
    assert all(m.interval is not None and m.interval.low < m.tokens < m.interval.high for m in found.minima)
    three = fit_isoflops([p for n, p in enumerate(points) if n % 4])
    assert (three.dof, [minimum.interval for minimum in three.minima]) == (0, [None] * 4)


def test_seeds_of_one_size_count_as_runs() -> None:
    found = fit_isoflops([*_ladder(0.5, 1.0, 0.01, seed=1), *_ladder(0.5, 1.0, 0.01, seed=2)])
    assert found.dof == 4 * (8 - 3)


def test_bootstrap_is_a_function_of_its_key_and_about_the_fit() -> None:
    found = fit_isoflops(_ladder(0.53, 0.3, noise=0.003))
    one, same, other = (bootstrap(found, key, 500) for key in ("a", "a", "b"))
    assert one is not None
    assert same is not None
    assert other is not None
    assert (one.alpha == same.alpha).all()
    assert not (one.alpha == other.alpha).all()
    assert np.mean(one.alpha) == pytest.approx(law_of(found).alpha, abs=0.01)
    interval = one.alpha_interval()
    assert interval.low < law_of(found).alpha < interval.high
    assert one.failed == 0
    target = one.tokens_interval(1e25)
    assert target.low < law_of(found).tokens(1e25) < target.high


def test_no_bootstrap_without_degrees_of_freedom() -> None:
    points = [point for n, point in enumerate(_ladder(0.5, 1.0)) if n % 4]
    assert bootstrap(fit_isoflops(points), "a") is None
