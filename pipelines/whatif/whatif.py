"""What other settings would do to a run: told in seconds from what it stored, without reading a page again.

Stage by stage, in the order of the recipe. A document that would go is gone from the stages after it; one that would
come arrives at the next stage and is undecided there, because nobody has measured it. Across documents: copies of what
would go are undecided, as another of them may be kept then; all other verdicts of a survey are taken as they were, and
its stage is marked `conditional` where anything comes or goes before it. What a changed survey, source, reader or block
list would do is told by a run alone: all that reaches its stage is undecided.

In memory are 36 bytes for each document that would go or is undecided, and a few samples of each rule.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import storage
from pipelines.reports.records import Chain, last_holders
from pipelines.runs.counts import DROPPED, FAILED, KEPT, Counts, Fate
from pipelines.runs.folder import DataFolder, Manifest
from pipelines.runs.graph import Node, Recipe
from pipelines.runs.plan import changed_settings
from pipelines.runs.stage import KEEP_EDITS, MEASURE_DROPPED
from pipelines.runs.tables import read_batches
from pipelines.runs.upstream import Upstream
from pipelines.stages.fit import ARTEFACT
from pipelines.whatif.fates import ROWS, Change, End, StageFates
from pipelines.whatif.ids import Ids
from pipelines.whatif.pairs import Undecided, pair_steps
from pipelines.whatif.tally import COMES, ESTIMATED_FROM, UNDECIDED, Group, Rule, Tally, group_of, rule_of
from schemas.errors import RunError
from schemas.records import Document
from schemas.settings import to_plain
from transforms.fit import Recalls

COPY_OF_GONE = "a copy of a document that may go"
_UNTOLD = frozenset({MEASURE_DROPPED, KEEP_EDITS})  # settings that change no document's fate


@dataclass
class StageResult:
    """What would become of the records of a stage."""

    name: str
    before: Counts
    fates: Counter[Fate]
    arrives: int = 0  # records that the stage before would hand on and had not
    may_arrive: int = 0
    undecided: int = 0  # of those that the stage has met
    conditional: bool = False


@dataclass
class WhatIf:
    """What a change of settings would do to one run."""

    chain: Chain
    before: Recipe
    after: Recipe
    samples: int = 2
    results: dict[str, StageResult] = field(default_factory=dict)
    tallies: dict[Rule, Tally] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)  # stages of which nothing can be told, with the cause
    later: list[str] = field(default_factory=list)  # changed settings of stages that drop no document for its text
    _away: list[Ids] = field(default_factory=list)  # documents that would not leave a stage, or may not, by number
    _numbers: dict[tuple[Rule, Group], int] = field(default_factory=dict)

    def work_out(self) -> None:
        """Go through the stages. RunError when the run was not made by the settings that it has on record."""
        for node in self.before.nodes:
            manifest, data = self._committed(node)
            cause = next((self.lost[before] for before in node.upstream if before in self.lost), "")
            cause = cause or self._why_lost(node)
            if node.stage.kept_table not in ("headers", "documents"):
                self.later += self._changed(node)
            elif cause:
                self._lose(node, manifest, cause)
            elif node.stage.kept_table == "documents":
                self._stage(node, manifest, data)
        known = {node.id for node in self.before.nodes}
        self.lost |= {node.id: "the run had no such stage" for node in self.after.nodes if node.id not in known}
        self._count_tokens()

    def _committed(self, node: Node) -> tuple[Manifest, DataFolder]:
        found = next(((manifest, data) for manifest, data in self.chain if manifest.stage == node.id), None)
        if found is None:
            raise RunError(f"stage {node.id}: is not committed; finish the run first")
        other = changed_settings(found[0].config, to_plain(dict(node.stage.settings)))
        if other:
            raise RunError(f"stage {node.id}: was made with other settings than this run's ({other[0]}); run it again")
        return found

    def _new(self, node: Node) -> Node | None:
        return next((other for other in self.after.nodes if other.id == node.id), None)

    def _changed(self, node: Node, without: frozenset[str] = frozenset()) -> list[str]:
        """Return the settings of a stage that change, but those of some steps."""
        new = self._new(node)
        if new is None:
            return [f"{node.id}: gone"]
        plain = [{name: value for name, value in to_plain(dict(one.stage.settings)).items()
                  if name not in without | _UNTOLD} for one in (node, new)]  # fmt: skip
        return changed_settings(plain[0], plain[1], node.id)

    def _why_lost(self, node: Node) -> str:
        """Return why nothing can be told of a stage's documents; '' when something can."""
        new = self._new(node)
        if new is None or new.upstream != node.upstream:
            return f"{node.id}: the stage {'is gone' if new is None else 'reads other stages'}"
        names = frozenset(step.name for one in (node, new) for step in getattr(one.stage, "steps", ()))
        return next(iter(self._changed(node, names)), "")

    def _lose(self, node: Node, manifest: Manifest, cause: str) -> None:
        self.lost[node.id] = cause
        result = StageResult(node.id, manifest.counts, Counter(), undecided=manifest.counts.read)
        self.results[node.id] = result

    def _stage(self, node: Node, manifest: Manifest, data: DataFolder) -> None:
        new = self._new(node)
        assert new is not None  # noqa: S101  see _why_lost
        pairs = pair_steps(node.id, *(_recalling(one, data) for one in (node, new)))
        result = StageResult(node.id, manifest.counts, Counter(dict(manifest.counts.items())))
        self.results[node.id] = result
        before = [self.results[one] for one in node.upstream if one in self.results]
        for stage in before:
            tallies = [
                (rule, tally.documents.total()) for rule, tally in self.tallies.items() if rule.stage == stage.name
            ]
            result.arrives += sum(n for rule, n in tallies if rule.change == COMES)
            result.may_arrive += sum(n for rule, n in tallies if rule.change == UNDECIDED and rule.step)
            result.may_arrive += stage.arrives + stage.may_arrive
        is_across = any(pair.is_across for pair in pairs)
        result.conditional = is_across and bool(any(map(len, self._away)) or result.arrives or result.may_arrive)
        away = Ids()
        if self._away:
            for change in self._take_away(result, data):
                self._apply(result, change, away)
        self._away.append(away)  # copies of what went before this stage are not looked at by its steps
        if any(pair.is_changed for pair in pairs):
            keeps_edits = getattr(node.stage, "keep_edits", None) or (lambda document_id: False)
            fates = StageFates(manifest, data, pairs, self._upstream(node), keeps_edits)
            self._away.append(self._apply_new(result, fates.changes()))

    def _upstream(self, node: Node) -> Any:
        """Return the tables of texts that a stage read; None for one that read headers."""
        places = {manifest.stage: (manifest, data) for manifest, data in self.chain}
        if node.stage.reads != "documents":
            return None
        return Upstream(tuple(places[before] for before in node.upstream), node.route, node.measures).tables

    def _apply_new(self, result: StageResult, changes: Iterator[Change]) -> Ids:
        """Apply the changes of documents that reach the stage; return those that would leave it, or may."""
        away = Ids()
        while some := list(itertools.islice(changes, ROWS)):
            numbers = self._away_numbers([change.document.id for change in some])
            for change, number in zip(some, numbers, strict=True):
                if number < 0:
                    self._apply(result, change, away)
        return away

    def _away_numbers(self, ids: Sequence[str]) -> list[int]:
        """Return the number of the group by which each of some documents is away, or may be; -1: it is not."""
        numbers = np.full(len(ids), -1, np.int64)
        for some in self._away:
            if len(some):
                numbers = np.maximum(numbers, some.groups_of(ids))
        plain: list[int] = numbers.tolist()
        return plain

    def _apply(self, result: StageResult, change: Change, away: Ids) -> None:
        """Move one document from its fate in the run to its new one."""
        rule, group = rule_of(result.name, change), group_of(change)
        tally = self.tallies.setdefault(rule, Tally(n_drawn=max(self.samples, ESTIMATED_FROM)))
        tally.add(change)
        result.fates[_fate(change.document, change.before)] -= 1
        if isinstance(change.after, Undecided):
            result.undecided += 1
        else:
            result.fates[_fate(change.document, change.after)] += 1
        if not change.before.step:
            number = self._numbers.setdefault((rule, group), len(self._numbers))
            away.add(change.document.id, number)

    def _take_away(self, result: StageResult, data: DataFolder) -> Iterator[Change]:
        """Take what would not arrive, or may not, out of a stage's counts; yield copies of it."""
        rules = [rule for rule, _ in self._numbers]
        for table, reason in (("documents", ""), ("rejected", "reason"), ("failed", "cause")):
            columns = ["id", "source", "language", *([reason, "step"] if reason else [])]
            columns += ["detail", "url"] if table == "rejected" else []
            for path in data.files(table):
                for batch in read_batches(path, columns, ROWS):
                    yield from self._taken(result, table, batch.to_pydict(), reason, rules)

    def _taken(
        self, result: StageResult, table: str, rows: dict[str, list[Any]], reason: str, rules: Sequence[Rule]
    ) -> Iterator[Change]:
        fate = {"documents": KEPT, "rejected": DROPPED, "failed": FAILED}[table]
        of_copies = self._away_numbers(rows["detail"]) if "detail" in rows else itertools.repeat(-1)
        for at, (number, of_copy) in enumerate(zip(self._away_numbers(rows["id"]), of_copies, strict=False)):
            source, language = rows["source"][at], rows["language"][at]
            if number >= 0:
                result.fates[Fate(source, language, fate, rows[reason][at] if reason else "")] -= 1
                result.undecided += rules[number].change == UNDECIDED
            elif of_copy >= 0:
                document = Document(
                    id=rows["id"][at], text="", url=rows["url"][at], source=source, language=language
                )  # fmt: skip
                yield Change(
                    document, End(rows["step"][at], rows["reason"][at]), Undecided(rows["step"][at], COPY_OF_GONE)
                )

    def _count_tokens(self) -> None:
        """Count the tokens of what would leave, and what of it the run has kept to its end."""
        groups = list(self._numbers)
        found: Counter[int] = Counter()
        tokens: Counter[int] = Counter()
        for data, table in self._ends():
            columns = ["id", "n_tokens"] if table == "tokens" else ["id"]
            for path in data.files(table):
                for batch in read_batches(path, columns, ROWS):
                    rows = batch.to_pydict()
                    for at, number in enumerate(self._away_numbers(rows["id"])):
                        if number >= 0:
                            found[number] += 1
                            tokens[number] += rows["n_tokens"][at] if table == "tokens" else 0
        for number, n in found.items():
            rule, group = groups[number]
            self.tallies[rule].at_end[group] += n
            self.tallies[rule].tokens[group] += tokens[number]

    def _ends(self) -> list[tuple[DataFolder, str]]:
        """Return the tables that hold the run's documents at its end: their tokens, or where there are none they."""
        for table in ("tokens", "documents"):
            found = [(data, table) for _, data in last_holders(self.chain, table)]
            if found:
                return found
        return []


def _recalling(node: Node, data: DataFolder) -> list[Any]:
    """Return the steps of a stage; those that learn something know what they had learned in the run."""
    steps, path = list(getattr(node.stage, "steps", ())), f"{data.root}/{ARTEFACT}"
    if not any(isinstance(step, Recalls) for step in steps) or not storage.exists(path):
        return steps
    artefact = storage.read_bytes(path)
    return [step.recalling(artefact) if isinstance(step, Recalls) else step for step in steps]


def _fate(document: Document, end: End) -> Fate:
    return Fate(document.source, document.language, DROPPED if end.step else KEPT, end.reason)
