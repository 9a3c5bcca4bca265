"""Dates as archives and tables write them, in UTC.

Read are
* ISO 8601, whole or cut off after the year, month, day, hour or minute (what is missing is the earliest), with `T` or a
  blank before the time, with an offset or `UTC`, also with slashes (2024/05/18); the 8 to 17 digits of an ARC;
* seconds, milliseconds, microseconds or nanoseconds since 1970, by their magnitude, as numbers or as digits;
* the dates of HTTP and e-mail (`Sat, 18 May 2024 01:58:10 GMT`, RFC 9110 5.6.7, asctime's form too);
* `{"$date": ...}`, which MongoDB exports.

Ten digits and more can be a calendar's or a clock's: they are a calendar's if they make a date of the Web's years.
11/12/2023 is not read: it has two meanings.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_tz
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WEB_YEARS = range(1990, 2100)  # of digits that can be seconds as well: there was no page before
_YEARS = range(1900, 2100)  # of a number of four digits
_PER_SECOND = ((1e11, 1), (1e14, 10**3), (1e17, 10**6), (math.inf, 10**9))  # below 1e11 seconds is the year 5138

_PARTS = re.compile(
    r"(\d{4})(?:-?(\d\d)(?:-?(\d\d)(?:[T ]?(\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,]?(\d{1,9}))?)?)?)?)?)?Z?", re.IGNORECASE
)
_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d|\d{8})[T ]+(\d\d:?\d\d(?::?\d\d(?:[.,]\d{1,12})?)?) *(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?",
    re.IGNORECASE,
)
_YEAR_FIRST = re.compile(r"(\d{4})[/.-](\d\d?)[/.-](\d\d?)(?!\d)")
_CLOCK = re.compile(r"\d{9,19}(?:\.\d{1,9})?")
_DIGITS_OF_CALENDAR = (4, 8, 12, 14)  # of a number that is a year, a day, a minute or a second of one
_MONTH_NAME = re.compile(r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)", re.IGNORECASE | re.ASCII)


def parse_date(text: str) -> datetime | None:
    """Return a date in UTC, to the millisecond, or None if it is none; without an offset it is UTC. Never raises."""
    text = text.strip()
    if not text or len(text) > 80:
        return None
    try:
        if _CLOCK.fullmatch(text) and (moment := _of_digits(text)) is not None:
            return moment
        text = _YEAR_FIRST.sub(_padded, text, count=1)
        if iso := _ISO.fullmatch(text):
            day, time, offset = iso.groups()
            offset = "+00:00" if (offset or "Z").upper() in ("Z", "UTC", "GMT") else offset
            return _to_milliseconds(datetime.fromisoformat(f"{day}T{time}{offset}"))
        if parts := _PARTS.fullmatch(text):
            return _of_parts(parts)
        return _of_names(text) if _MONTH_NAME.search(text) else None
    except (ValueError, OverflowError, TypeError, IndexError):  # the last two: e-mail's parser on odd texts
        return None


def date_text(value: Any) -> str:
    """Return a value of a table's date column as text for `parse_date`: '' for none, what it cannot read as it is."""
    if isinstance(value, dict) and len(value) == 1 and "$date" in value:
        value = value["$date"]
        value = value.get("$numberLong", value) if isinstance(value, dict) else value
    if value is None or value != value:  # NaN: pandas' missing number
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        moment = of_number(value)
        return moment.isoformat() if moment is not None else f"{type(value).__name__} out of range"
    return f"a value of type {type(value).__name__}"


def of_number(value: float | Decimal) -> datetime | None:
    """Return what a number means: a year, a day or a second of a calendar, else time since 1970. Never raises."""
    try:
        whole = int(value)
        if whole == value and whole > 0 and len(str(whole)) in _DIGITS_OF_CALENDAR:
            found = _PARTS.fullmatch(str(whole))
            years = _YEARS if whole < 10_000 else _WEB_YEARS
            if found and int(found.group(1)) in years and (moment := _calendar(found)) is not None:
                return moment
        unit = next(unit for limit, unit in _PER_SECOND if abs(whole) < limit)
        thousandths = whole * 1000 // unit if whole == value or unit > 1 else math.floor(value * 1000)
        return _EPOCH + timedelta(milliseconds=thousandths)
    except (ValueError, OverflowError, ArithmeticError):  # not finite; a year beyond 9999
        return None


def of_milliseconds(thousandths: int) -> datetime | None:
    """Return a moment by its distance from 1970, None when its year is not in 1 to 9999."""
    try:
        return _EPOCH + timedelta(milliseconds=thousandths)
    except OverflowError:
        return None


def _of_digits(text: str) -> datetime | None:
    """Return what nine digits or more mean, by a calendar of the Web's years or else by a clock."""
    found = _PARTS.fullmatch(text)
    if found and int(found.group(1)) in _WEB_YEARS and (moment := _calendar(found)) is not None:
        return moment
    whole, _, fraction = text.partition(".")
    return of_number(Decimal(text)) if fraction else of_number(int(whole))


def _calendar(found: re.Match[str]) -> datetime | None:
    try:
        return _of_parts(found)
    except ValueError:
        return None


def _of_parts(found: re.Match[str]) -> datetime:
    parts = [part or least for part, least in zip(found.groups(), ("1", "01", "01", "00", "00", "00"), strict=False)]
    thousandths = (found.group(7) or "")[:3].ljust(3, "0")
    return datetime.fromisoformat("{}-{}-{}T{}:{}:{}.{}+00:00".format(*parts, thousandths))


def _of_names(text: str) -> datetime | None:
    found = parsedate_tz(text)
    if found is None:
        return None
    return datetime(*found[:6], tzinfo=UTC) - timedelta(seconds=found[9] or 0)


def _padded(found: re.Match[str]) -> str:
    year, month, day = found.groups()
    return f"{year}-{month:0>2}-{day:0>2}"


def _to_milliseconds(moment: datetime) -> datetime:
    moment = moment.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
