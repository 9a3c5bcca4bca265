"""ARC records: transforms.sources.web.arc."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from schemas.records import Header
from transforms.sources.items import Body, Broken, Skipped

Save = Callable[[str, bytes], Path]


@pytest.mark.parametrize("packed", [False, True])
def test_records_of_version_1(make: SimpleNamespace, save: Save, packed: bool) -> None:
    records = [
        make.arc_start(),
        make.arc("http://a.org/", make.http()),
        make.arc("dns:a.org", b"20040102030405\na.org. 60 IN A 192.0.2.1\n", "text/dns"),
        make.arc("http://a.org/b", make.http(b"GIF89a", "HTTP/1.0 200 OK\r\nContent-Type: image/gif"), "image/gif"),
        make.arc("http://a.org/c d", b"<html>no head", "text/html; charset=x"),
    ]
    data = b"".join(map(make.gz, records)) if packed else b"".join(records)
    path = save("a.arc.gz" if packed else "a.arc", data)
    items = make.scan_all(path)
    assert items[0].reason == "not_a_response"
    assert items[0].detail == "filedesc"
    assert isinstance(items[1], Header)
    assert items[1].offset == len(make.gz(records[0]) if packed else records[0])
    assert (items[1].url, items[1].status, items[1].media_type) == ("http://a.org/", 200, "text/html")
    assert items[1].fetched_at == datetime(2004, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert len(items[1].record_id) == 32
    assert [item.detail for item in items[2:4] if isinstance(item, Skipped)] == ["text/dns", "image/gif"]
    assert (items[4].url, items[4].media_type, items[4].charset) == ("http://a.org/c d", "text/html", "x")
    assert make.bodies(path) == [Body(make.HTML, "utf-8"), Body(b"<html>no head", "x")]


def test_records_of_version_2(make: SimpleNamespace, save: Save) -> None:
    block = make.http()
    line = f"http://a.org/ 192.0.2.1 20040102030405 text/html 200 ABCD - 0 a.arc {len(block)}\n".encode()
    (_, page) = make.scan_all(save("a.arc", make.arc_start(2) + line + block + b"\n"))
    assert (page.url, page.length) == ("http://a.org/", len(block))


def test_what_follows_a_bad_line_is_found_again(make: SimpleNamespace, save: Save) -> None:
    good = [make.arc(f"http://a.org/{i}", make.http()) for i in range(4)]
    data = make.arc_start() + good[0] + b"http://a.org/bad is not a header line\nrubbish\n" + good[1] + good[2]
    items = make.scan_all(save("a.arc", data))
    assert [type(item) for item in items] == [Skipped, Header, Broken, Header, Header]
    assert (items[2].offset, items[2].cause) == (len(make.arc_start() + good[0]), "malformed_header")


def test_a_cut_off_record(make: SimpleNamespace, save: Save) -> None:
    data = make.arc_start() + make.arc("http://a.org/", make.http())
    item = make.scan_all(save("a.arc", data[:-9]))[1]
    assert (item.cause, item.url, item.detail) == ("truncated_record", "http://a.org/", "8 of its 97 bytes are missing")
