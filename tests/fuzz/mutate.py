"""Mutations of files, the same for the same seed, and tables made of texts: what readers of bytes are tried on."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq


def mutated(data: bytes, n: int, seed: str) -> bytes:
    """Return a file with `n` of its bytes replaced, wherever they are."""
    draw = random.Random(seed)
    changed = bytearray(data)
    for _ in range(n if data else 0):
        changed[draw.randrange(len(changed))] = draw.randrange(256)
    return bytes(changed)


def jsonl_of(texts: Sequence[str]) -> bytes:
    """Return texts as JSON Lines with the columns that tables have."""
    rows = [
        {"id": n, "url": f"http://a.example/{n}", "date": 1_700_000_000_000 + n, "text": text, "more": [n, {"a": None}]}
        for n, text in enumerate(texts)
    ]
    return "".join(json.dumps(row, ensure_ascii=n % 2 == 0) + "\n" for n, row in enumerate(rows)).encode()


def parquet_of(texts: Sequence[str], group: int = 50, compression: str = "snappy") -> bytes:
    """Return texts as Parquet in row groups of `group`, with columns of many types."""
    n = len(texts)
    table = pa.table(
        {
            "text": pa.array(texts),
            "url": pa.array([f"http://b.example/{at}" for at in range(n)]).dictionary_encode(),
            "id": pa.array([f"id{at}" for at in range(n)], pa.large_string()),
            "date": pa.array([1_700_000_000_000_000_000 + at for at in range(n)], pa.timestamp("ns", "UTC")),
            "tags": pa.array([[str(at)] * (at % 3) for at in range(n)]),
            "meta": pa.array([{"score": at / 7, "raw": b"%d" % at} for at in range(n)]),
        }
    )
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=group, compression=compression)
    return sink.getvalue()
