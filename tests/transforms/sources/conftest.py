"""Archives made by hand, byte for byte, so that each test says what is in them."""

from __future__ import annotations

import gzip
import itertools
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import lz4.frame
import pytest
import zstandard

from schemas.records import Header
from transforms.sources.items import Body, Broken, IngestConfig, Part, Skipped
from transforms.sources.read import read_bodies, scan

HTML = b"<html><body><p>Hello</p></body></html>"


def http(body: bytes = HTML, head: str = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8") -> bytes:
    return head.encode() + b"\r\n\r\n" + body


def warc(block: bytes = b"", kind: str = "response", number: int = 0, **fields: str | None) -> bytes:
    """A record; a field given as None is left out, `_` in names is `-`."""
    content_type = {"response": "application/http; msgtype=response", "conversion": "text/plain"}.get(kind)
    values: dict[str, str | None] = {
        "WARC-Type": kind,
        "WARC-Record-ID": f"<urn:uuid:{number:08d}>",
        "WARC-Date": "2024-05-18T01:58:10Z",
        "WARC-Target-URI": f"https://example.org/{number}",
        "Content-Type": content_type,
        "Content-Length": str(len(block)),
    }
    values |= {name.replace("_", "-"): value for name, value in fields.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in values.items() if value is not None)
    return b"WARC/1.0\r\n" + lines.encode() + b"\r\n" + block + b"\r\n\r\n"


def arc(url: str, block: bytes, mime: str = "text/html", date: str = "20040102030405") -> bytes:
    return f"{url} 192.0.2.1 {date} {mime} {len(block)}\n".encode() + block + b"\n"


def arc_start(version: int = 1) -> bytes:
    block = f"{version} 0 Archive\nURL IP-address Archive-date Content-type Archive-length\n".encode()
    return arc("filedesc://old.arc", block, "text/plain")


def gz(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def scan_all(path: Path | str, cuts: list[int] | None = None, config: IngestConfig | None = None) -> list:
    """The items of all parts of a file, cut at `cuts`."""
    config = config or IngestConfig()
    bounds = [0, *(cuts or []), Path(path).stat().st_size]
    items: list[Header | Skipped | Broken] = []
    for start, end in itertools.pairwise(bounds):
        part = list(scan(Part(str(path), start, end), config))
        assert [item.row for item in part] == list(range(len(part)))
        items.extend(part)
    return items


def bodies(path: Path | str, rows: list[int] | None = None, config: IngestConfig | None = None) -> list[Body | Broken]:
    """The bodies of the pages of a file read as one part."""
    config = config or IngestConfig()
    part = Part(str(path), 0, Path(path).stat().st_size)
    if rows is None:
        rows = [item.row for item in scan(part, config) if isinstance(item, Header)]
    found = list(read_bodies(part, rows, config))
    assert [row for row, _ in found] == rows
    return [body for _, body in found]


@pytest.fixture
def save(tmp_path: Path) -> Callable[[str, bytes], Path]:
    def save_file(name: str, data: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return save_file


@pytest.fixture
def make() -> SimpleNamespace:
    return SimpleNamespace(
        HTML=HTML,
        http=http,
        warc=warc,
        arc=arc,
        arc_start=arc_start,
        gz=gz,
        lz4=lz4.frame.compress,
        zstd=zstandard.ZstdCompressor().compress,
        scan_all=scan_all,
        bodies=bodies,
    )
