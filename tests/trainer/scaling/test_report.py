from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import yaml

from schemas.errors import InputError
from tests.trainer.scaling.surfaces import letter_runs
from trainer.scaling.fits.downstream import Measured, fit_downstream
from trainer.scaling.fits.mixes import compare
from trainer.scaling.fits.settings import FitConfig
from trainer.scaling.fits.surface import BESIROGLU
from trainer.scaling.ladder import LeftOut
from trainer.scaling.law_report import agreement, report_ladder
from trainer.scaling.points import Interval, Point
from trainer.scaling.report import report_downstream, report_mixes, report_valuation
from trainer.scaling.valuation import Difference

PNG = b"\x89PNG"
# Losses off their parabolas by a fixed pattern, so that there is a scatter.
WIGGLE = (0.004, -0.006, 0.005, -0.003)


def _ladder(budgets: tuple[float, ...] = (1e18, 1e19, 1e20)) -> list[Point]:
    return [
        Point(budget=budget, tokens=round(budget**0.5 * math.exp(z)), loss=3 + 0.1 * z * z + wiggle)
        for budget in budgets for z, wiggle in zip((-1.5, -0.5, 0.5, 1.5), WIGGLE, strict=True)
    ]  # fmt: skip


def test_a_ladder_is_told_drawn_and_kept(tmp_path: Path) -> None:
    text = report_ladder(_ladder(), 1e24, tmp_path, [LeftOut("tiny", "3 steps; min_steps is 20")])
    assert "Student's t of the line through 3 minima (1 degrees of freedom)" in text
    assert "* tiny: 3 steps; min_steps is 20" in text
    assert (tmp_path / "report.md").read_text() == text
    fits = json.loads((tmp_path / "fits.json").read_bytes())
    assert fits["law"]["alpha"] == pytest.approx(0.5, abs=1e-6)
    assert fits["law"]["tokens"] == pytest.approx(1e12, rel=0.1)
    assert fits["dof"] == 3
    for name in ("isoflops.png", "law.png"):
        assert (tmp_path / name).read_bytes().startswith(PNG)


def test_the_same_table_gives_the_same_bytes(tmp_path: Path) -> None:
    for name, points in (("one", _ladder()), ("two", list(reversed(_ladder())))):
        report_ladder(points, 1e24, tmp_path / name)
    for name in ("report.md", "fits.json", "isoflops.png", "law.png"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_without_two_minima_the_page_says_why(tmp_path: Path) -> None:
    text = report_ladder(_ladder((1e18,)), 1e24, tmp_path)
    assert "No law: 1 budgets have a minimum between the sizes that were run; a law needs 2" in text
    assert json.loads((tmp_path / "fits.json").read_bytes())["law"] is None
    assert not (tmp_path / "law.png").exists()
    with pytest.raises(InputError, match="no runs to fit"):
        report_ladder([], 1e24, tmp_path)


def test_two_budgets_are_told_without_an_interval(tmp_path: Path) -> None:
    text = report_ladder(_ladder((1e18, 1e20)), 1e24, tmp_path)
    assert "No interval: two budgets leave no degree of freedom." in text
    assert "Bootstrap of the losses' residuals" in text


def test_a_target_that_is_too_far_gets_no_figure(tmp_path: Path) -> None:
    text = report_ladder(_ladder(), 3.8e25, tmp_path, config=FitConfig(max_orders=2.0))
    assert (
        "No figure at the target: 3.8e+25 FLOPs are 5.6 orders of magnitude beyond the largest budget, 1e+20;"
        " max_orders allows 2, up to 1e+22." in text
    )
    assert "tokens at 3.8e+25" not in text
    fits = json.loads((tmp_path / "fits.json").read_bytes())
    assert "tokens" not in fits["law"]
    assert fits["law"]["alpha"] == pytest.approx(0.5, abs=1e-6)
    assert "At 1e+22 FLOPs: " in report_ladder(_ladder(), 1e22, tmp_path, config=FitConfig(max_orders=2.0))


def test_the_page_has_the_second_opinion_and_what_the_window_leaves_out(tmp_path: Path) -> None:
    text = report_ladder(letter_runs(BESIROGLU, 0.005), 3.8e25, tmp_path)
    assert "Second opinion, from all 93 runs at once: loss = 1.8" in text
    assert "the intervals overlap." in text
    assert "beyond the largest budget with a minimum; the minima span 3.2." in text
    assert "Outside the window: 6e+18-" in text
    fits = json.loads((tmp_path / "fits.json").read_bytes())
    for one, exponent in (("law", "alpha"), ("surface", "exponent")):
        assert fits[one][exponent] == pytest.approx(BESIROGLU.exponent, abs=0.03)
        assert fits[one]["tokens_interval"]["low"] < BESIROGLU.tokens(3.8e25) < fits[one]["tokens_interval"]["high"]


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (Interval(2.0, 4.0, 0.95), "; the intervals overlap"),
        (Interval(3.1, 4.0, 0.95), "; the intervals do not overlap, so one form or both are wrong"),
        (Interval(0.1, 0.9, 0.95), "; the intervals do not overlap, so one form or both are wrong"),
        (None, ""),
    ],
)
def test_opinions_that_differ_are_called_so(other: Interval | None, words: str) -> None:
    assert agreement(Interval(1.0, 3.0, 0.95), other).startswith(words)
    assert bool(agreement(other, Interval(1.0, 3.0, 0.95))) is bool(words)


def test_mixes_are_told_drawn_and_the_winner_written(tmp_path: Path) -> None:
    points = [
        Point(mix=mix, budget=budget, tokens=1, loss=0.5 + height * (budget / 1e18) ** -0.05)
        for mix, height in (("even", 2.5), ("web", 2.6)) for budget in (1e18, 1e19, 1e20)
    ]  # fmt: skip
    shares = {"even": {"web": 0.5, "code": 0.5}, "web": {"web": 1.0}}
    text = report_mixes(shares, compare(points, 1e22, 0.5), tmp_path)
    assert "At 1e+22 FLOPs, 2.0 orders of magnitude beyond the largest budget, even is expected to be best" in text
    assert "Floor of all mixes: 0.5 nats a token, as given." in text
    assert "| even | code 0.5, web 0.5 | 2.0774 |" in text
    assert yaml.safe_load((tmp_path / "mix.yaml").read_text()) == {"mix": {"source_shares": shares["even"]}}
    assert (tmp_path / "mixes.png").read_bytes().startswith(PNG)


def test_downstream_is_told_and_drawn(tmp_path: Path) -> None:
    models = [
        Measured(flops=flops, nll_per_char=nll, accuracy=accuracy)
        for flops, nll, accuracy in ((1e19, 1.2, 0.27), (1e20, 1.1, 0.31), (1e21, 1.01, 0.38), (0, 0.8, 0.7))
    ]
    text = report_downstream(models, fit_downstream(models, 0.25), 1e25, tmp_path)
    assert text.startswith("# Downstream\n\nAt 1e+25 FLOPs: 0.6")
    assert (tmp_path / "downstream.png").read_bytes().startswith(PNG)


def test_a_valuation_is_told(tmp_path: Path) -> None:
    text = report_valuation("new", [Difference("", 2.0, -0.05, None, 1)], tmp_path)
    assert "# What new is worth" in text
    assert "| mean | 2.0000 | -0.0500 |  |" in text
