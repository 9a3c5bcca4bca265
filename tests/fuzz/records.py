"""Mutated records by the million through the readers: `make fuzz-records RECORDS=10000000`.

    python -m tests.fuzz.records [--records 1000000] [--seed 0] [--format warc]

libFuzzer makes files of a few records, and makes few of them: each run opens ten files. Here a file holds hundreds of
small records, about half of which have some bytes changed before the file is compressed (so that the records, and not
only the compression, are damaged), and in one file of four some more bytes after. Each file is read twice, with the
checks of `tests.fuzz.readers.check_file`; a file that fails them is left as crash-SEED-NUMBER.FORMAT. A file is a
function of seed, number and format, so a crash comes back.
"""

from __future__ import annotations

import argparse
import gzip
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from schemas.records import Header
from tests.fuzz.mutate import jsonl_of, parquet_of
from tests.fuzz.readers import check_file
from transforms.sources.items import Broken

RECORDS = 300  # of a file
_TELLING = np.frombuffer(b'\r\n\0 :;"{}[]\\<>\xff\xc3\xed\xa0-0129eE', np.uint8)
_WORDS = [
    "Une",
    "phrase",
    "of",
    "words,",
    "\u00fcber",
    "\u4e2d\u6587",
    "and",
    "\U0001f600",
    "12",
    "3.5",
    "a://b.example/?c=d",
]


def _text(draw: np.random.Generator) -> str:
    return " ".join(_WORDS[at] for at in draw.integers(0, len(_WORDS), int(draw.integers(1, 30))))


def _warc(draw: np.random.Generator) -> list[bytes]:
    records = []
    for number in range(RECORDS):
        body = f"<html><title>{number}</title><p>{_text(draw)}</p></html>".encode()
        coding = b""
        if draw.random() < 0.2:
            body, coding = gzip.compress(body, 1, mtime=0), b"Content-Encoding: gzip\r\n"
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n" + coding + b"\r\n"
        kind = ("response", "response", "resource", "conversion", "metadata")[int(draw.integers(0, 5))]
        block = head + body if kind == "response" else body
        lines = (
            "WARC/1.0",
            f"WARC-Type: {kind}",
            f"WARC-Record-ID: <urn:uuid:{number:032x}>",
            f"WARC-Target-URI: http://a{number}.example/?q={number}",
            "WARC-Date: 2024-05-18T01:58:10Z",
            f"Content-Type: {'application/http; msgtype=response' if kind == 'response' else 'text/html'}",
            f"Content-Length: {len(block)}",
        )
        records.append("\r\n".join(lines).encode() + b"\r\n\r\n" + block + b"\r\n\r\n")
    return records


def _arc(draw: np.random.Generator) -> list[bytes]:
    records = [b"filedesc://a.arc 0.0.0.0 20040102030405 text/plain 5\n1 0 A\n"]
    for number in range(RECORDS):
        block = f"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<p>{_text(draw)}".encode()
        records.append(
            f"http://a{number}.example/ 1.2.3.4 20040102030405 text/html {len(block)}\n".encode() + block + b"\n"
        )
    return records


def _jsonl(draw: np.random.Generator) -> list[bytes]:
    return jsonl_of([_text(draw) for _ in range(RECORDS)]).splitlines(keepends=True)


def _changed(data: bytes, changes: int, draw: np.random.Generator) -> bytes:
    """Return bytes with some replaced by any byte, by a byte that a grammar reads, or by a copy of others; and in one
    of ten some taken out, so that all lengths behind them are wrong."""
    if not data:
        return data
    found = np.frombuffer(data, np.uint8).copy()
    places = draw.integers(0, len(found), changes)
    found[places] = np.where(
        draw.random(changes) < 0.5, draw.integers(0, 256, changes), _TELLING[draw.integers(0, len(_TELLING), changes)]
    )
    start, length, target = draw.integers(0, [len(found), 40, len(found)])
    length = min(length, len(found) - max(start, target))
    found[target : target + length] = found[start : start + length].copy()
    if draw.random() < 0.1:
        found = np.delete(found, slice(start, start + length))
    return found.tobytes()


def _damaged(records: list[bytes], draw: np.random.Generator) -> list[bytes]:
    return [_changed(record, int(draw.integers(1, 6)), draw) if draw.random() < 0.5 else record for record in records]


def _parquet(draw: np.random.Generator) -> bytes:
    texts = [record.decode("utf-8", "replace") for record in _damaged(_jsonl(draw), draw)]
    return parquet_of(texts, int(draw.integers(20, 100)), ("none", "snappy", "zstd")[int(draw.integers(0, 3))])


FORMATS: dict[str, Callable[[np.random.Generator], bytes]] = {
    "warc": lambda draw: b"".join(_damaged(_warc(draw), draw)),
    "warc.gz": lambda draw: b"".join(gzip.compress(record, 1, mtime=0) for record in _damaged(_warc(draw), draw)),
    "arc": lambda draw: b"".join(_damaged(_arc(draw), draw)),
    "jsonl": lambda draw: b"".join(_damaged(_jsonl(draw), draw)),
    "jsonl.gz": lambda draw: gzip.compress(b"".join(_damaged(_jsonl(draw), draw)), 1, mtime=0),
    "parquet": _parquet,
}


def mutated_file(name: str, seed: int, number: int) -> bytes:
    """Return file `number` of a format: the same bytes for the same arguments."""
    draw = np.random.default_rng([seed, number, list(FORMATS).index(name)])
    data = FORMATS[name](draw)
    return _changed(data, int(draw.integers(1, 20)), draw) if draw.random() < 0.25 else data


def read_mutated(name: str, seed: int, number: int) -> Counter[str]:
    """Read a mutated file and return how many of its records came to which fate; the file is kept if that fails."""
    data = mutated_file(name, seed, number)
    try:
        items = check_file(data, f"a.{name}")
    except BaseException:
        Path(f"crash-{seed}-{number}.{name}").write_bytes(data)
        raise
    return Counter(
        "page" if isinstance(item, Header) else item.cause if isinstance(item, Broken) else "skipped" for item in items
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--format", choices=list(FORMATS), action="append")
    options = parser.parse_args()
    names = options.format or list(FORMATS)
    found: dict[str, Counter[str]] = {name: Counter() for name in names}
    number, begun = 0, time.process_time()
    while (done := sum(counts.total() for counts in found.values())) < options.records:
        if number % 500 == 0:
            sys.stderr.write(f"{done:,} records, {time.process_time() - begun:.0f} s CPU\n")
        for name in names:
            found[name] += read_mutated(name, options.seed, number)
        number += 1
    lines = [f"{done:,} records of {number * len(names):,} files, {time.process_time() - begun:.0f} s CPU"]
    for name, counts in found.items():
        causes = ", ".join(f"{cause} {n:,}" for cause, n in counts.most_common())
        lines.append(f"{name}: {counts.total():,}; {causes}")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
