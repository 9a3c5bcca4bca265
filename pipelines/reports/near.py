"""The documents just inside and just outside of a limit, in the order of the measure.

`REASON` is a rule as the run had it: the limits are those of its rejections, one for each language where they differ,
and the measure is the field of its step that holds, for every document it dropped, the value of the rejection.
`STEP.MEASURE=LIMIT` is any measure against any limit: what another setting would bring.

Looked through are the documents that a stage kept, and those it dropped whose measures are in the table `dropped`: of
the steps after the drop these are a share (`measure_dropped`). A document's fate is that in the stage of the rule.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from rich.console import Group, RenderableType
from rich.text import Text

from pipelines.reports import drawing
from pipelines.reports.records import Chain, Chains, rows_of, texts_before, texts_of, without_run
from pipelines.runs.folder import DataFolder, Manifest
from pipelines.runs.tables import read_schema
from schemas.errors import RunError

TEXT_CHARS = 90  # of a text's beginning, as a person is shown it
KEPT = "kept"


@dataclass(frozen=True)
class Where:
    """Which documents are looked through, and how many are shown on each side of a limit (0: all)."""

    stage: str = ""
    language: str = ""
    source: str = ""
    limit: int = 10


@dataclass
class _Rule:
    """A rule of one stage, or a limit that somebody asks for."""

    run: int
    manifest: Manifest
    data: DataFolder
    step: str
    reason: str = ""
    measure: str = ""  # '' when no field of the step holds what its rejections tell
    limits: dict[str, Counter[float]] = field(default_factory=dict)  # of its rejections, by language
    values: dict[str, float] = field(default_factory=dict)  # of its rejections, by id
    is_lower: bool | None = None  # whether what is below the limit is dropped; None: nobody knows

    def limit_of(self, language: str) -> float:
        """Return the limit for a language; of one of which nothing was dropped, the most frequent."""
        some = self.limits.get(language) or sum(self.limits.values(), Counter())
        return min(some, key=lambda limit: (-some[limit], limit))

    def side(self, value: float, limit: float) -> str:
        if self.is_lower is None:
            return "below" if value < limit else "above"
        return "outside" if (value < limit if self.is_lower else value > limit) else "inside"


def near(chains: Chains, asked: str, where: Where) -> list[dict[str, Any]]:
    """Return the documents nearest to a limit, by rule, limit and value. RunError for what there is not."""
    if not any(chains.values()):
        raise RunError("nothing is committed yet")
    stages = dict.fromkeys(manifest.stage for chain in chains.values() for manifest, _ in chain)
    if where.stage and where.stage not in stages:
        raise RunError(f"--stage {where.stage}: not in this run; allowed: {', '.join(stages)}")
    rules = _given(chains, asked, where) if "=" in asked else _of_reason(chains, asked, where)
    found: list[dict[str, Any]] = []
    for rule in rules:
        rows = _nearest(_measured(rule, where), where.limit)
        _tell(rows, rule, chains[rule.run])
        found += rows
    return found if len(chains) > 1 else [without_run(row) for row in found]


def _places(chains: Chains, where: Where) -> Iterator[tuple[int, Manifest, DataFolder]]:
    for number, chain in chains.items():
        for manifest, data in chain:
            if where.stage in ("", manifest.stage):
                yield number, manifest, data


def _given(chains: Chains, asked: str, where: Where) -> list[_Rule]:
    """Return a limit that is given as STEP.MEASURE=LIMIT, for each stage that has the step."""
    name, _, number = asked.partition("=")
    step, dot, measure = name.strip().partition(".")
    try:
        limit = float(number)
    except ValueError:
        limit = math.nan
    if not dot or math.isnan(limit):
        raise RunError(f"--near {asked}: expected a reason, or STEP.MEASURE=LIMIT, for example gopher.n_words=50")
    places = list(_places(chains, where))
    steps = {name: fields for _, manifest, data in places for name, fields in _measures(manifest, data).items()}
    if step not in steps:
        raise RunError(
            f"--near {asked}: no step {step!r} with measures; there are {', '.join(sorted(steps)) or 'none'}"
        )
    if measure not in steps[step]:
        raise RunError(f"--near {asked}: {step} has no measure {measure!r}; there are {', '.join(steps[step])}")
    limits = {"": Counter({limit: 1})}
    return [
        _Rule(number, manifest, data, step, measure=measure, limits=limits)
        for number, manifest, data in places
        if measure in _measures(manifest, data).get(step, ())
    ]


def _of_reason(chains: Chains, reason: str, where: Where) -> list[_Rule]:
    """Return the rules, one for each stage and step, that have dropped documents for a reason."""
    rules: dict[tuple[int, str, str], _Rule] = {}
    others: dict[str, bool] = {}  # reasons that there are: whether with a limit
    for number, manifest, data in _places(chains, where):
        for row in rows_of(data, "rejected", ["id", "language", "step", "reason", "value", "limit"]):
            limited = row["value"] is not None and row["limit"] is not None
            others[row["reason"]] = others.get(row["reason"], False) or limited
            if row["reason"] == reason and limited:
                key = (number, manifest.stage, row["step"])
                rule = rules.setdefault(key, _Rule(number, manifest, data, row["step"], reason))
                rule.limits.setdefault(row["language"], Counter())[row["limit"]] += 1
                rule.values[row["id"]] = row["value"]
                rule.is_lower = row["value"] < row["limit"]
    if not rules:
        with_limit = ", ".join(sorted(name for name, limited in others.items() if limited)) or "none"
        what = "has no limit: it is there or not" if reason in others else "no document was dropped for it"
        other = "; of a measure: STEP.MEASURE=LIMIT, as gopher.n_words=50" if "." in reason else ""
        raise RunError(f"--near {reason}: {what}; reasons with a limit: {with_limit}{other}")
    for rule in rules.values():
        rule.measure = _field_of(rule)
    return list(rules.values())


def _measures(manifest: Manifest, data: DataFolder) -> dict[str, list[str]]:
    """Return the numbers that each step of a stage stores, by step."""
    files = data.files("documents") or data.files("dropped")
    if not files:
        return {}
    schema = read_schema(files[0])
    found: dict[str, list[str]] = {}
    for step in manifest.config:
        if step in schema.names and pa.types.is_struct(schema.field(step).type):
            numbers = [
                f.name for f in schema.field(step).type if pa.types.is_integer(f.type) or pa.types.is_floating(f.type)
            ]
            if numbers:
                found[step] = numbers
    return found


def _field_of(rule: _Rule) -> str:
    """Return the field of the step that holds the values of the rule's rejections; '' when there is none."""
    names = _measures(rule.manifest, rule.data).get(rule.step, [])
    if not names or not rule.data.files("dropped"):
        return ""
    is_told = False
    for row in rows_of(rule.data, "dropped", ["id", rule.step]):
        if row["id"] in rule.values and row[rule.step] is not None:
            is_told = True
            names = [name for name in names if row[rule.step][name] == rule.values[row["id"]]]
    words = set(rule.reason.split("_"))
    return max(names, key=lambda name: len(words & set(name.split("_"))), default="") if is_told else ""


def _measured(rule: _Rule, where: Where) -> Iterator[dict[str, Any]]:
    """Yield the documents of which the measure of a rule is known, without texts; the dropped ones without fates."""
    columns = ["id", "url", "source", "language"]
    if rule.measure:
        tables = (("documents", KEPT), ("dropped", ""))
        rows = (
            (row, row[rule.step] and row[rule.step][rule.measure], fate)
            for table, fate in tables
            for row in rows_of(rule.data, table, [*columns, rule.step])
        )
    else:
        rejected = rows_of(rule.data, "rejected", columns)
        rows = ((row, rule.values.get(row["id"]), rule.reason) for row in rejected)
    for row, value, fate in rows:
        if value is None or math.isnan(value):
            continue
        if where.language not in ("", row["language"]) or where.source not in ("", row["source"]):
            continue
        limit = rule.limit_of(row["language"])
        place = {"run": rule.run, "stage": rule.manifest.stage, "step": rule.step, "measure": rule.measure}
        told = {"value": value, "limit": limit, "side": rule.side(value, limit), "fate": fate}
        yield {**place, **told, **{name: row[name] for name in columns}}


def _nearest(rows: Iterator[dict[str, Any]], n: int) -> list[dict[str, Any]]:
    """Return the `n` rows (0: all) nearest to each limit on each of its sides, by limit and value."""
    sides: dict[tuple[float, str], list[dict[str, Any]]] = {}
    for row in rows:
        some = sides.setdefault((row["limit"], row["side"]), [])
        some.append(row)
        if n and len(some) >= 64 * n:  # what is far away need not be held
            some[:] = heapq.nsmallest(n, some, key=_distance)
    chosen = [row for some in sides.values() for row in (heapq.nsmallest(n, some, key=_distance) if n else some)]
    return sorted(chosen, key=lambda row: (row["limit"], row["value"], row["side"], row["id"]))


def _distance(row: dict[str, Any]) -> tuple[float, str]:
    return abs(row["value"] - row["limit"]), row["id"]


def _tell(rows: list[dict[str, Any]], rule: _Rule, chain: Chain) -> None:
    """Add to some rows their texts, and to those of dropped documents why they were dropped."""
    gone = {row["id"] for row in rows if row["fate"] != KEPT}
    reasons = {
        row["id"]: row["reason"] for row in rows_of(rule.data, "rejected", ["id", "reason"]) if row["id"] in gone
    }
    texts = texts_of(rule.data, {row["id"] for row in rows} - gone)
    texts |= texts_before(chain, rule.manifest.stage, gone)
    for row in rows:
        row["fate"] = row["fate"] or reasons.get(row["id"], "")
        row["text"] = texts.get(row["id"])


def draw(rows: list[dict[str, Any]]) -> RenderableType:
    """Return the documents as lines, and a line where the limit is."""
    if not rows:
        return Text("no such document")
    parts: list[RenderableType] = []
    for _, some in itertools.groupby(rows, key=lambda row: (row.get("run"), row["stage"], row["step"], row["limit"])):
        parts += _drawn_rule(list(some))
    return Group(*parts)


def _drawn_rule(rows: list[dict[str, Any]]) -> Iterator[Text]:
    first = rows[0]
    name = f"{first['step']}.{first['measure']}" if first["measure"] else first["step"]
    head = f"{first['stage']}  {name}, limit {drawing.number(first['limit'])}"
    if not first["measure"]:
        head += " (kept documents have no such measure)"
    yield Text(head, style="bold")
    width = max(len(row["fate"]) for row in rows)
    for before, row in itertools.pairwise([None, *rows]):
        assert row is not None  # noqa: S101
        if before is not None and before["side"] != row["side"]:
            yield Text(f"{'-' * 10}  {drawing.number(row['limit'])}", style="dim")
        start = " ".join((row["text"] or "")[: 4 * TEXT_CHARS].split())[:TEXT_CHARS]
        value = drawing.number(float(row["value"]))
        line = Text(f"{value:>10}  ").append(f"{row['fate']:<{width}}", style=_STYLES.get(row["fate"], "red"))
        yield line.append(f"  {row['language']:<3} {row['id'][:12]}  ").append(start, style="cyan")
    yield Text("")


_STYLES = {KEPT: "green"}
