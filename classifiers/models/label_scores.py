"""The probability that a pinned classifier gives to one label: what quality and toxicity have in common.

`open_classifier` opens a fastText file; a transformers model is opened by classifiers/steps/by_transformer.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from classifiers.models.fasttext_model import FastTextModel
from classifiers.models.model_files import resolve
from classifiers.models.text_forms import in_form
from classifiers.models.transformer_settings import TransformerSettings
from schemas.errors import ConfigError

SCORED_CHARS = 10_000  # default of scoring and of training alike


class ScoreSettings(Protocol):
    """What a step must know of its classifier; a configuration has these and its own limits."""

    @property
    def model_path(self) -> str: ...
    @property
    def model_sha256(self) -> str: ...
    @property
    def positive_label(self) -> str: ...
    @property
    def text_form(self) -> str: ...
    @property
    def max_chars(self) -> int: ...
    @property
    def transformer(self) -> TransformerSettings: ...


class Classifier(Protocol):
    """A model that is open for prediction."""

    @property
    def labels(self) -> tuple[str, ...]: ...

    def predict_batch(self, texts: Sequence[str], k: int, max_chars: int) -> list[list[tuple[str, float]]]:
        """Return for each text its `k` most probable labels with their probabilities; none for one it cannot score."""


def open_classifier(settings: ScoreSettings) -> Classifier:
    """Find, check and open the model. Raises ConfigError, also when it has no such label."""
    if settings.transformer != TransformerSettings():
        raise ConfigError(f"transformer: is not allowed for {settings.model_path}, a file and no transformers folder")
    return check_label(FastTextModel(resolve(settings.model_path, settings.model_sha256)), settings)


def check_label(model: Classifier, settings: ScoreSettings) -> Classifier:
    """Return the model, which has the positive label; ConfigError when it has not."""
    if settings.positive_label not in model.labels:
        known = " ".join(sorted(model.labels))
        raise ConfigError(f"positive_label: {settings.positive_label!r} is not one of the model's: {known}")
    return model


def label_scores(model: Classifier, texts: Sequence[str], settings: ScoreSettings) -> list[float | None]:
    """Return the probability of the positive label for each text; None where the model knows nothing of it."""
    formed = [in_form(text, settings.text_form, settings.max_chars) for text in texts]
    predictions = model.predict_batch(formed, len(model.labels), settings.max_chars)
    return [dict(found).get(settings.positive_label, 0.0) if found else None for found in predictions]
