"""The licence of a file as a rule: only what is permitted is kept.

Source: Llama 1, section 2.1 ("projects that are distributed under the Apache, BSD and MIT licenses"). In: facts of the
reader. Out: a drop: no_licence, licence_not_permitted (detail: the expression). What evidence counts is in
licences/evidence.py, ours.
"""

from __future__ import annotations

from dataclasses import dataclass

from transforms.sources.github.licences.spdx import is_permitted
from transforms.sources.github.reader import GitHubFacts
from transforms.sources.github.settings import LicenceConfig
from transforms.step import Drop, FactsFilter


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


def filter_licence(config: LicenceConfig) -> FactsFilter[LicenceStats, LicenceConfig]:
    """Return the rule as a step of the stage that reads the texts."""
    return FactsFilter("licence", "github", measure, decide, config)
