"""Rules across documents, several in one stage: texts are read twice and written once, however many rules there are.

    emit      the texts are read; what each survey wants to compare goes to scratch tables
    judge     survey by survey, a graph each: the rows of the documents that are still alive are shuffled, and the
              verdicts come back by part
    finish    in the last survey's graph: texts are read again, verdicts applied in order, `steps` run on what is left

A survey that goes on in rounds (connected components) says what is not settled yet; if anything is left, its graph
runs once more with twice the rounds. A killed stage goes on with the survey it was at.
"""

from __future__ import annotations

import functools
import io
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, ClassVar

import apache_beam as beam
import numpy as np
import numpy.typing as npt

import storage
from pipelines.runs.counts import PartCounts
from pipelines.runs.folder import DataFolder
from pipelines.runs.stage import StageContext, StageResult
from pipelines.runs.tables import (
    FateWriter,
    measured_by,
    read_drafts,
    schema_of,
)
from pipelines.runs.upstream import Tables
from pipelines.stages.known import EarlierRuns, check_known, known_facts, known_rows, refuse_other_settings
from pipelines.stages.of_steps import Follow, KeepEdits, OfSteps, language_facts, open_steps
from pipelines.stages.parts import EachPart, PartWork, part_numbers
from schemas.errors import ConfigError, RunError
from transforms.step import EMPTIED, Draft, Drop, Edit, Step, blamed, run_steps
from transforms.survey import Ground, Row, Survey, addressed, emitted

MAX_ROUNDS = 64
SCRATCH = "scratch"
DOCUMENTS = "surveyed_documents"  # fact of the manifest: documents by language that each survey saw
Alive = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class SurveyStage(OfSteps):
    """Documents in, documents that the surveys and then the steps left out."""

    name: str
    surveys: tuple[Survey, ...]
    then: tuple[Step, ...] = ()
    rounds: int = 4  # of the first try of a survey that goes on in rounds: never changes a result
    follow: Follow = field(default_factory=Follow)
    keep_edits: KeepEdits = field(default_factory=KeepEdits)
    reads: ClassVar[str] = "documents"
    kept_table: ClassVar[str] = "documents"

    def __post_init__(self) -> None:
        if self.then and not self.surveys:
            raise ConfigError(f"stage {self.name}: has steps but no survey; put them into a LocalStage")
        early = next((survey for survey in self.surveys[:-1] if survey.edits), None)
        if early is not None:
            raise ConfigError(f"stage {self.name}: survey {early.name} edits texts and must be the last of its stage")

    @property
    def steps(self) -> tuple[Any, ...]:
        return (*self.surveys, *self.then)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to survey: every rule is switched off."""
        return not self.surveys

    def prepare(self) -> None:
        open_steps(self.then)

    def check_earlier(self, earlier: EarlierRuns) -> None:
        """Raise ConfigError or RunError when what earlier runs left cannot be compared with."""
        for manifest, _ in earlier:
            before = set(manifest.facts.get(DOCUMENTS, {}))
            other = sorted(before ^ {survey.name for survey in self.surveys})
            if other:
                where = f"{manifest.stage}.{other[0]}"
                raise ConfigError(
                    f"{where}: cannot be switched on or off; the runs of a dataset are compared with each other"
                )
        for survey in self.surveys:
            names = [f"{survey.name}.{name}".rstrip(".") for name in survey.fixed]
            refuse_other_settings(earlier, self.settings, names)
        check_known(earlier, self._tables())

    def _tables(self) -> dict[str, Row]:
        """Return the tables that the stage leaves for later runs."""
        return {f"{survey.name}-{name}": row for survey in self.surveys for name, row in survey.leaves.items()}

    def run(self, context: StageContext) -> StageResult:
        parts = context.upstream.parts
        context.set_parts(parts)
        surveyed = f"{context.target.root}/surveyed.json"  # written when all is done, before the scratch tables go
        if not storage.exists(surveyed):
            for number in range(len(self.surveys)):
                if context.todo(parts, "done" if number == len(self.surveys) - 1 else self._settled(number)):
                    self._judge(number, context)
            documents = {survey.name: self._documents(n, context) for n, survey in enumerate(self.surveys)}
            storage.write_atomic(surveyed, json.dumps(documents).encode())
        storage.remove_tree(context.target.table(SCRATCH))
        surveys = {DOCUMENTS: json.loads(storage.read_bytes(surveyed)), **known_facts(context.target, self._tables())}
        return StageResult(parts, {**language_facts(self.then), **surveys})

    def _settled(self, number: int) -> str:
        return f"{SCRATCH}/settled-{number}"

    def _judge(self, number: int, context: StageContext) -> None:
        """Run one survey, with more rounds as long as it leaves something unsettled."""
        survey, rounds = self.surveys[number], self.rounds
        work = context.rows * survey.cpu_ms / 1000
        while True:
            ground = self._ground(number, context, rounds)
            storage.remove_tree(context.target.table("done"))  # of a graph that was killed, or had too few rounds
            context.run_pipeline(functools.partial(self._build, number=number, ground=ground, context=context), work)
            unsettled = _read_unsettled(context.target, number)
            if not unsettled:
                return
            if rounds >= MAX_ROUNDS:
                raise RunError(
                    f"stage {context.stage}: {unsettled} edges of {survey.name} are not settled after {rounds} rounds"
                )
            rounds *= 2

    def _ground(self, number: int, context: StageContext, rounds: int) -> Ground:
        survey = self.surveys[number]
        known = known_rows(context.earlier, context.target, self._tables())
        before: Counter[str] = Counter()
        for manifest, _ in context.earlier:
            before.update(manifest.facts[DOCUMENTS][survey.name])
        return Ground(
            self._documents(number, context),
            {name: known[f"{survey.name}-{name}"] for name in survey.leaves},
            before,
            rounds,
        )

    def _documents(self, number: int, context: StageContext) -> dict[str, int]:
        """Return the documents that are alive when a survey starts, by language."""
        if not number:
            return dict(sorted(context.upstream.counts.documents.items()))
        total: Counter[str] = Counter()
        paths = [context.target.done(part, self._settled(number - 1)) for part in range(context.upstream.parts)]
        with ThreadPoolExecutor(max_workers=16) as pool:
            for data in pool.map(storage.read_bytes, paths):
                total.update(json.loads(data))
        return dict(sorted(total.items()))

    def _build(self, pipeline: beam.Pipeline, number: int, ground: Ground, context: StageContext) -> None:
        numbers = part_numbers(pipeline, range(context.upstream.parts))
        survey, tables, target = self.surveys[number], context.upstream.tables, context.target
        rows = numbers | "Rows" >> EachPart(_RowsWork(context.stage, self, number, tables, target), tuple[int, bytes])
        judged = survey.judge(rows, ground)
        if judged.unsettled is not None:
            _ = (
                judged.unsettled
                | "SumUnsettled" >> beam.CombineGlobally(sum)
                | "WriteUnsettled" >> beam.Map(_write_unsettled, path=_unsettled_path(target, number))
            )
        is_last = number == len(self.surveys) - 1
        finish: PartWork = (
            _FinishWork(context.stage, self, ground, tables, target)
            if is_last
            else _SettleWork(self, number, ground, tables, target)
        )
        _ = {"": numbers, "verdicts": judged.verdicts} | ("Finish" if is_last else "Settle") >> EachPart(finish)


def _unsettled_path(target: DataFolder, number: int) -> str:
    return f"{target.root}/{SCRATCH}/unsettled-{number}.json"


def _write_unsettled(count: int, path: str) -> None:
    storage.write_atomic(path, json.dumps(count).encode())


def _read_unsettled(target: DataFolder, number: int) -> int:
    path = _unsettled_path(target, number)
    return int(json.loads(storage.read_bytes(path))) if storage.exists(path) else 0


@dataclass(frozen=True)
class _Scratch:
    """The scratch files of one part."""

    target: DataFolder
    part: int

    def _path(self, name: str) -> str:
        return f"{self.target.root}/{SCRATCH}/{name}/{self.part:06d}"

    def write_rows(self, number: int, rows: Sequence[npt.NDArray[np.void]], dtype: Row) -> None:
        storage.write_atomic(self._path(f"rows-{number}"), np.concatenate([np.zeros(0, dtype), *rows]).tobytes())

    def rows(self, number: int, dtype: Row) -> npt.NDArray[np.void]:
        return np.frombuffer(storage.read_bytes(self._path(f"rows-{number}")), dtype)

    def write_verdicts(self, number: int, blocks: Sequence[bytes]) -> None:
        data = io.BytesIO()
        np.savez(data, *[np.frombuffer(block, np.uint8) for block in blocks])
        storage.write_atomic(self._path(f"verdicts-{number}"), data.getvalue())

    def verdicts(self, number: int) -> list[bytes]:
        with np.load(io.BytesIO(storage.read_bytes(self._path(f"verdicts-{number}")))) as found:
            return [found[name].tobytes() for name in found.files]

    def write_alive(self, number: int, alive: Alive) -> None:
        storage.write_atomic(self._path(f"alive-{number}"), np.packbits(alive).tobytes())

    def alive(self, number: int) -> Alive:
        """Return which documents survey `number` left."""
        packed = np.frombuffer(storage.read_bytes(self._path(f"alive-{number}")), np.uint8)
        return np.unpackbits(packed).astype(np.bool_)


_Decider = tuple[Survey, Callable[[Draft, int], Any]]  # a survey, and what it decides of a draft in its row


@dataclass
class _RowsWork(PartWork):
    """Give the rows of one survey of the documents that are alive; the first time, emit those of all surveys."""

    stage: str
    of: SurveyStage
    number: int
    tables: Tables
    target: DataFolder

    def run(self, part: int, verdicts: dict[str, list[bytes]]) -> Iterator[tuple[int, bytes]]:
        scratch = _Scratch(self.target, part)
        if not self.number and not storage.exists(self.target.done(part, "emitted")):
            self._emit(part, scratch)
        rows = scratch.rows(self.number, addressed(self.of.surveys[self.number].row))
        if self.number:
            rows = rows[scratch.alive(self.number - 1)[rows["row"]]]
        yield part, rows.tobytes()

    def _emit(self, part: int, scratch: _Scratch) -> None:
        counts = PartCounts()
        rows: list[list[npt.NDArray[np.void]]] = [[] for _ in self.of.surveys]
        first = 0
        for batch in read_drafts(self.tables, part):
            for place, survey in zip(rows, self.of.surveys, strict=True):
                started = time.thread_time_ns()
                with blamed(survey.name):
                    for row, draft in enumerate(batch.drafts, first):
                        place.append(emitted(survey.emit(draft), row, survey.row))
                counts.cpu_ns[f"emit_{survey.name}"] += time.thread_time_ns() - started
            first += len(batch.drafts)
        for number, (place, survey) in enumerate(zip(rows, self.of.surveys, strict=True)):
            scratch.write_rows(number, place, addressed(survey.row))
        storage.write_atomic(self.target.done(part, "emitted"), counts.to_json())


@dataclass
class _SettleWork(PartWork):
    """Keep the verdicts of a survey for the finish, and what is alive after it for the next survey."""

    of: SurveyStage
    number: int
    ground: Ground
    tables: Tables
    target: DataFolder

    def run(self, part: int, verdicts: dict[str, list[bytes]]) -> Iterator[Any]:
        scratch = _Scratch(self.target, part)
        blocks = verdicts["verdicts"]
        decide = self.of.surveys[self.number].verdict(blocks, self.ground)
        alive: list[bool] = []
        languages: Counter[str] = Counter()
        before = scratch.alive(self.number - 1) if self.number else None
        survey = self.of.surveys[self.number]
        for batch in read_drafts(self.tables, part, survey.looks_at):
            for draft in batch.drafts:
                row = len(alive)
                lives = before is None or bool(before[row])
                if lives:
                    _apply(draft, row, [(survey, decide)], Counter())
                alive.append(lives and draft.alive)
                languages[draft.document.language] += alive[-1]
        scratch.write_verdicts(self.number, blocks)
        scratch.write_alive(self.number, np.array(alive, np.bool_))
        plain = json.dumps({name: n for name, n in languages.items() if n}).encode()
        storage.write_atomic(self.target.done(part, self.of._settled(self.number)), plain)
        yield from ()


@dataclass
class _FinishWork(PartWork):
    stage: str
    of: SurveyStage
    ground: Ground
    tables: Tables
    target: DataFolder

    def open(self) -> None:
        open_steps(self.of.then)

    def run(self, part: int, verdicts: dict[str, list[bytes]]) -> Iterator[Any]:
        deciders = self._deciders(part, verdicts["verdicts"])
        with FateWriter(
            self.target,
            self.stage,
            part,
            "documents",
            schema_of(self.tables),
            measured=measured_by(self.of.steps),
            with_dropped=True,
            keeps_edits=self.of.keep_edits,
        ) as fates:
            counts, first = fates.counts, 0
            for batch in read_drafts(self.tables, part):
                counts.read.update(draft.document.source for draft in batch.drafts)
                started = time.thread_time_ns()
                for row, draft in enumerate(batch.drafts, first):
                    self._settle(draft, row, deciders, counts.edits)
                first += len(batch.drafts)
                counts.cpu_ns["apply_verdicts"] += time.thread_time_ns() - started
                alive = [draft for draft in batch.drafts if draft.alive]
                run_steps(self.of.then, alive, counts.edits, counts.cpu_ns, self.of.follow)
                fates.write(batch)
        storage.write_atomic(self.target.done(part), counts.to_json())
        yield from ()

    def _settle(self, draft: Draft, row: int, deciders: Sequence[_Decider], edits: Counter[str]) -> None:
        """Apply all decisions, but not an edit by which a document would fall that others were dropped for."""
        editor, _ = deciders[-1]
        if not editor.edits:
            _apply(draft, row, deciders, edits)
            return
        _apply(draft, row, deciders[:-1], edits)
        if draft.alive and _stands_for_others(draft) and self._falls(draft, row, deciders[-1]):
            edits[f"{editor.name}:not_of_keepers"] += 1
        elif draft.alive:
            _apply(draft, row, deciders[-1:], edits)

    def _falls(self, draft: Draft, row: int, decider: _Decider) -> bool:
        """Say whether a document would be dropped after an edit, by it or by the steps that follow."""
        trial = Draft(draft.document, measures=dict(draft.measures), stored=draft.stored)
        _apply(trial, row, [decider], Counter())
        if trial.alive:
            run_steps(self.of.then, [trial], Counter(), Counter())
        return not trial.alive

    def _deciders(self, part: int, last: list[bytes]) -> list[_Decider]:
        scratch = _Scratch(self.target, part)
        surveys = self.of.surveys
        blocks = [*(scratch.verdicts(number) for number in range(len(surveys) - 1)), last]
        return [(survey, survey.verdict(some, self.ground)) for survey, some in zip(surveys, blocks, strict=True)]


def _stands_for_others(draft: Draft) -> bool:
    return any(getattr(stats, "stands_for_others", False) for stats in draft.measures.values())


def _apply(draft: Draft, row: int, deciders: Sequence[_Decider], edits: Counter[str]) -> None:
    """Apply the decisions of the surveys to a draft, in order, until one drops it."""
    for survey, decide in deciders:
        with blamed(survey.name):
            decision = decide(draft, row)
        if isinstance(decision, Edit) and survey.edits:
            edits.update({f"{survey.name}:{what}": n for what, n in decision.counts.items() if n})
            draft.running = survey.name
            with blamed(survey.name):
                draft.apply(decision)
            decision = None if draft.document.text.strip() else Drop(EMPTIED, 0)
        if isinstance(decision, Drop):
            draft.drop, draft.step = decision, survey.name
            return
        if decision is None:
            continue
        if survey.stats is None or not isinstance(decision, survey.stats):
            raise RunError(f"step {survey.name}: decided {type(decision).__name__}, which is nothing it may decide")
        draft.measures[survey.name] = decision
