"""The steps that score with a transformers model. Off by default, as the steps they derive from; extra `models`.

They are classes of their own because a stage's key holds the versions of the libraries that its steps import: a stage
that scores by fastText is not redone for another torch. Measures, decisions and columns are those of the base classes.
"""

from __future__ import annotations

from classifiers.models.label_scores import Classifier, ScoreSettings, check_label
from classifiers.models.transformer_files import is_folder_model, resolve_folder
from classifiers.models.transformer_model import open_shared
from classifiers.steps.quality import QualityConfig, ScoreQuality
from classifiers.steps.toxicity import ScoreToxicity, ToxicityConfig

CPU_MS = 50.0  # of a document, roughly: 184 tokens through MiniLM-L6; DistilRoBERTa takes five times as much


def open_transformer(settings: ScoreSettings) -> Classifier:
    """Find, check and open the model, once in a process. Raises ConfigError, also when it has no such label."""
    folder = resolve_folder(settings.model_path, settings.model_sha256)
    return check_label(open_shared(folder, settings.model_sha256, settings.transformer), settings)


class ScoreQualityByTransformer(ScoreQuality):
    """The step `quality`."""

    def opened(self) -> Classifier:
        return open_transformer(self.settings)


class ScoreToxicityByTransformer(ScoreToxicity):
    """The step `toxicity`."""

    def opened(self) -> Classifier:
        return open_transformer(self.settings)


def quality_step(config: QualityConfig, name: str = ScoreQuality.name) -> ScoreQuality:
    """Return the step for the kind of model that a configuration names."""
    kind = ScoreQualityByTransformer if is_folder_model(config.model_path) else ScoreQuality
    return kind(config, name)


def toxicity_step(config: ToxicityConfig) -> ScoreToxicity:
    """Return the step for the kind of model that a configuration names."""
    kind = ScoreToxicityByTransformer if is_folder_model(config.model_path) else ScoreToxicity
    return kind(config)
