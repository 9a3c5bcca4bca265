"""A file of a repository, wherever it lies, and whether it is to be read.

The first that holds is the reason why a file is left out:

    link, special_file   it is no regular file, but a link, a device, a pipe
    unsafe_name          its path leaves the archive (`../`, an absolute path)
    duplicate_name       an entry before it has its path: which of them an unpacker keeps depends on the unpacker
    encrypted            it can only be read with a password
    vendored             it lies in a folder of copied libraries; detail is the folder
    binary, lock_file, generated_file, key_or_certificate, legal_text      by its name
    oversized_file       it has more than `max_file_bytes` bytes
    empty_file           it has none
    binary               a zero byte is among its first (and it is no UTF-16 or UTF-32 with a mark)
    unknown_language     neither its name nor its first line tells a language; detail is its ending
    other_language       it is not among `languages`; detail is its language
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from schemas.errors import BadRecord
from schemas.records import Header
from transforms.extraction.texts.decoding import decode_html
from transforms.sources.github.languages import language_of
from transforms.sources.github.names import extension, refusal, vendored_folder
from transforms.sources.github.settings import FilesConfig
from transforms.sources.items import Skipped
from transforms.sources.strings import storable

HEAD_BYTES: Final = 8000  # of a file that are looked at for zero bytes, as git does
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_UNWANTED: Final = re.compile("[\x00-\x08\x0b\x0e-\x1b\x7f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_MAX_BROKEN: Final = 0.002  # share of a file's characters that no encoding gives: more is no text (ours)


@dataclass(slots=True)
class Entry:
    """One file as its container tells of it."""

    repository: str
    path: str  # within the repository or the archive
    offset: int  # of the part
    size: int  # bytes
    read: Callable[[int], bytes]  # its first bytes, at most so many; BadRecord when it is damaged
    changed_at: datetime | None = None
    problem: str = ""  # why it is no readable file of its own: link, unsafe_name...
    detail: str = ""
    url: str = ""
    licence: str = ""  # SPDX expression that a table has for it
    licence_column: str = ""  # and in which column
    revision: str = ""
    stars: int | None = None
    root: str = ""  # the folder of the repository: two repositories can have one name

    @property
    def record_id(self) -> str:
        return storable(f"{self.repository.replace(':', '_')}:{self.path}")


def judge(entry: Entry, row: int, config: FilesConfig) -> Header | Skipped:
    """Return the header of a file, or why it is left out. BadRecord when its first bytes cannot be read."""
    reason, detail, value, limit = _reason(entry, config)
    if reason:
        return Skipped(
            row=row, offset=entry.offset, record_id=entry.record_id, url=entry.url, reason=reason,
            detail=storable(detail)[:200], value=value, limit=limit,
        )  # fmt: skip
    return Header(
        row=row,
        offset=entry.offset,
        length=entry.size,
        record_id=entry.record_id,
        url=entry.url,
        fetched_at=entry.changed_at,
        kind="code",
        media_type="text/plain",
    )


def _reason(entry: Entry, config: FilesConfig) -> tuple[str, str, float | None, float | None]:
    """Return reason, detail, measured value and limit; the reason '' for a file that is to be read."""
    if entry.problem:
        return entry.problem, entry.detail, None, None
    if not config.keep_vendored and (folder := vendored_folder(entry.path)):
        return "vendored", folder, None, None
    if by_name := refusal(entry.path):
        return by_name, extension(entry.path), None, None
    if entry.size > config.max_file_bytes:
        return "oversized_file", "", entry.size, config.max_file_bytes
    if not entry.size:
        return "empty_file", "", 0, None
    head = entry.read(HEAD_BYTES)
    if b"\0" in head and not head.startswith(tuple(mark for mark, _ in _BOMS)):
        return "binary", "", None, None
    language = language_of(entry.path, head.decode("utf-8", "replace"))
    if not language:
        return "unknown_language", extension(entry.path), None, None
    if config.languages and language not in config.languages:
        return "other_language", language, None, None
    return "", "", None, None


def decoded(data: bytes) -> tuple[str, str]:
    """Return a file's characters, line ends as `\\n`, and its encoding: utf-8, utf-16, utf-32 or other.

    Nothing but control characters goes: an invisible character in a literal is part of the program. Raises BadRecord
    when it is no text.
    """
    name, text = _decoded(data)
    n_broken = text.count("\ufffd") + text.count("\0")
    if n_broken > max(2, _MAX_BROKEN * len(text)):
        raise BadRecord("undecodable_text", f"{n_broken:,} of its {len(text):,} characters are in no encoding")
    return _UNWANTED.sub("", text.replace("\r\n", "\n").replace("\r", "\n")), name


def _decoded(data: bytes) -> tuple[str, str]:
    for mark, name in _BOMS:
        if data.startswith(mark):
            return name, data.decode(name, "replace").removeprefix("\ufeff")
    try:
        return "utf-8", data.decode()
    except UnicodeDecodeError:
        return "other", decode_html(data)
