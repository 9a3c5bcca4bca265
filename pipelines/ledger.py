"""The ledger of a run: what became of every record, stage by stage, as plain data and as a funnel for a person."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipelines.folder import Manifest, RunFolder

BAR_WIDTH = 32
MIX_ROWS = 12


def ledger(folder: RunFolder) -> dict[str, Any]:
    """Return `{"stages": [...], "shards": [...]}` of the committed stages, in order; empty lists before the first."""
    chain = folder.committed()
    entries = [
        {
            "name": manifest.stage,
            "read": manifest.counts.read,
            "kept": manifest.counts.kept,
            "dropped": manifest.counts.dropped,
            "failed": manifest.counts.failed,
            "edits": manifest.counts.edits,
            "cpu_s": manifest.cpu_s,
            "wall_s": manifest.wall_s,
        }
        for manifest, _ in chain
    ]
    return {"stages": entries, "shards": _shards(chain), "mix": _fact(chain, "mix", None)}


def _shards(chain: list[tuple[Manifest, Any]]) -> list[dict[str, Any]]:
    return [
        {**shard, "path": f"{data.root}/{shard['path']}"}
        for manifest, data in chain
        for shard in manifest.facts.get("shards", [])
    ]


def _fact(chain: list[tuple[Manifest, Any]], name: str, default: Any) -> Any:
    return next((manifest.facts[name] for manifest, _ in chain if name in manifest.facts), default)


def draw(book: dict[str, Any]) -> RenderableType:
    """Return the funnel: a bar for each stage, and under it what it dropped, failed and edited."""
    if not book["stages"]:
        return Text("nothing is committed yet")
    parts: list[RenderableType] = [_funnel(book["stages"])]
    if book["mix"]:
        parts.append(_mix_table(book["mix"]))
    if book["shards"]:
        tokens = sum(shard["tokens"] for shard in book["shards"])
        parts.append(Text(f"{len(book['shards'])} shards, {tokens:,} tokens"))
    return Group(*parts)


def _funnel(stages: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("stage")
    table.add_column("read", justify="right")
    table.add_column("kept", justify="right")
    table.add_column("")
    table.add_column("why not kept")
    start = max(1, stages[0]["read"])
    for stage in stages:
        width = max(1 if stage["kept"] else 0, round(BAR_WIDTH * stage["kept"] / start))
        lost = sorted(stage["dropped"].items(), key=lambda item: (-item[1], item[0]))
        why = Text(", ".join(f"{reason} {n:,}" for reason, n in lost))
        if stage["failed"]:
            failed = ", ".join(f"{cause} {n:,}" for cause, n in stage["failed"].items())
            why.append(("; " if lost else "") + f"failed: {failed}", style="red")
        if stage["edits"]:
            edited = ", ".join(f"{what} {n:,}" for what, n in stage["edits"].items())
            why.append(("; " if lost or stage["failed"] else "") + f"edited: {edited}", style="dim")
        table.add_row(stage["name"], f"{stage['read']:,}", f"{stage['kept']:,}", Text("█" * width, style="cyan"), why)
    return table


def _mix_table(report: dict[str, Any]) -> Table:
    title = f"mix: {report['reached_tokens']:,} of {report['budget']:,} tokens wanted"
    if report["absent"]:
        title += f"; nothing to fill {', '.join(report['absent'])}"
    table = Table(box=None, pad_edge=False, header_style="bold", title=title, title_justify="left")
    for name in ("group", "available", "wanted", "reached", "epochs"):
        table.add_column(name, justify="left" if name == "group" else "right")
    groups = sorted((row for row in report["rows"] if row["axis"] == "group"), key=lambda row: -row["reached_tokens"])
    for row in groups[:MIX_ROWS]:
        table.add_row(
            row["name"],
            f"{row['available_tokens']:,}",
            f"{row['wanted_share']:.1%}",
            f"{row['reached_share']:.1%}",
            f"{row['epochs']:.2f}",
        )
    if len(groups) > MIX_ROWS:
        table.add_row(f"... and {len(groups) - MIX_ROWS} more", "", "", "", "")
    return table
