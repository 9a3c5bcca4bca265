"""The step `redpajama`: RedPajama-v2's quality signals of every document as a column; it drops nothing.

The signals of a text are in transforms/signals/redpajama.py. This adds those of lists, of the column `perplexity`, and
of up to three fastText classifiers as its code scores by them: the text in one line, p of the most probable label, and
1 - p where that is the label of crawled pages. docs/redpajama.md maps all 46 and names the deviations.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import storage
from classifiers.models.fasttext_model import FastTextModel
from classifiers.models.model_files import resolve
from schemas.records import Document
from schemas.settings import section, setting, validate
from transforms.safety.dirty_words import read_lists
from transforms.signals.redpajama import DirtyWords, RedPajamaStats, measure
from transforms.signals.redpajama_lists import CATEGORIES, DomainCategories
from transforms.step import Draft

BUCKETS = {"head": 0, "middle": 1, "tail": 2}  # `all` has no number
_MODELS = ("wikiref", "palm", "wikipedia")


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """A fastText classifier."""

    model_path: str = setting("", "fastText classifier, path or https address; '' leaves the signal null")
    model_sha256: str = setting("", "SHA-256 of the model file")


@dataclass(frozen=True, kw_only=True)
class RedPajamaConfig:
    """Lists and classifiers of the signals that need one; without it they are null."""

    stop_words_directory: str = setting("", "directory of stop words, one file a language, named by its code")
    dirty_words_directory: str = setting("", "directory of dirty words in the layout of clean.dirty_words.directory")
    ut1_directory: str = setting("", "directory in UT1 layout: <directory>/<category>/domains")
    ut1_categories: tuple[str, ...] = setting(CATEGORIES, "UT1 categories that the numbers of combinations are of")
    wikiref: ModelFile = section(ModelFile, "classifier of pages that Wikipedia refers to")
    palm: ModelFile = section(ModelFile, "classifier of books, OpenWebText and Wikipedia")
    wikipedia: ModelFile = section(ModelFile, "classifier of Wikipedia's articles")
    crawl_label: str = setting("cc", "label of crawled pages in these classifiers, without __label__")

    def __post_init__(self) -> None:
        validate(self)


class RedPajamaSignals:
    """The step: `transforms.step.Step`. Lists and models are read in `open`, once in each worker."""

    name: ClassVar[str] = "redpajama"
    stats: ClassVar[type] = RedPajamaStats
    measured_with: ClassVar[frozenset[str]] = frozenset()  # no decision depends on what is measured

    def __init__(self, config: RedPajamaConfig, has_perplexity: bool = False) -> None:
        """`has_perplexity`: an earlier stage stores the column `perplexity`."""
        self.settings = config
        self._has_perplexity = has_perplexity
        self._stop_words: dict[str, frozenset[str]] = {}
        self._dirty_words: dict[str, DirtyWords] = {}
        self._domains: DomainCategories | None = None
        self._models: dict[str, FastTextModel] = {}

    def __reduce__(self) -> tuple[type[RedPajamaSignals], tuple[RedPajamaConfig, bool]]:
        return RedPajamaSignals, (self.settings, self._has_perplexity)  # without lists and models

    @property
    def resources(self) -> Sequence[str]:
        config = self.settings
        places = (config.stop_words_directory, config.dirty_words_directory, config.ut1_directory)
        return [path for place in places for path in storage.files_below(place)]

    def open(self) -> None:
        """Read lists and open models. Raises ConfigError when one that is named cannot be read."""
        config = self.settings
        if config.stop_words_directory:
            stop_words = read_lists(config.stop_words_directory, "redpajama.stop_words_directory")
            self._stop_words = {language: frozenset(words) for language, words in stop_words.items()}
        if config.dirty_words_directory:
            dirty_words = read_lists(config.dirty_words_directory, "redpajama.dirty_words_directory")
            self._dirty_words = {language: DirtyWords(entries) for language, entries in dirty_words.items()}
        if config.ut1_directory:
            self._domains = DomainCategories(config.ut1_directory, config.ut1_categories)
        for name in _MODELS:
            file: ModelFile = getattr(config, name)
            if file.model_path:
                self._models[name] = FastTextModel(resolve(file.model_path, file.model_sha256))

    def run(self, drafts: Sequence[Draft], edits: Counter[str]) -> None:
        lines = [" ".join(draft.view.text.splitlines()).strip() for draft in drafts]
        scores = {f"rps_doc_ml_{name}_score": self._scores(model, lines) for name, model in self._models.items()}
        for at, draft in enumerate(drafts):
            document = draft.document
            others: dict[str, Any] = {name: some[at] for name, some in scores.items()}
            if self._domains is not None:
                others["rps_doc_ut1_blacklist"] = self._domains.id_of(document.url)
            if self._has_perplexity and (found := draft.stored["perplexity"]) is not None:
                others["ccnet_perplexity"] = found["perplexity"]
                others["ccnet_bucket"] = BUCKETS.get(found["bucket"])
            draft.measures[self.name] = measure(
                document.text,
                language_score=document.language_score,
                stop_words=self._stop_words.get(document.language),
                dirty_words=self._dirty_words.get(document.language),
                **others,
            )

    def redecide(self, stats: RedPajamaStats, document: Document, script: str) -> None:
        """Drop nothing."""

    def _scores(self, model: FastTextModel, lines: Sequence[str]) -> list[float | None]:
        """Return how unlike a crawled page each text is; None for one of which the model knows no word."""
        found: list[float | None] = []
        for prediction in model.predict_batch(lines, 1, sys.maxsize):
            label, chance = prediction[0] if prediction else ("", None)
            if chance is not None and label == self.settings.crawl_label:
                chance = 1 - chance
            found.append(None if chance is None else round(chance, 8))
        return found
