"""Tokens out of the shards: one folder a source, document by document, in the shuffled order of the shards.

A file holds the documents that begin in some consecutive shards of a source. A document that a shard's end cuts is read
on in the next one, so that none is cut in an export, and padding is left out. Memory: about a million tokens at a time
(one row of a shard, if that is longer).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from pipelines.export.corpus import SHARDS, FinishedRun
from pipelines.export.folder import Record
from pipelines.export.text import folder_of
from pipelines.export.token_files import TOKEN_FORMATS, FileFacts, TokenFormat
from pipelines.runs.tables import read_batches
from schemas.errors import RunError

_AT_ONCE = 1 << 20  # tokens


@dataclass(frozen=True)
class Span:
    """Consecutive tokens of a source, and the places among them where documents begin."""

    tokens: npt.NDArray[np.uint32]
    starts: npt.NDArray[np.int64]


@dataclass(frozen=True)
class TokenFile:
    """One file of tokens: the documents that begin in `shards`; the last of them may go on in those that follow."""

    stem: str  # path below the folder, without a suffix
    source: str
    row_tokens: int
    shards: tuple[str, ...]  # paths
    follow: tuple[str, ...]  # the source's later shards in the same run
    documents: int
    is_first: bool  # no shard of the source comes before: nothing may go on in the first one


def plan_tokens(runs: Sequence[FinishedRun], file_tokens: int) -> list[TokenFile]:
    """Return the files, by source: each holds as many consecutive shards of one run as have `file_tokens` tokens."""
    groups: dict[str, list[tuple[FinishedRun, list[dict[str, Any]], list[dict[str, Any]]]]] = {}
    for run in runs:
        by_source: dict[str, list[dict[str, Any]]] = {}
        for shard in sorted(run.shards[0].facts[SHARDS], key=lambda shard: (shard["source"], shard["shard"])):
            by_source.setdefault(shard["source"], []).append(shard)
        for source, shards in by_source.items():
            for first, last in _cuts([shard["tokens"] for shard in shards], file_tokens):
                if any(shard["documents"] for shard in shards[first:last]):  # else a long document goes through them
                    groups.setdefault(source, []).append((run, shards[first:last], shards[last:]))
    return [
        _token_file(f"{folder_of(source)}/tokens-{n:05d}-of-{len(some):05d}", *group)
        for source, some in sorted(groups.items())
        for n, group in enumerate(some)
    ]


def _cuts(sizes: Sequence[int], most: int) -> list[tuple[int, int]]:
    """Return ranges of consecutive sizes, each adding up to at most `most` unless it is a single one."""
    cuts, first, total = [], 0, 0
    for n, size in enumerate(sizes):
        if n > first and total + size > most:
            cuts.append((first, n))
            first, total = n, 0
        total += size
    return [*cuts, (first, len(sizes))] if sizes else []


def _token_file(
    stem: str, run: FinishedRun, shards: Sequence[dict[str, Any]], follow: Sequence[dict[str, Any]]
) -> TokenFile:
    root = run.shards[1].root
    first = shards[0]
    return TokenFile(
        stem,
        first["source"],
        (first["tokens"] + first["padding"]) // first["rows"],
        tuple(f"{root}/{shard['path']}" for shard in shards),
        tuple(f"{root}/{shard['path']}" for shard in follow),
        sum(shard["documents"] for shard in shards),
        first["shard"] == 0,
    )


def write_file(file: TokenFile, kind: str, facts: FileFacts, root: str) -> Record:
    """Write one file of tokens and its index. RunError when its documents are not those that the shards tell of."""
    format_: TokenFormat = TOKEN_FORMATS[kind](f"{root}/{file.stem}", facts, file.documents)
    documents = tokens = 0
    with format_ as target:
        for span in spans_of(file):
            target.write(span.tokens, span.starts)
            documents += len(span.starts)
            tokens += len(span.tokens)
    if documents != file.documents:
        raise RunError(f"{file.stem}: {documents} documents begin in its shards, but {file.documents} were written")
    entries = {path.removeprefix(f"{root}/"): entry for path, entry in format_.entries.items()}
    return Record(entries, {"documents": documents, "tokens": tokens})


def spans_of(file: TokenFile) -> Iterator[Span]:
    """Yield the tokens of the documents of a file, in order. RunError when the shards are not whole."""
    begun = False  # a document of this file has begun
    for path in file.shards:
        for span in _read_shard(path, file.row_tokens):
            if not begun and len(span.starts) and span.starts[0] > 0 and file.is_first:
                raise RunError(f"{path}: begins within a document, but is the first shard of {file.source}")
            if not begun:  # what comes before is the end of a document of the file before
                first = int(span.starts[0]) if len(span.starts) else len(span.tokens)
                begun = len(span.starts) > 0
                span = Span(span.tokens[first:], span.starts - first)
            if len(span.tokens):
                yield span
    for path in file.follow:
        for span in _read_shard(path, file.row_tokens):
            if not begun or (len(span.starts) and span.starts[0] == 0):
                return
            end = int(span.starts[0]) if len(span.starts) else len(span.tokens)
            yield Span(span.tokens[:end], np.zeros(0, np.int64))
            if len(span.starts):
                return


def _read_shard(path: str, row_tokens: int) -> Iterator[Span]:
    """Yield the tokens of a shard without its padding, some rows at a time."""
    columns = ["tokens", "doc_ends", "doc_ids", "doc_offsets"]
    for batch in read_batches(path, columns, rows=max(1, _AT_ONCE // row_tokens)):
        lists = {name: batch.column(name) for name in columns}
        tokens = lists["tokens"].flatten().to_numpy()
        sizes = np.diff(lists["tokens"].offsets.to_numpy())
        pieces = np.diff(lists["doc_ends"].offsets.to_numpy())
        row_starts = np.cumsum(sizes) - sizes
        ends = lists["doc_ends"].flatten().to_numpy().astype(np.int64) + np.repeat(row_starts, pieces)
        is_real = pc.not_equal(lists["doc_ids"].flatten(), "").to_numpy(zero_copy_only=False)
        starts = np.concatenate(([0], ends[:-1])).astype(np.int64)
        real = int(ends[is_real][-1]) if is_real.any() else 0
        if (len(ends) and ends[-1] != len(tokens)) or not is_real[: int(is_real.sum())].all():
            raise RunError(f"{path}: its documents do not fill its rows")
        begins = (lists["doc_offsets"].flatten().to_numpy() == 0) & is_real
        yield Span(tokens[:real], starts[begins])
