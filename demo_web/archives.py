"""Bytes of archives: WARC/1.0 records (ISO 28500), WET conversion records and JSON lines.

Written by hand: the reader under test must not be the writer's library, and broken records need a hand.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from dataclasses import dataclass, field
from datetime import datetime

from demo_web.truth import IS_KEPT, Fate

HTML_UTF8 = "text/html; charset=utf-8"
_GZIP_HEAD = b"\x1f\x8b\x08" + bytes(6) + b"\x03"  # RFC 1952: deflate, no flags, no time, written on Unix
GARBAGE_BYTES = b"\x00\xffthis is no record of any kind\r\n" * 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """One record to write: its headers, its body as it travels, and what is known of it."""

    url: str
    record_id: str
    fetched_at: datetime | None
    page_class: str
    kind: str = "response"
    body: bytes = b""
    status: str = "HTTP/1.1 200 OK"
    media_type: str = HTML_UTF8
    headers: tuple[tuple[str, str], ...] = ()
    chunked: bool = False  # whether the body travels in chunks; what the headers say is theirs to say
    language: str = ""
    fate: Fate = field(default=IS_KEPT)
    cluster: str | None = None
    text: tuple[str, ...] = ()
    refers_to: str = ""  # record id that a revisit, request or metadata record belongs to
    bad_date: str = ""  # written in place of fetched_at


def date_text(capture: Capture) -> str:
    """Return the WARC-Date."""
    if capture.fetched_at is None:
        return capture.bad_date
    return capture.fetched_at.strftime("%Y-%m-%dT%H:%M:%SZ")


def sha1(data: bytes) -> str:
    """Return the digest as archives write it: base32 of SHA-1 (not for security)."""
    return "sha1:" + base64.b32encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()


def chunked(body: bytes, size: int = 1500) -> bytes:
    """Return `body` in the chunked transfer coding (RFC 9112, 7.1)."""
    chunks = [body[i : i + size] for i in range(0, len(body), size)]
    return b"".join(f"{len(c):x}\r\n".encode() + c + b"\r\n" for c in chunks) + b"0\r\n\r\n"


def warc_record(capture: Capture) -> bytes:
    """Return one uncompressed WARC record."""
    content_type, block, payload = _block(capture)
    lines = [
        "WARC/1.0",
        f"WARC-Type: {capture.kind}",
        f"WARC-Record-ID: <{capture.record_id}>",
        f"WARC-Date: {date_text(capture)}",
    ]
    if capture.url:
        lines.append(f"WARC-Target-URI: {capture.url}")
    if capture.refers_to:
        name = "WARC-Refers-To" if capture.kind in ("revisit", "conversion") else "WARC-Concurrent-To"
        lines.append(f"{name}: <{capture.refers_to}>")
    if capture.kind == "revisit":
        lines.append("WARC-Profile: http://netpreserve.org/warc/1.0/revisit/identical-payload-digest")
    if payload is not None:
        lines.append(f"WARC-Payload-Digest: {sha1(payload)}")
    lines += [f"WARC-Block-Digest: {sha1(block)}", f"Content-Type: {content_type}", f"Content-Length: {len(block)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + block + b"\r\n\r\n"


def _block(capture: Capture) -> tuple[str, bytes, bytes | None]:
    """Return the record's content type, its block, and the payload its digest is taken of."""
    if capture.kind in ("response", "revisit"):
        payload = capture.body
        wire = chunked(payload) if capture.chunked else payload
        head = [capture.status, f"Content-Type: {capture.media_type}"]
        head += [f"{name}: {value}" for name, value in capture.headers]
        if not any(name == "Transfer-Encoding" for name, _ in capture.headers):
            head.append(f"Content-Length: {len(wire)}")
        block = "\r\n".join(head).encode() + b"\r\n\r\n" + wire
        return "application/http; msgtype=response", block, payload or None
    if capture.kind == "request":
        path = "/" + capture.url.split("/", 3)[-1]
        text = f"GET {path} HTTP/1.1\r\nHost: {capture.url.split('/')[2]}\r\nUser-Agent: demo\r\n\r\n"
        return "application/http; msgtype=request", text.encode(), None
    return capture.media_type, capture.body, None


def member(record: bytes) -> bytes:
    """Return the record as a gzip member of its own; no clock in its header."""
    return gzipped(record)


def gzipped(data: bytes) -> bytes:
    """Return one gzip member without a clock, the same bytes from every Python with the same zlib.

    The header is written here. That of `gzip.compress(mtime=0)` names the operating system as 3 in Python 3.11 and 3.12
    and as 255 from 3.13 on: digests of pages that travel compressed changed, so their ids, so what the mix drew.
    """
    deflate = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    ending = zlib.crc32(data).to_bytes(4, "little") + (len(data) & 0xFFFFFFFF).to_bytes(4, "little")
    return _GZIP_HEAD + deflate.compress(data) + deflate.flush() + ending


def json_line(capture: Capture) -> bytes:
    """Return a document as one JSON line: id, url, fetched_at, text."""
    row = {
        "id": capture.record_id,
        "url": capture.url,
        "fetched_at": date_text(capture),
        "text": capture.body.decode(),
    }
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"
