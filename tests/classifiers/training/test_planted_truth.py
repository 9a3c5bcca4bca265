"""A judge that follows a rule and errs at a known rate: its students find the rule, and say how sure it is."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest

from classifiers.models.calibration import calibrated
from classifiers.models.fasttext_model import FastTextModel
from classifiers.training.figures import area_under_curve
from classifiers.training.train_fasttext import TrainConfig, train_classifier

CONFIG = TrainConfig(dim=8, epoch=5, lr=0.2, word_ngrams=1, bucket=1000, holdout=0.5)
PLANTED = (0.1, 0.5, 0.9)  # chance of `good` before noise, by words of explanation: none, one, more


def texts(n: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    plain = [f"word{k}" for k in range(50)]
    return [" ".join(rng.choices(plain, k=11) + ["because"] * rng.randrange(3)) for _ in range(n)]


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_students_recover_the_rule_and_the_noise(tmp_path: Path, noise: float) -> None:
    rng = random.Random(1)

    def chance(text: str) -> float:
        return noise + (1 - 2 * noise) * PLANTED[text.count("because")]

    rows = [
        {"text": text, "label": "good" if rng.random() < chance(text) else "poor", "site": f"{n % 300}.example"}
        for n, text in enumerate(texts(4_000, 0))
    ]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    report = train_classifier(tmp_path / "t.jsonl", tmp_path / "m.bin", CONFIG)
    assert report.calibration is not None
    others = texts(3_000, 1)
    predictions = FastTextModel(tmp_path / "m.bin").predict_batch(others, 2, 10_000)
    scores = np.array([dict(found)["good"] for found in predictions])
    rule = np.array([text.count("because") == 2 for text in others])
    area = area_under_curve(scores, rule)
    assert area is not None
    assert area > 0.95
    probability, planted = calibrated(scores, report.calibration.chosen), np.array([chance(text) for text in others])
    places = np.minimum((probability * 10).astype(int), 9)
    error = sum(abs((probability - planted)[places == n].sum()) for n in range(10)) / len(others)
    assert error < 0.03
