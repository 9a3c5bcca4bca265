"""Find the records of a dataset: the committed stages of its runs, the rows of their tables, a document by its id."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from pipelines.runs.dataset import Dataset
from pipelines.runs.folder import DataFolder, Manifest
from pipelines.runs.rows import rows_with
from pipelines.runs.tables import in_its_file, read_batches, read_headers, read_part
from pipelines.stages.read import document_id
from schemas.errors import RunError
from schemas.records import Header

Chain = list[tuple[Manifest, DataFolder]]  # the committed stages of one run
Chains = dict[int, Chain]  # by number of the run


def chains_of(dataset: Dataset, run: int | None = None) -> Chains:
    """Return the committed stages of all runs of a dataset, or of the one asked for."""
    runs = dataset.runs() if run is None else [dataset.run(run)]
    return {dataset.number(folder): folder.committed() for folder in runs}


def without_run(row: dict[str, Any]) -> dict[str, Any]:
    """Return a record of a dataset that has one run."""
    return {name: value for name, value in row.items() if name != "run"}


def last_holders(chain: Chain, table: str) -> Chain:
    """Return the stages with a table that no other of them reads, directly or through other stages."""
    holders = [(manifest, data) for manifest, data in chain if data.files(table)]
    upstream = {manifest.stage: set(manifest.upstream) for manifest, _ in chain}
    read: set[str] = set()
    waiting = [before for manifest, _ in holders for before in upstream[manifest.stage]]
    while waiting:
        stage = waiting.pop()
        if stage not in read:
            read.add(stage)
            waiting += upstream.get(stage, ())
    return [(manifest, data) for manifest, data in holders if manifest.stage not in read]


def rows_of(data: DataFolder, table: str, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table, part by part; with `columns` only those, as far as the table has them."""
    for path in data.files(table):
        for batch in read_batches(path, columns):
            yield from batch.to_pylist()


def headers_of(data: DataFolder) -> Iterator[tuple[Header, str]]:
    """Yield the headers of a stage, each with the path of its archive."""
    for path in data.files("headers"):
        part, _ = read_part(path)
        for headers in read_headers(path):
            yield from (in_its_file(header, part) for header in headers)


def row_by_id(data: DataFolder, table: str, document_id: str) -> dict[str, Any] | None:
    """Return the first row of a table with an id; None when there is none."""
    return next(rows_by_id(data, table, document_id), None)


def rows_by_id(data: DataFolder, table: str, document_id: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table with an id, in order; whole rows are read of the files alone that have one."""
    for path in data.files(table):
        yield from _rows_with(path, [document_id])


def _rows_with(path: str, ids: Collection[str], columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file that have one of some ids; no other row is turned into Python objects."""
    for batch in rows_with(path, ids, columns):
        yield from batch.to_pylist()


def texts_of(data: DataFolder, ids: Collection[str]) -> dict[str, str]:
    """Return the texts that a stage has written of some documents, by id."""
    files = data.files("documents") if ids else ()
    return {row["id"]: row["text"] for path in files for row in _rows_with(path, ids, ["id", "text"])}


def texts_before(chain: Chain, stage: str, ids: Collection[str]) -> dict[str, str]:
    """Return the texts of some documents as a stage read them, by id; of those that had none yet nothing."""
    at = next(n for n, (manifest, _) in enumerate(chain) if manifest.stage == stage)
    before = set(chain[at][0].upstream)
    found: dict[str, str] = {}
    for manifest, data in reversed(chain[:at]):
        if manifest.stage in before:
            before |= set(manifest.upstream)
            found = {**texts_of(data, [one for one in ids if one not in found]), **found}
            if len(found) == len(ids):
                break
    return found


def is_named(row: dict[str, Any], name: str) -> bool:
    """Return whether `name` is the id of a row's document, how it begins, or the id of its archived record."""
    return row["id"].startswith(name) or row.get("record_id") == name


def identify(chains: Chains, name: str, option: str) -> tuple[int, str]:
    """Return the run and the id of the one document that an id, how it begins, or the id of its record names.

    Raises RunError when there is none, or more than one.
    """
    if not any(chains.values()):
        raise RunError("nothing is committed yet")
    found: dict[str, int] = {}
    for number, row in _named(chains, name):
        if row["id"] == name:
            return number, name
        found[row["id"]] = number
    ids = {number: document_of(chain, name) for number, chain in chains.items()} if not found else {}
    found.update({document_id: number for number, document_id in ids.items() if document_id})
    if len(found) != 1:
        few = ", ".join(sorted(found)[:3])
        what = f"{len(found)} documents begin so ({few}, ...)" if found else "no document or record has this id"
        raise RunError(f"{option} {name}: {what}")
    return next((number, document_id) for document_id, number in found.items())


def _named(chains: Chains, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the run and the ids of each document, rejection and failure that `name` names."""
    for table in ("documents", "rejected", "failed"):
        for number, chain in chains.items():
            for _, data in last_holders(chain, table) if table == "documents" else chain:
                rows = rows_of(data, table, ["id", "record_id"])
                yield from ((number, row) for row in rows if is_named(row, name))


def document_of(chain: Chain, record_id: str) -> str:
    """Return the id of the document that an archived record became; '' if it became none."""
    for _, data in chain:
        for header, archive in headers_of(data):
            if header.record_id == record_id:
                return document_id(header.source, header, archive)
    return ""


def documents_at(chain: Chain, url: str) -> frozenset[str]:
    """Return the ids of the documents that records became whose address, as it was crawled, has `url` in it."""
    headers = ((header, archive) for _, data in chain for header, archive in headers_of(data))
    return frozenset(document_id(header.source, header, archive) for header, archive in headers if url in header.url)
