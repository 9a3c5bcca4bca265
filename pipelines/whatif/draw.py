"""What other settings would do, for a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipelines.reports import drawing
from pipelines.whatif.tally import COMES, GOES, UNDECIDED

SHOWN_SETTINGS = 20
TEXT_CHARS = 200  # of a sample's beginning
_STYLES = {COMES: "green", GOES: "red", UNDECIDED: "yellow"}


def draw(book: dict[str, Any]) -> RenderableType:
    """Return settings, stages, rules, groups, what cannot be told, and samples."""
    parts: list[RenderableType] = [_settings(book), _stages(book)]
    if book["changes"]:
        parts += ["", _rules(book["changes"])]
        axes = _axes(book["changes"])
        parts += ["", axes] if axes.row_count else []
    elif book["not_told"] or any(stage["undecided"] for stage in book["stages"]):
        parts.append(Text("\nof no document can be told that it would come or go; only a run tells of all"))
    else:
        parts.append(Text("\nno document would come or go"))
    parts += [Text(line, style="yellow") for line in _caveats(book)]
    parts += _samples([row for row in book["samples"] if row["change"] in (COMES, GOES)])
    return Group(*parts)


def _settings(book: dict[str, Any]) -> Text:
    lines = book["settings"][:SHOWN_SETTINGS] or ["these are the settings that the run was made with"]
    if len(book["settings"]) > SHOWN_SETTINGS:
        lines.append(f"... and {len(book['settings']) - SHOWN_SETTINGS} more settings")
    return Text("\n".join(lines) + "\n", style="dim")


def _stages(book: dict[str, Any]) -> Table:
    numbers = ("read", "kept", "would keep", "undecided")
    drawn = drawing.table("stage", *numbers, "", right=numbers)
    for stage in book["stages"]:
        kept = stage["kept"]
        notes = [f"{stage['arrive']:,} more would arrive"] if stage["arrive"] else []
        notes += [f"{stage['may_arrive']:,} more may arrive"] if stage["may_arrive"] else []
        notes += ["if its other verdicts stay"] if stage["conditional"] else []
        numbers_of = (stage["read"], kept["before"], kept["after"], stage["undecided"])
        drawn.add_row(stage["name"], *(f"{n:,}" for n in numbers_of), Text("; ".join(notes)))
    return drawn


def _rules(changes: list[dict[str, Any]]) -> Table:
    numbers = ("documents", "at the end", "tokens")
    drawn = drawing.table("", "stage", "in the run", "would be", *numbers, right=numbers)
    for row in changes:
        is_estimate = row["estimated_tokens"] is not None
        tokens = f"~{row['estimated_tokens']:,}" if is_estimate else f"{row['tokens']:,}" if row["kept_at_end"] else ""
        drawn.add_row(
            Text(row["change"], style=_STYLES.get(row["change"], "")),
            row["stage"],
            _rule(row["step"], row["reason"]),
            _rule(row["new_step"], row["new_reason"]),
            f"{row['documents']:,}",
            "" if row["step"] else f"{row['kept_at_end']:,}",
            tokens,
        )
    return drawn


def _rule(step: str, reason: str) -> Text:
    return Text(f"{step}: {reason}" if step else "kept")


def _axes(changes: list[dict[str, Any]]) -> Table:
    sides = (COMES, GOES, UNDECIDED)
    names = (*sides, f"tokens that {GOES[:-2]}")
    drawn = drawing.table("", "", *names, right=names)
    for axis in ("page_kind", "language", "source"):
        counts: dict[str, Counter[str]] = {}
        for row in changes:
            for group in row["groups"]:
                some = counts.setdefault(group[axis], Counter())
                some[row["change"]] += group["documents"]
                some["tokens"] += group["tokens"] if row["change"] == GOES else 0
        ordered = sorted(counts.items(), key=lambda item: (-sum(item[1][side] for side in sides), item[0]))
        for name, some in ordered:
            if any(some[side] for side in sides):
                cells = (f"{some[side]:,}" for side in (*sides, "tokens"))
                drawn.add_row(axis.replace("_", " "), name or "-", *cells)
    return drawn


def _caveats(book: dict[str, Any]) -> Iterator[str]:
    if any(row["estimated_tokens"] is not None for row in book["changes"]):
        n = sum(row["sampled"] for row in book["changes"])
        yield f"\n~ tokens of what comes: by {drawing.counted(n, 'text')} of it, as they were before the stage"
    for line in book["not_told"]:
        yield f"only a run can tell: {line}"
    if book["later"]:
        yield f"drops no document by its text: {'; '.join(book['later'])}"


def _samples(samples: list[dict[str, Any]]) -> Iterator[Text]:
    for row in samples:
        head = f"{row['stage']}  {_rule(row['step'], row['reason'])} -> {_rule(row['new_step'], row['new_reason'])}"
        if row["value"] is not None and row["limit"] is not None:
            head += f"  {drawing.number(row['value'])} (limit {drawing.number(row['limit'])})"
        text = Text().append(f"\n{row['change']}  ", style=_STYLES.get(row["change"], "bold"))
        text.append(f"{head}  {row['language']}  {row['id'][:12]}  {row['url']}\n")
        start = " ".join((row["text"] or "")[: 4 * TEXT_CHARS].split())[:TEXT_CHARS]
        yield text.append(start, style="cyan")
