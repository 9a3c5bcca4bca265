"""The fields of a row that no setting names: transforms.sources.tables.fields."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import io
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.records import Header
from transforms.sources.items import Body, IngestConfig, Part, metadata_edits
from transforms.sources.read import scan
from transforms.sources.tables.fields import read_object, to_object, unnamed
from transforms.sources.tables.tables import RowReader, Tables, TablesConfig
from transforms.sources.web.page_reader import PageReader, PageReading

Save = Callable[[str, bytes], Path]
NAMED = ("text", "url", "id", "date")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def metadata(line: str | bytes, named: tuple[str, ...] = NAMED, max_bytes: int = 1 << 16) -> tuple[str, int]:
    _, written = read_object(line.encode("utf-8", "surrogatepass") if isinstance(line, str) else line)
    return to_object(unnamed(written, named), max_bytes)


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ('{"text": "x", "url": "u", "id": 1, "date": "d"}', ""),
        ('{"b": 1, "text": "x", "a": 2}', '{"b":1,"a":2}'),
        ('{"n": 1.10, "e": 1E5, "big": 123456789012345678901234567890, "z": -0.0}',
         '{"n":1.10,"e":1E5,"big":123456789012345678901234567890,"z":-0.0}'),
        ('{"deep": {"a": [1, {"b": 2.50}]} , "s": "\\u00e9\\n"}', '{"deep":{"a": [1, {"b": 2.50}]},"s":"\\u00e9\\n"}'),
        ('{"ключ": "знач", "t": true, "n": null}', '{"ключ":"знач","t":true,"n":null}'),
        ('{"a": 1, "b": 2, "a": 3}', '{"a":3,"b":2}'),  # the last counts, as in `text`
        ('{"a": NaN, "b": [1, -Infinity], "c": "NaN"}', '{"a":null,"b":[1, null],"c":"NaN"}'),
        ('{"a": "\\ud800", "b": "\ud800"}', '{"a":"\\ud800","b":"\\ud800"}'),
        ('{"\ud800": 1}', '{"\\ud800":1}'),
        ('{"": 1}', '{"":1}'),
        ("{}", ""),
        (" { } ", ""),
    ],
)  # fmt: skip
def test_fields_keep_their_order_and_numbers(line: str, kept: str) -> None:
    found, left_out = metadata(line)
    assert (found, left_out) == (kept, 0)
    if kept:
        json.loads(kept, parse_constant=pytest.fail)
        kept.encode()


@pytest.mark.parametrize(
    "line",
    ["", "[]", "1", '"x"', "{", "}", '{"a"}', '{"a": 1,}', '{"a": 1} x', '{"a" 1}', "{1: 2}", "{'a': 1}", '{"a": 01}'],
)
def test_what_is_no_object_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"missing|follows|name|Expecting"):
        read_object(line.encode())


@given(st.dictionaries(st.text(max_size=4), JSON, max_size=5), st.sampled_from([None, 1]), st.booleans())
def test_objects_are_read_as_by_the_library(row: dict[str, Any], indent: int | None, ascii_only: bool) -> None:
    line = json.dumps(row, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    values, written = read_object(line)
    assert repr(values) == repr(json.loads(line))
    found, left_out = to_object(unnamed(written, ()), 1 << 20)
    assert left_out == 0
    kept = json.loads(found or "{}", parse_constant=pytest.fail)
    assert list(kept) == list(row)
    assert [json.dumps(kept[name]) for name in kept] == [
        json.dumps(json.loads(json.dumps(row[name]), parse_constant=lambda _: None)) for name in row
    ]


def test_a_part_that_a_setting_names_is_left_out() -> None:
    line = '{"body": {"raw": "x", "lang": "en"}, "meta": {"url": "u"}, "id": {"a": 1}, "list": []}'
    assert metadata(line, ("body.raw", "meta.url", "key", "list.x")) == (
        '{"body":{"lang":"en"},"id":{"a": 1},"list":[]}',
        0,
    )


def test_the_limit_leaves_out_whole_fields_and_counts_them() -> None:
    line = '{"a": 1, "long": "' + "x" * 100 + '", "b": "é"}'
    assert metadata(line, max_bytes=60) == ('{"a":1,"b":"é"}', 1)
    size = len('{"a":1,"b":"é"}'.encode())
    assert metadata(line, max_bytes=size) == ('{"a":1,"b":"é"}', 1)
    assert metadata(line, max_bytes=size - 1) == ('{"a":1}', 2)
    assert metadata(line, max_bytes=1) == ("", 3)


def parquet(table: pa.Table, group: int = 1000) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=group)
    return sink.getvalue()


def test_values_of_parquet(make: SimpleNamespace, save: Save) -> None:
    when = dt.datetime(2024, 5, 18, 1, 58, 10, tzinfo=dt.UTC)
    columns = {
        "z": pa.array([1]),
        "text": pa.array(["x"]),
        "big": pa.array([2**63 - 1]),
        "price": pa.array([Decimal("12.50")]),
        "share": pa.array([0.1]),
        "nan": pa.array([float("nan")]),
        "none": pa.nulls(1),
        "when": pa.array([when]),
        "day": pa.array([dt.date(2024, 5, 18)]),
        "nanos": pa.array([1], pa.timestamp("ns")),
        "far": pa.array([10_000_000], pa.date32()),
        "took": pa.array([dt.timedelta(seconds=90)]),
        "utf8": pa.array(["é".encode()]),
        "raw": pa.array([b"\xff\x00"]),
        "tags": pa.array([["a", "b"]]),
        "map": pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())),
        "deep": pa.array([{"a": {"b": [1.5, None]}}]),
        "kind": pa.array(["news"]).dictionary_encode(),
    }
    (body,) = make.bodies(save("a.parquet", parquet(pa.table(columns))))
    assert body.left_out == 0
    found = json.loads(body.metadata)
    assert list(found) == [name for name in columns if name != "text"]
    assert '"price":12.50,' in body.metadata
    assert found == {
        "z": 1, "big": 2**63 - 1, "price": 12.5, "share": 0.1, "nan": None, "none": None, "when": when.isoformat(),
        "day": "2024-05-18", "nanos": "1970-01-01 00:00:00.000000001", "far": found["far"], "took": 90.0, "utf8": "é",
        "raw": base64.b64encode(b"\xff\x00").decode(), "tags": ["a", "b"], "map": [["k", 1]],
        "deep": {"a": {"b": [1.5, None]}}, "kind": "news",
    }  # fmt: skip


def test_a_value_that_cannot_be_read_costs_itself_alone(make: SimpleNamespace, save: Save) -> None:
    broken = pa.Array.from_buffers(
        pa.string(), 2, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0\2\0\0\0"), pa.py_buffer(b"\xffa")]
    )
    table = pa.table({"a": pa.array([1, 2]), "broken": broken, "text": pa.array(["x", "y"]), "b": pa.array([3, 4])})
    bodies = make.bodies(save("a.parquet", parquet(table)))
    assert bodies == [
        Body(b"x", "utf-8", '{"a":1,"b":3}', 1), Body(b"y", "utf-8", '{"a":2,"broken":"a","b":4}', 0),
    ]  # fmt: skip
    assert [metadata_edits(body) for body in bodies] == [{"read:fields_left_out": 1}, {}]


def test_damage_to_another_column_costs_no_text(make: SimpleNamespace, save: Save) -> None:
    table = pa.table({"text": [f"text {n}" for n in range(15)], "other": [f"other {n}" for n in range(15)]})
    data = bytearray(parquet(table, group=5))
    group = pq.ParquetFile(io.BytesIO(bytes(data))).metadata.row_group(1)
    start = group.column(1).dictionary_page_offset
    data[start : start + 20] = b"\xff" * 20
    bodies = make.bodies(save("a.parquet", bytes(data)))
    assert [body.payload for body in bodies] == [f"text {n}".encode() for n in range(15)]
    assert [body.metadata for body in bodies] == ["" if 5 <= n < 10 else f'{{"other":"other {n}"}}' for n in range(15)]
    assert [body.left_out for body in bodies] == [int(5 <= n < 10) for n in range(15)]


def test_wanted_rows_alone_and_in_any_part(make: SimpleNamespace, save: Save) -> None:
    rows = [{"n": n, "text": f"text {n}", "meta": {"url": f"https://a.example/{n}", "k": n}} for n in range(700)]
    config = IngestConfig(url_column="meta.url")
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
    for path in (save("a.jsonl", lines), save("a.parquet", parquet(pa.Table.from_pylist(rows), group=300))):
        found = make.bodies(path, [0, 255, 256, 299, 300, 699], config)
        assert [json.loads(body.metadata) for body in found] == [
            {"n": n, "meta": {"k": n}} for n in (0, 255, 256, 299, 300, 699)
        ]
        assert {body.metadata for body in make.bodies(path, [1], IngestConfig(metadata_bytes=0))} == {""}


def test_the_reader_of_tables_hands_it_on(save: Save) -> None:
    path = save("a.jsonl", b'{"text": "x", "stars": 4.50}\n{"text": "y", "long": "' + b"l" * 200 + b'"}\n')
    source = Tables("rows", TablesConfig(metadata_bytes=100))
    part = Part(str(path), 0, path.stat().st_size)
    headers = {header.row: header for header in source.scan(part)}
    texts = list(RowReader(source.settings).read(part, headers))  # type: ignore[arg-type]
    assert [(text.text, text.metadata, dict(text.edits)) for text in texts] == [
        ("x", '{"stars":4.50}', {}), ("y", "", {"read:fields_left_out": 1}),
    ]  # fmt: skip


def test_rows_among_web_archives_hand_it_on_too(save: Save) -> None:
    path = save("a.jsonl", b'{"text": "x", "stars": 4.50, "url": "https://a.example/"}\n')
    part = Part(str(path), 0, path.stat().st_size)
    headers = {item.row: item for item in scan(part, IngestConfig()) if isinstance(item, Header)}
    with contextlib.closing(PageReader(PageReading())) as reader:
        (text,) = reader.read(part, headers)
    assert (text.text, text.metadata, text.facts, dict(text.edits)) == ("x", '{"stars":4.50}', None, {})
