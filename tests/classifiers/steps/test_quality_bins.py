from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from classifiers.steps.quality_bins import (
    PutIntoBins,
    QualityBinsConfig,
    QualityBinsFit,
    QualityBinStats,
    decide,
    grid_of,
    measure,
)
from schemas.errors import ConfigError
from schemas.records import Document
from transforms.fit import CorpusSize, FitsColumns
from transforms.step import Draft, Drop, Redecides

CONFIG = QualityBinsConfig(scores=("quality", "quality_edu"), n_bins=4, min_documents=3)
KNOWN = {"quality": np.array([0.1, 0.2, 0.3, 0.4]), "quality_edu": np.array([1.0, 2.0, 3.0, 4.0])}


def drafts(scores: Sequence[tuple[float | None, float | None]], language: str = "en") -> list[Draft]:
    found = []
    for n, (one, other) in enumerate(scores):
        draft = Draft(Document(id=f"{n:032x}", text="", language=language))
        stored = {"quality": one, "quality_edu": other}
        draft.stored = {name: None if score is None else {"score": score} for name, score in stored.items()}
        found.append(draft)
    return found


def test_measure_by_hand() -> None:
    scores = {"quality": [0.1, 0.4, None, None, 0.25], "quality_edu": [3.0, 1.0, 2.0, None, 9.0]}
    # quantiles of quality: .125, .875, -, -, .5; of quality_edu: .625, .125, .375, -, 1
    highest = measure(scores, KNOWN, CONFIG)
    assert [(one.quantile, one.bin) for one in highest] == [
        (0.625, 2), (0.875, 3), (0.375, 1), (None, None), (1.0, 3),
    ]  # fmt: skip
    mean = measure(scores, KNOWN, dataclasses.replace(CONFIG, rule="mean"))
    assert [(one.quantile, one.bin) for one in mean] == [(0.375, 1), (0.5, 2), (0.375, 1), (None, None), (0.75, 3)]


def test_bins_of_one_score_are_of_equal_size() -> None:
    config = QualityBinsConfig(scores=("quality",), n_bins=20)
    scores = np.random.default_rng(0).beta(1, 9, 10_000)
    found = Counter(one.bin for one in measure({"quality": scores.tolist()}, {"quality": np.sort(scores)}, config))
    assert sorted(found) == list(range(20))
    assert set(found.values()) == {500}


@pytest.mark.parametrize(
    ("bin_", "limit", "drop"),
    [
        (2, 2, None),
        (1, 2, Drop("quality_bin_too_low", 1, 2)),
        (0, 0, None),
        (0, None, None),
        (None, 3, None),
    ],
)
def test_decide(bin_: int | None, limit: int | None, drop: Drop | None) -> None:
    assert decide(QualityBinStats(quantile=None, bin=bin_), dataclasses.replace(CONFIG, min_bin=limit)) == drop


def test_a_grid_keeps_the_quantiles() -> None:
    assert grid_of([3.0, 1.0, 2.0]) == [1.0, 2.0, 3.0]
    grid = grid_of(np.random.default_rng(0).uniform(size=50_000))
    assert len(grid) == 1000
    assert grid == pytest.approx((np.arange(1000) + 0.5) / 1000, abs=0.01)


def test_a_language_is_ranked_alone_where_it_has_documents() -> None:
    fit = QualityBinsFit(CONFIG)
    assert isinstance(fit, FitsColumns)
    assert isinstance(fit, Redecides)
    english = drafts([(n / 10, float(n)) for n in range(10)])
    german = drafts([(0.9 + n / 100, 50.0 + n) for n in range(4)], "de")  # a classifier that likes German
    few = drafts([(0.95, 52.0)], "fr")
    artefact = fit.fit([*english, *german, *few])
    assert artefact == fit.fit([*few, *german[::-1], *english[::-1]])
    assert sorted(json.loads(artefact)["languages"]) == ["", "de", "en"]
    step = fit.step(artefact)
    step.open()
    step.run([*english, *german, *few], Counter())
    bins = [[draft.measures["quality_bin"].bin for draft in some] for some in (english, german, few)]
    assert bins[0][0] == bins[1][0] == 0
    assert bins[0][-1] == bins[1][-1] == 3
    assert bins[2] == [3]  # among all: high
    assert fit.wants(english[0], CorpusSize(10, 100, {"en": 10}))


def test_a_text_without_any_score_has_no_bin_and_stays() -> None:
    config = dataclasses.replace(CONFIG, min_bin=3)
    step = PutIntoBins(config, QualityBinsFit(config).fit(drafts([(0.1, 1.0), (0.2, 2.0)])))
    known, unknown = drafts([(0.1, None), (None, None)])
    step.run([known, unknown], Counter())
    assert known.drop == Drop("quality_bin_too_low", 1, 3)
    assert unknown.measures["quality_bin"] == QualityBinStats(quantile=None, bin=None)
    assert unknown.alive


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"min_bin": 20}, "min_bin: 20 is not allowed; must be below n_bins, 20"),
        ({"rule": "median"}, "rule: 'median' is not allowed"),
        ({"scores": ("a", "a")}, "names a column twice"),
        ({"n_bins": 1}, "n_bins: 1 is not allowed"),
    ],
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        QualityBinsConfig(**wrong)  # type: ignore[arg-type]
