"""What a page says about itself: title and date of publication."""

from __future__ import annotations

import re
from datetime import date

from transforms.extraction.parsing.outline import Outline
from transforms.extraction.texts.hygiene import clean_unicode

_DATES = (
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
    "dcterms.created",
    "dc.date",
    "citation_publication_date",
    "citation_date",
    "date",
)
_LINKED_DATE = re.compile(r'"datePublished"\s*:\s*"([^"]{8,40})"')
_ISO = re.compile(r"\s*(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_LINKED_LIMIT = 200_000  # characters of linked data that are looked through
_LONGEST_TITLE = 500


def title_of(outline: Outline) -> str:
    """Return the page's title: what it gives to be shared under, or its `title`."""
    raw = outline.metas.get("og:title") or outline.title
    return " ".join(clean_unicode(raw).split())[:_LONGEST_TITLE]


def published_date(outline: Outline) -> str:
    """Return the date of publication as YYYY-MM-DD, '' when the page declares none that is one."""
    declared = [outline.metas[name] for name in _DATES if name in outline.metas]
    declared += [found[1] for data in outline.linked_data if (found := _LINKED_DATE.search(data[:_LINKED_LIMIT]))]
    return next((day for raw in declared if (day := _iso_date(raw))), "")


def _iso_date(raw: str) -> str:
    found = _ISO.match(raw)
    if found is None:
        return ""
    try:
        return date(*map(int, found.groups())).isoformat()
    except ValueError:
        return ""
