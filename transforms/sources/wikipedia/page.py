"""A page of a dump: what its XML says, and whether it is to be read.

The first that holds is the reason why a page is left out:

    oversized_page   its XML has more bytes than `max_page_bytes`
    namespace        it is no article, but a talk page, a template...; detail is the namespace's number
    redirect         it only points to another title
    not_wikitext     it holds another content model (css, json, Scribunto); detail names it
    no_text          the revision's text is hidden, not in this dump, or blank
    disambiguation   it lists the meanings of its title
"""

from __future__ import annotations

import base64
import html
import re
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from schemas.errors import BadRecord
from schemas.records import Header
from transforms.sources.dates import parse_date
from transforms.sources.items import Broken, Skipped
from transforms.sources.wikipedia.dump import RawPage
from transforms.sources.wikipedia.names import DISAMBIGUATION, REDIRECT
from transforms.sources.wikipedia.settings import WikipediaScanConfig
from transforms.sources.wikipedia.site import Site, parser

_TITLE: Final = re.compile(rb"<title>([^<]*)</title>")
_ID: Final = re.compile(rb"<id>\s*(\d{1,18})\s*</id>")
_SHA1_BYTES: Final = 20


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says, of its last revision in the dump; `text` is None where there is none."""

    title: str
    namespace: int
    page_id: int
    revision_id: int
    redirect: bool
    timestamp: str
    model: str
    sha1: str
    text: str | None


def parse_page(raw: RawPage, site: Site) -> Page:
    """Return the page in `raw`. Raises BadRecord when it is not well-formed, or has no title or id."""
    try:
        page = etree.fromstring(raw.data, parser())
    except etree.XMLSyntaxError:
        raise BadRecord("malformed_page", "its XML is not well-formed") from None
    title, page_id = page.findtext("title") or "", _number(page.findtext("id"))
    if not title.strip() or page_id < 0:
        raise BadRecord("malformed_page", "it has no title or no id")
    revision = page.find("revision[last()]")
    text = revision.find("text") if revision is not None else None
    shown = text is not None and text.get("deleted") is None and text.text is not None
    return Page(
        title=title.strip(),
        namespace=_namespace(page, title, site),
        page_id=page_id,
        revision_id=max(0, _number(_text(revision, "id"))),
        redirect=page.find("redirect") is not None,
        timestamp=_text(revision, "timestamp"),
        model=_text(revision, "model"),
        sha1=_text(revision, "sha1"),
        text=text.text if text is not None and shown else None,
    )


def judge(raw: RawPage, row: int, site: Site, config: WikipediaScanConfig) -> Header | Skipped | Broken:
    """Return the header of a page, why it is left out, or what is wrong with it."""
    if raw.size > config.max_page_bytes:
        title, page_id = _named(raw.data)
        return Skipped(
            row=row,
            offset=raw.offset,
            record_id=f"{site.dbname}:{page_id}",
            url=site.url(title),
            reason="oversized_page",
            value=raw.size,
            limit=config.max_page_bytes,
        )
    try:
        page = parse_page(raw, site)
    except BadRecord as error:
        title, page_id = _named(raw.data)
        return Broken(
            row=row,
            offset=raw.offset,
            cause=error.cause,
            detail=error.detail,
            record_id=f"{site.dbname}:{page_id}" if page_id else "",
            url=site.url(title) if title else "",
        )
    record_id, url = f"{site.dbname}:{page.page_id}", site.url(page.title)
    reason, detail = _reason(page, config)
    if reason:
        return Skipped(row=row, offset=raw.offset, record_id=record_id, url=url, reason=reason, detail=detail)
    fetched_at = parse_date(page.timestamp)
    return Header(
        row=row,
        offset=raw.offset,
        length=len((page.text or "").encode()),
        record_id=record_id,
        url=url,
        fetched_at=fetched_at,
        date_unreadable=fetched_at is None and bool(page.timestamp.strip()),
        kind="wikitext",
        media_type="text/x-wiki",
        charset="utf-8",
        digest=digest_of(page.sha1),
    )


def _reason(page: Page, config: WikipediaScanConfig) -> tuple[str, str]:
    """Return why a page is left out, ('', '') if it is not, and a detail."""
    if page.namespace not in config.namespaces:
        return "namespace", str(page.namespace)
    if page.redirect or (page.text and REDIRECT.match(page.text)):
        return "redirect", ""
    if page.model not in ("", "wikitext"):
        return "not_wikitext", page.model[:40]
    if page.text is None or not page.text.strip():
        return "no_text", ""
    if not config.keep_disambiguation and DISAMBIGUATION.search(page.text):
        return "disambiguation", ""
    return "", ""


def digest_of(sha1: str) -> str:
    """Return a revision's checksum, the SHA-1 in base 36, as archives write it: in base 32; '' if it is none."""
    try:
        number = int(sha1, 36)
        return f"sha1:{base64.b32encode(number.to_bytes(_SHA1_BYTES, 'big')).decode()}"
    except (ValueError, OverflowError):
        return ""


def _namespace(page: Any, title: str, site: Site) -> int:
    declared = page.findtext("ns")
    try:
        return int(declared)
    except (TypeError, ValueError):
        return site.namespace(title)  # export 0.5 and older


def _named(data: bytes) -> tuple[str, str]:
    """Return the title and id in the first bytes of a page, '' for what is not there."""
    title, page_id = _TITLE.search(data), _ID.search(data)
    return (
        html.unescape(title.group(1).decode("utf-8", "replace")) if title else "",
        page_id.group(1).decode() if page_id else "",
    )


def _text(element: Any, name: str) -> str:
    return (element.findtext(name) or "").strip() if element is not None else ""


def _number(text: str | None) -> int:
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1
