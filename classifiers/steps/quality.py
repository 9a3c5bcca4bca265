"""Quality score: the probability a fastText classifier gives to one label of a text.

The Llama reports keep what resembles references of Wikipedia (arXiv:2302.13971, section 2; arXiv:2407.21783, section
3.1.1); RedPajama keeps a probability >= 0.25 of such a model, DCLM (arXiv:2406.11794, section 4.4) the top 10% by one
trained on instructions and explanations, >= 0.018112. Here the classifier is what `winnow train-classifier` was
given, so no limit is set by default; its report suggests one. A student's score ranks texts; with its calibration the
column `probability` says how often its teacher would have given the positive label.

Deviation: only the first `max_chars` characters of a text are scored (training reads the same ones), which bounds the
cost of a book-long page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from classifiers.models.calibration import Calibration, calibrated
from classifiers.models.label_scores import SCORED_CHARS, Classifier, label_scores
from classifiers.models.text_forms import FORMS, RAW
from classifiers.models.transformer_settings import TransformerSettings
from classifiers.steps.label_step import LabelStep
from schemas.errors import ConfigError
from schemas.settings import section, setting, validate
from transforms.settings_read import fields_but
from transforms.step import Draft, Drop


@dataclass(frozen=True, kw_only=True)
class QualityConfig:
    """Which classifier scores, and what is kept."""

    model_path: str = setting("", "fastText file (path, https), transformers folder or hf://; '' scores nothing")
    model_sha256: str = setting("", "SHA-256 of the model, as its training reported it")
    positive_label: str = setting("good", "label whose probability is the score")
    min_score: float | None = setting(None, "probability a text must have; null keeps every text", ge=0.0, le=1.0)
    text_form: str = setting(RAW, "form of the text that the model was trained on", choices=FORMS)
    max_chars: int = setting(SCORED_CHARS, "characters from the start of a text that are scored", ge=100)
    transformer: TransformerSettings = section(TransformerSettings, "how a transformers model is run")
    calibration: Calibration | None = section(
        Calibration, "from score to probability, as `winnow train-classifier --pin` wrote it", optional=True, off=True
    )

    def __post_init__(self) -> None:
        validate(self)
        if self.min_score is not None and not self.model_path:
            raise ConfigError(f"min_score: {self.min_score!r} is not allowed without a model_path; must be null")


@dataclass(frozen=True, slots=True)
class QualityStats:
    """The score; None when there is no classifier, or nothing in the text that it knows: an empty text."""

    score: float | None
    probability: float | None = None  # the score calibrated; None without a calibration


def measure(model: Classifier, texts: Sequence[str], config: QualityConfig) -> list[QualityStats]:
    """Return the probability that the model gives to the positive label for each text, and what it is calibrated."""
    scores = label_scores(model, texts, config)
    if config.calibration is None:
        return [QualityStats(score) for score in scores]
    known = np.array([0.0 if score is None else score for score in scores])
    found = calibrated(known, config.calibration).tolist()
    return [
        QualityStats(score, None if score is None else probability)
        for score, probability in zip(scores, found, strict=True)
    ]


def decide(stats: QualityStats, config: QualityConfig) -> Drop | None:
    """Drop a text below the limit, and one that cannot be scored when there is a limit."""
    if config.min_score is None:
        return None
    if stats.score is None:
        return Drop("quality_unknown", None, config.min_score)
    if stats.score < config.min_score:
        return Drop("quality_too_low", stats.score, config.min_score)
    return None


class ScoreQuality(LabelStep[QualityConfig, QualityStats]):
    """The step."""

    name = "quality"
    stats = QualityStats
    measured_with = fields_but(QualityConfig, "min_score")

    def __init__(self, config: QualityConfig, name: str = "quality") -> None:
        super().__init__(config)
        self.name = name  # of its column: a recipe may have several

    def __reduce__(self) -> tuple[type[Any], tuple[Any, ...]]:
        return type(self), (self.settings, self.name)

    def scored(self, model: Classifier, drafts: Sequence[Draft]) -> list[QualityStats]:
        return measure(model, [draft.view.text for draft in drafts], self.settings)

    def unscored(self) -> QualityStats:
        return QualityStats(None)

    def decided(self, stats: QualityStats) -> Drop | None:
        return decide(stats, self.settings)
