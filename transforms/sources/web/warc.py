"""WARC headers. ISO 28500:2017 (WARC 1.1) section 4; 1.0 and 0.x differ in nothing that is read here.

Deviations, for what real archives hold: a line may end in LF alone; a target address may stand in < > (WARC 1.0 says so
in its grammar, and wget wrote it); of a repeated field the first counts.
"""

from __future__ import annotations

import re

from schemas.errors import BadRecord
from transforms.sources.cursor import Cursor
from transforms.sources.items import RawRecord
from transforms.sources.web.archive import Grammar

FIRST_LINE = re.compile(rb"[\r\n]*WARC/[01]\.\d+[ \t]*\r?\n")
_HEADER_END = re.compile(rb"\n\r?\n")
_LENGTH = re.compile(r"\d{1,18}")


def _read_header(cursor: Cursor, record: RawRecord) -> None:
    head = cursor.take_until(_HEADER_END)
    if head is None:
        cursor.drop(1)  # so that the same line is not found again
        raise BadRecord("malformed_header", "the record's header has no end")
    if not FIRST_LINE.match(head):
        raise BadRecord("malformed_header", "no WARC version line where a record should begin")
    fields = parse_fields(head)
    record.record_type = fields.get("warc-type", "").lower()
    record.record_id = fields.get("warc-record-id", "")
    record.url = fields.get("warc-target-uri", "")
    record.date = fields.get("warc-date", "")
    record.media_type = fields.get("content-type", "")
    record.digest = fields.get("warc-payload-digest", "")
    record.truncated = fields.get("warc-truncated", "").lower()
    record.refers_to = fields.get("warc-refers-to", "") or fields.get("warc-refers-to-target-uri", "")
    length = fields.get("content-length", "")
    if not _LENGTH.fullmatch(length):
        raise BadRecord("malformed_header", "no Content-Length that is a number")
    record.length = int(length)


def parse_fields(head: bytes) -> dict[str, str]:
    """Return the named fields of a header, names in lower case, folded lines joined; its first line is not one."""
    fields: dict[str, str] = {}
    name = ""
    for line in head.decode("utf-8", "replace").split("\n")[1:]:
        if line[:1] in (" ", "\t") and name:
            fields[name] = f"{fields[name]} {line.strip()}".strip()
            continue
        key, colon, value = line.partition(":")
        name = key.strip().lower() if colon else ""
        if name and name not in fields:
            fields[name] = value.strip()
        else:
            name = ""
    return fields


WARC = Grammar("WARC", FIRST_LINE, re.compile(rb"WARC/"), _read_header, frozenset(("response", "conversion")))
