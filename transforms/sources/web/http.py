"""HTTP responses as archives hold them: a lenient head, and codings that may be declared, wrongly declared or missing.

Crawlers often store a body decoded and its headers as they came, so a declared coding is a hint and the bytes decide:
gzip, zlib and Zstandard have a magic; chunked framing is checked as it is undone; deflate and brotli have none and are
tried unless the body already reads as text. RFC 9110 and 9112, section 7.1 for chunked.
"""

from __future__ import annotations

import dataclasses
import re
import zlib
from dataclasses import dataclass

import brotli
import zstandard
from isal import isal_zlib

from schemas.errors import BadRecord
from transforms.sources.members import GZIP, ISAL_ERROR, MAX_WINDOW, ZSTD

MAX_HEAD_BYTES = 1 << 16

_STATUS = re.compile(rb"HTTP/\d(?:\.\d)?[ \t]+(\d{3})(?=[ \t\r\n]|$)", re.IGNORECASE)
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_FIELD = re.compile(
    rb"^(content-type|content-encoding|transfer-encoding)[ \t]*:([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)",
    re.IGNORECASE | re.MULTILINE,
)
_FIELD_LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+[ \t]*:")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:+-]+)", re.IGNORECASE)
_CHUNK = re.compile(rb"[ \t]*([0-9a-fA-F]{1,15})[ \t]*(?:;[^\r\n]{0,1024})?\r?\n")
_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+*-]+")

_TEXT_BYTES = bytes({9, 10, 12, 13, *range(32, 256)})
_STEP = 1 << 16

GZIP_BITS, ZLIB_BITS, DEFLATE_BITS = 31, 15, -15


@dataclass(frozen=True, slots=True)
class Head:
    """What of a response's head matters; `body_start` is where the payload begins in the block."""

    status: int  # 0: malformed or none
    media_type: str
    charset: str
    codings: tuple[str, ...]  # as applied, innermost first; 'chunked' comes last
    body_start: int


def parse_head(block: bytes, content_type: str = "") -> Head:
    """Return the head of the HTTP response in `block`; one without a head is all body, of type `content_type`."""
    first = block[:MAX_HEAD_BYTES]
    status = _STATUS.match(first)
    if not status and not first[:5].upper().startswith(b"HTTP/") and not _FIELD_LINE.match(first):
        return Head(0, media_type_of(content_type), charset_of(content_type), (), 0)
    end = _HEAD_END.search(first)
    head = first[: end.start()] if end else first
    if status and end and status.group(1)[:1] == b"1" and _STATUS.match(first, end.end()):
        final = parse_head(block[end.end() :], content_type)  # an interim response (100 Continue) came before
        return dataclasses.replace(final, body_start=final.body_start + end.end())
    kind, content, transfer = "", [], []
    for name, value in _FIELD.findall(head):
        text = value.decode("latin-1").strip()
        if name[0] in b"tT":
            transfer.append(text)
        elif name[8] in b"tT":
            kind = kind or text
        else:
            content.append(text)
    return Head(
        status=int(status.group(1)) if status else 0,
        media_type=media_type_of(kind),
        charset=charset_of(kind),
        codings=(*_codings(content), *_codings(transfer)),
        body_start=end.end() if end else len(block),
    )


def media_type_of(content_type: str) -> str:
    """Return the media type of a Content-Type field, lower case and without parameters; '' if it has none."""
    found = _MEDIA_TYPE.match(content_type.strip())
    return found.group().lower() if found else ""


def charset_of(content_type: str) -> str:
    """Return the charset a Content-Type field declares, in lower case, or ''."""
    found = _CHARSET.search(content_type)
    return found.group(1).lower() if found else ""


def decode_body(body: bytes, codings: tuple[str, ...], limit: int) -> bytes:
    """Return `body` without its codings, declared or not.

    A body cut off in the midst gives what can be decoded. Raises BadRecord when it decodes to more than `limit` bytes
    (`oversized_decoded_body`) or not at all and is no text either (`undecodable_body`).
    """
    decoded = peel(body, codings, limit + 1)
    if len(decoded) > limit:
        raise BadRecord("oversized_decoded_body", f"more than {limit} bytes once its content codings are removed")
    return decoded


def peel(body: bytes, codings: tuple[str, ...], limit: int) -> bytes:
    """Return the first `limit` bytes, or some more, of `body` without its codings."""
    for coding in reversed(codings):
        if coding == "chunked":
            body = _or_else(_unchunk(body, lenient=True), body)
        elif coding in ("br", "deflate"):
            body = _peel_unmarked(body, coding, limit)
        body = _peel_marked(body, limit)
    if "chunked" not in codings:
        body = _peel_marked(_or_else(_unchunk(body, lenient=False), body), limit)
    return body


def looks_like_text(data: bytes) -> bool:
    """Return whether the first 256 bytes hold no control characters, or a byte order mark comes first."""
    head = data[:256]
    return head.startswith((b"\xff\xfe", b"\xfe\xff")) or not head.translate(None, _TEXT_BYTES)


def _codings(values: list[str]) -> list[str]:
    names = [name.strip().lower().removeprefix("x-") for value in values for name in value.split(",")]
    return [name for name in names if name in ("chunked", "br", "deflate", "gzip", "zstd")]


def _peel_marked(body: bytes, limit: int) -> bytes:
    """Remove gzip and Zstandard layers, which say what they are; three at most."""
    for _ in range(3):
        if body.startswith(GZIP):
            body = _inflate(body, GZIP_BITS, limit)
        elif body.startswith(ZSTD):
            body = _unzstd(body, limit)
        else:
            break
    return body


def _peel_unmarked(body: bytes, coding: str, limit: int) -> bytes:
    if not body or body.startswith((GZIP, ZSTD)):
        return body
    text = looks_like_text(body)
    if text and body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"<", b"{")):
        return body
    try:
        if coding == "br":
            return _unbrotli(body, limit)
        zlib_header = body[0] & 15 == 8 and int.from_bytes(body[:2], "big") % 31 == 0
        return _inflate(body, ZLIB_BITS if zlib_header else DEFLATE_BITS, limit)
    except BadRecord:
        if text:
            return body
        raise


def _or_else(decoded: bytes | None, body: bytes) -> bytes:
    return body if decoded is None else decoded


def _unchunk(body: bytes, *, lenient: bool) -> bytes | None:
    """Return `body` without chunked framing, None if it has none.

    Lenient, for a body declared chunked: the first size line must be right, and a body cut off within a chunk is taken
    as far as it goes. Else every chunk and the end must be right.
    """
    pieces: list[bytes] = []
    at = 0
    while line := _CHUNK.match(body, at):
        start, end = line.end(), line.end() + int(line.group(1), 16)
        if start == end:
            return b"".join(pieces) if pieces or not body[start:].strip() else None
        pieces.append(body[start:end])
        if end >= len(body) or body[end : end + 1] not in b"\r\n":
            whole = lenient and (end >= len(body) or len(pieces) > 1)
            return b"".join(pieces) if whole else None
        at = end + (2 if body[end : end + 2] == b"\r\n" else 1)
    return b"".join(pieces) if lenient and pieces else None


def _inflate(body: bytes, window_bits: int, limit: int) -> bytes:
    """Inflate as many of `body`'s members as give `limit` bytes; what comes before a break is kept."""
    out = bytearray()
    rest = body
    while rest and len(out) < limit:
        member = isal_zlib.decompressobj(window_bits)
        data = rest
        try:
            while not member.eof and len(out) < limit:
                piece = member.decompress(data, min(_STEP, limit - len(out)))
                if not piece and not member.unconsumed_tail:
                    break
                out += piece
                data = member.unconsumed_tail
        except ISAL_ERROR:
            return bytes(out) or _inflate_before_break(rest, window_bits, limit)
        rest = member.unused_data if window_bits == GZIP_BITS and member.unused_data.startswith(GZIP) else b""
    return bytes(out)


def _inflate_before_break(body: bytes, window_bits: int, limit: int) -> bytes:
    """Inflate the start of a broken member byte by byte; BadRecord if nothing comes out."""
    member = zlib.decompressobj(window_bits)
    out = bytearray()
    try:
        for n in range(len(body)):
            out += member.decompress(body[n : n + 1])
            if len(out) >= limit:
                break
    except zlib.error:
        pass
    if not out:
        raise BadRecord("undecodable_body", "the body is neither text nor in the content coding it declares")
    return bytes(out)


def _unzstd(body: bytes, limit: int) -> bytes:
    out = bytearray()
    try:
        unpacker = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW)
        with unpacker.stream_reader(body, read_across_frames=True) as reader:
            while len(out) < limit and (piece := reader.read(min(_STEP, limit - len(out)))):
                out += piece
    except zstandard.ZstdError:
        if not out:
            raise BadRecord("undecodable_body", "the body's Zstandard data is corrupt from its start") from None
    return bytes(out)


def _unbrotli(body: bytes, limit: int) -> bytes:
    out = bytearray()
    decoder = brotli.Decompressor()
    data, is_whole = body, False
    try:
        while len(out) < limit and not (is_whole := decoder.is_finished()):
            piece = decoder.process(data, output_buffer_limit=min(_STEP, limit - len(out)))
            if not piece and not data:
                break
            out += piece
            data = b""
    except brotli.error:
        pass
    if not out and not is_whole:  # a whole stream without output is the coding of nothing
        raise BadRecord("undecodable_body", "the body is neither text nor in the content coding it declares")
    return bytes(out)
