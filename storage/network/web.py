"""Files of web servers: with Range requests they are read in blocks, without them once into a temporary file.

What a file is does not depend on how it is sent: a coding for the transport (`Content-Encoding`) is undone, one that
is the file's own, as of `x.warc.gz`, stays.
"""

from __future__ import annotations

import gzip
import io
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable
from typing import IO, Any, BinaryIO, cast
from urllib.parse import urlsplit

from fsspec.asyn import sync

from schemas.errors import ChangedInputError, InputError
from storage.network.remote import StatusError, filesystem, retry
from storage.network.web_client import Head, LocalWriteError, get

BLOCK_BYTES = 4 << 20  # of one request of a file that is read by ranges
_FIRST_BYTE = (0, 1)  # what is asked for to learn size, ranges and status: a signed address allows GET alone
_GZIP = ("gzip", "x-gzip")
_OWN_NAMES = {"gzip": (".gz", ".tgz"), "x-gzip": (".gz", ".tgz"), "br": (".br",), "zstd": (".zst", ".zstd")}
_GONE = (404, 410)


def web_exists(path: str) -> bool:
    """Return whether a server has something at an address. InputError when it does not say: 403, 503, no network."""
    fs = filesystem(path)

    def ask() -> bool:
        try:
            _ask(fs, path, _FIRST_BYTE, _nowhere)
        except StatusError as error:
            if error.status in _GONE:
                return False
            raise
        return True

    return retry(path, ask)


def describe_web(path: str) -> tuple[int, dict[str, str]]:
    """Return the bytes of the file at an address, and the headers that change with it (ETag and the like).

    One byte is asked for; of a server that does not tell sizes, or sends a coding of its own, the whole file.
    """
    fs = filesystem(path)
    head = retry(path, lambda: _ask(fs, path, _FIRST_BYTE, _nowhere))
    if head.size is not None and not _is_foreign(path, head.coding):
        return head.size, head.checksums
    with _whole(fs, path) as file:
        return file.seek(0, os.SEEK_END), head.checksums


def read_web(path: str, total_s: float | None = None) -> bytes:
    """Return the whole file at an address, by one request; `total_s` bounds the seconds of an attempt."""
    fs, file = filesystem(path), io.BytesIO()
    head = retry(path, lambda: _ask(fs, path, None, lambda _: _emptied(file), total_s))
    plain = _decoded(path, head, file, io.BytesIO)
    return (plain or file).read()


def copy_web(path: str, file: IO[bytes]) -> None:
    """Write the whole file at an address into a local one, in place of what that holds.

    Raises InputError for what the network does, OSError when the local file cannot be written.
    """
    fs = filesystem(path)
    try:
        head = retry(path, lambda: _ask(fs, path, None, lambda _: _emptied(file)))
        plain = _decoded(path, head, file, tempfile.TemporaryFile)
    except LocalWriteError as error:
        raise error.error from None
    if plain is not None:
        with plain:
            shutil.copyfileobj(plain, _emptied(file), BLOCK_BYTES)


def open_web(path: str) -> BinaryIO:
    """Return the file at an address open for reading, seekable and buffered."""
    fs = filesystem(path)
    head, file = _spooled(fs, path, _FIRST_BYTE)
    if file is not None:
        return file
    if head.size is None or _is_foreign(path, head.coding):
        return _whole(fs, path)
    return io.BufferedReader(_Ranges(path, fs, head.size), buffer_size=1 << 16)


class _Ranges(io.RawIOBase):
    """A file of which a server gives any part; the last block is kept."""

    def __init__(self, path: str, fs: Any, size: int) -> None:
        self._path, self._fs, self._size = path, fs, size
        self._place = 0
        self._start, self._block = 0, b""
        self._copy: BinaryIO | None = None  # the whole file, once the server gives no parts any more

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError(f"negative seek position {base + offset}")
        self._place = base + offset
        return self._place

    def readinto(self, buffer: Any, /) -> int:
        length = min(len(buffer), self._size - self._place)
        if length <= 0:
            return 0
        if not self._start <= self._place < self._start + len(self._block):
            stop = min(self._place + BLOCK_BYTES, self._size)
            self._block = self._part(self._place, stop)
            self._start = self._place
        first = self._place - self._start
        data = self._block[first : first + length]
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)

    def _part(self, start: int, stop: int) -> bytes:
        if self._copy is None:
            block = io.BytesIO()

            def ask() -> Head:
                return _ask(
                    self._fs, self._path, (start, stop), lambda head: _emptied(block) if head.is_range else None
                )

            head = retry(self._path, ask)
            if head.is_range:
                self._check_size(head.size)
                return block.getvalue()
            self._copy = _whole(self._fs, self._path)
            self._check_size(self._copy.seek(0, os.SEEK_END))
        self._copy.seek(start)
        return self._copy.read(stop - start)

    def _check_size(self, size: int | None) -> None:
        if size is not None and size != self._size:
            raise ChangedInputError(f"{self._path}: has changed while it was read: {self._size:,} bytes, now {size:,}")

    def close(self) -> None:
        if self._copy is not None:
            self._copy.close()
        super().close()


def _whole(fs: Any, path: str) -> BinaryIO:
    """Return the whole file in a temporary one."""
    _, file = _spooled(fs, path, None)
    assert file is not None  # noqa: S101
    return file


def _spooled(fs: Any, path: str, wanted: tuple[int, int] | None) -> tuple[Head, BinaryIO | None]:
    """Return the head of an answer; unless that is the range that was wanted, also the file in a temporary one.

    It has no name: it is gone when it is closed, and when the process ends, however that ends.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115  the caller closes it
    try:
        head = retry(path, lambda: _ask(fs, path, wanted, lambda head: None if head.is_range else _emptied(file)))
        if head.is_range:
            file.close()
            return head, None
        plain = _decoded(path, head, file, tempfile.TemporaryFile)
    except LocalWriteError as error:
        file.close()
        raise InputError(
            f"{path}: the server gives no parts of it, and {tempfile.gettempdir()} cannot hold the whole:"
            f" {error.error.strerror}; make room there, or set TMPDIR"
        ) from error
    except BaseException:
        file.close()
        raise
    if plain is not None:
        file.close()
    return head, cast(BinaryIO, plain or file)


def _ask(
    fs: Any,
    path: str,
    wanted: tuple[int, int] | None,
    sink: Callable[[Head], IO[bytes] | None],
    total_s: float | None = None,
) -> Head:
    head: Head = sync(fs.loop, get, fs, path, wanted, sink, total_s)
    return head


def _nowhere(head: Head) -> None:
    """Leave the body unread."""


def _emptied(file: IO[bytes]) -> IO[bytes]:
    """Return `file` without what an earlier attempt wrote."""
    file.seek(0)
    file.truncate()
    return file


def _is_foreign(path: str, coding: str) -> bool:
    """Return whether a coding belongs to the transport, not to the file: what is called `.gz` was stored as gzip."""
    return bool(coding) and not urlsplit(path).path.lower().endswith(_OWN_NAMES.get(coding, ("/",)))


def _decoded(path: str, head: Head, file: IO[bytes], new: Callable[[], IO[bytes]]) -> IO[bytes] | None:
    """Return a `new` file without the transport's coding; None when there is none, and `file` is at its beginning.

    Bytes that are no gzip are taken as they came, whatever their head says.
    """
    file.seek(0)
    if not _is_foreign(path, head.coding):
        return None
    if head.coding not in _GZIP:
        raise InputError(f"{path}: sent with Content-Encoding {head.coding}, which was not asked for")
    is_gzip = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    if not is_gzip:
        return None
    plain = new()
    try:
        with gzip.GzipFile(fileobj=file) as packed:
            shutil.copyfileobj(packed, plain, BLOCK_BYTES)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        plain.close()
        raise InputError(f"{path}: sent with Content-Encoding gzip, and damaged: {error}") from error
    except OSError as error:
        plain.close()
        raise LocalWriteError(error) from error
    plain.seek(0)
    return plain
