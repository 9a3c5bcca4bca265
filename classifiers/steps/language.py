"""Language identification with fastText lid.176.

The model: Joulin et al. 2016, arXiv:1607.01759, and fasttext.cc/docs/en/language-identification: 176 languages,
trained on Wikipedia, Tatoeba and SETimes; the compressed file, under CC-BY-SA 3.0. Llama 3 uses "a fastText-based
language identification model" for 176 languages (arXiv:2407.21783, section 3.1) and gives no threshold.

Deviations: (1) `min_score` is 0.5 as in ccNet (arXiv:1911.00359, section 2.2); RefinedWeb and FineWeb ask 0.65, which
was set for English alone. (2) A long text is measured on four pieces spread evenly over it, not whole: on 320 web
texts the language was the same for each of them, at a third of the cost. (3) A text in which the model knows no word
has the language `und`, undetermined, with score 0, where fastText itself says English with 0.12. (4) A text with many
capitals is measured in small letters: of the 143 languages of the Universal Declaration that the model has, it reads
110 right, in capitals 52, In Title Case 98; lower-cased, 110 of those in capitals and 108 of those in title case.

A text whose source declares its language (a dump of one wiki, the head of a book) keeps that, with score 1.

Codes are the model's: ISO 639-1 where there is one, otherwise 639-3, except Wikipedia's `als` (Alemannic; Albanian is
`sq`), `bh` (Bihari), `eml`, `nah`, `no` and `sh`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from classifiers.models.fasttext_model import FastTextModel
from classifiers.models.model_files import LID_176, resolve
from schemas.errors import ConfigError
from schemas.records import Document
from schemas.settings import setting, validate
from transforms.settings_read import fields_but
from transforms.step import Draft, Drop
from transforms.text.scripts import UNDETERMINED
from transforms.text.view import TextView

_ENOUGH_CHARS = 200  # of prose, to know its language by them alone
_PIECES = 4  # of a long text
# Of the letters that have case. The Universal Declaration has 0.1 at most, In Title Case 0.12 to 0.3.
_MAX_CAPITALS = 0.12
_LOOKED_AT = 200  # characters in which capitals are counted


@dataclass(frozen=True, kw_only=True)
class LanguageConfig:
    """Which languages are kept, and how confident the model must be."""

    model_path: str = setting("", "fastText model, path or https address; '' finds lid.176.ftz in cache or network")
    model_sha256: str = setting(LID_176.sha256, "SHA-256 of the model file")
    keep: tuple[str, ...] = setting((), "language codes to keep (en, de, zh...); none: every language")
    min_score: float = setting(0.5, "probability the first language must have (ccNet; FineWeb 0.65)", ge=0.0, le=1.0)
    max_chars: int = setting(2000, "characters of a text that are measured, in four pieces spread over it", ge=100)

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, slots=True)
class LanguageStats:
    """The two most probable languages; '' and 0 where there is none. A declared one has score 1."""

    language: str
    score: float  # probability, 0 to 1
    second: str
    second_score: float


def sample(text: str, max_chars: int) -> str:
    """Return `text`, or four equally long pieces spread evenly over it, together at most `max_chars` characters."""
    if len(text) <= max_chars:
        return text
    size = (max_chars - _PIECES + 1) // _PIECES
    last = len(text) - size
    starts = [last * piece // (_PIECES - 1) for piece in range(_PIECES)]
    return " ".join(text[start : start + size] for start in starts)


def spoken(view: TextView) -> str:
    """Return what of a text is in its language: not code, mathematics and tables, if enough is left without them."""
    words = view.in_words.text if len(view.blocks) else view.text
    return words if len(words) >= _ENOUGH_CHARS else view.text


def without_capitals(text: str) -> str:
    """Return a text with many capitals in small letters, any other as it is."""
    looked_at = text[:: len(text) // _LOOKED_AT + 1]
    n_capitals = sum(map(str.isupper, looked_at))
    if not n_capitals or n_capitals <= _MAX_CAPITALS * (n_capitals + sum(map(str.islower, looked_at))):
        return text
    return text.lower()


def measure(model: FastTextModel, texts: Sequence[str], max_chars: int) -> list[LanguageStats]:
    """Return the two most probable languages of each text."""
    predictions = model.predict_batch([without_capitals(sample(text, max_chars)) for text in texts], 2, max_chars)
    measured = []
    for found in predictions:
        (language, score), (second, second_score), *_ = [*found, (UNDETERMINED, 0.0), ("", 0.0)]
        measured.append(LanguageStats(language, score, "" if second == UNDETERMINED else second, second_score))
    return measured


def decide(stats: LanguageStats, config: LanguageConfig) -> Drop | None:
    """Drop a text whose language is uncertain, then one whose language is not wanted."""
    if stats.score < config.min_score:
        return Drop("language_uncertain", stats.score, config.min_score, stats.language)
    if config.keep and stats.language not in config.keep:
        return Drop("language_not_kept", stats.score, None, stats.language)
    return None


class IdentifyLanguage:
    """The step: sets the language of each draft, stores the measures, decides."""

    name = "language_id"
    stats = LanguageStats
    resources: Sequence[str] = ()  # the model is known by its SHA-256, a setting
    measured_with = fields_but(LanguageConfig, "keep", "min_score")

    def __init__(self, config: LanguageConfig) -> None:
        self.settings = config
        self._model: FastTextModel | None = None

    def __reduce__(self) -> tuple[type[IdentifyLanguage], tuple[LanguageConfig]]:
        return IdentifyLanguage, (self.settings,)  # a step is pickled without its model

    def open(self) -> None:
        """Find and open the model. Raises ConfigError, also for a code in `keep` that the model does not know."""
        self._model = self._load()

    def _load(self) -> FastTextModel:
        model = FastTextModel(resolve(self.settings.model_path, self.settings.model_sha256, LID_176))
        unknown = [code for code in self.settings.keep if code not in model.labels]
        if unknown:
            known = " ".join(sorted(model.labels))
            raise ConfigError(f"keep: {unknown[0]!r} is not a language of the model; must be one of {known}")
        return model

    def redecide(self, stats: LanguageStats, document: Document, script: str) -> Drop | None:
        return decide(stats, self.settings)

    def run(self, drafts: Sequence[Draft], edits: Counter[str]) -> None:
        """Measure all drafts of unknown language in one call of the model."""
        if self._model is None:
            self._model = self._load()
        unknown = [draft for draft in drafts if not draft.document.language]
        found = iter(measure(self._model, [spoken(draft.view) for draft in unknown], self.settings.max_chars))
        for draft in drafts:
            declared = draft.document.language
            stats = LanguageStats(declared, 1.0, "", 0.0) if declared else next(found)
            draft.replace_language(stats.language, stats.score)
            draft.measures[self.name] = stats
            draft.drop = decide(stats, self.settings)
