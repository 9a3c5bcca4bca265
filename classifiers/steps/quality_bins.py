"""Quality bins: the scores of several classifiers as one whole number that the mix can ask shares of.

Nemotron-CC (arXiv:2412.02595, section 2.2.1) ranks a corpus by each of its classifiers into 20 buckets and takes the
highest; Olmo 3 (arXiv:2512.13961) sets how often a text is taken by topic and by one of 20 quality bins. Both label
texts instead of cutting them at a limit, which beats flat filters at equal tokens there.

 1. A score becomes its quantile among the scores of a sample of the documents that reach this stage, in the document's
    own language; a language with few documents is ranked among all. The quantiles are the stage's artefact; later runs
    of a dataset use the first run's.
 2. The quantiles are combined by the maximum or the mean (classifiers/evaluation/ensemble.py). A text that one
    classifier cannot score is judged by the others.
 3. Bins divide the combined quantile evenly: bin n of 20 holds [n/20, (n+1)/20). Under the maximum of several scores
    high bins hold more texts than low ones, as in Nemotron-CC.

Off by default. In: Drafts with the stored scores. Out: `QualityBinStats`, and Drop or None. Order: none.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from classifiers.evaluation.ensemble import MAXIMUM, RULES, combined, quantiles
from schemas.errors import ConfigError
from schemas.records import Document
from schemas.settings import setting, to_plain, validate
from transforms.fit import CorpusSize, is_drawn
from transforms.step import Draft, Drop

Floats = npt.NDArray[np.float64]
Grids = Mapping[str, Mapping[str, Floats]]  # by language, then by column: ascending scores

NAME = "quality_bin"
ALL_LANGUAGES = ""
_GRID = 1000  # scores that are stored of a column, at even steps of rank
_DIGITS = 6


@dataclass(frozen=True, kw_only=True)
class QualityBinsConfig:
    """Which scores are combined, how, and into how many bins."""

    scores: tuple[str, ...] = setting((), "columns whose `score` is combined: quality, quality_NAME; []: no such stage")
    rule: str = setting(MAXIMUM, "how their quantiles are combined (max: Nemotron-CC)", choices=RULES)
    n_bins: int = setting(20, "bins, 0 the lowest (Nemotron-CC, Olmo 3)", ge=2, le=1000)
    min_bin: int | None = setting(None, "lowest bin that is kept; null keeps all", ge=0)
    sample_documents: int = setting(20_000, "documents of each language in the sample, about, drawn by id; ours", ge=2)
    min_documents: int = setting(400, "documents in the sample from which on a language is ranked alone; ours", ge=2)

    def __post_init__(self) -> None:
        validate(self)
        if self.min_bin is not None and self.min_bin >= self.n_bins:
            raise ConfigError(f"min_bin: {self.min_bin} is not allowed; must be below n_bins, {self.n_bins}")
        if len(set(self.scores)) < len(self.scores):
            raise ConfigError(f"scores: {list(self.scores)} is not allowed; names a column twice")


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityBinStats:
    """The combined quantile and its bin; None for a text without any score."""

    quantile: float | None  # 0 to 1, rounded to six decimals
    bin: int | None


def grid_of(scores: Iterable[float]) -> list[float]:
    """Return at most _GRID of the scores, at even steps of their rank, ascending."""
    ordered = np.sort(np.fromiter(scores, np.float64))
    if len(ordered) <= _GRID:
        return ordered.tolist()  # type: ignore[no-any-return]
    places = (np.arange(_GRID) + 0.5) * len(ordered) / _GRID
    return ordered[places.astype(np.int64)].tolist()  # type: ignore[no-any-return]


def measure(
    scores: Mapping[str, Sequence[float | None]], grids: Mapping[str, Floats], config: QualityBinsConfig
) -> list[QualityBinStats]:
    """Return the bins of texts of one language, from their scores by column and the known scores of that language."""
    rows = []
    for name in config.scores:
        values = np.array([np.nan if score is None else score for score in scores[name]], np.float64)
        known = grids.get(name)
        rows.append(np.full(len(values), np.nan) if known is None else quantiles(values, known))
    found = combined(rows, config.rule)
    return [
        QualityBinStats(quantile=None, bin=None)
        if np.isnan(value)
        else QualityBinStats(quantile=value, bin=min(int(value * config.n_bins), config.n_bins - 1))
        for value in np.round(found, _DIGITS).tolist()
    ]


def decide(stats: QualityBinStats, config: QualityBinsConfig) -> Drop | None:
    """Drop a text below the lowest bin that is kept; one without a score is kept."""
    if config.min_bin is not None and stats.bin is not None and stats.bin < config.min_bin:
        return Drop("quality_bin_too_low", stats.bin, config.min_bin)
    return None


@dataclass(frozen=True)
class QualityBinsFit:
    """Learns the quantiles of each score by language, and makes the step that puts every document into its bin."""

    config: QualityBinsConfig
    name: ClassVar[str] = NAME
    stats: ClassVar[type] = QualityBinStats
    resources: ClassVar[Sequence[str]] = ()

    @property
    def settings(self) -> dict[str, Any]:
        return to_plain(self.config)  # type: ignore[no-any-return]

    @property
    def columns(self) -> tuple[str, ...]:
        """The stored columns that the sample has: `FitsColumns` of transforms/fit.py."""
        return self.config.scores

    def wants(self, draft: Draft, corpus: CorpusSize) -> bool:
        """Return whether a document is drawn: as many of each language."""
        return is_drawn(draft.document, corpus, "quality_bin.sample", self.config.sample_documents)

    def fit(self, sample: Iterable[Draft]) -> bytes:
        """Return the known scores of each language as JSON; a function of the set of documents."""
        found: defaultdict[str, defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        n_documents: Counter[str] = Counter()
        for draft in sample:
            for language in {draft.document.language, ALL_LANGUAGES}:
                n_documents[language] += 1
                for name in self.config.scores:
                    score = _score_of(draft, name)
                    if score is not None:
                        found[language][name].append(score)
        languages = {
            language: {name: grid_of(scores) for name, scores in columns.items()}
            for language, columns in found.items()
            if language == ALL_LANGUAGES or n_documents[language] >= self.config.min_documents
        }
        return json.dumps({"languages": languages, "documents": n_documents}, sort_keys=True).encode()

    @property
    def measured_with(self) -> frozenset[str]:
        """Settings that the measures depend on: `Redecides` of transforms/step.py."""
        return frozenset(self.settings.keys() - {"min_bin"})

    def redecide(self, stats: QualityBinStats, document: Document, script: str) -> Drop | None:
        return decide(stats, self.config)

    def step(self, artefact: bytes) -> PutIntoBins:
        """Return the step."""
        return PutIntoBins(self.config, artefact)


@dataclass
class PutIntoBins:
    """The step: gives every document its bin, and drops what is below the lowest that is kept."""

    settings: QualityBinsConfig
    artefact: bytes = field(repr=False)
    name: ClassVar[str] = NAME
    stats: ClassVar[type] = QualityBinStats
    resources: ClassVar[Sequence[str]] = ()
    _grids: Grids | None = field(default=None, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_grids": None}

    def open(self) -> None:
        plain = json.loads(self.artefact)["languages"]
        self._grids = {
            language: {name: np.array(grid, np.float64) for name, grid in columns.items()}
            for language, columns in plain.items()
        }

    def run(self, drafts: Sequence[Draft], edits: Counter[str]) -> None:
        if self._grids is None:
            self.open()
        assert self._grids is not None  # noqa: S101
        by_language: defaultdict[str, list[Draft]] = defaultdict(list)
        for draft in drafts:
            language = draft.document.language
            by_language[language if language in self._grids else ALL_LANGUAGES].append(draft)
        for language, some in by_language.items():
            scores = {name: [_score_of(draft, name) for draft in some] for name in self.settings.scores}
            for draft, stats in zip(some, measure(scores, self._grids.get(language, {}), self.settings), strict=True):
                draft.measures[self.name] = stats
                draft.drop = decide(stats, self.settings)


def _score_of(draft: Draft, column: str) -> float | None:
    stored = draft.stored[column]
    return None if stored is None else stored["score"]
