"""A comparison of two runs for a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipelines.reports import drawing
from pipelines.reports.compare import by_axis

SHOWN_SETTINGS = 20
TEXT_CHARS = 200  # of a sample's beginning
MAX_CHANGES = 6  # of a sample
AXES = ("page_kind", "language", "source")


def draw(book: dict[str, Any]) -> RenderableType:
    """Return counts, reasons, groups and samples."""
    parts: list[RenderableType] = [_head(book), _counts(book)]
    for side, other in (("a", "B"), ("b", "A")):
        only = book[f"only_{side}"]
        if only["rules"]:
            parts += ["", _rules(only["rules"], f"only in {side.upper()}: why not in {other}")]
    parts += ["", _axes(book)]
    for name, title in (("often_gone", "words only in A's texts"), ("often_new", "words only in B's texts")):
        if book["both"][name]:
            words = ", ".join(f"{word} {n:,}" for word, n in book["both"][name].items())
            parts.append(Text().append(f"{title}: ", style="bold").append(words))
    for side in ("a", "b"):
        parts += _samples(book[f"only_{side}"]["samples"], f"only in {side.upper()}")
    parts += _changed(book["both"]["samples"])
    return Group(*parts)


def _head(book: dict[str, Any]) -> Text:
    text = Text()
    for side in ("a", "b"):
        text.append(f"{side.upper()}: ", style="bold").append(f"{book[side]['run']}\n")
    inputs = book["inputs"]
    both = drawing.counted(inputs["both"], "input")
    text.append(f"{both} in both, {inputs['only_a']:,} in A alone, {inputs['only_b']:,} in B alone\n")
    settings = book["settings"]
    for line in settings[:SHOWN_SETTINGS]:
        text.append(f"{line}\n", style="dim")
    if len(settings) > SHOWN_SETTINGS:
        text.append(f"... and {len(settings) - SHOWN_SETTINGS} more settings\n", style="dim")
    return text


def _counts(book: dict[str, Any]) -> Table:
    drawn = drawing.table("", "documents", "", right=("documents",))
    both = book["both"]
    texts = f"texts: {both['equal']:,} equal, {both['changed']:,} changed"
    if both["changed"]:
        texts += f" ({both['words_gone']:,} words gone, {both['words_new']:,} new)"
    rows = (
        ("kept in A", book["a"]["kept"], ""),
        ("kept in B", book["b"]["kept"], ""),
        ("in both", both["documents"], texts),
        ("only in A", book["only_a"]["documents"], ""),
        ("only in B", book["only_b"]["documents"], ""),
    )
    for name, n, more in rows:
        drawn.add_row(name, f"{n:,}", more)
    return drawn


def _rules(rules: Sequence[dict[str, Any]], title: str) -> Table:
    drawn = drawing.table("stage", "step", "reason", "documents", right=("documents",), title=title)
    for rule in rules:
        drawn.add_row(rule["stage"] or "-", rule["step"] or "-", rule["reason"], f"{rule['documents']:,}")
    return drawn


def _axes(book: dict[str, Any]) -> Table:
    sides = ("both", "only A", "only B")
    drawn = drawing.table("", "", *sides, right=sides)
    for axis in AXES:
        counts = [by_axis(book[name]["groups"], axis) for name in ("both", "only_a", "only_b")]
        names = sorted(
            {name for some in counts for name in some}, key=lambda name: (-sum(c.get(name, 0) for c in counts), name)
        )
        for name in names:
            drawn.add_row(axis.replace("_", " "), name or "-", *(f"{some.get(name, 0):,}" for some in counts))
    return drawn


def _start(text: str) -> str:
    return " ".join(text[: 2 * TEXT_CHARS].split())[:TEXT_CHARS]


def _samples(samples: Sequence[dict[str, Any]], title: str) -> Iterator[Text]:
    for row in samples:
        why = f"{row['stage']} {row['step']}: {row['reason']}" if row["stage"] else row["reason"]
        if row["value"] is not None and row["limit"] is not None:
            why += f" {drawing.number(row['value'])} (limit {drawing.number(row['limit'])})"
        text = Text().append(f"\n{title}  ", style="bold").append(f"{why}  {row['id']}  {row['url']}\n")
        yield text.append(_start(row["text"]), style="cyan")


def _changed(samples: Sequence[dict[str, Any]]) -> Iterator[Text]:
    for row in samples:
        text = Text().append("\nin both, changed  ", style="bold").append(f"{row['id']}  {row['url']}")
        for change in row["changes"][:MAX_CHANGES]:
            text.append("\n")
            if change["removed"]:
                text.append(f"[-{_start(change['removed'])}-]", style="red")
            if change["replacement"]:
                text.append(f"{{+{_start(change['replacement'])}+}}", style="green")
        if len(row["changes"]) > MAX_CHANGES:
            text.append(f"\n... and {len(row['changes']) - MAX_CHANGES} more changes", style="dim")
        yield text
