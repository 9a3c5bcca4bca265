"""What the steps that score with a pinned classifier have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar

from classifiers.models.label_scores import Classifier, ScoreSettings, open_classifier
from schemas.records import Document
from transforms.step import Draft, Drop

C = TypeVar("C", bound=ScoreSettings)
S = TypeVar("S")


class LabelStep(ABC, Generic[C, S]):
    """Stores the score of each draft and decides. Without a model it stores nulls and drops nothing."""

    name: str
    stats: ClassVar[type]
    measured_with: ClassVar[frozenset[str]]
    resources: Sequence[str] = ()  # the model is known by its SHA-256, a setting

    def __init__(self, config: C) -> None:
        self.settings = config
        self._model: Classifier | None = None

    def __reduce__(self) -> tuple[type[Any], tuple[Any, ...]]:
        return type(self), (self.settings,)  # an opened step travels without its model

    @abstractmethod
    def scored(self, model: Classifier, drafts: Sequence[Draft]) -> list[S]:
        """Return the Stats of all drafts, by one call of the model."""

    @abstractmethod
    def unscored(self) -> S:
        """Return the Stats of a draft where there is no model."""

    @abstractmethod
    def decided(self, stats: S) -> Drop | None:
        """Decide on the Stats of a draft."""

    def open(self) -> None:
        """Find and open the model, if there is one. Raises ConfigError, also when it has no such label."""
        if self.settings.model_path:
            self._model = self.opened()

    def opened(self) -> Classifier:
        """Return the model, open."""
        return open_classifier(self.settings)

    def run(self, drafts: Sequence[Draft], edits: Counter[str]) -> None:
        """Score all drafts in one call of the model."""
        if self._model is None:
            self.open()
        found = self.scored(self._model, drafts) if self._model else [self.unscored()] * len(drafts)
        for draft, stats in zip(drafts, found, strict=True):
            draft.measures[self.name] = stats
            draft.drop = self.decided(stats)

    def redecide(self, stats: S, document: Document, script: str) -> Drop | None:
        return self.decided(stats)
