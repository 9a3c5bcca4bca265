"""Documents whose words follow each other as they do not in clean text, in three buckets by language.

Source: CCNet (Wenzek et al. 2020, arXiv:1911.00359, section 3.3; facebookresearch/cc_net, `perplexity.py` and
`cutoff.csv`): head < 30th percentile <= middle < 60th percentile <= tail, of the perplexity of a crawl in that language
under a 5-gram model of Wikipedia; a language without a model is in the bucket `all`. The Llama 3 report does not name
the rule; Llama 1 used CCNet.

 1. The percentiles are those of a sample of the documents that reach this stage, not of a fixed table: they belong to
    the model and to the corpus. They are the stage's artefact; later runs of a dataset use the first run's.
 2. A language with few documents in the sample is scored, and is in `all`.
 3. What the score is, and where it differs from CCNet's: model.py. What the model is: kneser_ney.py, train.py.

Off by default. A bucket is no verdict on quality: poems, dialects, talk, lists and specialist prose have high
perplexity under a model of an encyclopedia, and repeated boilerplate has a low one. CCNet drops nothing: it labels; so
does `judge: measure`.

In: Drafts. Out: `PerplexityStats`, and Drop or None. Order: none.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

import storage
from schemas.errors import ConfigError
from schemas.records import Document
from schemas.settings import setting, to_plain, validate
from storage.pinned_files import is_sha256
from transforms.fit import CorpusSize, is_drawn
from transforms.heuristics.kl.reference import percentile
from transforms.heuristics.perplexity.kneser_ney import Floats
from transforms.heuristics.perplexity.model import PerplexityModel, Score, check_kenlm, read_pinned
from transforms.step import Draft, Drop
from transforms.text.view import TextView

NONE, MEASURE, BUCKET = "none", "measure", "bucket"
HEAD, MIDDLE, TAIL, ALL = "head", "middle", "tail", "all"
_GRID = 1000  # steps of the percentiles that are stored: a tenth of a percent
_BATCH = 64  # documents that are scored together


@dataclass(frozen=True, kw_only=True)
class PerplexityConfig:
    """Which model scores, where the buckets end, and what is kept."""

    judge: str = setting(
        NONE,
        "none: no such stage; measure: only measure; bucket: drop what is in a worse bucket than worst_bucket",
        choices=(NONE, MEASURE, BUCKET),
    )
    model_path: str = setting("", "model file of `winnow train-perplexity`; needs the extra `perplexity`")
    model_sha256: str = setting("", "SHA-256 of the model file, as its training reported it")
    head_percentile: float = setting(
        30.0, "percentile of perplexity in the language that the bucket head is below, in tenths (CCNet)", gt=0, le=100
    )
    middle_percentile: float = setting(60.0, "the same of the bucket middle; the rest is tail (CCNet)", gt=0, le=100)
    worst_bucket: str = setting(MIDDLE, "worst bucket that judge: bucket keeps; ours", choices=(HEAD, MIDDLE))
    sample_documents: int = setting(10_000, "documents of each language in the sample, about, drawn by id; ours", ge=2)
    min_documents: int = setting(400, "documents of a language in the sample, from which on it has buckets; ours", ge=2)

    def __post_init__(self) -> None:
        validate(self)
        if self.head_percentile > self.middle_percentile:
            raise ConfigError(
                f"head_percentile: {self.head_percentile} is not allowed; at most middle_percentile, "
                f"{self.middle_percentile}"
            )
        if self.judge != NONE and not (self.model_path and is_sha256(self.model_sha256.strip().lower())):
            raise ConfigError(
                f"judge: {self.judge!r} is not allowed without model_path and model_sha256, the SHA-256 that "
                "`winnow train-perplexity` printed"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class PerplexityStats:
    """What the rule looks at. Perplexity is null without a model of the language or without words."""

    n_tokens: int  # of the model, without code, formulas and table rows, one more for each line
    perplexity: float | None  # CCNet's, rounded to a thousandth; lower: more like clean text
    percentile: float | None  # of the sample of the language, in tenths, that its perplexity reaches
    bucket: str  # head, middle, tail; all where there is no percentile


def percentiles_of(perplexities: Sequence[float]) -> list[float]:
    """Return the perplexity at each tenth of a percent, 0.1 to 100, of the documents of a language; there are some."""
    ordered = np.sort(np.asarray(perplexities, np.float64))
    return [percentile(ordered, 100 * step / _GRID) for step in range(1, _GRID + 1)]


def measure(score: Score | None, grid: Floats | None, config: PerplexityConfig) -> PerplexityStats:
    """Return the measures of a document, from its score and the perplexities at each tenth of a percent."""
    value = score.perplexity if score is not None else None
    if score is None or value is None:
        return PerplexityStats(n_tokens=0, perplexity=None, percentile=None, bucket=ALL)
    value = round(value, 3)
    if grid is None:
        return PerplexityStats(n_tokens=score.n_tokens, perplexity=value, percentile=None, bucket=ALL)
    # `value` is below the perplexity at percentile p just when it reaches fewer than p percent
    reached = 100 * int(np.searchsorted(grid, value, "right")) / _GRID
    bucket = HEAD if reached < config.head_percentile else MIDDLE if reached < config.middle_percentile else TAIL
    return PerplexityStats(n_tokens=score.n_tokens, perplexity=value, percentile=reached, bucket=bucket)


def decide(stats: PerplexityStats, config: PerplexityConfig) -> Drop | None:
    """Return why a document must go: it is in a worse bucket than the worst that is kept."""
    if config.judge != BUCKET or stats.percentile is None:
        return None
    limit = config.head_percentile if config.worst_bucket == HEAD else config.middle_percentile
    return Drop("high_perplexity", stats.percentile, limit, stats.bucket) if stats.percentile >= limit else None


@dataclass(frozen=True)
class PerplexityFit:
    """Learns the percentiles of each language, and makes the step that scores every document."""

    config: PerplexityConfig
    name: ClassVar[str] = "perplexity"
    stats: ClassVar[type] = PerplexityStats

    @property
    def settings(self) -> dict[str, Any]:
        return to_plain(self.config)  # type: ignore[no-any-return]

    @property
    def resources(self) -> list[str]:
        """The model's file, once it is the one that is pinned: a run with another ends before it starts."""
        check_kenlm()
        read_pinned(self.config.model_path, self.config.model_sha256)
        return storage.files_below(self.config.model_path)

    def wants(self, draft: Draft, corpus: CorpusSize) -> bool:
        """Return whether a document is drawn: as many of each language."""
        return is_drawn(draft.document, corpus, "perplexity.sample", self.config.sample_documents)

    def fit(self, sample: Iterable[Document]) -> bytes:
        """Return the percentiles of each language as JSON; a function of the set of documents."""
        model = open_model(self.config)
        found: defaultdict[str, list[float]] = defaultdict(list)
        documents = iter(sample)
        while some := list(itertools.islice(documents, _BATCH)):
            views = [TextView(one.text, one.language, one.blocks) for one in some]
            for one, score in zip(some, model.score(views, [one.language for one in some]), strict=True):
                if score is not None and score.perplexity is not None:
                    found[one.language].append(round(score.perplexity, 3))
        languages = {
            language: {"documents": len(values), "perplexities": percentiles_of(values)}
            for language, values in found.items()
            if len(values) >= self.config.min_documents
        }
        return json.dumps({"languages": languages}, sort_keys=True).encode()

    @property
    def measured_with(self) -> frozenset[str]:
        """Settings that the measures depend on: `Redecides` of transforms/step.py."""
        return frozenset(self.settings.keys() - {"judge", "worst_bucket"})

    def redecide(self, stats: PerplexityStats, document: Document, script: str) -> Drop | None:
        return decide(stats, self.config)

    def step(self, artefact: bytes) -> FilterPerplexity:
        """Return the step."""
        return FilterPerplexity(self.config, artefact)


def open_model(config: PerplexityConfig) -> PerplexityModel:
    """Return the model that a configuration names."""
    return PerplexityModel.open(read_pinned(config.model_path, config.model_sha256), config.model_path)


@dataclass
class FilterPerplexity:
    """The step: scores every document and drops what is in a worse bucket than is kept."""

    settings: PerplexityConfig
    artefact: bytes = field(repr=False)
    name: ClassVar[str] = "perplexity"
    stats: ClassVar[type] = PerplexityStats
    _opened: tuple[PerplexityModel, Mapping[str, Floats]] | None = field(default=None, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_opened": None}

    @property
    def resources(self) -> list[str]:
        return storage.files_below(self.settings.model_path)

    def open(self) -> None:
        plain = json.loads(self.artefact)["languages"]
        grids = {language: np.array(one["perplexities"], np.float64) for language, one in plain.items()}
        self._opened = open_model(self.settings), grids

    def run(self, drafts: Sequence[Draft], edits: Counter[str]) -> None:
        if self._opened is None:
            self.open()
        assert self._opened is not None  # noqa: S101
        model, grids = self._opened
        languages = [draft.document.language for draft in drafts]
        scores = model.score([draft.view for draft in drafts], languages)
        for draft, language, score in zip(drafts, languages, scores, strict=True):
            stats = measure(score, grids.get(language), self.settings)
            draft.measures[self.name] = stats
            draft.drop = decide(stats, self.settings)
