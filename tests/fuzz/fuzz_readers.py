"""A fuzzer for every reader of bytes (libFuzzer by way of atheris): `make fuzz`, or a target of it by hand:

    python -m tests.fuzz.fuzz_readers TARGET [libFuzzer options] [CORPUS...]

    archives, http, jsonl, parquet, lists, addresses, dates, tokenizers

What must hold is in tests/fuzz/readers.py; any other exception ends the run, and the input is left as crash-HASH.
Without a corpus the targets begin with small files of ours, so that mutations reach behind the first bytes.
"""

from __future__ import annotations

import gzip
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["transforms"]):
    from tests.fuzz.readers import TARGETS

from tests.fuzz.mutate import jsonl_of, parquet_of

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
_PAGE = b"<html><p>Hello</p></html>"


def _warc(block: bytes) -> bytes:
    head = (
        "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.example/\r\nWARC-Date: 2024-05-18T01:58:10Z\r\n"
    )
    return f"{head}Content-Length: {len(block)}\r\n\r\n".encode() + block + b"\r\n\r\n"


def seeds(target: str) -> list[bytes]:
    """Return the inputs that a target begins with."""
    packed = gzip.compress(_PAGE, mtime=0)
    chunked = f"{len(packed):x}\r\n".encode() + packed + b"\r\n0\r\n\r\n"
    texts = [f"Text number {n}" for n in range(4)]
    arc = (
        b"filedesc://a.arc 0.0.0.0 20040102030405 text/plain 5\n1 0 A\nhttp://a/ 1.2.3.4 20040102030405 text/html 25\n"
    )
    return {
        "archives": [_warc(_HEAD + chunked) * 2, gzip.compress(_warc(_PAGE), mtime=0) * 2, arc + _PAGE + b"\n"],
        "http": [_HEAD + chunked, b"HTTP/1.1 200 OK\r\n\r\n" + packed],
        "jsonl": [jsonl_of(texts), gzip.compress(jsonl_of(texts), mtime=0)],
        "parquet": [parquet_of(texts, 2), parquet_of(texts, 4, "none")],
        "lists": [b"0.0.0.0 a.example b.example\n*.c.example\nd.example/x?y=1\n# e\n"],
        "addresses": [
            b"HTTP://www.A.example:80/%7ea/../b;jsessionid=1?utm_id=2&sessionid=3#!x",
            "http://é.例え/".encode(),
        ],
        "dates": [b"2024-05-18 01:58:10.5 +0200", b"Sat, 18 May 2024 01:58:10 GMT", b"1715997490123"],
        "tokenizers": [b"YQ== 0\nYg== 1\n", b'"added_tokens": [{"content": "<|x|>", "id": 5}]'],
    }[target]


def main() -> None:
    arguments = sys.argv[1:]
    target = arguments.pop(0) if arguments else ""
    if target not in TARGETS:
        sys.exit(f"fuzz_readers: unknown target {target!r}; choose from {', '.join(TARGETS)}")
    if all(word.startswith("-") for word in arguments):
        corpus = Path(tempfile.mkdtemp(prefix="winnow-corpus-"))
        for number, data in enumerate(seeds(target)):
            (corpus / str(number)).write_bytes(data)
        arguments.append(str(corpus))
    atheris.Setup([sys.argv[0], *arguments], TARGETS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
