from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from classifiers.models.calibration import Calibration, calibrated
from classifiers.steps.quality import QualityConfig, QualityStats, ScoreQuality, decide
from classifiers.training.train_fasttext import TrainConfig, train_classifier
from schemas.errors import ConfigError
from transforms.step import Draft, Drop

Trained = tuple[Path, str]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("quality")
    rows = [{"text": f"a theorem and its proof {n}", "label": "good"} for n in range(40)]
    rows += [{"text": f"buy cheap pills now {n}", "label": "bad"} for n in range(40)]
    (folder / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = TrainConfig(dim=8, epoch=20, lr=0.5, bucket=1000, holdout=0.0)
    return folder / "m.bin", train_classifier(folder / "t.jsonl", folder / "m.bin", config).sha256


@pytest.mark.parametrize(
    ("score", "limit", "drop"),
    [
        (0.25, 0.25, None),
        (0.2499, 0.25, Drop("quality_too_low", 0.2499, 0.25)),
        (0.0, 0.0, None),
        (0.0, None, None),
        (None, None, None),
        (None, 0.0, Drop("quality_unknown", None, 0.0)),
    ],
)
def test_decide(score: float | None, limit: float | None, drop: Drop | None) -> None:
    config = QualityConfig(model_path="m", min_score=limit)
    assert decide(QualityStats(score), config) == drop


def test_without_a_model_nothing_is_scored_or_dropped(make_drafts: Callable[..., list[Draft]]) -> None:
    drafts = make_drafts("a theorem", "")
    step = ScoreQuality(QualityConfig())
    step.open()
    step.run(drafts, Counter())
    assert [draft.measures["quality"] for draft in drafts] == [QualityStats(None), QualityStats(None)]
    assert all(draft.alive for draft in drafts)


def test_the_step_scores_and_drops(trained: Trained, make_drafts: Callable[..., list[Draft]]) -> None:
    config = QualityConfig(model_path=str(trained[0]), model_sha256=trained[1], min_score=0.5)
    drafts = make_drafts("the proof\nof a theorem", "cheap pills", "", "x" * 100_000)
    step = copy.copy(ScoreQuality(config))  # by __reduce__, as pickle does
    step.run(drafts, Counter())
    good, bad, empty, unknown = (draft.measures["quality"].score for draft in drafts)
    assert good > 0.9
    assert bad < 0.1
    assert empty is None
    assert unknown is not None  # of a word that no text had, its pair with the line's end still counts
    reasons = [draft.drop.reason if draft.drop else None for draft in drafts[:3]]
    assert reasons == [None, "quality_too_low", "quality_unknown"]


def test_a_calibration_adds_the_probability(trained: Trained, make_drafts: Callable[..., list[Draft]]) -> None:
    calibration = Calibration(slope=0.5, intercept=-1.0)
    config = QualityConfig(model_path=str(trained[0]), model_sha256=trained[1], calibration=calibration)
    drafts = make_drafts("the proof of a theorem", "")
    ScoreQuality(config).run(drafts, Counter())
    known, empty = (draft.measures["quality"] for draft in drafts)
    assert known.probability == calibrated(np.array([known.score]), calibration)[0]
    assert known.probability < known.score
    assert empty == QualityStats(None, None)


def test_the_score_is_that_of_the_positive_label(trained: Trained, make_drafts: Callable[..., list[Draft]]) -> None:
    scores = []
    for label in ("good", "bad"):
        [draft] = make_drafts("a theorem and pills")
        config = QualityConfig(model_path=str(trained[0]), model_sha256=trained[1], positive_label=label)
        ScoreQuality(config).run([draft], Counter())
        scores.append(draft.measures["quality"].score)
    assert sum(scores) == pytest.approx(1.0, abs=1e-4)


def test_a_label_the_model_does_not_have_is_refused(trained: Trained) -> None:
    step = ScoreQuality(QualityConfig(model_path=str(trained[0]), model_sha256=trained[1], positive_label="fine"))
    with pytest.raises(ConfigError, match="positive_label: 'fine' is not one of the model's: bad good"):
        step.open()


@pytest.mark.parametrize("pin", ["", "0" * 64])
def test_another_checksum_is_refused(trained: Trained, pin: str) -> None:
    with pytest.raises(ConfigError, match=f"its SHA-256 is {trained[1]}, "):
        ScoreQuality(QualityConfig(model_path=str(trained[0]), model_sha256=pin)).open()


def test_a_limit_without_a_model_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"min_score: 0\.5 is not allowed without a model_path"):
        QualityConfig(min_score=0.5)


@pytest.mark.parametrize("wrong", [{"min_score": 1.01}, {"min_score": -0.01}, {"max_chars": 99}])
def test_settings_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        QualityConfig(model_path="m", **wrong)  # type: ignore[arg-type]
