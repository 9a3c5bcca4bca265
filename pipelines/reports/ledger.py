"""The ledger of a run or a dataset: what became of every record, by stage, as plain data and as a funnel for a person.

The ledger of a dataset is the sum of those of its runs: what balances in each of them balances in the sum.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipelines.reports import drawing
from pipelines.runs.counts import DROPPED, FAILED, KEPT, LANGUAGES, Counts
from pipelines.runs.dataset import Dataset
from pipelines.runs.folder import Manifest, RunFolder
from pipelines.runs.former import former_result
from schemas.errors import ConfigError

BAR_WIDTH = 32
MIX_ROWS = 12
SKIPPED_SHOWN = 5  # all are in the JSON
LANGUAGES_SHOWN = 12  # of those without limits of their own; all are in the JSON
BY = ("source", "language")
_AXES = ("source", "language", "quality", "group")  # the order of a mix report
_Groups = dict[tuple[str, ...], dict[str, Any]]  # fates by the values of some axes


def parse_axes(text: str) -> tuple[str, ...]:
    """Return the axes that `--by` names. Raises ConfigError for others."""
    axes = tuple(filter(None, map(str.strip, text.split(","))))
    wrong = next((axis for axis in axes if axis not in BY), None)
    if wrong is not None:
        raise ConfigError(f"--by {wrong}: not allowed; expected {', '.join(BY)}, or both with a comma")
    return axes


def ledger(folder: RunFolder, axes: Sequence[str] = ()) -> dict[str, Any]:
    """Return `{"stages": [...], "shards": [...]}` of the committed stages, in order; empty lists before the first.
    Under `former` is what the folder keeps of the result before its last rerun; under `skipped_inputs` path and cause
    of each input that could not be read.

    With `axes`, each stage has its fates by them under `by`: a list of {source, language, kept, dropped, failed}.
    """
    chain = folder.committed()
    entries = [
        {
            "name": manifest.stage,
            "read": manifest.counts.read,
            "kept": manifest.counts.kept,
            "dropped": manifest.counts.dropped,
            "failed": manifest.counts.failed,
            "edits": manifest.counts.edits,
            "limits_by_script": limits_by_script(manifest),
            "cpu_s": manifest.cpu_s,
            "wall_s": manifest.wall_s,
            "is_first": not manifest.upstream,  # it reads the files of a source
            **({"by": parted(manifest.counts, axes)} if axes else {}),
        }
        for manifest, _ in chain
    ]
    book = {"stages": entries, "shards": _shards(chain), "mix": _fact(chain, "mix", None)}
    former = None if folder.former else plain_former(folder)
    return {**book, "former": former, "skipped_inputs": folder.skipped()}


def plain_former(folder: RunFolder) -> dict[str, Any] | None:
    """Return what a folder keeps of its former result, as plain data."""
    former = former_result(folder)
    return former.plain if former and former.stages else None


def parted(counts: Counts, axes: Sequence[str]) -> list[dict[str, Any]]:
    """Return the fates of a stage's records by source, language or both; what a group read is their sum."""
    groups: _Groups = {}
    for fate, n in counts.items():
        key = tuple(getattr(fate, axis) for axis in axes)
        group = _group(groups, axes, key)
        if fate.fate == KEPT:
            group["kept"] += n
        else:
            group[fate.fate][fate.reason] = group[fate.fate].get(fate.reason, 0) + n
    return [groups[key] for key in sorted(groups)]


def _group(groups: _Groups, axes: Sequence[str], key: tuple[str, ...]) -> dict[str, Any]:
    """Return the group of a key; an empty one, which is now among the groups, when there was none."""
    return groups.setdefault(key, {**dict(zip(axes, key, strict=True)), "kept": 0, DROPPED: {}, FAILED: {}})


def limits_by_script(manifest: Manifest) -> dict[str, int]:
    """Return the records that a stage judged by the limits of their script, by language: it had none of the language.

    Empty for a stage whose settings do not depend on the language.
    """
    own = manifest.facts.get(LANGUAGES)
    records: Counter[str] = Counter()
    if own:
        for fate, n in manifest.counts.items():
            records[fate.language] += n
    return {language: records[language] for language in sorted(records.keys() - {"", *(own or ())})}


def _sum_of_parted(entries: Sequence[dict[str, Any]], axes: Sequence[str]) -> list[dict[str, Any]]:
    """Return the sum of the fates by group of one stage in several runs."""
    groups: _Groups = {}
    for entry in entries:
        key = tuple(entry[axis] for axis in axes)
        group = _group(groups, axes, key)
        group["kept"] += entry["kept"]
        for fate in (DROPPED, FAILED):
            group[fate] = dict(Counter(group[fate]) + Counter(entry[fate]))
    return [groups[key] for key in sorted(groups)]


def dataset_ledger(dataset: Dataset, axes: Sequence[str] = ()) -> dict[str, Any]:
    """Return the ledger of a dataset: its runs' sums, and under `runs` each of them, oldest first.

    Shards are in the order of the runs, so that a later run changes the number of none.
    """
    runs = []
    for run in dataset.runs():
        facts = {"run": dataset.number(run), "path": run.path, "finished": run.finished()}
        runs.append({**facts, "inputs": len(run.inputs() or ()), **ledger(run, axes)})
    return {
        "stages": stage_sums([stage for run in runs for stage in run["stages"]], axes),
        "shards": [shard for run in runs for shard in run["shards"]],
        "mix": mix_sums([run["mix"] for run in runs if run["mix"]]),
        "former": next((run["former"] for run in runs if run["former"]), None),
        "skipped_inputs": [entry for run in runs for entry in run["skipped_inputs"]],
        "runs": runs,
    }


def stage_sums(entries: list[dict[str, Any]], axes: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return one entry for each name, in the order of their first appearance; `axes` are those of `by`."""
    sums: dict[str, dict[str, Any]] = {}
    for entry in entries:
        total = sums.setdefault(entry["name"], {"name": entry["name"]})
        for field, value in entry.items():
            if field == "by":
                total[field] = _sum_of_parted([*total.get(field, []), *value], axes)
            elif isinstance(value, dict):
                both = Counter(total.get(field, {}))
                both.update(value)
                total[field] = {name: round(both[name], 3) for name in sorted(both)}
            elif isinstance(value, bool):
                total[field] = value
            elif field != "name":
                total[field] = round(total.get(field, 0) + value, 3)
    return list(sums.values())


def mix_sums(reports: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the mix of all runs: tokens are sums, shares and rates follow from them; each run met its own shares."""
    if len(reports) < 2:
        return reports[0] if reports else None
    budget, reached = (sum(report[name] for report in reports) for name in ("budget", "reached_tokens"))
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for report in reports:
        for row in report["rows"]:
            total = rows.setdefault((row["axis"], row["name"]), dict.fromkeys(row, 0) | {"wanted": 0.0, "planned": 0.0})
            for name in ("available_tokens", "reached_tokens", "shortfall_tokens"):
                total[name] += row[name]
            total["wanted"] += row["wanted_share"] * report["budget"]
            total["planned"] += row["rate"] * row["available_tokens"]
    for (axis, name), total in rows.items():
        available = total["available_tokens"] or 1
        total.update(axis=axis, name=name, wanted_share=total.pop("wanted") / (budget or 1))
        total.update(reached_share=total["reached_tokens"] / (reached or 1), rate=total.pop("planned") / available)
        total["epochs"] = total["reached_tokens"] / available
    return {
        "budget": budget,
        "available_tokens": sum(report["available_tokens"] for report in reports),
        "reached_tokens": reached,
        "shortfall_tokens": sum(report["shortfall_tokens"] for report in reports),
        "absent": sorted(set.intersection(*(set(report["absent"]) for report in reports))),
        "rows": [rows[key] for key in sorted(rows, key=lambda key: (_AXES.index(key[0]), key[1]))],
    }


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
    if any("by" in stage for stage in book["stages"]):
        parts.append(_parted_table(book["stages"]))
    if book["mix"]:
        parts.append(_mix_table(book["mix"]))
    if book["shards"]:
        tokens = sum(shard["tokens"] for shard in book["shards"])
        parts.append(Text(f"{len(book['shards'])} shards, {tokens:,} tokens"))
    if book.get("skipped_inputs"):
        parts.append(Text(skipped_lines(book["skipped_inputs"])))
    if book.get("former"):
        parts.append(Text(former_line(book["former"])))
    if len(book.get("runs", ())) > 1:
        parts.append(_run_table(book["runs"]))
    return Group(*parts)


def skipped_lines(skipped: Sequence[dict[str, str]]) -> str:
    """Return how a person is told of inputs that were left out."""
    lines = [f"inputs left out, which could not be read: {len(skipped):,}"]
    lines += [f"  {entry['why']}" for entry in skipped[:SKIPPED_SHOWN]]
    if len(skipped) > SKIPPED_SHOWN:
        lines.append(f"  ... and {len(skipped) - SKIPPED_SHOWN:,} more (`winnow ledger --json`)")
    return "\n".join(lines)


def former_line(former: dict[str, Any]) -> str:
    """Return how a person is told of a former result."""
    kept = f"{', '.join(former['stages'])}, {former['bytes'] / 1e6:,.1f} MB"
    return f"former result kept: {kept} (look at DIR@former; `winnow drop-former DIR` removes it)"


def _run_table(runs: list[dict[str, Any]]) -> Table:
    numbers = ("run", "inputs", "read", "shards", "tokens")
    drawn = drawing.table(*numbers, "", right=numbers)
    for run in runs:
        tokens = sum(shard["tokens"] for shard in run["shards"])
        read = sum(stage["read"] for stage in run["stages"] if stage.get("is_first"))
        counts = (f"{n:,}" for n in (run["run"], run["inputs"], read, len(run["shards"]), tokens))
        place = "/".join(run["path"].rsplit("/", 2)[-2:]) if run["run"] else ""
        drawn.add_row(*counts, Text(place + ("" if run["finished"] else " not finished")))
    return drawn


def _funnel(stages: list[dict[str, Any]]) -> Table:
    drawn = drawing.table("stage", "read", "kept", "", "why not kept", right=("read", "kept"))
    start = max(1, sum(stage["read"] for stage in stages if stage["is_first"]))
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
        if stage["limits_by_script"]:
            ordered = sorted(stage["limits_by_script"].items(), key=lambda item: (-item[1], item[0]))
            named = ", ".join(f"{language} {n:,}" for language, n in ordered[:LANGUAGES_SHOWN])
            more = f" and {len(ordered) - LANGUAGES_SHOWN} more" if len(ordered) > LANGUAGES_SHOWN else ""
            why.append(("; " if why else "") + f"limits by script: {named}{more}", style="dim")
        drawn.add_row(stage["name"], f"{stage['read']:,}", f"{stage['kept']:,}", Text("█" * width, style="cyan"), why)
    return drawn


def _parted_table(stages: list[dict[str, Any]]) -> Table:
    axes = [axis for axis in BY if any(axis in row for stage in stages for row in stage["by"])]
    drawn = drawing.table("stage", *axes, "read", "kept", "why not kept", right=("read", "kept"))
    for stage in stages:
        for row in stage["by"]:
            lost = {**row[DROPPED], **{f"failed: {cause}": n for cause, n in row[FAILED].items()}}
            why = ", ".join(f"{reason} {n:,}" for reason, n in sorted(lost.items(), key=lambda item: -item[1]))
            read = row["kept"] + sum(lost.values())
            names = [row[axis] or "-" for axis in axes]
            drawn.add_row(stage["name"], *names, f"{read:,}", f"{row['kept']:,}", Text(why))
    return drawn


def _mix_table(report: dict[str, Any]) -> Table:
    title = f"mix: {report['reached_tokens']:,} of {report['budget']:,} tokens wanted"
    if report["absent"]:
        title += f"; nothing to fill {', '.join(report['absent'])}"
    numbers = ("available", "wanted", "reached", "epochs")
    drawn = drawing.table("group", *numbers, right=numbers, title=title)
    groups = sorted((row for row in report["rows"] if row["axis"] == "group"), key=lambda row: -row["reached_tokens"])
    for row in groups[:MIX_ROWS]:
        drawn.add_row(
            row["name"],
            f"{row['available_tokens']:,}",
            f"{row['wanted_share']:.1%}",
            f"{row['reached_share']:.1%}",
            f"{row['epochs']:.2f}",
        )
    if len(groups) > MIX_ROWS:
        drawn.add_row(f"... and {len(groups) - MIX_ROWS} more", "", "", "", "")
    return drawn
