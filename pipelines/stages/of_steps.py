"""What the stages that run steps over documents have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pipelines.runs.stage import resources_of, settings_of
from schemas.identity import keyed_fraction
from transforms.step import Draft

KEEP_EDITS = "keep_edits"  # the setting of a stage


@dataclass(frozen=True)
class Follow:
    """Chooses the dropped documents that the later steps of their stage measure, too: a share of them by id.

    All of them show what another limit would bring; each costs the measures that its drop had saved (0.1 saves most of
    that and still tells the distributions).
    """

    share: float = 0.1

    def __call__(self, draft: Draft) -> bool:
        return keyed_fraction("measure dropped", draft.document.id) < self.share


@dataclass(frozen=True)
class KeepEdits:
    """Chooses the documents of which the table `edits` tells what was taken out of their texts: a share of them by id.

    The same ones in every stage, so that a document can be followed from its extraction to its end.
    """

    share: float = 1.0

    def __call__(self, document_id: str) -> bool:
        return self.share >= 1 or keyed_fraction("keep edits", document_id) < self.share


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
        return {**settings_of(self.steps), "measure_dropped": self.follow.share, KEEP_EDITS: self.keep_edits.share}

    @property
    def resources(self: _HasSteps) -> list[str]:
        return resources_of(self.steps)

    @property
    def code(self: _HasSteps) -> list[Any]:
        return [type(self), *self.steps]
