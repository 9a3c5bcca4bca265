"""Records that used to end a run, or to be lost, or to beat better ones: each has one fate, and says where it was."""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import brotli
import pytest

from transforms.sources.items import Body, Broken, IngestConfig
from transforms.sources.web.digests import is_of_nothing, normalise_digest

Save = Callable[[str, bytes], Path]


def _one(make: SimpleNamespace, save: Save, record: bytes, config: IngestConfig | None = None) -> Any:
    (item,) = make.scan_all(save("a.warc.gz", make.gz(record)), config=config)
    return item


def _hex(raw: bytes) -> bytes:
    return raw.hex().encode()


NOTHING = {name: hashlib.new(name).digest() for name in ("md5", "sha1", "sha256", "sha512")}


@pytest.mark.parametrize("name", NOTHING)
@pytest.mark.parametrize("spell", [base64.b16encode, base64.b32encode, base64.b64encode, _hex])
def test_a_digest_of_nothing_is_none(make: SimpleNamespace, save: Save, name: str, spell: Any) -> None:
    declared = f"{name}:{spell(NOTHING[name]).decode()}"
    assert is_of_nothing(normalise_digest(declared))
    assert is_of_nothing(declared.rstrip("="))
    item = _one(make, save, make.warc(make.http(), WARC_Payload_Digest=declared))
    assert item.digest == _one(make, save, make.warc(make.http())).digest
    other = f"{name}:{spell(hashlib.new(name, b'x').digest()).decode()}"
    assert not is_of_nothing(normalise_digest(other))


@pytest.mark.parametrize(
    "head",
    [
        "HTTP/1.1 200 OK\r\nContent-Type: text/html", "HTTP/1.1 204 No Content\r\nContent-Type: text/html",
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 275622",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "body", [b"", b" \r\n\t", b"\0\0", gzip.compress(b"", mtime=0), b"0\r\n\r\n", brotli.compress(b" ")]
)
def test_a_body_without_text_is_no_page(make: SimpleNamespace, save: Save, head: str, body: bytes) -> None:
    coding = "\r\nContent-Encoding: br" if body == brotli.compress(b" ") else ""
    item = _one(make, save, make.warc(make.http(body, head + coding)))
    assert (item.reason, item.value) == ("no_text", len(body))


UNDECODABLE = [
    ("Content-Encoding: br", b"\0\xff\x07\x80" * 20), ("Content-Encoding: deflate", b"\0\xff\x07\x80" * 20),
    ("Content-Encoding: br", b"\x0f"), ("X: y", b"\x1f\x8b\x08" + bytes(7) + b"\xff" * 40),
    ("X: y", b"\x28\xb5\x2f\xfd corrupt"),
]  # fmt: skip


@pytest.mark.parametrize("declared", ["text/html", "application/octet-stream", "", "unknown/unknown"])
@pytest.mark.parametrize(("field", "body"), UNDECODABLE)
def test_a_body_that_cannot_be_decoded_is_a_failure(
    make: SimpleNamespace, save: Save, declared: str, field: str, body: bytes
) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {declared}\r\n{field}"
    item = _one(make, save, make.warc(make.http(body, head), number=7))
    assert isinstance(item, Broken)
    assert (item.cause, item.offset, item.url) == ("undecodable_body", 0, "https://example.org/7")


def test_a_bomb_is_a_failure_before_it_competes(make: SimpleNamespace, save: Save) -> None:
    head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip"
    bomb = make.warc(make.http(gzip.compress(bytes(20 << 20)), head))
    assert _one(make, save, bomb).cause == "oversized_decoded_body"


def test_resources_are_pages(make: SimpleNamespace, save: Save) -> None:
    text = "Caf\u00e9".encode()
    records = [
        make.warc(make.HTML, kind="resource", Content_Type="text/html; charset=utf-8"),
        make.warc(make.HTML, kind="resource", Content_Type=None),
        make.warc(text, kind="resource", Content_Type="text/plain"),
        make.warc(b"\x89PNG", kind="resource", Content_Type="image/png"),
        make.warc(b"{}", kind="resource", Content_Type="application/json"),
    ]
    path = save("a.warc.gz", b"".join(map(make.gz, records)))
    kinds = [getattr(item, "kind", None) or item.reason for item in make.scan_all(path)]
    assert kinds == ["html", "html", "not_html", "not_html", "not_html"]
    assert make.bodies(path) == [Body(make.HTML, "utf-8"), Body(make.HTML, "")]
    config = IngestConfig(keep_plain_text=True)
    assert make.scan_all(path, config=config)[2].kind == "text"
    assert make.bodies(path, config=config)[2] == Body(text, "utf-8")


@pytest.mark.parametrize("form", ["warc", "arc"])
def test_bytes_of_an_address_that_are_not_utf_8_stay_different(make: SimpleNamespace, save: Save, form: str) -> None:
    addresses = [
        b"http://a.org/caf\xe9",
        b"http://a.org/caf\xe8",
        "http://a.org/caf\u00e9".encode(),
        b"http://a.org/\xed\xa0\x80",
    ]
    records = []
    for address in addresses:
        if form == "warc":
            record = make.warc(make.http(), WARC_Target_URI="ADDRESS").replace(b"ADDRESS", address)
        else:
            record = make.arc("http://ADDRESS", make.http()).replace(b"http://ADDRESS", address)
        records.append(record)
    start = [make.arc_start()] if form == "arc" else []
    items = make.scan_all(save(f"a.{form}", b"".join([*start, *records])))[len(start) :]
    assert [item.url for item in items] == [
        "http://a.org/caf%E9", "http://a.org/caf%E8", "http://a.org/caf\u00e9", "http://a.org/%ED%A0%80",
    ]  # fmt: skip


LABELS = ["none", "utf8mb4", "x-user-defined", "iso-8859-8-i", "base64", "x-mac-arabic", "hex", "idna", "\u00e9"]


@pytest.mark.parametrize("label", LABELS)
def test_an_unknown_charset_is_none(make: SimpleNamespace, save: Save, label: str) -> None:
    record = make.warc(
        "Gr\u00fc\u00dfe".encode("latin-1"), kind="conversion", Content_Type=f"text/plain; charset={label}"
    )
    (body,) = make.bodies(save("a.warc.gz", make.gz(record)))
    assert body.payload.decode().startswith("Gr")


@pytest.mark.parametrize(("label", "codec"), [("cp437", "cp437"), ("koi8-r", "koi8-r"), ("Shift_JIS", "shift_jis")])
def test_a_known_charset_is_used(make: SimpleNamespace, save: Save, label: str, codec: str) -> None:
    text = {"cp437": "caf\u00e9 \u2502", "koi8-r": "\u0434\u043e\u043c", "shift_jis": "\u6e2f\u306e"}[codec]
    record = make.warc(text.encode(codec), kind="conversion", Content_Type=f"text/plain; charset={label}")
    assert make.bodies(save("a.warc.gz", make.gz(record))) == [Body(text.encode(), "utf-8")]


def test_a_date_that_cannot_be_read_is_marked(make: SimpleNamespace, save: Save) -> None:
    for date, unreadable in [("2024-05-18T01:58:10Z", False), ("2024-13-01", True), ("soon", True), ("", False)]:
        assert _one(make, save, make.warc(make.http(), WARC_Date=date)).date_unreadable == unreadable


@pytest.mark.parametrize("length", [1000, 4 << 30])
@pytest.mark.parametrize("form", ["warc", "warc.gz", "arc"])
def test_records_behind_one_that_is_shorter_than_it_says(
    make: SimpleNamespace, save: Save, form: str, length: int
) -> None:
    """Also in one compressed member, where only reading again finds them."""
    if form == "arc":
        records = [make.arc_start(), *(make.arc(f"http://a.org/{n}", make.http()) for n in range(4))]
        records[2] = records[2].replace(f" {len(make.http())}\n".encode(), f" {length}\n".encode(), 1)
    else:
        records = [make.warc(make.http(), number=n) for n in range(5)]
        records[2] = make.warc(make.http(), number=2, Content_Length=str(length))
    data = b"".join(records)
    items = make.scan_all(save(f"a.{form}", make.gz(data) if form.endswith("gz") else data))
    broken = [n for n, item in enumerate(items) if isinstance(item, Broken)]
    assert broken == [2]
    if length > len(data):
        assert [item.url[-1] for item in items[3:]] == (["2", "3"] if form == "arc" else ["3", "4"])
        assert items[2].cause == "truncated_record"


def test_members_that_no_record_came_of_are_counted(make: SimpleNamespace, save: Save) -> None:
    members = [make.gz(make.warc(make.http(), number=n)) for n in range(9)]
    members[3:6] = [make.gz(b"WARX" + make.warc(make.http(), number=n)[4:]) for n in range(3, 6)]
    items = make.scan_all(save("a.warc.gz", b"".join(members)))
    lost = [item for item in items if isinstance(item, Broken)]
    assert [item.cause for item in lost] == ["malformed_header", "members_missing"]
    assert len(items) - 1 + lost[1].records == 9
