"""Repositories as archives: tar (plain, gzip, bzip2, xz, Zstandard, LZ4) and ZIP. Nothing is ever unpacked to a disk.

An archive may be made to harm its reader. What is read of one is bounded: bytes that come out of it together, entries,
bytes of a file, bytes of a header. Names that lead out of it, links, devices and second entries of a name are left out,
each with its reason. An archive's repository is named by its file; `owner__name.tar.gz` is owner/name.
"""

from __future__ import annotations

import io
import lzma
import posixpath
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO, Final

from schemas.errors import BadRecord
from transforms.sources.github.entries import Entry
from transforms.sources.github.settings import FilesConfig
from transforms.sources.github.trees import name_of
from transforms.sources.members import GZIP, LZ4, ZSTD, Codec, RawFile, codec_of, inflate
from transforms.sources.pulled import BZIP2, XZ

MAX_TAR_HEADER: Final = 1 << 20  # bytes of a name or of extended headers

ARCHIVE_NAME: Final = re.compile(r"\.(?:tar(?:\.(?:gz|bz2|xz|zst|zstd|lz4))?|tgz|tbz2?|txz|zip)$", re.IGNORECASE)
_PASSED_BYTES: Final = 1 << 18  # of what is passed over at once
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_TAR_ERRORS: Final = (
    tarfile.TarError,
    ValueError,
    OverflowError,
    EOFError,
    RecursionError,
    KeyError,
    IndexError,
    struct.error,
    OSError,
)  # fmt: skip  what tarfile raises on headers made to harm
# NotImplementedError is zipfile's word for a compression or a version that it does not know.
_ZIP_ERRORS: Final = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError, ValueError,
    OverflowError, EOFError, KeyError, IndexError, struct.error, OSError,
)  # fmt: skip


def archive_entries(stream: BinaryIO, path: str, config: FilesConfig) -> Iterator[Entry]:
    """Yield the entries of an archive in their order; each must be read before the next is asked for.

    Raises BadRecord at a break, behind which nothing can be read.
    """
    raw = RawFile(stream)
    magic = raw.peek(8)
    if not magic:
        raise BadRecord("empty_file", "the file has no bytes")
    name = name_of(ARCHIVE_NAME.sub("", posixpath.basename(path)), 1)
    entries = _zip_entries(stream, name, config) if magic.startswith(_ZIP) else _tar_entries(raw, magic, name, config)
    seen: set[str] = set()
    for number, entry in enumerate(entries):
        if number == config.max_archive_files:
            raise BadRecord("too_many_entries", f"the archive has more than {number:,} entries")
        entry.path, unsafe = _safe(entry.path)
        if unsafe and not entry.problem:
            entry.problem = "unsafe_name"
        if not entry.problem and entry.path in seen:
            entry.problem = "duplicate_name"
        seen.add(entry.path)
        yield entry


def _safe(name: str) -> tuple[str, bool]:
    """Return a path without needless parts, and whether it leads out of the archive."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
    unsafe = (
        name.startswith(("/", "\\")) or ".." in parts or "\0" in name or bool(re.match(r"[A-Za-z]:", name)) or not parts
    )
    return "/".join(parts), unsafe


# ---- tar ------------------------------------------------------------------------------------------------------------


class _Inflated(io.RawIOBase):
    """What comes out of a compressed file, forward only, no more of it than a limit."""

    def __init__(self, raw: RawFile, codec: Codec | None, limit: int) -> None:
        self._pieces = self._inflated(raw, codec)
        self._buffer = b""
        self._at = 0
        self._limit = limit
        self.largest = MAX_TAR_HEADER  # bytes of one read

    @staticmethod
    def _inflated(raw: RawFile, codec: Codec | None) -> Iterator[bytes]:
        if codec is None:
            while piece := raw.piece():
                yield piece
            return
        while raw.peek(len(codec.magic)) == codec.magic:
            yield from inflate(raw, codec)

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence or offset < self._at:
            raise OSError("an archive is read forward only")
        while self._at < offset and (piece := self._take(min(offset - self._at, _PASSED_BYTES))):
            del piece
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= self.largest:
            raise BadRecord("oversized_header", f"a header of {size:,} bytes" if size is not None else "a header")
        return self._take(size)

    def _take(self, size: int) -> bytes:
        while len(self._buffer) < size and (piece := next(self._pieces, b"")):
            self._buffer += piece
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        self._at += len(data)
        if self._at > self._limit:
            raise BadRecord("archive_too_large", f"more than {self._limit >> 20:,} MiB come out of the archive")
        return data


def _codec(raw: RawFile, magic: bytes) -> Codec | None:
    if magic.startswith(b"BZh"):
        return BZIP2
    if magic.startswith(XZ.magic):
        return XZ
    return next((codec_of(sign, raw) for sign in (GZIP, LZ4, ZSTD) if magic.startswith(sign)), None)


def _tar_entries(raw: RawFile, magic: bytes, name: str, config: FilesConfig) -> Iterator[Entry]:
    inflated = _Inflated(raw, _codec(raw, magic), config.max_archive_mib << 20)
    inflated.largest = max(MAX_TAR_HEADER, config.max_file_bytes)
    try:
        with tarfile.open(fileobj=inflated, mode="r:", encoding="utf-8", errors="surrogateescape") as tar:
            revision = str(tar.pax_headers.get("comment", ""))
            while (member := tar.next()) is not None:
                tar.members = []  # type: ignore[attr-defined]  # else all are held
                if member.isdir():
                    continue
                yield _tar_entry(tar, member, name, revision)
    except _TAR_ERRORS as error:
        raise BadRecord("corrupt_archive", _one_line(error)) from None


def _tar_entry(tar: tarfile.TarFile, member: tarfile.TarInfo, name: str, revision: str) -> Entry:
    problem = ""
    if member.issym() or member.islnk():
        problem = "link"
    elif not member.isreg() or member.issparse():
        problem = "special_file"

    held = b""

    def read(limit: int) -> bytes:  # first the head, then all: the stream is behind what is held
        nonlocal held
        wanted = min(limit, member.size) - len(held)
        if wanted > 0 and tar.fileobj is not None:
            tar.fileobj.seek(member.offset_data + len(held))
            held += tar.fileobj.read(wanted)
            if len(held) < min(limit, member.size):
                raise BadRecord("truncated_archive", "the archive ends within a file")
        return held[:limit]

    return Entry(
        repository=name, path=member.name, offset=0, size=member.size, read=read,
        changed_at=_moment(member.mtime), problem=problem, detail=member.linkname[:200], revision=revision[:64],
    )  # fmt: skip


def _moment(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(seconds), UTC) if seconds > 0 else None
    except (ValueError, OverflowError, OSError):
        return None


# ---- ZIP ------------------------------------------------------------------------------------------------------------


def _zip_entries(stream: BinaryIO, name: str, config: FilesConfig) -> Iterator[Entry]:
    left = config.max_archive_mib << 20
    try:
        with zipfile.ZipFile(stream) as archive:
            revision = archive.comment.decode("ascii", "replace")[:64] if len(archive.comment) == 40 else ""
            for info in archive.infolist():
                if info.is_dir():
                    continue
                entry = _zip_entry(archive, info, name, revision)
                left -= min(info.file_size, config.max_file_bytes)
                if left < 0:
                    raise BadRecord("archive_too_large", f"its files have more than {config.max_archive_mib:,} MiB")
                yield entry
    except _ZIP_ERRORS as error:
        raise BadRecord("corrupt_archive", _one_line(error)) from None


def _zip_entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, revision: str) -> Entry:
    mode = info.external_attr >> 16
    problem = "encrypted" if info.flag_bits & 1 else ""
    if stat.S_IFMT(mode) == stat.S_IFLNK:
        problem = "link"
    elif stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        problem = "special_file"

    def read(limit: int) -> bytes:
        try:
            with archive.open(info) as file:
                return file.read(limit)
        except _ZIP_ERRORS as error:
            raise BadRecord("corrupt_file", _one_line(error)) from None

    return Entry(
        repository=name, path=info.filename, offset=info.header_offset, size=info.file_size, read=read,
        changed_at=_zip_moment(info), problem=problem, revision=revision,
    )  # fmt: skip


def _zip_moment(info: zipfile.ZipInfo) -> datetime | None:
    try:
        return datetime(*info.date_time, tzinfo=UTC) if info.date_time[0] > 1980 else None
    except ValueError:
        return None


def _one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]
