from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from schemas.errors import ConfigError, InputError
from trainer.scaling.fits.downstream import Measured, fit_downstream, fit_sigmoid, read_measured


def _accuracy(nll: float) -> float:
    return 0.25 + 0.75 / (1 + math.exp((nll - 0.9) / 0.08))


def _models(noise: float = 0.0) -> list[Measured]:
    """nll = 1.3 - 0.02 ln(C / 6e18), five of a ladder and two anchors."""
    drawn = np.random.default_rng(0)
    ladder = []
    for flops in (6e18, 3e19, 1e20, 1e21, 1e22):
        nll = 1.3 - 0.02 * math.log(flops / 6e18) + noise * drawn.normal()
        ladder.append(Measured(flops=flops, nll_per_char=nll, accuracy=_accuracy(nll)))
    return [*ladder, *(Measured(nll_per_char=nll, accuracy=_accuracy(nll)) for nll in (0.95, 0.85))]


def test_line_then_sigmoid_come_back() -> None:
    fits = fit_downstream(_models(), chance=0.25)
    nll = 1.3 - 0.02 * math.log(3.8e25 / 6e18)
    found = fits.forecast(3.8e25)
    assert fits.line.slope == pytest.approx(-0.02)
    assert (fits.sigmoid.middle, fits.sigmoid.width) == (pytest.approx(0.9, rel=1e-4), pytest.approx(0.08, rel=1e-4))
    assert found.nll_per_char == pytest.approx(nll)
    assert found.accuracy == pytest.approx(_accuracy(nll), rel=1e-4)


def test_anchors_count_for_the_sigmoid_alone() -> None:
    models = _models()
    odd = [*models[:5], Measured(nll_per_char=0.5, accuracy=0.99)]
    assert fit_downstream(odd, 0.25).line == fit_downstream(models, 0.25).line


def test_interval_grows_with_distance_and_holds_the_value() -> None:
    fits = fit_downstream(_models(noise=0.003), chance=0.25)
    near, far = fits.forecast(1e22), fits.forecast(3.8e25)
    for found in (near, far):
        assert found.nll_interval is not None
        assert found.nll_interval.low < found.nll_per_char < found.nll_interval.high
        assert found.accuracy_interval is not None
        assert 0 <= found.accuracy_interval.low <= found.accuracy <= found.accuracy_interval.high <= 1
    assert near.nll_interval is not None
    assert far.nll_interval is not None
    assert far.nll_interval.high - far.nll_interval.low > near.nll_interval.high - near.nll_interval.low


def test_gradient_is_the_difference_quotient() -> None:
    sigmoid = fit_sigmoid([0.7, 0.9, 1.1], [_accuracy(x) for x in (0.7, 0.9, 1.1)], 0.25)
    slope, by_fit = sigmoid.gradient(0.95)
    assert slope == pytest.approx((sigmoid.at(0.95 + 1e-6) - sigmoid.at(0.95 - 1e-6)) / 2e-6, rel=1e-5)
    assert by_fit[0] == pytest.approx(-slope)
    assert by_fit[1] == pytest.approx(-slope * (0.95 - sigmoid.middle) / sigmoid.width)


def test_two_likelihoods_fit_exactly_and_tell_no_interval() -> None:
    sigmoid = fit_sigmoid([0.8, 1.0], [_accuracy(0.8), _accuracy(1.0)], 0.25)
    assert (sigmoid.dof, sigmoid.at(0.8)) == (0, pytest.approx(_accuracy(0.8), rel=1e-4))
    assert fit_downstream(_models()[:2], 0.25).forecast(1e25).accuracy_interval is None


@pytest.mark.parametrize(
    ("nll", "accuracy", "message"),
    [
        ([], [], "likelihood: 0 different places"),
        ([1.0, 1.0], [0.5, 0.6], "likelihood: 1 different places"),
        ([0.5, 0.7, 0.9], [0.3, 0.5, 0.7], "accuracy does not fall as"),
    ],
)
def test_what_makes_no_sigmoid_is_named(nll: list[float], accuracy: list[float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        fit_sigmoid(nll, accuracy, 0.25)


def test_chance_lies_below_the_ceiling() -> None:
    with pytest.raises(ConfigError, match=r"chance: 0.9 is not allowed; must be >= 0 and below the ceiling, 0.5"):
        fit_sigmoid([0.5, 0.7], [0.6, 0.5], 0.9, 0.5)


def test_a_table_is_read_and_a_wrong_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "models.jsonl"
    path.write_text('{"flops": 1e20, "nll_per_char": 1.1, "accuracy": 0.3}\n\n{"nll_per_char": 0.9, "accuracy": 0.5}\n')
    assert read_measured(path) == [
        Measured(flops=1e20, nll_per_char=1.1, accuracy=0.3), Measured(nll_per_char=0.9, accuracy=0.5)
    ]  # fmt: skip
    path.write_text('{"nll_per_char": 1.1, "accuracy": 1.3}\n')
    with pytest.raises(ConfigError, match=r"line 1: accuracy: 1.3 is not allowed"):
        read_measured(path)
