"""Which format a file has, by its first bytes and then by its name; and how files are cut into parts.

cut at       members that begin like a record   .warc.gz .arc.gz .wet.gz, .lz4 and .zst of them
             lines                              plain .jsonl
             row groups                         .parquet
never cut    one part                           plain .warc .arc .wet, compressed .jsonl, unknown names
"""

from __future__ import annotations

import json
import math
import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.errors import BadRecord
from transforms.sources.items import Part
from transforms.sources.members import GZIP, LZ4, PEEK_BYTES, ZSTD, Codec, RawFile, codec_of, inflate
from transforms.sources.web import arc, warc
from transforms.sources.web.archive import Grammar

MIN_PART_BYTES = 1 << 20
PARTS = 16  # wanted at least, so that a small input keeps several workers busy
HEAD_BYTES = 8192

_JSONL = r"(?:jsonl|ndjson|jsonlines|json)"
_ARCHIVE_NAME = re.compile(r"\.(warc|wet|arc)(?:\.(?:gz|lz4|zst|zstd|wet|wat))*(?:\.open)?$", re.IGNORECASE)
_JSONL_NAME = re.compile(rf"\.{_JSONL}(?:\.(?:gz|zst|zstd|lz4))?$", re.IGNORECASE)
_CUT_NAME = re.compile(rf"\.(?:warc|wet|arc)(?:\.\w+)?\.(?:gz|lz4|zstd?)$|\.{_JSONL}$|\.parquet$", re.IGNORECASE)
_CODEC_NAMES = ((".gz", GZIP), (".lz4", LZ4), (".zst", ZSTD), (".zstd", ZSTD))
_ZSTD_SKIPPABLE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")


@dataclass(frozen=True)
class Format:
    """A grammar, 'jsonl' or 'parquet', and the codec around it."""

    reader: Grammar | str
    codec: Codec | None


def plan_parts(files: Sequence[tuple[str, int]], max_bytes: int) -> list[Part]:
    """Return the parts of `files`, (path, bytes) each, by path and place.

    A part has a sixteenth of all bytes, but at least 1 MiB and at most `max_bytes`; a file is cut into equal parts.
    """
    total = sum(size for _, size in files)
    wanted = max(1, min(max(math.ceil(total / PARTS), MIN_PART_BYTES), max_bytes))
    parts: list[Part] = []
    for path, size in sorted(files):
        n = max(1, math.ceil(size / wanted)) if _CUT_NAME.search(_name(path)) else 1
        parts.extend(Part(path, size * i // n, size * (i + 1) // n) for i in range(n))
    return parts


def whole_files(files: Sequence[tuple[str, int]], max_bytes: int) -> list[Part]:
    """Return parts of whole files, (path, bytes) each, in order of path, for sources of many small files.

    A part has a sixteenth of all bytes, but at least 1 MiB and at most `max_bytes`, or one file that has more.
    """
    wanted = min(max(math.ceil(sum(size for _, size in files) / PARTS), MIN_PART_BYTES), max_bytes)
    groups: list[list[tuple[str, int]]] = []
    filled = wanted
    for path, size in sorted(files):
        if filled + size > wanted:
            groups.append([])
            filled = 0
        groups[-1].append((path, size))
        filled += size
    return [Part.of_files(group) for group in groups]


def detect(raw: RawFile, path: str) -> Format | None:
    """Return the format of a file, None if neither its bytes nor its name tell."""
    raw.pos = 0
    magic = raw.peek(16)
    if magic.startswith(b"PAR1"):
        return Format("parquet", None)
    codec = _codec(raw, magic, path)
    head = _head(raw, codec)
    reader = _reader_of(head) or _reader_named(_name(path))
    if reader == "jsonl" and head.lstrip().startswith((b"[", GZIP, LZ4, ZSTD)):
        reader = None  # one JSON array over many lines, or compressed twice: no line of it is a row
    raw.pos = 0
    return Format(reader, codec) if reader else None


_OTHERS = (
    (b"[", "one JSON array, not a line for each row"), (b"BZh", "bzip2"), (b"\xfd7zXZ", "xz"), (b"PK\x03\x04", "ZIP"),
    (b"7z\xbc\xaf", "7z"), (b"ARROW1", "Arrow's IPC format"), (b"Obj\x01", "Avro"), (b"SQLite", "SQLite"),
    (b"%PDF", "PDF"), (b"<", "HTML or XML"),
)  # fmt: skip


def why_none(raw: RawFile) -> str:
    """Return what a person is told of a file whose format is none that is read."""
    raw.pos = 0
    codec = _codec(raw, raw.peek(16), "")
    if codec is not None and _head(raw, codec).startswith((GZIP, LZ4, ZSTD)):
        return "it is compressed twice: uncompress it once"
    raw.pos = 0
    head = raw.peek(HEAD_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    name = next((name for sign, name in _OTHERS if head.startswith(sign)), "")
    seems = f"it seems to be {name}" if name else "neither its first bytes nor its name tell a format"
    return f"{seems}; WARC, ARC, WET, JSON Lines (plain, gzip, LZ4, Zstandard) and Parquet are read"


def _codec(raw: RawFile, magic: bytes, path: str) -> Codec | None:
    for sign in (GZIP, LZ4, ZSTD):
        if magic.startswith(sign):
            return codec_of(sign, raw)
    if _ZSTD_SKIPPABLE.match(magic):
        return codec_of(ZSTD, raw)
    if _reader_of(raw.peek(HEAD_BYTES)):
        return None  # not compressed, despite its name
    for ending, sign in _CODEC_NAMES:
        if _name(path).lower().endswith(ending):
            return codec_of(sign, raw)
    return None


def _head(raw: RawFile, codec: Codec | None) -> bytes:
    if codec is None:
        return raw.peek(HEAD_BYTES)
    head = b""
    while codec.magic == ZSTD and _ZSTD_SKIPPABLE.match(raw.peek(4)):
        raw.pos += 8 + int.from_bytes(raw.peek(8)[4:], "little")
    if raw.peek(len(codec.magic)) != codec.magic:
        return b""
    try:
        for out in inflate(raw, codec, PEEK_BYTES):
            head += out
            if len(head) >= HEAD_BYTES:
                break
    except BadRecord:
        return head
    return head


def _reader_of(head: bytes) -> Grammar | str | None:
    if warc.FIRST_LINE.match(head):
        return warc.WARC
    if arc.FIRST_LINE.match(head):
        return arc.ARC
    first = head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n").split(b"\n", 1)
    if not first[0].startswith(b"{"):
        return None
    try:
        json.loads(first[0])
    except (ValueError, RecursionError):
        return "jsonl" if len(first) == 1 and len(head) >= HEAD_BYTES else None
    return "jsonl"


def _reader_named(name: str) -> Grammar | str | None:
    found = _ARCHIVE_NAME.search(name)
    if found:
        return arc.ARC if found.group(1).lower() == "arc" else warc.WARC
    if _JSONL_NAME.search(name):
        return "jsonl"
    return "parquet" if name.lower().endswith(".parquet") else None


def _name(path: str) -> str:
    return posixpath.basename(path.split("?", 1)[0] if "://" in path else path)
