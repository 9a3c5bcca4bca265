"""WARC headers. ISO 28500:2017 (WARC 1.1) section 4; 1.0 and 0.x differ in nothing that is read here.

Deviations, for what real archives hold: a line may end in LF alone; a target address may stand in < > (WARC 1.0 says so
in its grammar, and wget wrote it); of a repeated field the first counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from schemas.errors import BadRecord
from transforms.sources.cursor import Cursor
from transforms.sources.items import RawRecord
from transforms.sources.strings import address_of_bytes
from transforms.sources.web.archive import Grammar

FIRST_LINE = re.compile(rb"[\r\n]*WARC/[01]\.\d+[ \t]*\r?\n")
_HEADER_END = re.compile(rb"\n\r?\n")
_LENGTH = re.compile(r"[0-9]{1,18}")


def _read_header(cursor: Cursor, record: RawRecord) -> None:
    head = cursor.take_until(_HEADER_END)
    if head is None:
        cursor.drop(1)  # so that the same line is not found again
        raise BadRecord("malformed_header", "the record's header has no end")
    if not FIRST_LINE.match(head):
        raise BadRecord("malformed_header", "no WARC version line where a record should begin")
    fields = parse_fields(head)
    record.record_type = _text(fields, b"warc-type").lower()
    record.record_id = _text(fields, b"warc-record-id")
    record.url = address_of_bytes(fields.get(b"warc-target-uri", b""))
    record.date = _text(fields, b"warc-date")
    record.media_type = _text(fields, b"content-type")
    record.digest = _text(fields, b"warc-payload-digest")
    record.truncated = _text(fields, b"warc-truncated").lower()
    record.refers_to = _text(fields, b"warc-refers-to") or address_of_bytes(
        fields.get(b"warc-refers-to-target-uri", b"")
    )
    length = _text(fields, b"content-length")
    if not _LENGTH.fullmatch(length):
        raise BadRecord("malformed_header", "no Content-Length that is a number")
    record.length = int(length)


def _text(fields: Mapping[bytes, bytes], name: bytes) -> str:
    return fields.get(name, b"").decode("utf-8", "replace")


def parse_fields(head: bytes) -> dict[bytes, bytes]:
    """Return the named fields of a header, names in lower case, folded lines joined; its first line is not one."""
    fields: dict[bytes, bytes] = {}
    name = b""
    for line in head.split(b"\n")[1:]:
        if line[:1] in (b" ", b"\t") and name:
            fields[name] = (fields[name] + b" " + line.strip()).strip()
            continue
        key, colon, value = line.partition(b":")
        name = key.strip().lower() if colon else b""
        if name and name not in fields:
            fields[name] = value.strip()
        else:
            name = b""
    return fields


_KEPT_TYPES = frozenset(("response", "resource", "conversion"))
WARC = Grammar("WARC", FIRST_LINE, re.compile(rb"WARC/"), _read_header, _KEPT_TYPES)
