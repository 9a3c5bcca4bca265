"""Parquet whose values cannot be read, or mean something else in Python: transforms.sources.tables.parquet."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.records import Header
from transforms.sources.items import Body, Broken, IngestConfig, Part
from transforms.sources.read import scan
from transforms.sources.tables import parquet

Save = Callable[[str, bytes], Path]
DAY = datetime(2024, 5, 18, tzinfo=UTC)
DAY_MS = 1_715_990_400_000


def _file(columns: dict[str, pa.Array], group: int = 1000) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, row_group_size=group)
    return sink.getvalue()


def _broken_text(values: list[bytes], kind: pa.DataType) -> pa.Array:
    """An array of text whose bytes nobody has checked."""
    return pa.array(values, pa.large_binary() if kind == pa.large_string() else pa.binary()).view(kind)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary()])
@pytest.mark.parametrize("bad", [b"\xff", b"a\xc3", b"\xed\xa0\x80", b"\xfe\xffa"])
@pytest.mark.parametrize("place", [0, 299, 300, 599])
def test_a_text_that_is_no_utf_8_costs_its_row(
    make: SimpleNamespace, save: Save, kind: pa.DataType, bad: bytes, place: int
) -> None:
    texts = [b"row %d" % n for n in range(600)]
    texts[place] = bad
    array = pa.array(texts, kind) if kind == pa.binary() else _broken_text(texts, kind)
    ids = pa.array([f"id{n}" for n in range(600)])
    items = make.scan_all(save("a.parquet", _file({"text": array, "id": ids})))
    assert [item.offset for item in items] == list(range(600))
    (broken,) = (item for item in items if isinstance(item, Broken))
    assert (broken.cause, broken.offset, broken.record_id) == ("undecodable_text", place, f"id{place}")


@pytest.mark.parametrize("column", ["url", "id", "date"])
def test_other_columns_cost_nothing(make: SimpleNamespace, save: Save, column: str) -> None:
    array = _broken_text([b"http://a/\xe9", b"http://a/\xe8", b"http://a/x"], pa.string())
    path = save("a.parquet", _file({"text": pa.array(["x", "y", "z"]), column: array}))
    items = make.scan_all(path)
    assert [type(item) for item in items] == [Header] * 3
    assert make.bodies(path) == [Body(text, "utf-8") for text in (b"x", b"y", b"z")]
    if column == "url":
        assert [item.url for item in items] == ["http://a/%E9", "http://a/%E8", "http://a/x"]
    if column == "id":
        assert [item.record_id for item in items] == ["http://a/\\xe9", "http://a/\\xe8", "http://a/x"]
    if column == "date":
        assert [item.date_unreadable for item in items] == [True] * 3


DATES: list[tuple[pa.Array, datetime | None]] = [
    (pa.array([DAY_MS], pa.timestamp("ms")), DAY),
    (pa.array([DAY_MS * 1000 + 1], pa.timestamp("us", "+05:30")), DAY),
    (pa.array([DAY_MS * 1_000_000 + 1], pa.timestamp("ns", "UTC")), DAY),
    (pa.array([DAY_MS // 1000], pa.timestamp("s", "Europe/Nowhere")), DAY),
    (pa.array([DAY_MS // 86_400_000], pa.date32()), DAY),
    (pa.array([DAY_MS], pa.date64()), DAY),
    (pa.array([DAY_MS], pa.int64()), DAY),
    (pa.array([DAY_MS / 1000], pa.float64()), DAY),
    (pa.array(["2024-05-18 00:00:00+00:00"]), DAY),
    (pa.array(["2024-05-18"]).dictionary_encode(), DAY),
    (pa.array([2**31 - 1], pa.date32()), None),
    (pa.array([2**62], pa.timestamp("us")), None),
    (pa.array([-(2**45)], pa.timestamp("s")), None),
    (pa.array([5], pa.time64("ns")), None),
    (pa.array([True]), None),
    (pa.array([{"a": 1}]), None),
    (pa.array([[1]]), None),
    (pa.array([7], pa.duration("ns")), None),
]


@pytest.mark.parametrize(("array", "expected"), DATES, ids=lambda value: str(getattr(value, "type", "")))
def test_dates_of_any_type(make: SimpleNamespace, save: Save, array: pa.Array, expected: datetime | None) -> None:
    (item,) = make.scan_all(save("a.parquet", _file({"text": pa.array(["x"]), "date": array})))
    assert (item.fetched_at, item.date_unreadable) == (expected, expected is None)
    (item,) = make.scan_all(save("b.parquet", _file({"text": pa.array(["x"]), "date": pa.nulls(1, array.type)})))
    assert (item.fetched_at, item.date_unreadable) == (None, False)


def test_texts_of_other_types(make: SimpleNamespace, save: Save) -> None:
    texts: list[Any] = ["one", None, "", "\u4e16"]
    for array in (
        pa.array([text and text.encode() for text in texts], pa.binary()),
        pa.array(texts, pa.large_string()),
        pa.array(texts, pa.string_view()),
        pa.array(texts).dictionary_encode(),
    ):
        items = make.scan_all(save("a.parquet", _file({"text": array})))
        assert [getattr(item, "cause", "") or getattr(item, "reason", "kept") for item in items] == [
            "kept", "missing_text", "no_text", "kept",
        ]  # fmt: skip
    (item,) = make.scan_all(save("a.parquet", _file({"text": pa.array([["one"]])})))
    assert item.cause == "missing_text"


def test_columns_inside_columns(make: SimpleNamespace, save: Save) -> None:
    inner = _broken_text([b"good", b"\xff", b"gone"], pa.string())
    array = pa.StructArray.from_arrays(
        [inner, pa.array(["u", "v", "w"])], ["raw", "url"], mask=pa.array([False, False, True])
    )
    config = IngestConfig(text_column="doc.raw", url_column="doc.url")
    items = make.scan_all(save("a.parquet", _file({"doc": array})), config=config)
    assert [getattr(item, "cause", "kept") for item in items] == ["kept", "undecodable_text", "missing_text"]
    assert [item.url for item in items] == ["u", "v", ""]


def test_a_broken_row_group_says_how_many_rows_it_stands_for(make: SimpleNamespace, save: Save) -> None:
    data = bytearray(_file({"text": pa.array([f"text number {n}" for n in range(1000)])}, group=400))
    start = pq.ParquetFile(io.BytesIO(bytes(data))).metadata.row_group(1).column(0).dictionary_page_offset
    data[start : start + 20] = b"\xff" * 20
    items = make.scan_all(save("a.parquet", bytes(data)))
    (broken,) = (item for item in items if isinstance(item, Broken))
    assert (broken.cause, broken.offset, broken.records) == ("corrupt_row_group", 400, 400)
    assert len(items) - 1 + broken.records == 1000


def test_rows_that_the_reader_does_not_give_are_counted(save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the footer: a reader that loses rows without a word is found out."""
    path = save("a.parquet", _file({"text": pa.array([f"row {n}" for n in range(1000)])}, group=300))
    whole = parquet._rows
    monkeypatch.setattr(parquet, "_rows", lambda batch, config: list(whole(batch, config))[:200])
    size = path.stat().st_size
    for cuts in ([0, size], [0, size // 3, size // 2, size]):
        lost = rows = 0
        for start, end in itertools.pairwise(cuts):
            items = list(scan(Part(str(path), start, end), IngestConfig()))
            rows += sum(isinstance(item, Header) for item in items)
            lost += sum(item.records for item in items if isinstance(item, Broken) and item.cause == "rows_missing")
        assert rows < 1000
        assert rows + lost == 1000
