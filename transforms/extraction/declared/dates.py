"""The day that a page says it was published, as YYYY-MM-DD.

Read, whatever time follows: 2024-03-05 (also with / and ., also 2024年3月5日), 20240305, 5 March 2024 and March 5, 2024
in eight languages, Tue Mar 05 10:00:00 2024, 05.03.2024, 25/03/2024, seconds and milliseconds since 1970. The day is
that of the page's own time zone (of seconds: UTC).

Not read: 03/05/2024, which is in March or in May; a year or a month alone. No date: what is not in the calendar, a year
outside 1400 to 2100, and what programs write where they know none (0001-01-01, 1970-01-01 and their like).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from transforms.extraction.parsing.names import names
from transforms.extraction.parsing.outline import LINKED_LIMIT, Outline

YEARS = (1400, 2100)  # the first and the last that a page can have been published in (ours)
_EMPTY = frozenset({"1753-01-01", "1899-12-30", "1899-12-31", "1900-01-01", "1970-01-01"})
_METAS = (
    "article:published_time",
    "og:article:published_time",
    "datepublished",
    "publishdate",
    "pubdate",
    "publish-date",
    "publication_date",
    "parsely-pub-date",
    "sailthru.date",
    "dc.date.issued",
    "dcterms.issued",
    "dcterms.created",
    "dc.date.created",
    "citation_publication_date",
    "citation_online_date",
    "citation_date",
)
_WEAK_METAS = ("dc.date", "dcterms.date", "date")  # may be that of the last change
_LINKED = re.compile(r'"datePublished"\s*:\s*"([^"]{4,60})"')
_LONGEST = 60  # characters of a date
DATED = names("datepublished pubdate published dt-published entry-date post-date")  # classes and properties of elements
_MAX_DATES = 16  # elements of a page that are looked at

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar janvier janv enero ene gennaio gen janeiro januari января янв",
            "feb february februar février fevrier févr fevr febrero febbraio fevereiro fev februari февраля фев",
            "mar march märz maerz mrz mars marzo março marco maart mrt марта мар",
            "apr april avril avr abril abr aprile апреля апр",
            "may mai mayo maggio mag maio mei мая",
            "jun june juni juin junio giugno giu junho июня июн",
            "jul july juli juillet juil julio luglio lug julho июля июл",
            "aug august août aout agosto ago augustus августа авг",
            "sep sept september septembre septiembre settembre set setembro сентября сен сент",
            "oct october oktober okt octobre octubre ottobre ott outubro out октября окт",
            "nov november novembre noviembre novembro ноября ноя нояб",
            "dec december dezember dez décembre decembre déc diciembre dic dicembre dezembro декабря дек",
        ),
        start=1,
    )
    for name in names.split()
}
_MONTH = "|".join(sorted(_MONTHS, key=lambda month: (-len(month), month)))
_YEAR_FIRST = re.compile(r"(?<!\d)(\d{4})\s?[-/.年년]\s?(\d{1,2})\s?[-/.月월]\s?(\d{1,2})(?!\d)")
_SQUEEZED = re.compile(r"(\d{4})(\d\d)(\d\d)(?:t?(?:\d{4}|\d{6}))?(?!\d)")
_SECONDS = re.compile(r"(\d{9,10})(?:\d{3})?(?:\.\d+)?")
_DAY_FIRST = re.compile(r"(\d{1,2})([-/.])\s?(\d{1,2})\2\s?(\d{4})(?!\d)")
_DAY_MONTH = re.compile(
    rf"\b(\d{{1,2}})(?:st|nd|rd|th|er|º|\.)?[\s-]*(?:of|de)?\s*({_MONTH})\b\.?,?[\s-]*(?:de)?\s*(\d{{4}})\b"
)
_MONTH_DAY = re.compile(
    rf"\b({_MONTH})\b\.?\s*(\d{{1,2}})(?:st|nd|rd|th)?\b,?(?:\s[\d:]{{5,8}})?(?:\s[a-z]{{2,5}})?\s*(\d{{4}})\b"
)


def note_date(outline: Outline, node: Any, tag: str, mark: str, attributes: dict[str, str | None]) -> None:
    """Keep what an element says of when the page was published, if it may be one that does."""
    is_named = bool(mark) and not DATED.isdisjoint(mark.lower().split())
    if (tag != "time" and not is_named) or len(outline.dates) >= _MAX_DATES:
        return
    stamp = attributes.get("datetime") or attributes.get("content") or attributes.get("title")
    if not stamp and tag == "time":
        stamp = node.text()[: 4 * _LONGEST]
    if stamp:
        outline.dates.append((is_named or "pubdate" in attributes, stamp))


def published_date(outline: Outline) -> tuple[str, bool]:
    """Return the day a page was published, '' when it declares none that is one; and whether it declares one that
    cannot be read while none can."""
    metas = outline.metas
    declared = [metas[name] for name in _METAS if name in metas]
    declared += [found[1] for data in outline.linked_data if (found := _LINKED.search(data[:LINKED_LIMIT]))]
    declared += [stamp for is_sure, stamp in outline.dates if is_sure]
    declared += [metas[name] for name in _WEAK_METAS if name in metas]
    declared += [stamp for is_sure, stamp in outline.dates if not is_sure]
    for raw in declared:
        if day := day_of(raw):
            return day, False
    return "", any(raw.strip() for raw in declared)


def day_of(raw: str) -> str:
    """Return the day of a written date as YYYY-MM-DD, '' when it is none or cannot be told."""
    text = " ".join(raw[: 4 * _LONGEST].split())[:_LONGEST].lower().replace("\\/", "/").strip("\"' ")
    if found := _YEAR_FIRST.search(text) or _SQUEEZED.match(text):
        return _checked(int(found[1]), int(found[2]), int(found[3]))
    if found := _SECONDS.fullmatch(text):
        return _checked_day((datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(found[1]))).date())
    if found := _DAY_FIRST.search(text):
        day, month, year = int(found[1]), int(found[3]), int(found[4])
        if month > 12 or (found[2] != "." and day <= 12 and day != month):
            day, month = (month, day) if day <= 12 < month else (0, 0)  # 03/25/2024; 03/05/2024 is two days
        return _checked(year, month, day)
    if found := _DAY_MONTH.search(text):
        return _checked(int(found[3]), _MONTHS[found[2]], int(found[1]))
    if found := _MONTH_DAY.search(text):
        return _checked(int(found[3]), _MONTHS[found[1]], int(found[2]))
    return ""


def _checked(year: int, month: int, day: int) -> str:
    try:
        return _checked_day(date(year, month, day))
    except ValueError:
        return ""


def _checked_day(day: date) -> str:
    first, last = YEARS
    text = day.isoformat()
    return text if first <= day.year <= last and text not in _EMPTY else ""
