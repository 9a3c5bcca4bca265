"""WARC records and what scan makes of them: each reason, each quirk, both sides of each limit."""

from __future__ import annotations

import base64
import hashlib
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
import zstandard

from schemas.errors import InputError
from schemas.records import Header
from transforms.sources.items import Body, Broken, IngestConfig, Part, Skipped
from transforms.sources.read import read_bodies, scan
from transforms.sources.web.digests import normalise_digest
from transforms.sources.web.pages import unwrap_url

Save = Callable[[str, bytes], Path]


def _one(
    make: SimpleNamespace, save: Save, record: bytes, config: IngestConfig | None = None
) -> Header | Skipped | Broken:
    (item,) = make.scan_all(save("one.warc.gz", make.gz(record)), config=config)
    return item


def test_every_field_of_a_page(make: SimpleNamespace, save: Save) -> None:
    block = make.http()
    record = make.warc(block, number=5, WARC_Payload_Digest="sha1:" + "a" * 32)
    path = save("a.warc.gz", make.gz(make.warc(kind="warcinfo")) + make.gz(record))
    assert make.scan_all(path)[1] == Header(
        row=1,
        offset=len(make.gz(make.warc(kind="warcinfo"))),
        length=len(block),
        record_id="urn:uuid:00000005",
        url="https://example.org/5",
        fetched_at=datetime(2024, 5, 18, 1, 58, 10, tzinfo=UTC),
        kind="html",
        media_type="text/html",
        charset="utf-8",
        status=200,
        digest="sha1:" + "A" * 32,
    )
    assert make.bodies(path) == [Body(make.HTML, "utf-8")]


@pytest.mark.parametrize("kind", ["warcinfo", "request", "metadata", "continuation", "strange"])
def test_other_record_types(make: SimpleNamespace, save: Save, kind: str) -> None:
    item = _one(make, save, make.warc(make.http(), kind=kind, number=3))
    assert item == Skipped(
        row=0,
        offset=0,
        record_id="urn:uuid:00000003",
        url="https://example.org/3",
        reason="not_a_response",
        detail=kind,
    )


def test_record_without_a_type(make: SimpleNamespace, save: Save) -> None:
    item = _one(make, save, make.warc(make.http(), WARC_Type=None))
    assert (item.reason, item.detail) == ("not_a_response", "none")


def test_revisit_says_what_it_refers_to(make: SimpleNamespace, save: Save) -> None:
    item = _one(make, save, make.warc(make.http(b""), kind="revisit", WARC_Refers_To="<urn:uuid:first>"))
    assert (item.reason, item.detail) == ("revisit", "urn:uuid:first")


@pytest.mark.parametrize(
    ("line", "status", "limit"),
    [
        ("HTTP/1.1 200 OK", 200, None),
        ("HTTP/1.1 299 Odd", 299, None),
        ("HTTP/2 200", 200, None),
        ("http/1.0 203 lower", 203, None),
        ("HTTP/1.1 HTTP/1.1 200 OK", 0, None),
        ("HTTP/1.1 abc", 0, None),
        ("HTTP/1.1 2000 Odd", 0, None),
        ("HTTP/1.1", 0, None),
        ("HTTP/1.1 300 Multiple", 300, 299),
        ("HTTP/1.1 404 Not Found", 404, 299),
        ("HTTP/1.1 199 Odd", 199, 200),
    ],
)
def test_status(make: SimpleNamespace, save: Save, line: str, status: int, limit: int | None) -> None:
    item = _one(make, save, make.warc(make.http(head=f"{line}\r\nContent-Type: text/html")))
    if limit is None:
        assert isinstance(item, Header)
        assert item.status == status
    else:
        assert (item.reason, item.value, item.limit) == ("http_status", status, limit)


def test_a_part_of_a_page_is_no_page(make: SimpleNamespace, save: Save) -> None:
    part = make.warc(make.http(head="HTTP/1.1 206 Partial Content\r\nContent-Type: text/html"))
    item = _one(make, save, part)
    assert (item.reason, item.detail) == ("truncated_body", "206 Partial Content")


def test_interim_response_before_the_final_one(make: SimpleNamespace, save: Save) -> None:
    path = save("a.warc.gz", make.gz(make.warc(b"HTTP/1.1 100 Continue\r\n\r\n" + make.http())))
    assert make.scan_all(path)[0].status == 200
    assert make.bodies(path) == [Body(make.HTML, "utf-8")]


@pytest.mark.parametrize(
    ("declared", "body", "detail"),
    [
        ("TEXT/HTML; Charset=UTF-8", b"x", None),
        ("application/xhtml+xml", b"x", None),
        ("text/html, text/html", b"x", None),
        ("text/plain", b"<html>", "text/plain"),
        ("image/png", b"<html>", "image/png"),
        ("application/json;x=1", b"{}", "application/json"),
        ("", b" \n<!doctype HTML><p>", None),
        ("application/octet-stream", b"\xef\xbb\xbf<html lang=de>", None),
        ("nonsense", b"<!-- x --><p>", None),
        ("", "\ufeff<html>".encode("utf-16-le"), None),
        ("", b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC>', None),
        ("", b'<?xml version="1.0"?><rss>', "unknown"),
        ("", b"\x89PNG\r\n", "unknown"),
        ("", b"", "unknown"),
        ("application/octet-stream", b"<abbr>", "application/octet-stream"),
    ],
)
def test_media_type(make: SimpleNamespace, save: Save, declared: str, body: bytes, detail: str | None) -> None:
    item = _one(make, save, make.warc(make.http(body, f"HTTP/1.1 200 OK\r\nContent-Type: {declared}")))
    if detail is None:
        assert isinstance(item, Header)
    else:
        assert (item.reason, item.detail) == ("not_html", detail)


def test_a_body_is_sniffed_under_its_codings(make: SimpleNamespace, save: Save) -> None:
    head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip"
    assert isinstance(_one(make, save, make.warc(make.http(make.gz(make.HTML), head))), Header)


def test_plain_text_if_wanted(make: SimpleNamespace, save: Save) -> None:
    head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=iso-8859-1"
    path = save("a.warc.gz", make.gz(make.warc(make.http("Caf\u00e9".encode("latin-1"), head))))
    config = IngestConfig(keep_plain_text=True)
    assert make.scan_all(path, config=config)[0].kind == "text"
    assert make.bodies(path, config=config) == [Body("Caf\u00e9".encode(), "utf-8")]


@pytest.mark.parametrize(("size", "kept"), [(2000, True), (2001, False), (200_000, False)])
def test_body_limit(make: SimpleNamespace, save: Save, size: int, kept: bool) -> None:
    item = _one(make, save, make.warc(make.http(b"x" * size)), IngestConfig(max_body_bytes=2000))
    assert isinstance(item, Header) == kept
    if not kept:
        assert (item.reason, item.value, item.limit) == ("body_too_large", size, 2000)


def test_status_line_and_header_missing(make: SimpleNamespace, save: Save) -> None:
    item = _one(make, save, make.warc(b"<html><p>bare"))
    assert (item.status, item.media_type) == (0, "")
    item = _one(make, save, make.warc(b"Content-Type: text/html\r\n\r\n<p>no status line"))
    assert (item.status, item.media_type) == (0, "text/html")


def test_line_feeds_alone_end_lines(make: SimpleNamespace, save: Save) -> None:
    head, block = make.warc(make.http(number := b"<p>n")).split(b"\r\n\r\n", 1)
    record = head.replace(b"\r\n", b"\n") + b"\n\n" + block
    path = save("a.warc.gz", make.gz(record) + make.gz(make.warc(make.http())))
    assert [type(item) for item in make.scan_all(path)] == [Header, Header]
    lines = b"HTTP/1.1 200 OK\nContent-Type: text/html\n\n<p>lf\r\n\r\n"
    assert make.bodies(save("b.warc.gz", make.gz(make.warc(lines)))) == [Body(b"<p>lf\r\n\r\n", "")]
    assert number == b"<p>n"


def test_dns_is_not_html(make: SimpleNamespace, save: Save) -> None:
    record = make.warc(b"20140325121225\n", Content_Type="text/dns", WARC_Target_URI="dns:example.org")
    assert _one(make, save, record).detail == "text/dns"


def test_folded_and_repeated_and_odd_fields(make: SimpleNamespace, save: Save) -> None:
    record = (
        b"WARC/1.1\r\nwarc-type:response\r\nWARC-TYPE: request\r\nno colon here\r\nWARC-Record-ID: <a\r\n b>\r\n"
        b": empty\r\nContent-Length : 0\r\n\r\n\r\n\r\n"
    )
    item = _one(make, save, record)
    assert (item.record_id, item.reason) == ("a b", "not_html")


@pytest.mark.parametrize(
    ("url", "expected", "date"),
    [
        ("https://a.org/x", "https://a.org/x", "given"),
        ("<https://a.org/>", "https://a.org/", "given"),
        ("https://web.archive.org/web/20180327175052id_/https://b.org/?q=1", "https://b.org/?q=1", "20180327175052"),
        ("http://web.archive.org/web/20180327175052/http:/b.org/", "http://b.org/", "20180327175052"),
        ("<https://arquivo.pt/wayback/20180327175052/http://b.org/#f>", "http://b.org/#f", "20180327175052"),
        ("https://w.org/20180327175052/https://w.org/20170101000000/http://b.org", "http://b.org", "20170101000000"),
        ("https://a.org/login?next=/20180327175052/http://b.org", None, "given"),
        ("https://a.org/2018032717505/http://b.org", None, "given"),
        ("", "", "given"),
    ],
)
def test_wrapped_addresses(url: str, expected: str | None, date: str) -> None:
    assert unwrap_url(url, "given") == (url if expected is None else expected, date)


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ("sha1:abcdefghijklmnopqrstuvwxyz234567", "sha1:ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
        ("SHA-1: ABC", "sha1:ABC"),
        ("sha1:" + "00" * 20, "sha1:" + "A" * 32),
        ("sha256:aBc", "sha256:aBc"),
        ("sha1:", ""),
        ("nothing", ""),
        ("", ""),
    ],
)
def test_digests(declared: str, expected: str) -> None:
    assert normalise_digest(declared) == expected


def test_a_missing_digest_is_computed_unless_switched_off(make: SimpleNamespace, save: Save) -> None:
    record = make.warc(make.http())
    digest = base64.b32encode(hashlib.sha1(make.HTML, usedforsecurity=False).digest()).decode()
    assert _one(make, save, record).digest == f"sha1:{digest}"
    assert _one(make, save, record, IngestConfig(compute_digest=False)).digest == ""


def test_a_made_up_id_does_not_depend_on_the_directory(make: SimpleNamespace, save: Save, tmp_path: Path) -> None:
    records = [make.warc(make.http(), WARC_Record_ID=None), make.warc(make.http(b"<p>other"), WARC_Record_ID=None)]
    path = save("a.warc.gz", b"".join(map(make.gz, records)))
    (tmp_path / "sub").mkdir()
    copy = shutil.copy(path, tmp_path / "sub" / "a.warc.gz")
    ids = [item.record_id for item in make.scan_all(path)]
    assert [item.record_id for item in make.scan_all(copy)] == ids
    assert len(set(ids)) == 2
    assert {len(name) for name in ids} == {32}


def test_wet(make: SimpleNamespace, save: Save) -> None:
    text = "Grüße, 世界, שלום"
    records = [
        make.warc(b"x", kind="warcinfo"),
        make.warc(text.encode(), kind="conversion"),
        make.warc(b"\xff\xfe\x00", kind="conversion", Content_Type="image/png"),
        make.warc(b"Caf\xe9 au lait", kind="conversion", Content_Type="text/plain; charset=windows-1252"),
    ]
    path = save("a.warc.wet.gz", b"".join(map(make.gz, records)))
    items = make.scan_all(path)
    assert [getattr(item, "kind", None) or item.reason for item in items] == [
        "not_a_response",
        "text",
        "not_html",
        "text",
    ]
    assert make.bodies(path) == [Body(text.encode(), "utf-8"), Body("Café au lait".encode(), "utf-8")]


def test_zstandard_with_a_dictionary_frame(make: SimpleNamespace, save: Save) -> None:
    records = [make.warc(make.http(f"<p>page {i}".encode() * 9), number=i) for i in range(40)]
    dictionary = zstandard.train_dictionary(1024, records * 20)
    pack = zstandard.ZstdCompressor(dict_data=dictionary).compress
    for stored in (dictionary.as_bytes(), make.zstd(dictionary.as_bytes())):
        frame = b"\x5d\x2a\x4d\x18" + len(stored).to_bytes(4, "little") + stored
        path = save("a.warc.zst", frame + b"".join(map(pack, records)))
        size = path.stat().st_size
        assert [item.url[-2:] for item in make.scan_all(path, [size // 2])] == [f"/{i}"[-2:] for i in range(40)]
        assert len(make.bodies(path)) == 40


def test_content_decides_what_a_file_is(make: SimpleNamespace, save: Save) -> None:
    record = make.warc(make.http())
    for name, data in [
        ("plain.warc.gz", record),
        ("packed.warc", make.gz(record)),
        ("nameless", make.gz(record)),
        ("lz4.warc.gz", make.lz4(record)),
        ("zstd.bin", make.zstd(record)),
        ("old.warc", make.arc_start() + make.arc("http://a.org/", make.http())),
    ]:
        assert [type(item) for item in make.scan_all(save(name, data))][-1] is Header, name


@pytest.mark.parametrize(
    ("name", "data", "cause"),
    [
        ("a.warc.gz", b"", "empty_file"),
        ("a.bin", b"\x00\x01\x02", "not_an_archive"),
        ("a.html", b"<html></html>", "not_an_archive"),
        ("a.jsonl", b"{1, 2", "malformed_json"),
        ("a.json", b"[\n{}\n]", "not_an_archive"),
        ("a.warc.gz", b"<html>404</html>", "not_a_member"),
        ("a.warc", b"<html>404</html>", "malformed_header"),
        ("a.arc", b"<html>404</html>", "malformed_header"),
        ("a.parquet", b"PAR1xxxx", "corrupt_table"),
    ],
)
def test_what_is_no_archive_at_all(make: SimpleNamespace, save: Save, name: str, data: bytes, cause: str) -> None:
    (item,) = make.scan_all(save(name, data))
    assert isinstance(item, Broken)
    assert (item.row, item.offset, item.cause) == (0, 0, cause)


def test_a_missing_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        list(scan(Part(str(tmp_path / "none.warc.gz"), 0, 10), IngestConfig()))


def test_a_file_that_changed_between_the_readings_is_an_input_error(make: SimpleNamespace, save: Save) -> None:
    path = save("a.warc.gz", make.gz(make.warc(make.http())))
    part = Part(str(path), 0, path.stat().st_size)
    with pytest.raises(InputError, match="1 records are gone"):
        list(read_bodies(part, [0, 1], IngestConfig()))
    save("a.warc.gz", make.gz(make.warc(kind="request")))
    with pytest.raises(InputError, match="has changed"):
        list(read_bodies(part, [0], IngestConfig()))
