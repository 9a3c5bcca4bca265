"""Files that a server sends with a Content-Encoding: a file's own stays, the transport's is undone."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import pytest

import storage
from schemas.errors import InputError
from storage.network import web
from tests.storage.conftest import open_files, read_all
from tests.storage.web_server import Page, WebServer

TEXT = b'{"text": "one"}\n' * 1000
PACKED = gzip.compress(TEXT, mtime=0)


@pytest.mark.parametrize("has_ranges", [True, False])
@pytest.mark.parametrize(
    ("name", "sent", "coding", "expected"),
    [
        ("f.jsonl.gz", PACKED, "gzip", PACKED),
        ("f.warc.GZ?sig=1", PACKED, "x-gzip", PACKED),
        ("f.jsonl", PACKED, "gzip", TEXT),
        ("f.jsonl", PACKED * 2, "gzip", TEXT * 2),
        ("download?file=f", PACKED, "gzip", TEXT),
        ("f.jsonl", TEXT, "gzip", TEXT),  # its head is wrong
        ("f.jsonl.gz", PACKED, "identity", PACKED),
        ("f.jsonl.gz", PACKED, "aws-chunked", PACKED),
        ("f.jsonl.zst", TEXT, "zstd", TEXT),
    ],
)
def test_a_coding_of_the_transport_is_undone_and_a_files_own_stays(
    server: WebServer, temporary: Path, has_ranges: bool, name: str, sent: bytes, coding: str, expected: bytes
) -> None:
    address = server.put(f"/{name}", Page(sent, has_ranges=has_ranges, headers={"Content-Encoding": coding}))
    assert storage.size(address) == len(expected)
    assert storage.fingerprint(address).startswith(f"{len(expected)}")
    assert storage.read_bytes(address) == read_all(address) == expected
    with (temporary / "copy").open("wb+") as file:
        web.copy_web(address, file)
    assert (temporary / "copy").read_bytes() == expected
    assert open_files(temporary) == []


@pytest.mark.parametrize(
    ("sent", "coding", "message"),
    [
        (PACKED[:-9], "gzip", "Content-Encoding gzip, and damaged: "),
        (PACKED[:30] + b"\xff" * 100, "gzip", "Content-Encoding gzip, and damaged: "),
        (zlib.compress(TEXT), "deflate", "Content-Encoding deflate, which was not asked for$"),
    ],
)
def test_a_coding_that_cannot_be_undone_is_named(
    server: WebServer, temporary: Path, sent: bytes, coding: str, message: str
) -> None:
    address = server.put("/f.jsonl", Page(sent, headers={"Content-Encoding": coding}))
    for call in (storage.size, storage.read_bytes, read_all):
        with pytest.raises(InputError, match=message):
            call(address)
    assert open_files(temporary) == []
