"""What a raw record is: a page to go on with, or skipped for what its headers say; and later its body.

Order of the checks: record type, HTTP status, media type, size; the first that fails is the reason.

    revisit           a revisit record: the page is in an earlier record; detail is what it refers to
    not_a_response    warcinfo, request, metadata, resource and the like; detail is the record type
    http_status       a known status outside 200..299; an unreadable status line counts as unknown and is kept
    not_html          another media type; detail names it. A missing or generic type is sniffed from the first bytes
    body_too_large    the stored body is longer than `max_body_bytes`
    truncated_body    the crawler cut the body short and says so; detail is why (length, time, disconnect)

Addresses that an archive wrapped in its own (`https://web.archive.org/web/20180327175052id_/https://host/`) are
unwrapped, and the time in them is when the page was fetched: the record's date says when it was copied out of there.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import posixpath
import re
from datetime import UTC, datetime

from resiliparse.parse.encoding import bytes_to_str, detect_encoding

from schemas.identity import content_id
from schemas.records import Header
from transforms.sources.items import Body, IngestConfig, RawRecord, Skipped
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
_DATE = re.compile(
    r"(\d{4})(?:-?(\d\d)(?:-?(\d\d)(?:[T ]?(\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,]?(\d{1,9}))?)?)?)?)?)?Z?", re.IGNORECASE
)
_SHA1_HEX = re.compile(r"[0-9a-fA-F]{40}")


PARTIAL_CONTENT = 206


def classify(raw: RawRecord, path: str, config: IngestConfig) -> Header | Skipped:
    """Return the page that `raw`, a record of the archive at `path`, holds, or why it holds none.

    Its block must be kept up to `max_body_bytes` and a head more.
    """
    url, date = unwrap_url(raw.url, raw.date)
    record_id = strip_brackets(raw.record_id) or _made_up_id(raw, path)

    def skipped(reason: str, detail: str = "", value: float | None = None, limit: float | None = None) -> Skipped:
        return Skipped(
            row=raw.row,
            offset=raw.offset,
            record_id=record_id,
            url=url,
            reason=reason,
            value=value,
            limit=limit,
            detail=detail,
        )

    if raw.record_type == "revisit":
        return skipped("revisit", strip_brackets(raw.refers_to))
    if raw.record_type not in ("response", "conversion", "row"):
        return skipped("not_a_response", raw.record_type or "none")
    head = head_of(raw)
    if head.status and not 200 <= head.status <= 299:
        return skipped("http_status", value=head.status, limit=299 if head.status > 299 else 200)
    kind = kind_of(raw, head, config)
    if not kind:
        return skipped("not_html", head.media_type or "unknown")
    size = raw.length - head.body_start
    if size > config.max_body_bytes or len(raw.block) < raw.length:
        return skipped("body_too_large", value=size, limit=config.max_body_bytes)
    cut = raw.truncated or ("206 Partial Content" if head.status == PARTIAL_CONTENT else "")
    if cut and not config.keep_truncated:
        return skipped("truncated_body", cut)
    return Header(
        row=raw.row,
        offset=raw.offset,
        length=raw.length,
        record_id=record_id,
        url=url,
        fetched_at=parse_date(date),
        kind=kind,
        media_type=head.media_type,
        charset=head.charset,
        status=head.status,
        digest=normalise_digest(raw.digest) or (payload_digest(raw, head) if config.compute_digest else ""),
    )


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
    payload = decode_body(raw.block[head.body_start :], head.codings, config.max_body_bytes)
    if kind_of(raw, head, config) != "text":
        return Body(payload, head.charset)
    return Body(to_utf8(payload, head.charset), "utf-8")


def to_utf8(payload: bytes, charset: str) -> bytes:
    """Return a text as valid UTF-8: as it is if it is that, else decoded from its charset, declared or detected."""
    try:
        payload.decode("utf-8")
    except UnicodeDecodeError:
        encoding = charset if charset and charset not in ("utf-8", "utf8") else detect_encoding(payload) or "utf-8"
        return str(bytes_to_str(payload, encoding)).encode("utf-8", "replace")
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


def parse_date(text: str) -> datetime | None:
    """Return a date in UTC, to the millisecond, or None if it is none.

    ISO 8601 in full or cut off after the year, month, day, hour or minute (what is missing is the earliest), or the 14
    digits of an ARC; without an offset it is UTC.
    """
    text = text.strip()
    try:
        if "T" in text and len(text) >= 19:
            moment = datetime.fromisoformat(text)
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
            return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
        found = _DATE.fullmatch(text)
        if not found:
            return None
        parts = [
            part or least for part, least in zip(found.groups(), ("1", "01", "01", "00", "00", "00"), strict=False)
        ]
        thousandths = (found.group(7) or "")[:3].ljust(3, "0")
        return datetime.fromisoformat("{}-{}-{}T{}:{}:{}.{}+00:00".format(*parts, thousandths))
    except (ValueError, OverflowError):
        return None


def normalise_digest(digest: str) -> str:
    """Return a declared digest as `algorithm:value`, SHA-1 always in upper-case base 32."""
    algorithm, colon, value = digest.strip().partition(":")
    if not colon or not value.strip():
        return ""
    algorithm, value = algorithm.strip().lower().replace("sha-", "sha"), value.strip()
    if algorithm != "sha1":
        return f"{algorithm}:{value}"
    if _SHA1_HEX.fullmatch(value):
        value = base64.b32encode(binascii.unhexlify(value)).decode()
    return f"sha1:{value.upper()}"


def payload_digest(raw: RawRecord, head: Head) -> str:
    """Return the SHA-1 of the body as stored, as crawlers compute WARC-Payload-Digest."""
    digest = hashlib.sha1(memoryview(raw.block)[head.body_start :], usedforsecurity=False).digest()
    return f"sha1:{base64.b32encode(digest).decode()}"


def _made_up_id(raw: RawRecord, path: str) -> str:
    """Return an id from what the record says and its place in the archive; the archive's directory does not count."""
    block = hashlib.sha1(raw.block, usedforsecurity=False).digest()
    return content_id(posixpath.basename(path), str(raw.offset), raw.url, raw.date, block)
