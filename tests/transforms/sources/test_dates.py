"""Dates of archives and tables: transforms.sources.dates."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.sources.dates import date_text, parse_date


def _utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-05-18T01:58:10Z", _utc(2024, 5, 18, 1, 58, 10)),
        ("2024-05-18T01:58:10.123456Z", _utc(2024, 5, 18, 1, 58, 10, 123000)),
        ("2024-05-18T01:58:10.1Z", _utc(2024, 5, 18, 1, 58, 10, 100000)),
        ("2024-05-18T01:58:10.123456789Z", _utc(2024, 5, 18, 1, 58, 10, 123000)),
        ("2024-05-18T03:58:10+02:00", _utc(2024, 5, 18, 1, 58, 10)),
        ("2024-05-18T01:58:10", _utc(2024, 5, 18, 1, 58, 10)),
        ("2019-08-15T01:02", _utc(2019, 8, 15, 1, 2)),
        ("2019-08-15T01", _utc(2019, 8, 15, 1)),
        ("2019-08-15", _utc(2019, 8, 15)),
        ("2019-08", _utc(2019, 8, 1)),
        ("2019", _utc(2019, 1, 1)),
        (" 20040102030405 ", _utc(2004, 1, 2, 3, 4, 5)),
        ("200401020304", _utc(2004, 1, 2, 3, 4)),
        ("20040102030405678", _utc(2004, 1, 2, 3, 4, 5, 678000)),
        ("2024-05-18 03:58:10+02:00", _utc(2024, 5, 18, 1, 58, 10)),
        ("2024-05-18 03:58:10.5 +0200", _utc(2024, 5, 18, 1, 58, 10, 500000)),
        ("2024-05-18 01:58:10 UTC", _utc(2024, 5, 18, 1, 58, 10)),
        ("2024/5/18 01:58", _utc(2024, 5, 18, 1, 58)),
        ("20240518T015810Z", _utc(2024, 5, 18, 1, 58, 10)),
        ("Sat, 18 May 2024 01:58:10 GMT", _utc(2024, 5, 18, 1, 58, 10)),
        ("Saturday, 18-May-24 01:58:10 GMT", _utc(2024, 5, 18, 1, 58, 10)),
        ("Sat May 18 01:58:10 2024", _utc(2024, 5, 18, 1, 58, 10)),
        ("18 May 2024 03:58:10 +0200", _utc(2024, 5, 18, 1, 58, 10)),
        ("1715997490", _utc(2024, 5, 18, 1, 58, 10)),
        ("1715997490123", _utc(2024, 5, 18, 1, 58, 10, 123000)),
        ("1715997490123456", _utc(2024, 5, 18, 1, 58, 10, 123000)),
        ("1715997490123456789", _utc(2024, 5, 18, 1, 58, 10, 123000)),
        ("1715997490.5", _utc(2024, 5, 18, 1, 58, 10, 500000)),
        ("1612010500", _utc(2021, 1, 30, 12, 41, 40)),
        ("978307200", _utc(2001, 1, 1)),
        ("2024051801", _utc(2024, 5, 18, 1)),
        ("11/12/2023", None),
        ("99999999999999999999", None),
        ("Sat, 99 May 2024 01:58:10 GMT", None),
        ("2008-10-294T05:21:46-0700", None),
        ("2024-13-01T00:00:00Z", None),
        ("0000", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_dates(text: str, expected: datetime | None) -> None:
    assert parse_date(text) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1715997490, _utc(2024, 5, 18, 1, 58, 10)),
        (1715997490123, _utc(2024, 5, 18, 1, 58, 10, 123000)),
        (1715997490123456, _utc(2024, 5, 18, 1, 58, 10, 123000)),
        (1715997490123456789, _utc(2024, 5, 18, 1, 58, 10, 123000)),
        (1715997490.5, _utc(2024, 5, 18, 1, 58, 10, 500000)),
        (Decimal("1715997490.5"), _utc(2024, 5, 18, 1, 58, 10, 500000)),
        (2024, _utc(2024, 1, 1)),
        (20240518, _utc(2024, 5, 18)),
        (20240518015810, _utc(2024, 5, 18, 1, 58, 10)),
        (0, _utc(1970, 1, 1)),
        (-1, _utc(1969, 12, 31, 23, 59, 59)),
        (date(2024, 5, 18), _utc(2024, 5, 18)),
        ({"$date": "2024-05-18T01:58:10Z"}, _utc(2024, 5, 18, 1, 58, 10)),
        ({"$date": 1715997490123}, _utc(2024, 5, 18, 1, 58, 10, 123000)),
        ({"$date": {"$numberLong": "1715997490123"}}, _utc(2024, 5, 18, 1, 58, 10, 123000)),
    ],
)
def test_values_of_tables(value: Any, expected: datetime) -> None:
    assert parse_date(date_text(value)) == expected


@pytest.mark.parametrize("value", [True, [1], {"a": 1}, {"$date": {"$date": 1}}, math.inf, 1e300, 10**30, b"2024"])
def test_values_that_are_no_date_are_not_taken_for_none(value: Any) -> None:
    assert date_text(value)
    assert parse_date(date_text(value)) is None


@pytest.mark.parametrize("value", [None, "", math.nan, {"$date": None}])
def test_no_date(value: Any) -> None:
    assert date_text(value) == ""


@given(st.text(max_size=40) | st.from_regex(r"[0-9TZ:+ ,./-]{0,30}", fullmatch=True))
def test_any_text(text: str) -> None:
    found = parse_date(text)
    assert found is None or (found.tzinfo == UTC and parse_date(found.isoformat()) == found)
