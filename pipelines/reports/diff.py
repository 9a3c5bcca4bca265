"""A document as it was extracted against as it ended: what each step took out of its text, and why.

The table `edits` of each stage (pipelines/runs/tables.py) tells the pieces. Where a stage kept no edits of the
document, the text before the stage is compared with the text after it, and the stage is told in place of a step.
Personal data is shown by its kind and length, as it is stored.
"""

from __future__ import annotations

import difflib
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipelines.reports import drawing
from pipelines.reports.records import Chain, Chains, identify, row_by_id, rows_by_id
from pipelines.runs.folder import DataFolder, Manifest
from pipelines.runs.stage import KEEP_EDITS
from pipelines.stages.of_steps import KeepEdits
from schemas.errors import RunError
from transforms.text.replacements import Replacement

_TOKENS = re.compile(r"\w+|\s+|[^\w\s]")
MAX_COMPARED = 4_000_000  # products of the lengths of two texts up to which their words are compared: two seconds
HIDDEN = "█"  # in the text before an edit, for each character of personal data that the edit removed


class Mark(NamedTuple):
    """Who changed a piece, and why; the step is '' where only the stage is known."""

    stage: str
    step: str
    reason: str

    @property
    def label(self) -> str:
        who = self.step or self.stage
        return f"{who}: {self.reason}" if self.reason else who


class Change(NamedTuple):
    """One replaced piece of a text, in characters of the text before its edit."""

    start: int
    end: int
    new: str
    mark: Mark
    private: bool = False


@dataclass(frozen=True)
class Piece:
    """A piece of the text that was there at some time between the extraction and the end."""

    text: str
    added: Mark | None = None  # by whom; None: it was extracted
    gone: Mark | None = None  # by whom; None: it is still there
    private: bool = False

    @property
    def shown(self) -> str:
        """The text, or what may be told of personal data."""
        return f"{self.gone.reason}, {len(self.text)} characters" if self.private and self.gone else self.text


@dataclass(frozen=True)
class Diff:
    """The history of one document."""

    facts: dict[str, Any]  # id, address, where it started, where it ended and how
    pieces: list[Piece]
    not_kept: list[str]  # stages that kept no edits of it

    @property
    def plain(self) -> dict[str, Any]:
        pieces = [
            {
                "text": piece.shown,
                "added": piece.added._asdict() if piece.added else None,
                "removed": piece.gone._asdict() if piece.gone else None,
            }
            for piece in self.pieces
        ]
        return {**self.facts, "edits_not_kept": self.not_kept, "pieces": pieces}


def diff_of(chains: Chains, record_id: str) -> Diff:
    """Return the history of a document, found by its id, how that begins, or the id of its record.

    RunError when there is none, or more than one.
    """
    number, document_id = identify(chains, record_id, "--diff")
    chain = chains[number]
    holders = [place for place in chain if place[1].files("documents")]
    texts = ((place, row_by_id(place[1], "documents", document_id)) for place in holders)
    first, row = next(((place, row) for place, row in texts if row is not None), (None, None))
    if first is None or row is None:
        raise RunError(f"--diff {record_id}: {_end_without_text(chain, document_id)}")
    facts = {name: row[name] for name in ("id", "url", "source", "language")}
    facts.update(**({"run": number} if len(chains) > 1 else {}), extracted=first[0].stage)
    return _followed(chain[chain.index(first) :], row, facts)


def _followed(chain: Chain, row: dict[str, Any], facts: dict[str, Any]) -> Diff:
    """Follow a document from the stage that extracted it."""
    document_id, text = row["id"], row["text"]
    manifest, data = chain[0]
    edits = list(_edits(data, document_id))
    for changes in reversed(edits):
        text = _undone(text, changes)
    pieces = [Piece(text)]
    for changes in edits:
        pieces = _changed(pieces, [change for change, _ in changes])
    not_kept, end = [], {"fate": "kept", "stage": manifest.stage}
    for manifest, data in chain[1:]:
        after = row_by_id(data, "documents", document_id)
        lost = None if after is not None else _lost(data, document_id)
        if after is None and lost is None:
            continue
        edits = list(_edits(data, document_id))
        for changes in edits:
            pieces = _changed(pieces, [change for change, _ in changes])
        if not edits and not _keeps(manifest, document_id):
            found = _compared(pieces, after["text"], manifest.stage) if after is not None else []
            pieces = _changed(pieces, found)
            if found or lost is not None:
                not_kept.append(manifest.stage)
        end = {"fate": "kept", "stage": manifest.stage} if lost is None else {**lost, "stage": manifest.stage}
        if lost is not None:
            break
    return Diff({**facts, **end}, _refined(pieces), not_kept)


def _keeps(manifest: Manifest, document_id: str) -> bool:
    """Return whether a stage that edits at all keeps the edits of a document."""
    return KeepEdits(float(manifest.config.get(KEEP_EDITS, 0)))(document_id)


def _lost(data: DataFolder, document_id: str) -> dict[str, Any] | None:
    """Return why a stage dropped or failed a document; None when it did neither."""
    for table, fate in (("rejected", "dropped"), ("failed", "failed")):
        row = row_by_id(data, table, document_id)
        if row is not None:
            names = ("step", "reason", "cause", "value", "limit", "detail")
            told = {name: row[name] for name in names if row.get(name) not in (None, "")}
            return {"fate": fate, **told}
    return None


def _end_without_text(chain: Chain, document_id: str) -> str:
    for manifest, data in chain:
        lost = _lost(data, document_id)
        if lost is not None:
            what = "was dropped" if lost["fate"] == "dropped" else "failed"
            return f"had no text yet when it {what} ({manifest.stage}: {lost.get('reason') or lost.get('cause')})"
    return "has no text yet; the run is not finished"


def _edits(data: DataFolder, document_id: str) -> Iterator[list[tuple[Change, str]]]:
    """Yield the changes of each edit of a document in a stage, in order, each with what it removed."""
    rows = rows_by_id(data, "edits", document_id)
    for _, some in itertools.groupby(rows, key=lambda row: row["edit"]):
        yield [
            (
                Change(
                    row["start"], row["end"], row["replacement"], Mark(row["stage"], row["step"], row["reason"]),
                    row["removed"] is None,
                ),
                HIDDEN * (row["end"] - row["start"]) if row["removed"] is None else row["removed"],
            )
            for row in some
        ]  # fmt: skip


def _undone(text: str, changes: Sequence[tuple[Change, str]]) -> str:
    """Return the text before the changes of an edit."""
    pieces, at, moved = [], 0, 0  # `moved`: by how much all before changed the places of what follows
    for change, removed in changes:
        start = change.start + moved
        pieces += [text[at:start], removed]
        at = start + len(change.new)
        moved += len(change.new) - (change.end - change.start)
    return "".join([*pieces, text[at:]])


def _changed(pieces: Sequence[Piece], changes: Sequence[Change]) -> list[Piece]:
    """Return the pieces after the changes of one edit, which ascend; what is gone stays, marked."""
    result: list[Piece] = []
    waiting = list(reversed(changes))
    at = 0
    for piece in pieces:
        if piece.gone is not None:
            result.append(piece)
            continue
        begin, end, cursor = at, at + len(piece.text), at
        while waiting and waiting[-1].start < end:
            change = waiting[-1]
            low, high = max(change.start, cursor), min(change.end, end)
            result.append(replace(piece, text=piece.text[cursor - begin : low - begin]))
            result.append(
                replace(piece, text=piece.text[low - begin : high - begin], gone=change.mark, private=change.private)
            )
            cursor = high
            if change.end > end:
                break
            result.append(Piece(change.new, added=change.mark))
            waiting.pop()
        result.append(replace(piece, text=piece.text[cursor - begin :]))
        at = end
    result += [Piece(change.new, added=change.mark) for change in reversed(waiting)]
    return [piece for piece in result if piece.text]


def _compared(pieces: Sequence[Piece], after: str, stage: str) -> list[Change]:
    """Return what a stage changed of which no step is known."""
    before = "".join(piece.text for piece in pieces if piece.gone is None)
    return [Change(start, end, new, Mark(stage, "", "")) for start, end, new in differences(before, after)]


def differences(old: str, new: str) -> list[Replacement]:
    """Return what makes `old` into `new`: lines first, then the words of lines that were replaced."""
    if old == new:
        return []
    found: list[Replacement] = []
    for start, end, text in _differing(old.splitlines(keepends=True), new.splitlines(keepends=True)):
        words = _TOKENS.findall(old[start:end]), _TOKENS.findall(text)
        if text and end > start and len(words[0]) * len(words[1]) <= MAX_COMPARED:
            found += [(start + a, start + b, piece) for a, b, piece in _differing(*words)]
        else:
            found.append((start, end, text))
    return found


def _differing(old: Sequence[str], new: Sequence[str]) -> Iterator[Replacement]:
    """Yield the replacements that make the text of some tokens that of others."""
    places = [0, *itertools.accumulate(map(len, old))]
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for kind, low, high, first, last in matcher.get_opcodes():
        if kind != "equal":
            yield places[low], places[high], "".join(new[first:last])


def _refined(pieces: list[Piece]) -> list[Piece]:
    """Return the pieces with what a step replaced and what it put there compared word by word."""
    result: list[Piece] = []
    for piece in pieces:
        before = result[-1] if result else None
        if before is None or piece.added is None or piece.gone or before.gone != piece.added or before.private:
            result.append(piece)
        else:
            result[-1:] = _compared_pair(before, piece)
    return result


def _compared_pair(before: Piece, after: Piece) -> list[Piece]:
    assert before.gone is not None  # noqa: S101
    changes = [Change(start, end, new, before.gone) for start, end, new in differences(before.text, after.text)]
    return _changed([replace(before, gone=None)], changes)


def draw(diff: Diff) -> RenderableType:
    """Return the text with what was taken out and put in, marked by step and reason; under it a count of them."""
    facts = Text()
    for name, value in diff.facts.items():
        if value not in (None, ""):
            facts.append(f"{name}: ", style="bold")
            facts.append(f"{drawing.number(value)}\n")
    parts: list[RenderableType] = [facts, Text("\n").join(_drawn_lines(diff.pieces))]
    summary = _summary(diff.pieces)
    if summary.row_count:
        parts += ["", summary]
    parts += [
        Text(f"{stage}: kept no edits of this document (keep_edits); texts are compared", style="dim")
        for stage in diff.not_kept
    ]
    return Group(*parts)


def _summary(pieces: Sequence[Piece]) -> Table:
    numbers = ("removed", "added", "characters")
    drawn = drawing.table("stage", "step", "reason", *numbers, right=numbers)
    counts: dict[Mark, Counter[str]] = {}
    for piece in pieces:
        for mark, what, sign in ((piece.added, "added", 1), (piece.gone, "removed", -1)):
            if mark is not None:
                counts.setdefault(mark, Counter()).update({what: 1, "characters": sign * len(piece.text)})
    for mark, n in counts.items():
        drawn.add_row(*mark, f"{n['removed']:,}", f"{n['added']:,}", f"{n['characters']:+,}")
    return drawn


def _drawn_lines(pieces: Sequence[Piece]) -> Iterator[Text]:
    """Yield the lines of the text: `-` and `+` before whole lines, [-...-] and {+...+} within one."""
    for line in _lines(pieces):
        told = [piece for piece in line if piece.text.strip("\n")]
        if told and all(piece.gone for piece in told):
            yield _whole_line("-", told, "red")
        elif told and all(piece.added and not piece.gone for piece in told):
            yield _whole_line("+", told, "green")
        elif told or not all(piece.gone for piece in line):
            yield Text("  ").append_text(_mixed_line(told))


def _lines(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Yield the pieces of each line; a line feed ends one whether it is gone or not."""
    line: list[Piece] = []
    for piece in pieces:
        if piece.private:
            line.append(piece)
            continue
        for text in piece.text.splitlines(keepends=True):
            line.append(replace(piece, text=text))
            if text.endswith("\n"):
                yield line
                line = []
    if line:
        yield line


def _whole_line(sign: str, pieces: Sequence[Piece], style: str) -> Text:
    marks = dict.fromkeys(mark for piece in pieces if (mark := piece.gone or piece.added))
    shown = "".join(piece.shown.rstrip("\n") for piece in pieces)
    text = Text().append(f"{sign} {shown}", style=style)
    return text.append(f"  <{', '.join(mark.label for mark in marks)}>", style="dim")


def _mixed_line(pieces: Sequence[Piece]) -> Text:
    text = Text()
    for piece, after in itertools.pairwise([*pieces, None]):
        assert piece is not None  # noqa: S101
        shown = piece.shown.rstrip("\n")
        mark = piece.gone or piece.added
        if mark is None:
            text.append(shown)
            continue
        text.append(f"[-{shown}-]" if piece.gone else f"{{+{shown}+}}", style="red" if piece.gone else "green")
        if after is None or (after.gone or after.added) != mark:
            text.append(f"<{mark.label}>", style="dim")
    return text
