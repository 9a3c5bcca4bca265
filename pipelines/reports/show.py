"""Look at the records of a dataset: documents, rejected and failed ones, and the document behind a training token.

Every run of the dataset is looked through, oldest first; where there are several, a record says which one it is of.
"""

from __future__ import annotations

import heapq
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from pipelines.reports import drawing
from pipelines.reports.records import (
    Chain,
    Chains,
    document_of,
    documents_at,
    is_named,
    last_holders,
    row_by_id,
    rows_of,
    texts_before,
    without_run,
)
from pipelines.runs.tables import count_rows, read_batches
from pipelines.stages.tokenizer_facts import FACTS
from pipelines.stages.tokens import tokenizer_of
from schemas.errors import RunError
from schemas.identity import keyed_hash
from schemas.shards import locate

TABLES = ("documents", "rejected", "failed", "dropped", "edits")


@dataclass(frozen=True, kw_only=True)
class Query:
    """Which records to show; an empty field asks for nothing."""

    table: str = ""
    stage: str = ""
    record_id: str = ""
    reason: str = ""
    language: str = ""
    source: str = ""
    url: str = ""
    ids: frozenset[str] | None = None  # of documents; None: any
    sample: int = 0  # draw this many by the hash of id and seed
    seed: str = "0"
    limit: int = 10  # 0: all

    def tables(self) -> tuple[str, ...]:
        if self.table:
            if self.table not in TABLES:
                raise RunError(f"--table {self.table}: no such table; allowed: {', '.join(TABLES)}")
            if self.table == "edits" and (self.language or self.url):
                raise RunError("--table edits: has neither languages nor addresses; give --id, --source or --reason")
            return (self.table,)
        if self.reason:
            return ("rejected", "failed")
        return TABLES[:3] if self.record_id else ("documents",)

    def wants(self, row: dict[str, Any]) -> bool:
        return (
            (not self.record_id or is_named(row, self.record_id))
            and (not self.reason or self.reason in (row.get("reason"), row.get("cause")))
            and (not self.language or row.get("language") == self.language)
            and (not self.source or row.get("source") == self.source)
            and (not self.url or self.url in row.get("url", ""))
            and (self.ids is None or row["id"] in self.ids)
        )


def find(chains: Chains, query: Query) -> list[dict[str, Any]]:
    """Return the records that `query` asks for: plain dicts with table, stage and, if there is one, the text."""
    names = list(dict.fromkeys(manifest.stage for chain in chains.values() for manifest, _ in chain))
    if not names:
        raise RunError("nothing is committed yet")
    if query.stage and query.stage not in names:
        raise RunError(f"--stage {query.stage}: not in this run; allowed: {', '.join(names)}")
    found = _sampled(_matches(chains, query), query)
    if not found and (query.record_id or query.url):
        again = {number: _of_records(chain, query) for number, chain in chains.items()}
        rows = (_matches({number: chains[number]}, asked) for number, asked in again.items() if asked is not None)
        found = _sampled(itertools.chain.from_iterable(rows), query)
    _add_rejected_texts(found, chains)
    return [without_run(row) for row in found] if len(chains) == 1 else found


def _of_records(chain: Chain, query: Query) -> Query | None:
    """Return the query for the documents that the records became that it names: by id, or by an address as it was
    crawled, in which later stages have replaced personal data. None when there is no such document."""
    document_id = document_of(chain, query.record_id) if query.record_id else ""
    ids = documents_at(chain, query.url) if query.url else None
    if (query.record_id and not document_id) or ids == frozenset():
        return None
    return replace(query, record_id=document_id, url="", ids=ids)


def _add_rejected_texts(found: list[dict[str, Any]], chains: Chains) -> None:
    """Add to each rejection the text that was rejected; the tables before a stage are read once for all of its rows."""
    lost = [row for row in found if row["table"] == "rejected"]
    gone: dict[tuple[int, str], set[str]] = defaultdict(set)
    for row in lost:
        gone[row["run"], row["stage"]].add(row["id"])
    texts = {(run, stage): texts_before(chains[run], stage, ids) for (run, stage), ids in gone.items()}
    for row in lost:
        row["text"] = texts[row["run"], row["stage"]].get(row["id"])


def _matches(chains: Chains, query: Query) -> Iterator[dict[str, Any]]:
    for table, (number, chain) in itertools.product(query.tables(), chains.items()):
        for manifest, data in _places(chain, query, table):
            for row in rows_of(data, table):
                if query.wants(row):
                    yield {"table": table, "run": number, "stage": manifest.stage, **row}


def _places(chain: Chain, query: Query, table: str) -> Chain:
    """Return the stages to read: the one asked for; of documents else the last that has them; of the others all."""
    holders = [(manifest, data) for manifest, data in chain if data.files(table)]
    if query.stage:
        return [(manifest, data) for manifest, data in holders if manifest.stage == query.stage]
    return last_holders(chain, table) if table == "documents" else holders


def _sampled(rows: Iterable[dict[str, Any]], query: Query) -> list[dict[str, Any]]:
    if query.sample:
        return heapq.nsmallest(
            query.sample, rows, key=lambda row: (keyed_hash(f"show {query.seed}"[:64], row["id"]), row["id"])
        )
    found = []
    for row in rows:
        found.append(row)
        if query.limit and len(found) >= query.limit:
            break
    return found


def trace_token(chains: Chains, where: str) -> dict[str, Any]:
    """Walk from a training token, SHARD:ROW:POSITION, back to its document, its address and its archived record.

    SHARD is a path, the end of one, or the shard's number in the ledger, which counts through all runs.
    """
    shard, row, position = _parse_token(where)
    places = [
        (number, f"{data.root}/{entry['path']}")
        for number, chain in chains.items()
        for manifest, data in chain
        for entry in manifest.facts.get("shards", [])
    ]
    if not places:
        raise RunError("this run has no shards yet")
    number, path = _choose(places, shard)
    chain = chains[number]
    n_rows = count_rows(path)
    if not 0 <= row < n_rows:
        raise RunError(f"{where}: the shard has rows 0 to {n_rows - 1}")
    values = _row(path, row)
    if not 0 <= position < len(values["tokens"]):
        raise RunError(f"{where}: the row has positions 0 to {len(values['tokens']) - 1}")
    document_id, offset = locate(values, position)
    found: dict[str, Any] = {"shard": path, "row": row, "position": position, "token_id": values["tokens"][position]}
    if len(chains) > 1:
        found["run"] = number
    found["token"] = _spelled(chain, found["token_id"])
    if not document_id:
        return {**found, "table": "padding", "id": ""}
    found.update({"document_id": document_id, "token_of_document": offset})
    holders = last_holders(chain, "documents")
    rows = filter(None, (row_by_id(place, "documents", document_id) for _, place in holders))
    return {**found, "table": "documents", **next(rows, {"id": document_id})}


def _row(path: str, row: int) -> dict[str, Any]:
    """Return one row of a table, without turning its neighbours into Python objects: a row has 131,072 tokens."""
    first = 0
    for batch in read_batches(path):
        if row < first + batch.num_rows:
            return dict(batch.slice(row - first, 1).to_pylist()[0])
        first += batch.num_rows
    raise RunError(f"{path}: has no row {row}")


def _spelled(chain: Chain, token_id: int) -> str:
    """Return the text of a token."""
    manifest, data = next(place for place in chain if FACTS in place[0].facts)
    return tokenizer_of(manifest, data).decode([token_id], specials=True)


def _parse_token(where: str) -> tuple[str, int, int]:
    shard, _, rest = where.rpartition(":")
    shard, _, row = shard.rpartition(":")
    if not shard or not row.isdigit() or not rest.isdigit():
        raise RunError(f"--token {where}: expected SHARD:ROW:POSITION, for example 0:3:117")
    return shard, int(row), int(rest)


def _choose(places: list[tuple[int, str]], shard: str) -> tuple[int, str]:
    if shard.isdigit() and int(shard) < len(places):
        return places[int(shard)]
    found = [place for place in places if place[1] == shard or place[1].endswith("/" + shard.lstrip("./"))]
    if len(found) > 1:
        raise RunError(f"--token: {shard}: {len(found)} runs have such a shard; give its number or its whole path")
    if not found:
        raise RunError(f"--token: {shard}: no such shard; this run has {len(places)}, numbered from 0")
    return found[0]


_LONG = ("text", "blocks")  # the text comes last, cut; spans are for programs
_FIRST = (
    "table",
    "run",
    "stage",
    "step",
    "reason",
    "cause",
    "value",
    "limit",
    "detail",
    "id",
    "url",
    "source",
    "language",
)


def draw(rows: list[dict[str, Any]], chars: int) -> RenderableType:
    """Return the records for a terminal: facts as `name: value`, then the text, cut after `chars` (0: whole)."""
    if not rows:
        return Text("no such record")
    return Group(*(_draw_one(row, chars) for row in rows))


def _draw_one(row: dict[str, Any], chars: int) -> Text:
    drawn = Text()
    names = [name for name in _FIRST if name in row] + [
        name for name in row if name not in _FIRST and name not in _LONG
    ]
    for name in names:
        value = row[name]
        if value in (None, "", -1):
            continue
        if isinstance(value, dict):
            value = "  ".join(f"{key}={drawing.number(item)}" for key, item in value.items() if item is not None)
        if isinstance(value, str) and chars and len(value) > chars:  # metadata of a row
            value = f"{value[:chars]}... ({len(value) - chars:,} more characters)"
        drawn.append(f"{name}: ", style="bold")
        drawn.append(f"{drawing.number(value)}\n")
    text = row.get("text")
    if text:
        cut = text if not chars or len(text) <= chars else f"{text[:chars]}... ({len(text) - chars:,} more characters)"
        drawn.append(cut.rstrip() + "\n", style="cyan")
    drawn.append("\n")
    return drawn
