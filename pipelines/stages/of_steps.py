"""What the stages that run steps over documents have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from pipelines.runs.counts import LANGUAGES
from pipelines.runs.stage import KEEP_EDITS, MEASURE_DROPPED, resources_of, settings_of
from schemas.identity import keyed_fraction
from schemas.settings import PerLanguage
from transforms.step import Step


@dataclass(frozen=True)
class _ShareById:
    """Chooses a share of the documents by their ids: the same ones in every stage and run."""

    salt: ClassVar[str]
    share: float

    def __call__(self, document_id: str) -> bool:
        return keyed_fraction(self.salt, document_id) < self.share


@dataclass(frozen=True)
class Follow(_ShareById):
    """Chooses the dropped documents that the later steps of their stage measure, too: a share of them by id.

    All of them show what another limit would bring; each costs the measures that its drop had saved (0.1 saves most of
    that and still tells the distributions).
    """

    salt: ClassVar[str] = "measure dropped"
    share: float = 0.1


@dataclass(frozen=True)
class KeepEdits(_ShareById):
    """Chooses the documents of which the table `edits` tells what was taken out of their texts: a share of them by id.

    The same ones in every stage, so that a document can be followed from its extraction to its end.
    """

    salt: ClassVar[str] = "keep edits"
    share: float = 1.0


class _HasSteps(Protocol):
    @property
    def steps(self) -> Sequence[Any]: ...

    @property
    def follow(self) -> Follow: ...

    @property
    def keep_edits(self) -> KeepEdits: ...


class OfSteps:
    """The part of a stage's key that its steps make up."""

    @property
    def settings(self: _HasSteps) -> dict[str, Any]:
        return {**settings_of(self.steps), MEASURE_DROPPED: self.follow.share, KEEP_EDITS: self.keep_edits.share}

    @property
    def resources(self: _HasSteps) -> list[str]:
        return resources_of(self.steps)

    @property
    def code(self: _HasSteps) -> list[Any]:
        return [type(self), *self.steps]


def open_steps(steps: Sequence[Step]) -> None:
    """Open every step: once before workers start, so that a missing model or list is reported, and in each worker."""
    for step in steps:
        step.open()


def language_facts(steps: Sequence[Step]) -> dict[str, list[str]]:
    """Return the fact that tells for which languages some step has settings of its own.

    English is among them, whose settings the others vary. Empty where no step's settings depend on the language.
    """
    found = [step.settings.languages for step in steps if isinstance(step.settings, PerLanguage)]
    return {LANGUAGES: sorted({"en"}.union(*found))} if found else {}
