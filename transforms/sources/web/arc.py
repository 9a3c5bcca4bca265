"""ARC, the Internet Archive's format before WARC, versions 1 and 2 (Burner and Kahle, "Arc File Format", 1996).

A record is one line, `URL IP-address date content-type length` (version 2 puts four to five more fields before the
length), then that many bytes, then a newline. The first record, `filedesc://...`, describes the file. Only the fields
both versions share are read, and addresses with spaces in them are let through. There are no record ids and no digests.
"""

from __future__ import annotations

import re

from schemas.errors import BadRecord
from transforms.sources.cursor import Cursor
from transforms.sources.items import RawRecord
from transforms.sources.strings import address_of_bytes
from transforms.sources.web.archive import Grammar

FIRST_LINE = re.compile(
    rb"[\r\n]*([a-zA-Z][a-zA-Z0-9+.-]{1,15}:[^\r\n]{1,6000}?) (\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F:]{2,45}|-) "
    rb"(\d{8,17}) ([^ \r\n]+(?: [^\r\n]*)?) (\d{1,18})[ \t]*\r?\n"
)
_LINE_END = re.compile(rb"\n")


def _read_header(cursor: Cursor, record: RawRecord) -> None:
    line = cursor.take_until(_LINE_END)
    found = FIRST_LINE.match(line) if line and len(line) <= 8192 else None
    if not found:
        raise BadRecord("malformed_header", "no ARC header line where a record should begin")
    _, _, date, media_type, length = (group.decode("utf-8", "replace") for group in found.groups())
    record.url = address_of_bytes(found.group(1))
    record.record_type = "filedesc" if record.url.startswith("filedesc:") else "response"
    record.date = date
    record.media_type = "" if media_type == "no-type" else media_type
    record.length = int(length)


ARC = Grammar("ARC", FIRST_LINE, re.compile(rb"[a-zA-Z][a-zA-Z0-9+.-]{1,15}:"), _read_header, frozenset(("response",)))
