"""Toxicity score: the probability a fastText classifier gives to the label of toxic (or adult) texts.

Llama 3 report, arXiv:2407.21783, section 3.1.1: filters remove "data from websites [that] are likely to contain unsafe
content" and adult content; the classifiers and limits are not disclosed. Dolma (arXiv:2402.00159, section 3.1.2) tags
sentences by fastText classifiers trained on Jigsaw's comments. Here the classifier is what `winnow train-classifier`
was given, so no limit is set by default; its card has precision and recall by threshold.

Deviations:
 1. A document is scored as a whole, its first `max_chars` characters, not sentence by sentence. A long text with one
    toxic passage scores low: such texts are quoted in news and novels.
 2. A classifier knows the languages that it was trained on. Texts of others are not scored, and no text is dropped
    because it has no score.
 3. Sites: `toxicity_sites` of the recipe averages the score over the documents of a site (safety.site_density).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from classifiers.models.label_scores import SCORED_CHARS, Classifier, label_scores
from classifiers.models.text_forms import FORMS, WORDS
from classifiers.models.transformer_settings import TransformerSettings
from classifiers.steps.label_step import LabelStep
from schemas.errors import ConfigError
from schemas.settings import section, setting, validate
from transforms.safety.site_density import SiteDensityConfig
from transforms.settings_read import fields_but
from transforms.step import Draft, Drop


@dataclass(frozen=True, kw_only=True)
class ToxicityConfig:
    """Which classifier scores texts of which languages, and what is dropped."""

    model_path: str = setting("", "fastText file (path, https), transformers folder or hf://; '' scores nothing")
    model_sha256: str = setting("", "SHA-256 of the model, as its training reported it")
    positive_label: str = setting("toxic", "label whose probability is the score")
    languages: tuple[str, ...] = setting(("en",), "languages that the model was trained on; no other text is scored")
    max_score: float | None = setting(None, "probability a text may have; null keeps every text", ge=0.0, le=1.0)
    text_form: str = setting(WORDS, "form of the text that the model was trained on", choices=FORMS)
    max_chars: int = setting(SCORED_CHARS, "characters from the start of a text that are scored", ge=100)
    transformer: TransformerSettings = section(TransformerSettings, "how a transformers model is run")

    def __post_init__(self) -> None:
        validate(self)
        if self.max_score is not None and not self.model_path:
            raise ConfigError(f"max_score: {self.max_score!r} is not allowed without a model_path; must be null")
        if not self.languages:
            raise ConfigError("languages: must name at least one language of the model")


@dataclass(frozen=True, slots=True)
class ToxicityStats:
    """The score; None for a text of another language, and for one of which the model knows no word."""

    score: float | None


def toxicity_sites() -> SiteDensityConfig:
    """Return the limit of a site's mean score (ours)."""
    return SiteDensityConfig(step=ScoreToxicity.name, measure="score", max_mean=0.5)


def measure(
    model: Classifier, texts: Sequence[str], languages: Sequence[str], config: ToxicityConfig
) -> list[ToxicityStats]:
    """Return the probability of the positive label for each text in a language of the model."""
    chosen = [n for n, language in enumerate(languages) if language in config.languages]
    scores = dict(zip(chosen, label_scores(model, [texts[n] for n in chosen], config), strict=True))
    return [ToxicityStats(scores.get(n)) for n in range(len(texts))]


def decide(stats: ToxicityStats, config: ToxicityConfig) -> Drop | None:
    """Drop a text above the limit; one without a score is kept."""
    if config.max_score is not None and stats.score is not None and stats.score > config.max_score:
        return Drop("too_toxic", stats.score, config.max_score)
    return None


class ScoreToxicity(LabelStep[ToxicityConfig, ToxicityStats]):
    """The step."""

    name = "toxicity"
    stats = ToxicityStats
    measured_with = fields_but(ToxicityConfig, "max_score")

    def scored(self, model: Classifier, drafts: Sequence[Draft]) -> list[ToxicityStats]:
        texts, languages = [draft.view.text for draft in drafts], [draft.document.language for draft in drafts]
        return measure(model, texts, languages, self.settings)

    def unscored(self) -> ToxicityStats:
        return ToxicityStats(None)

    def decided(self, stats: ToxicityStats) -> Drop | None:
        return decide(stats, self.settings)
