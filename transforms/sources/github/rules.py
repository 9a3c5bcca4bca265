"""The licence of a file as a rule: only what is permitted is kept.

Source: Llama 1, section 2.1 ("projects that are distributed under the Apache, BSD and MIT licenses"). In: facts of the
reader. Out: a drop: no_licence, licence_not_permitted (detail: the expression). What evidence counts is in
licences/evidence.py, ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from schemas.records import Document
from transforms.sources.github.licences.spdx import is_permitted
from transforms.sources.github.reader import GitHubFacts
from transforms.sources.github.settings import LicenceConfig
from transforms.step import Draft, Drop


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceStats:
    """What the rule looks at; the column `licence`."""

    expression: str
    evidence: str


def measure(facts: GitHubFacts) -> LicenceStats:
    """Return what the rule looks at."""
    return LicenceStats(expression=facts.licence, evidence=facts.licence_evidence)


def decide(stats: LicenceStats, config: LicenceConfig) -> Drop | None:
    """Return why a file goes."""
    if not stats.expression:
        return None if config.keep_unknown else Drop("no_licence", detail=stats.evidence)
    if not is_permitted(stats.expression, config.permitted):
        return Drop("licence_not_permitted", detail=f"{stats.expression} ({stats.evidence})"[:200])
    return None


@dataclass(frozen=True)
class FilterLicence:
    """The rule as a step of the stage that reads the texts: there the reader's facts are among the measures."""

    settings: LicenceConfig
    facts: str = "github"  # the column of the facts
    name: str = "licence"
    resources: Sequence[str] = field(default=())
    stats: ClassVar[type] = LicenceStats

    def open(self) -> None:
        """Nothing to open."""

    def run(self, drafts: Sequence[Draft], edits: Counter[str]) -> None:
        for draft in drafts:
            stats = measure(draft.measures[self.facts])
            draft.measures[self.name] = stats
            draft.drop = decide(stats, self.settings)

    @property
    def measured_with(self) -> frozenset[str]:
        return frozenset()

    def redecide(self, stats: LicenceStats, document: Document, script: str) -> Drop | None:
        return decide(stats, self.settings)
