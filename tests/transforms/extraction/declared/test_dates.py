"""The day a page says it was published."""

from __future__ import annotations

import pytest

from transforms.extraction.declared.dates import day_of, published_date
from transforms.extraction.page import outline_of
from transforms.extraction.parsing.outline import Outline


@pytest.mark.parametrize(
    "written",
    [
        "2024-03-05",
        "2024-03-05T23:30:00-08:00",
        " 2024-03-05 10:00:00 ",
        "2024-03-05T10:00:00.123Z",
        "2024/3/5",
        "2024.03.05 10:00",
        "2024\\/03\\/05",
        "20240305",
        "20240305T101500Z",
        "20240305101500",
        "1709632800",
        "1709632800000",
        "1709632800.5",
        "Tue, 05 Mar 2024 10:00:00 GMT",
        "Tue Mar 05 10:00:00 UTC 2024",
        "Tue Mar  5 10:00:00 2024",
        "March 5, 2024",
        "MARCH 5TH, 2024",
        "Mar. 5, 2024 at 10:00 am",
        "5 March 2024",
        "5th of March 2024",
        "5-Mar-2024",
        "5. März 2024",
        "5 mars 2024",
        "5 de marzo de 2024",
        "5 de março de 2024",
        "5 marzo 2024",
        "5 maart 2024",
        "5 марта 2024 г.",
        "2024年3月5日",
        "2024년 3월 5일",
        "05.03.2024",
        "5.3.2024, 10:00 Uhr",
        "Published: 2024-03-05",
    ],
)
def test_a_day_is_read(written: str) -> None:
    assert day_of(written) == "2024-03-05"


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("25/03/2024", "2024-03-25"),
        ("03/25/2024", "2024-03-25"),
        ("25-03-2024", "2024-03-25"),
        ("04/04/2024", "2024-04-04"),
        ("03/05/2024", ""),  # in March or in May
        ("3-5-2024", ""),
        ("24.12.2024", "2024-12-24"),
        ("12.24.2024", "2024-12-24"),
        ("2024-02-29", "2024-02-29"),
        ("2023-02-29", ""),
        ("2024-13-01", ""),
        ("2024-00-10", ""),
        ("31 April 2024", ""),
        ("99/99/2024", ""),
        ("0001-01-01T00:00:00", ""),
        ("0000-00-00 00:00:00", ""),
        ("-0001-11-30T00:00:00+00:00", ""),
        ("1970-01-01T00:00:00Z", ""),
        ("000000000", ""),
        ("9999-12-31T23:59:59Z", ""),
        ("1399-12-31", ""),
        ("1400-01-01", "1400-01-01"),
        ("2100-12-31", "2100-12-31"),
        ("2101-01-01", ""),
        ("1851-09-18", "1851-09-18"),
        ("9999999999999", ""),
        ("99999999999999999999", ""),
        ("2024", ""),
        ("2024-03", ""),
        ("March 2024", ""),
        ("yesterday", ""),
        ("2 hours ago", ""),
        ("", ""),
        (" \n", ""),
        ("x" * 100_000 + " 2024-03-05", ""),
        ("٢٠٢٤-٠٣-٠٥", "2024-03-05"),
        ("²⁰²⁴-03-05", ""),
        ("\ud800 2024-03-05", "2024-03-05"),
    ],
)
def test_what_is_no_day_or_two_is_none(written: str, day: str) -> None:
    assert day_of(written) == day


@pytest.mark.parametrize(
    ("metas", "linked", "day"),
    [
        ({"article:published_time": "2024-03-01T10:00:00Z"}, [], "2024-03-01"),
        ({"date": "2024/3/1"}, [], "2024-03-01"),
        ({"date": "1 March 2024"}, ['{"datePublished": "2023-12-31"}'], "2023-12-31"),  # `date` may be the last change
        ({"dc.date": "2024"}, ['{"datePublished" : "2023-12-31T00:00:00+01:00"}'], "2023-12-31"),
        ({"citation_publication_date": "2024/03"}, ["{", '{"datePublished":"2023\\/12\\/31"}'], "2023-12-31"),
    ],
)
def test_the_surest_declaration_that_can_be_read_counts(metas: dict[str, str], linked: list[str], day: str) -> None:
    assert published_date(Outline(metas=metas, linked_data=linked)) == (day, False)


@pytest.mark.parametrize(
    ("metas", "is_unreadable"),
    [({}, False), ({"date": " "}, False), ({"date": "soon"}, True), ({"pubdate": "0"}, True)],
)
def test_a_declaration_that_cannot_be_read_is_told_from_none(metas: dict[str, str], is_unreadable: bool) -> None:
    assert published_date(Outline(metas=metas)) == ("", is_unreadable)


@pytest.mark.parametrize(
    "body",
    [
        "<time pubdate>5 March 2024</time>",
        "<time datetime=2023-01-01>before</time><time datetime=2024-03-05 pubdate>x</time>",
        "<time datetime=2023-01-01>before</time><time class='entry-date published' datetime=2024-03-05>x</time>",
        "<time datetime=2024-03-05T10:00>first</time><time datetime=2023-01-01>then</time>",
        "<span itemprop=datePublished content=2024-03-05>yesterday</span>",
        "<meta itemprop=datePublished content=2024-03-05>",
        "<meta name=DC.date.issued content=2024-03-05>",
        "<meta property=article:published_time content=2024-03-05T10:00:00+00:00>",
        "<abbr class=published title='2024-03-05T10:00:00'>5.3.</abbr>",
        '<script type=application/ld+json>{\'@graph\': [{"datePublished": "2024-03-05"}]}</script>',
    ],
)
def test_places_of_a_page_where_its_day_is(body: str) -> None:
    page = outline_of(f"<html><body><article>{body}<p>Text.</p></article></body></html>")
    assert published_date(page) == ("2024-03-05", False)


def test_elements_without_end_cost_no_more_than_some() -> None:
    page = outline_of("<body>" + "<time>" * 20_000 + "x")
    assert published_date(page) == ("", True)
    assert len(page.dates) < 20
