"""What becomes of each document of a stage under other settings, streamed from the measures that its run stored.

A part's tables are read in step: kept documents, then rejections beside the measures of what was dropped, row by row.
In memory is one batch, and of a part the few documents whose text has to be asked for its scripts.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import pyarrow as pa

import storage
from pipelines.runs.folder import DataFolder, Manifest
from pipelines.runs.rows import rows_with
from pipelines.runs.tables import read_batches
from pipelines.runs.upstream import Tables
from pipelines.whatif.pairs import COPIES, AskScript, Pair, Undecided, Verdict
from schemas.errors import RunError
from schemas.records import Document, stats_type
from transforms.step import Drop, Edit, Redecides
from transforms.text.scripts import SCRIPT_CODES, script_of, scripts_in

ROWS: Final = 2048  # in flight
_TOLD: Final = ("id", "url", "source", "language", "language_score", "page_kind", "extraction_confidence")
_ALL_SCRIPTS: Final = frozenset({*SCRIPT_CODES, ""})  # of a text that is not to be had
_LATIN: Final = frozenset({"Latn"})  # what an edit may bring into any text: a replacement of personal data


class End(NamedTuple):
    """How a document ends in a stage; no step: it is kept."""

    step: str = ""
    reason: str = ""
    value: float | None = None
    limit: float | None = None

    @property
    def rule(self) -> tuple[str, str]:
        return self.step, self.reason


KEPT_END: Final = End()


Scripts = Mapping[str, frozenset[str]]  # by step: in which scripts the text may be that it meets


class Change(NamedTuple):
    """A document that would end in another way, or nobody knows how."""

    document: Document
    before: End
    after: End | Undecided


class _Measures:
    """The measures of a batch, by column; a document's Stats are made when a rule asks for them."""

    def __init__(self, batch: pa.RecordBatch, kinds: Mapping[str, type], place: str) -> None:
        self._kinds = kinds
        self._columns: dict[str, tuple[list[str], list[bool], list[list[Any]]]] = {}
        for name in kinds:
            if name in batch.schema.names:
                column = batch.column(name)
                if column.type != stats_type(kinds[name]):
                    raise RunError(f"{place}: has other measures of {name} than this Winnow takes; run again with it")
                names = [one.name for one in column.type]
                values = [plain_values(some) for some in column.flatten()]
                self._columns[name] = names, plain_values(column.is_valid()), values

    def stats(self, name: str, row: int) -> Any:
        """Return the Stats of a row; None where the step has not measured it."""
        if name not in self._columns:
            return None
        names, valid, values = self._columns[name]
        return (
            self._kinds[name](**{name: some[row] for name, some in zip(names, values, strict=True)})
            if valid[row]
            else None
        )


def plain_values(column: pa.Array) -> list[Any]:
    """Return a column as Python values; where there are no nulls that is ten times as fast by way of numpy."""
    fast = not column.null_count and (pa.types.is_floating(column.type) or pa.types.is_integer(column.type))
    values: list[Any] = column.to_numpy().tolist() if fast else column.to_pylist()
    return values


class _Row(NamedTuple):
    """A document of a stage: how it ended, and where its measures are."""

    document: Document
    end: End
    measures: _Measures
    row: int


@dataclass(frozen=True)
class StageFates:
    """The documents of one committed stage. `upstream`: the tables it read, None when those were headers."""

    manifest: Manifest
    data: DataFolder
    pairs: Sequence[Pair]
    upstream: Tables | None
    keeps_edits: Callable[[str], bool] = lambda document_id: False  # of which documents the table `edits` tells
    _active: dict[str, list[Pair]] = field(default_factory=dict, repr=False)

    def changes(self) -> Iterator[Change]:
        """Yield the documents that would end in another way, part by part."""
        for part in range(self.manifest.parts):
            asked = []
            for row in itertools.chain(self._kept(part), self._dropped(part)):
                after = self._after(row, None)
                if isinstance(after, AskScript):
                    asked.append(row)
                elif after is not row.end:
                    yield Change(row.document, row.end, after)
            yield from self._by_script(part, asked)

    def _by_script(self, part: int, rows: Sequence[_Row]) -> Iterator[Change]:
        """Decide those documents for which it matters what script they are in, by the texts that the stage read."""
        if not rows:
            return
        scripts = self._scripts(part, rows)
        for row in rows:
            after = self._after(row, scripts.get(row.document.id, {}))
            if not isinstance(after, AskScript) and after is not row.end:
                yield Change(row.document, row.end, after)

    def _scripts(self, part: int, rows: Sequence[_Row]) -> dict[str, Scripts]:
        """Return for each document what script its text may have been in when each of the steps met it."""
        if self.upstream is None:
            return {}
        ids = [row.document.id for row in rows]
        edits = self._edits(part, ids)
        texts: dict[str, str] = {}
        for batch in rows_with(self.upstream.part("documents", part), ids, ["id", "text"]):
            texts.update(zip(batch.column("id").to_pylist(), batch.column("text").to_pylist(), strict=True))
        ends = {row.document.id: row.end.step for row in rows}
        return {name: self._scripts_of(text, edits.get(name, {}), name, ends[name]) for name, text in texts.items()}

    def _scripts_of(self, text: str, edits: Mapping[str, Sequence[Edit]], name: str, end: str) -> Scripts:
        """Follow a text through the steps: where its edits are on record, what it was is known exactly."""
        exact, found = True, {}
        for pair in self.pairs:
            found[pair.name] = frozenset({script_of(text)}) if exact else scripts_in(text) | _LATIN
            for edit in edits.get(pair.name, ()):
                text = edit.apply(text)
            if not isinstance(pair.before, Redecides):  # it may have edited
                exact = exact and self.keeps_edits(name)
            exact = exact and pair.name != end  # what later steps took out is on no record
        return found

    def _edits(self, part: int, ids: Sequence[str]) -> dict[str, dict[str, list[Edit]]]:
        """Return what the stage's steps replaced in some texts, by document and step, in order."""
        path = self.data.part("edits", part)
        pieces: dict[tuple[str, str, int], list[tuple[int, int, str]]] = {}
        if storage.exists(path):
            names = ["id", "step", "edit", "start", "end", "replacement"]
            for batch in rows_with(path, ids, names):
                for name, step, number, *piece in zip(*(batch.column(one).to_pylist() for one in names), strict=True):
                    pieces.setdefault((name, step, number), []).append((piece[0], piece[1], piece[2]))
        found: dict[str, dict[str, list[Edit]]] = {}
        for name, step, number in sorted(pieces, key=lambda key: key[2]):
            found.setdefault(name, {}).setdefault(step, []).append(Edit(pieces[name, step, number]))
        return found

    def _after(self, row: _Row, scripts: Scripts | None) -> End | Undecided | AskScript:
        """Return how a document would end, `row.end` itself where that is the same: its steps are tried in order."""
        beyond, ended = False, row.end.step
        for pair in self._tried(row):
            is_end = pair.name == ended
            known = None if scripts is None else scripts.get(pair.name, _ALL_SCRIPTS)
            verdict = self._verdict(pair, row, known, beyond, is_end)
            if isinstance(verdict, Drop):
                end = End(pair.name, verdict.reason, verdict.value, verdict.limit)
                return row.end if end.rule == row.end.rule else end
            if verdict is not None:
                return verdict
            beyond = beyond or is_end
        return KEPT_END if beyond else row.end

    def _tried(self, row: _Row) -> Iterator[Pair]:
        """Yield the steps that may decide otherwise: changed ones, and of a dropped document all from its drop on."""
        active = self._active_in(row.document.language)
        if not row.end.step:
            yield from active
            return
        beyond = False
        for pair in self.pairs:
            beyond = beyond or pair.name == row.end.step
            if beyond or pair in active:
                yield pair

    def _active_in(self, language: str) -> list[Pair]:
        """Return the steps that may judge a text of a language otherwise."""
        if language not in self._active:
            self._active[language] = [
                pair for pair in self.pairs if pair.is_changed and any(one.changed for one in pair.cases(language))
            ]
        return self._active[language]

    def _verdict(self, pair: Pair, row: _Row, scripts: frozenset[str] | None, beyond: bool, is_end: bool) -> Verdict:
        stats = row.measures.stats(pair.name, row.row)
        if beyond:
            return pair.beyond(stats, row.document, scripts)
        if is_end:
            return pair.again(stats, row.document, scripts, row.end.reason)
        verdict = pair.passes(stats, row.document, scripts)
        if isinstance(verdict, Drop) and self._stands_for_others(row):
            return Undecided(pair.name, COPIES)
        return verdict

    def _stands_for_others(self, row: _Row) -> bool:
        """Say whether copies were dropped for a document: the stage's edits spare what would fall by them."""
        found = (row.measures.stats(pair.name, row.row) for pair in self.pairs if pair.is_survey)
        return any(getattr(stats, "stands_for_others", False) for stats in found)

    def _kept(self, part: int) -> Iterator[_Row]:
        """Yield the kept documents of a part that some changed step may judge otherwise."""
        wanted = [pair for pair in self.pairs if pair.stats and (pair.is_changed or pair.is_survey)]
        if not any(pair.is_changed for pair in self.pairs):
            return
        kinds = {pair.name: pair.stats for pair in wanted if pair.stats is not None}
        for batch in read_batches(self.data.part("documents", part), [*_TOLD, *kinds], ROWS):
            measures = _Measures(batch, kinds, self.data.root)
            wanted_rows = [row for row, one in enumerate(batch.column("language").to_pylist()) if self._active_in(one)]
            if wanted_rows:
                documents = documents_told(batch)
                yield from (_Row(documents[row], KEPT_END, measures, row) for row in wanted_rows)

    def _dropped(self, part: int) -> Iterator[_Row]:
        """Yield the dropped documents of a part that would not end as they did, or may not."""
        rejected, dropped = self.data.part("rejected", part), self.data.part("dropped", part)
        places = {pair.name: at for at, pair in enumerate(self.pairs)}
        first = min((at for at, pair in enumerate(self.pairs) if pair.is_changed), default=len(self.pairs))
        if not storage.exists(rejected):
            return
        if not storage.exists(dropped):
            raise RunError(f"{rejected}: no measures of dropped documents beside it; run again with this Winnow")
        kinds = {pair.name: pair.stats for pair in self.pairs if pair.stats is not None}
        ends = _ends(rejected)
        for batch in read_batches(dropped, [*_TOLD, *kinds], ROWS):
            measures = _Measures(batch, kinds, self.data.root)
            for row, document in enumerate(documents_told(batch)):
                name, end = next(ends, ("", KEPT_END))
                if document.id != name:
                    raise RunError(f"{dropped}: is not of the same documents as {rejected}")
                if places.get(end.step, -1) >= first:
                    yield _Row(document, end, measures, row)


def _ends(path: str) -> Iterator[tuple[str, End]]:
    """Yield the id and the end of each rejection of a part."""
    names = ["id", "step", "reason", "value", "limit"]
    for batch in read_batches(path, names, ROWS):
        for name, *end in zip(*(batch.column(one).to_pylist() for one in names), strict=True):
            yield name, End(*end)


def documents_told(batch: pa.RecordBatch) -> list[Document]:
    """Return what the tables tell of each document: all but its text and where it came from."""
    names = [name for name in _TOLD if name in batch.schema.names]
    columns = [plain_values(batch.column(name)) for name in names]
    return [Document(text="", **dict(zip(names, values, strict=True))) for values in zip(*columns, strict=True)]
