"""Small token shards for the trainer's tests: every token tells where it stands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.identity import content_id
from schemas.records import TokenRow, to_batch
from schemas.shards import ShardMetadata, TokenizerFacts, shard_path

TOKENIZER = TokenizerFacts(sha256="0" * 64, vocab_size=50_000, bos_id=0, eos_id=1)


def write_source(
    folder: Path, source: str, documents: list[list[int]], row_tokens: int = 32, rows_per_shard: int = 8,
    rows_per_group: int = 2, tokenizer: TokenizerFacts = TOKENIZER,
) -> list[str]:  # fmt: skip
    """Write documents, end to end, as the shards of one source; return their paths. The last row is padded by EOS.

    A document's id comes from its tokens: copies have the same.
    """
    tokens = np.concatenate([np.array(document, np.uint32) for document in documents])
    ends = np.cumsum([len(document) for document in documents])
    real = len(tokens)
    n_rows = -(-real // row_tokens)
    tokens = np.concatenate([tokens, np.full(n_rows * row_tokens - real, tokenizer.eos_id, np.uint32)])
    names = [content_id(*map(str, document)) for document in documents]
    rows = [_row(tokens, ends, names, start, row_tokens, real) for start in range(0, len(tokens), row_tokens)]
    paths = []
    for shard, first in enumerate(range(0, n_rows, rows_per_shard)):
        chosen = rows[first : first + rows_per_shard]
        metadata = ShardMetadata(
            source=source, shard=shard, source_tokens=real, total_tokens=len(chosen) * row_tokens,
            real_tokens=min(real, (first + len(chosen)) * row_tokens) - first * row_tokens, row_tokens=row_tokens,
            tokenizer=tokenizer,
        )  # fmt: skip
        table = pa.Table.from_batches([to_batch(TokenRow, chosen)])
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), **metadata.to_footer()})
        path = folder / shard_path(source, shard)
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path, row_group_size=rows_per_group)
        paths.append(str(path))
    return paths


def _row(
    tokens: np.ndarray, ends: np.ndarray, names: list[str], start: int, row_tokens: int, real: int
) -> TokenRow:  # fmt: skip
    stop = start + row_tokens
    inside = [int(end) - start for end in ends if start < end < min(stop, real)]
    doc_ends = [*inside, min(stop, real) - start]
    first = int(np.searchsorted(ends, start, side="right"))
    ids = names[first : first + len(doc_ends)]
    if stop > real and doc_ends[-1] < row_tokens:
        doc_ends, ids = [*doc_ends, row_tokens], [*ids, ""]
    return TokenRow(
        tokens=tokens[start:stop].tolist(), doc_ends=doc_ends, doc_ids=ids, doc_offsets=[0] * len(doc_ends),
        cut=stop < real and stop not in set(ends.tolist()),
    )  # fmt: skip


def counting(lengths: list[int], first: int = 100) -> list[list[int]]:
    """Return documents of these lengths whose tokens are numbers that go up from `first`."""
    numbers = iter(range(first, first + sum(lengths)))
    return [[next(numbers) for _ in range(n)] for n in lengths]
