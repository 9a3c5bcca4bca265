"""JSON Lines and Parquet: transforms.sources.tables.rows."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.records import Header
from transforms.sources.items import Body, Broken, IngestConfig, Part, Skipped
from transforms.sources.read import read_bodies, scan

Save = Callable[[str, bytes], Path]
WHEN = datetime(2024, 5, 18, 1, 58, 10, tzinfo=UTC)


def _lines(rows: list[Any]) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def _parquet(rows: list[dict[str, Any]], group: int = 1000) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink, row_group_size=group)
    return sink.getvalue()


ROWS = [
    {"text": f"Zeile {i} \u4e16\u754c", "url": f"https://a.org/{i}", "id": f"id{i}", "date": "2024-05-18T01:58:10Z"}
    for i in range(20)
]


@pytest.mark.parametrize("pack", ["", "gz", "zstd", "lz4"])
def test_jsonl_plain_and_packed(make: SimpleNamespace, save: Save, pack: str) -> None:
    data = _lines(ROWS)
    path = save(f"a.jsonl.{pack}" if pack else "a.jsonl", getattr(make, pack)(data) if pack else data)
    items = make.scan_all(path)
    text = str(ROWS[3]["text"]).encode()
    assert items[3] == Header(
        row=3,
        offset=len(_lines(ROWS[:3])),
        length=len(text),
        record_id="id3",
        url="https://a.org/3",
        fetched_at=WHEN,
        kind="text",
        media_type="text/plain",
        charset="utf-8",
        status=0,
        digest="sha1:" + base64.b32encode(hashlib.sha1(text, usedforsecurity=False).digest()).decode(),
    )
    assert make.bodies(path) == [Body(str(row["text"]).encode(), "utf-8") for row in ROWS]
    assert make.bodies(path, [0, 19]) == [Body(str(ROWS[i]["text"]).encode(), "utf-8") for i in (0, 19)]


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(max_size=30), max_size=8), cuts=st.lists(st.integers(0, 400), max_size=4))
def test_lines_once_whatever_the_split(make: SimpleNamespace, save: Save, texts: list[str], cuts: list[int]) -> None:
    data = _lines([{"text": text} for text in texts]).removesuffix(b"\n")
    path = save("a.jsonl", data)
    bounds = sorted({cut for cut in cuts if cut < len(data)} - {0})
    if texts:
        places = [item.offset for item in make.scan_all(path)]
        assert [item.offset for item in make.scan_all(path, bounds)] == places
        assert len(places) == len(texts)


def test_bad_lines(make: SimpleNamespace, save: Save) -> None:
    lines = [
        b'\xef\xbb\xbf{"text": "first, behind a byte order mark"}',
        b"",
        b"   ",
        b"{not json",
        b'{"text": 5}',
        b'{"other": "x"}',
        b"[" * 100_000,
        b'{"text": "\\ud800 lone"}',
        b'{"text": "\xff"}',
        b'{"text": ""}\r',
    ]
    path = save("a.jsonl", b"\n".join(lines))
    items = make.scan_all(path)
    assert [getattr(item, "cause", "kept") for item in items] == [
        "kept", "malformed_json", "missing_text", "missing_text", "malformed_json", "kept", "malformed_json", "kept",
    ]  # fmt: skip
    assert items[1].offset == len(b"\n".join(lines[:3])) + 1
    assert (items[7].reason, items[7].row) == ("no_text", 7)
    assert make.bodies(path)[1:] == [Body(b"? lone", "utf-8")]


@pytest.mark.parametrize(
    ("line", "cause", "detail"),
    [
        (b"17", "missing_text", "the line is a number, not an object"),
        (b'"abc"', "missing_text", "the line is a text, not an object"),
        (b"[1, 2]", "missing_text", "the line is a list, not an object"),
        (b"null", "missing_text", "the line is null, not an object"),
        (b'{"text": 5}', "missing_text", "column text holds a number, not a text"),
        (b'{"text": {"raw": "x"}}', "missing_text", "column text holds an object, not a text"),
        (b'{"text": null}', "missing_text", "no text in column text"),
        (b'{"text": "x"', "malformed_json", "the line is not valid JSON"),
        (b'{"text": "x", "id": ' + b"1" * 6_000 + b"}", "malformed_json", "a number has more than 4,300 digits"),
        (b'{"text": "x", "a": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "malformed_json",
         "values lie too deep in one another"),
    ],
)  # fmt: skip
def test_why_a_line_gives_no_text(make: SimpleNamespace, save: Save, line: bytes, cause: str, detail: str) -> None:
    _, item = make.scan_all(save("a.jsonl", b'{"text": "a row"}\n' + line + b"\n"))
    assert (item.cause, item.detail) == (cause, detail)


def test_rows_that_are_compressed_twice_are_no_rows(make: SimpleNamespace, save: Save) -> None:
    """As a server sends a `.gz` with `Content-Encoding: gzip` around it."""
    for name in ("a.jsonl.gz", "a.jsonl", "a"):
        [item] = make.scan_all(save(name, make.gz(make.gz(b'{"text": "x"}\n'))))
        assert (item.cause, item.detail) == ("not_an_archive", "it is compressed twice: uncompress it once")


def test_columns_dates_and_ids(make: SimpleNamespace, save: Save) -> None:
    config = IngestConfig(text_column="body.raw", url_column="meta.url", id_column="key", date_column="when")
    rows = [
        {"body": {"raw": "a"}, "meta": {"url": "<https://b.org>"}, "key": 17, "when": WHEN.timestamp()},
        {"body.raw": "b", "meta": None, "when": "2024"},
        {"body": {"raw": "c"}, "when": 1e300},
    ]
    items = make.scan_all(save("a.jsonl", _lines(rows)), config=config)
    assert [(item.url, item.fetched_at) for item in items] == [
        ("https://b.org", WHEN),
        ("", datetime(2024, 1, 1, tzinfo=UTC)),
        ("", None),
    ]
    assert items[0].record_id == "17"
    assert len({item.record_id for item in items}) == 3


def test_text_limit(make: SimpleNamespace, save: Save) -> None:
    config = IngestConfig(max_body_bytes=1024)
    rows = [{"text": "x" * n} for n in (1024, 1025, 200_000)]
    for path in (save("a.jsonl", _lines(rows)), save("a.parquet", _parquet(rows))):
        items = make.scan_all(path, config=config)
        assert [type(item) for item in items] == [Header, Skipped, Skipped]
        assert (items[1].reason, items[1].value, items[1].limit) == ("body_too_large", 1025, 1024)


def test_a_packed_file_cut_off(make: SimpleNamespace, save: Save) -> None:
    data = make.gz(_lines(ROWS))
    items = make.scan_all(save("a.jsonl.gz", data[: len(data) * 2 // 3]))
    assert len(items) > 5
    assert {type(item) for item in items[:-1]} == {Header}
    assert isinstance(items[-1], Broken)
    assert items[-1].cause == "truncated_member"


def test_parquet_by_row_groups(make: SimpleNamespace, save: Save) -> None:
    path = save("a.parquet", _parquet([{**row, "date": WHEN} for row in ROWS], group=3))
    size = path.stat().st_size
    whole = make.scan_all(path)
    assert [(item.offset, item.record_id, item.fetched_at) for item in whole] == [
        (i, f"id{i}", WHEN) for i in range(20)
    ]
    for step in (size // 2, size // 5, 50):
        items = make.scan_all(path, list(range(step, size, step)))
        assert [item.record_id for item in items] == [item.record_id for item in whole]
    assert make.bodies(path, [1, 18]) == [Body(str(ROWS[i]["text"]).encode(), "utf-8") for i in (1, 18)]


def test_parquet_rows_without_text(make: SimpleNamespace, save: Save) -> None:
    items = make.scan_all(save("a.parquet", _parquet([{"text": None}, {"text": "a"}])))
    assert [getattr(item, "cause", "kept") for item in items] == ["missing_text", "kept"]
    (item,) = make.scan_all(save("b.parquet", _parquet([{"other": "a"}])))
    assert item.cause == "missing_text"
    assert make.scan_all(save("c.parquet", _parquet([{"text": "a"}][:0]))) == []


def test_parquet_with_a_corrupt_row_group(make: SimpleNamespace, save: Save) -> None:
    data = bytearray(_parquet(ROWS, group=5))
    start = pq.ParquetFile(io.BytesIO(bytes(data))).metadata.row_group(1).column(0).dictionary_page_offset
    data[start : start + 20] = b"\xff" * 20
    items = make.scan_all(save("a.parquet", bytes(data)))
    assert [getattr(item, "cause", "kept") for item in items] == ["kept"] * 5 + ["corrupt_row_group"] + ["kept"] * 10
    assert items[5].offset == 5


def test_parts_of_packed_lines_but_the_first_are_empty(make: SimpleNamespace, save: Save) -> None:
    path = save("a.jsonl.gz", make.gz(_lines(ROWS)))
    size = path.stat().st_size
    assert list(scan(Part(str(path), 10, size), IngestConfig())) == []
    assert len(list(read_bodies(Part(str(path), 0, 10), [0, 1], IngestConfig()))) == 2
