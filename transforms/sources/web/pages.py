"""What a raw record is: a page to go on with, or skipped for what its headers say; and later its body.

Order of the checks: record type, HTTP status, media type, size; the first that fails is the reason.

    revisit           a revisit record: the page is in an earlier record; detail is what it refers to
    not_a_response    warcinfo, request, metadata and the like; detail is the record type
    http_status       a known status outside 200..299; an unreadable status line counts as unknown and is kept
    not_html          another media type; detail names it. A missing or generic type is sniffed from the first bytes
    body_too_large    the stored body is longer than `max_body_bytes`
    truncated_body    the crawler cut the body short and says so; detail is why (length, time, disconnect)
    no_text           nothing but white space is in the body: a newer capture without a text must not beat one with it

Addresses that an archive wrapped in its own (`https://web.archive.org/web/20180327175052id_/https://host/`) are
unwrapped, and the time in them is when the page was fetched: the record's date says when it was copied out of there.
A body that cannot be decoded is Broken, no page: neither does it compete for its address.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from typing import NamedTuple

from resiliparse.parse.encoding import bytes_to_str, detect_encoding, map_encoding_to_html5

from schemas.errors import BadRecord
from schemas.identity import content_id
from schemas.records import Header
from transforms.sources.dates import parse_date
from transforms.sources.items import Body, Broken, IngestConfig, RawRecord, Skipped
from transforms.sources.web.digests import is_of_nothing, normalise_digest, payload_digest
from transforms.sources.web.http import Head, charset_of, decode_body, media_type_of, parse_head, peel

HTML_TYPES = frozenset(("text/html", "application/xhtml+xml"))
GENERIC_TYPES = frozenset(
    (
        "",
        "application/octet-stream",
        "application/unknown",
        "unknown/unknown",
        "content/unknown",
        "application/x-unknown",
    )
)
SNIFF_BYTES = 1024  # the resource header of the WHATWG MIME Sniffing standard is 1445 bytes; tags come in the first few

_HTML_START = re.compile(
    rb"(?:<!DOCTYPE\s+HTML|<(?:HTML|HEAD|SCRIPT|IFRAME|H1|DIV|FONT|TABLE|A|STYLE|TITLE|B|BODY|BR|P|META|LINK)(?=[\s>/])|<!--)",
    re.IGNORECASE,
)
_XML_START = re.compile(rb"<\?xml[^>]*>\s*(?:<!--.*?-->\s*)*(?:<!DOCTYPE\s+html|<html[\s>])", re.IGNORECASE | re.DOTALL)
_WRAPPED = re.compile(r"https?://[^/]+/(?:[^?#]*/)?(\d{14})(?:[a-z]{2}_)?/((?:https?:)/{1,2}[^/].*)", re.IGNORECASE)

_CODE_PAGE = re.compile(r"cp\d|ibm|mac|hp-?roman|koi8|ptcp", re.ASCII)  # Python's, that the Web has not

PARTIAL_CONTENT = 206
# A resource is a file that a crawler stored without an exchange of HTTP: from a disk, from a browser's cache.
PAGE_TYPES = frozenset(("response", "resource", "conversion", "row"))
_BLANK = b" \t\r\n\f\v\0"


class _Refusal(NamedTuple):
    """Why a record is no page."""

    reason: str
    detail: str = ""
    value: float | None = None
    limit: float | None = None


def classify(raw: RawRecord, path: str, config: IngestConfig, *, again: bool = False) -> Header | Skipped | Broken:
    """Return the page that `raw`, a record of the archive at `path`, holds, or why it holds none. Never raises.

    Its block must be kept up to `max_body_bytes` and a head more. Broken when its body cannot be decoded; `again` takes
    the body, which an earlier reading has decoded, as it is.
    """
    url, date = unwrap_url(raw.url, raw.date)
    record_id = strip_brackets(raw.record_id) or _made_up_id(raw, path)
    head = head_of(raw)
    try:
        found = _kind_or_refusal(raw, head, config)
        if isinstance(found, str) and not again and not _payload(raw, head, config).strip(_BLANK):
            found = _Refusal("no_text", value=raw.length - head.body_start)
    except BadRecord as error:
        return Broken(
            row=raw.row, offset=raw.offset, cause=error.cause, detail=error.detail, record_id=record_id, url=url
        )
    if isinstance(found, _Refusal):
        return Skipped(row=raw.row, offset=raw.offset, record_id=record_id, url=url, **found._asdict())
    fetched_at = parse_date(date)
    return Header(
        row=raw.row,
        offset=raw.offset,
        length=raw.length,
        record_id=record_id,
        url=url,
        fetched_at=fetched_at,
        date_unreadable=fetched_at is None and bool(date.strip()),
        kind=found,
        media_type=head.media_type,
        charset=head.charset,
        status=head.status,
        digest=_digest(raw, head, config),
    )


def _kind_or_refusal(raw: RawRecord, head: Head, config: IngestConfig) -> str | _Refusal:
    """Return a page's kind, or the first check that fails. Raises BadRecord when sniffing finds no way to decode."""
    if raw.record_type == "revisit":
        return _Refusal("revisit", strip_brackets(raw.refers_to))
    if raw.record_type not in PAGE_TYPES:
        return _Refusal("not_a_response", raw.record_type or "none")
    if head.status and not 200 <= head.status <= 299:
        return _Refusal("http_status", value=head.status, limit=299 if head.status > 299 else 200)
    kind = kind_of(raw, head, config)
    if not kind:
        return _Refusal("not_html", head.media_type or "unknown")
    size = raw.length - head.body_start
    if size > config.max_body_bytes or len(raw.block) < raw.length:
        return _Refusal("body_too_large", value=size, limit=config.max_body_bytes)
    cut = raw.truncated or ("206 Partial Content" if head.status == PARTIAL_CONTENT else "")
    return _Refusal("truncated_body", cut) if cut and not config.keep_truncated else kind


def _digest(raw: RawRecord, head: Head, config: IngestConfig) -> str:
    digest = normalise_digest(raw.digest)
    if digest and not is_of_nothing(digest):
        return digest
    return payload_digest(raw, head) if config.compute_digest else ""


def _payload(raw: RawRecord, head: Head, config: IngestConfig) -> bytes:
    if raw.record_type in ("row", "conversion"):
        return raw.block  # a text, never under a coding of HTTP, even where it looks like one
    return decode_body(raw.block[head.body_start :], head.codings, config.max_body_bytes)


def head_of(raw: RawRecord) -> Head:
    """Return the HTTP head of a record's block; one of other protocols and texts has only a media type."""
    declared = media_type_of(raw.media_type)
    web = raw.record_type == "response" and not raw.url.lower().startswith(("dns:", "ftp:"))
    if web and (declared in ("", "application/http") or raw.block[:5].upper() == b"HTTP/"):
        return parse_head(raw.block, "" if declared == "application/http" else raw.media_type)
    return Head(0, declared, charset_of(raw.media_type), (), 0)


def kind_of(raw: RawRecord, head: Head, config: IngestConfig) -> str:
    """Return 'html' or 'text', or '' for what is neither."""
    if raw.record_type == "row":
        return "text"
    if raw.record_type == "conversion":
        return "text" if head.media_type in ("", "text/plain") else ""
    if head.media_type in HTML_TYPES:
        return "html"
    if head.media_type == "text/plain" and config.keep_plain_text:
        return "text"
    return "html" if head.media_type in GENERIC_TYPES and sniffs_as_html(raw.block[head.body_start :], head) else ""


def sniffs_as_html(body: bytes, head: Head) -> bool:
    """Return whether a body begins like HTML, after white space and a byte order mark (WHATWG MIME Sniffing 7.1)."""
    start = peel(body, head.codings, SNIFF_BYTES)[:SNIFF_BYTES]
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        start = start[2:].replace(b"\0", b"")
    start = start.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n\f\0")
    return bool(_HTML_START.match(start) or _XML_START.match(start))


def body_of(raw: RawRecord, config: IngestConfig) -> Body:
    """Return the payload of a page, codings removed. Raises BadRecord if that cannot be done within the limit."""
    head = head_of(raw)
    payload = _payload(raw, head, config)
    if kind_of(raw, head, config) != "text":
        return Body(payload, head.charset)
    return Body(to_utf8(payload, head.charset), "utf-8", raw.metadata, raw.left_out)


def to_utf8(payload: bytes, charset: str) -> bytes:
    """Return a text as valid UTF-8: as it is if it is that, else decoded from its charset, declared or detected.

    A charset that nobody knows (`none`, `utf8mb4`, `x-user-defined`), or that is none of characters (`hex`), is none.
    Never raises.
    """
    try:
        payload.decode("utf-8")
    except UnicodeDecodeError:
        declared = map_encoding_to_html5(charset, fallback_utf8=False) if charset else None
        older = charset if _CODE_PAGE.match(charset) else None
        for encoding in (declared, older, detect_encoding(payload)):
            if encoding and encoding != "utf-8":
                try:
                    return str(bytes_to_str(payload, encoding)).encode("utf-8", "replace")
                except (LookupError, UnicodeError):
                    continue
        return payload.decode("utf-8", "replace").encode()
    return payload


def strip_brackets(text: str) -> str:
    """Return an id or address without the < > that WARC puts around it."""
    return text.strip("<> \t")


def unwrap_url(url: str, date: str) -> tuple[str, str]:
    """Return the address without < > and an archive's own around it, and the date: the archive's, else the given."""
    url = strip_brackets(url)
    while found := _WRAPPED.fullmatch(url):
        date, url = found.groups()
        scheme, _, rest = url.partition(":")
        url = f"{scheme.lower()}://{rest.lstrip('/')}"
    return url, date


def _made_up_id(raw: RawRecord, path: str) -> str:
    """Return an id from what the record says and its place in the archive; the archive's directory does not count."""
    block = hashlib.sha1(raw.block, usedforsecurity=False).digest()
    return content_id(posixpath.basename(path), str(raw.offset), raw.url, raw.date, block)
