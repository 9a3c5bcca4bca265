"""What would come and go, added up: by rule, and by source, language and kind of page."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from pipelines.whatif.fates import Change, End
from pipelines.whatif.pairs import Undecided
from schemas.identity import keyed_hash

GOES, COMES, MOVES, UNDECIDED = "goes", "comes", "moves", "undecided"
ESTIMATED_FROM: Final = 32  # documents of a rule, drawn by a hash, whose texts tell how many tokens would come


class Rule(NamedTuple):
    """Documents that one rule lost and another got: `stage` is where; '' as a step is no rule, the document is kept."""

    stage: str
    change: str  # GOES, COMES, MOVES or UNDECIDED
    step: str  # that dropped them in the run
    reason: str
    new_step: str  # that would drop them; of what is undecided, the step that cannot be told
    new_reason: str  # why it would; of what is undecided, the cause


class Group(NamedTuple):
    """Documents of one kind, language and source: the axes of `winnow compare`."""

    page_kind: str
    language: str
    source: str


@dataclass
class Tally:
    """The documents of one rule."""

    documents: Counter[Group] = field(default_factory=Counter)
    at_end: Counter[Group] = field(default_factory=Counter)  # those that the run has kept to its end
    tokens: Counter[Group] = field(default_factory=Counter)  # of these
    drawn: list[tuple[int, str, dict[str, Any]]] = field(default_factory=list)
    n_drawn: int = ESTIMATED_FROM

    def add(self, change: Change) -> None:
        document, after = change.document, change.after
        self.documents[group_of(change)] += 1
        told = after if isinstance(after, End) and after.step else change.before
        row = {"id": document.id, "url": document.url, "source": document.source, "language": document.language,
               "page_kind": document.page_kind, "value": told.value, "limit": told.limit}  # fmt: skip
        self.drawn.append((keyed_hash("whatif", document.id), document.id, row))
        if len(self.drawn) >= 64 * self.n_drawn:
            self.drawn = heapq.nsmallest(self.n_drawn, self.drawn, key=lambda one: one[:2])

    def sample(self) -> list[dict[str, Any]]:
        """Return some of the documents, the same ones whatever the order they came in."""
        return [row for _, _, row in heapq.nsmallest(self.n_drawn, self.drawn, key=lambda one: one[:2])]

    def plain(self, rule: Rule) -> dict[str, Any]:
        """Return the counts as plain data."""
        groups = [
            {**group._asdict(), "documents": n, "kept_at_end": self.at_end[group], "tokens": self.tokens[group]}
            for group, n in sorted(self.documents.items())
        ]
        return {
            **rule._asdict(),
            "documents": self.documents.total(),
            "kept_at_end": self.at_end.total(),
            "tokens": self.tokens.total(),
            "groups": groups,
        }


def group_of(change: Change) -> Group:
    return Group(change.document.page_kind, change.document.language, change.document.source)


def rule_of(stage: str, change: Change) -> Rule:
    """Return where a document would go from, and to."""
    before, after = change.before, change.after
    if isinstance(after, Undecided):
        return Rule(stage, UNDECIDED, before.step, before.reason, after.step, after.cause)
    kind = COMES if not after.step else MOVES if before.step else GOES
    return Rule(stage, kind, before.step, before.reason, after.step, after.reason)
