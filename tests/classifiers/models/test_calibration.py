from __future__ import annotations

import math

import numpy as np
import pytest

from classifiers.models.calibration import ISOTONIC, PLATT, Calibration, calibrated
from schemas.errors import ConfigError
from schemas.settings import overlay, to_plain


def test_the_default_changes_nothing() -> None:
    scores = np.array([0.001, 0.25, 0.5, 0.9])
    assert calibrated(scores, Calibration()).tolist() == scores.tolist()


def test_platt_by_hand() -> None:
    # log-odds of .5 are 0: 1 / (1 + exp(-1)); those of .75 are ln 3: 1 / (1 + exp(-(2 ln 3 + 1))) = 9e / (9e + 1)
    found = calibrated(np.array([0.5, 0.75]), Calibration(slope=2.0, intercept=1.0))
    assert found.tolist() == [round(math.e / (math.e + 1), 6), round(9 * math.e / (9 * math.e + 1), 6)]


def test_a_certain_score_has_a_probability_below_one() -> None:
    low, high = calibrated(np.array([0.0, 1.0]), Calibration(slope=0.5)).tolist()
    assert 0 < low < 0.01
    assert 0.99 < high < 1


def test_isotonic_by_hand() -> None:
    calibration = Calibration(method=ISOTONIC, scores=(0.2, 0.6), probabilities=(0.1, 0.5))
    found = calibrated(np.array([0.0, 0.2, 0.3, 0.6, 1.0]), calibration)
    assert found.tolist() == pytest.approx([0.1, 0.1, 0.2, 0.5, 0.5])


def test_it_travels_through_yaml() -> None:
    calibration = Calibration(method=ISOTONIC, scores=(0.2, 0.6), probabilities=(0.1, 0.5))
    assert overlay(Calibration(), to_plain(calibration)) == calibration


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"method": ISOTONIC}, r"scores: \[\] is not allowed for method isotonic"),
        ({"method": ISOTONIC, "scores": (0.1,), "probabilities": ()}, "probabilities: 0 of them is not allowed; 1"),
        ({"method": ISOTONIC, "scores": (0.1, 0.1), "probabilities": (0.1, 0.2)}, "not allowed to descend"),
        ({"method": ISOTONIC, "scores": (0.1, 0.2), "probabilities": (0.2, 0.1)}, "not allowed to descend"),
        ({"method": ISOTONIC, "scores": (0.1,), "probabilities": (1.5,)}, "probabilities: 1.5 is not allowed"),
        ({"method": PLATT, "slope": -1.0}, "slope: -1.0 is not allowed"),
        ({"method": "beta"}, "method: 'beta' is not allowed"),
    ],
)
def test_what_is_no_ascending_function_is_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Calibration(**wrong)  # type: ignore[arg-type]
