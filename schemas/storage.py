"""Where files are: the one seam between Winnow and storage, over fsspec.

A path is a string: a local path, `gs://`, `s3://`, `https://`, `http://` or `memory://`. Object stores have neither
rename nor partial write, so what holds everywhere is the promise of `write_atomic`: a reader sees the old bytes or the
new ones.
Credentials and endpoints come from each library's own places, or from fsspec's environment variables
(`FSSPEC_S3_ENDPOINT_URL=http://...`).

Reading what cannot be listed, opened or fetched raises InputError in one line; a network read is tried again first.
Writing raises plain OSError (no space left), which the stage that writes turns into its own line.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import io
import os
import posixpath
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

import fsspec
from fsspec.core import split_protocol

from schemas.errors import InputError

T = TypeVar("T")

BLOCK_BYTES = 4 << 20  # one request of a remote read
ATTEMPTS = 4  # of a remote call, with 1, 2 and 4 seconds between them

_EXTRAS = {"gs": "winnow[gcp]", "gcs": "winnow[gcp]", "s3": "winnow[s3]", "s3a": "winnow[s3]"}
_CHECKSUMS = ("ETag", "etag", "md5Hash", "crc32c", "Content-MD5", "generation", "LastModified", "Last-Modified")


def is_local(path: str) -> bool:
    """Return whether `path` lies in the local file system."""
    return split_protocol(path)[0] in (None, "file", "local")


def join(directory: str, *names: str) -> str:
    """Return the path of `names` beneath `directory`."""
    return posixpath.join(directory, *names)


def size(path: str) -> int:
    """Return the bytes of the file at `path`; InputError when that cannot be known."""
    if is_local(path):
        return _local_stat(path).st_size
    found = _info(path).get("size")
    if found is None:
        raise InputError(f"{path}: the server does not tell its size")
    return int(found)


def fingerprint(path: str) -> str:
    """Return a text that changes when the file does: size and modification time, or size and what the store offers.

    Remote stores offer an ETag, a checksum, a generation or a date; what offers none is told apart by size alone.
    """
    if is_local(path):
        stat = _local_stat(path)
        return f"{stat.st_size}:{stat.st_mtime_ns}"
    info = _info(path)
    marks = [f"{key}={info[key]}" for key in _CHECKSUMS if info.get(key)]
    return ":".join([str(info.get("size")), *marks[:1]])


def open_read(path: str) -> BinaryIO:
    """Return the file at `path` open for reading, seekable and buffered.

    A web server without Range requests is read once into an unnamed temporary file.
    """
    if is_local(path):
        try:
            return local_path(path).open("rb")
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    fs = filesystem(path)

    def open_remote() -> Any:
        return fs.open(path, "rb", block_size=BLOCK_BYTES, cache_type="readahead")

    remote = retry(path, open_remote)
    if remote.seekable() and getattr(remote, "size", None) is not None:
        return cast(BinaryIO, io.BufferedReader(_RemoteFile(path, remote), buffer_size=1 << 16))
    return retry(path, lambda: _spool(fs, path))


def read_bytes(path: str) -> bytes:
    """Return the whole file at `path`."""
    with open_read(path) as stream:
        return stream.read()


def open_write(path: str) -> BinaryIO:
    """Return a new file at `path` open for writing; its directories are made. Whole only once it is closed."""
    if is_local(path):
        local = local_path(path)
        local.parent.mkdir(parents=True, exist_ok=True)
        return local.open("wb")
    return cast(BinaryIO, filesystem(path).open(path, "wb"))


def write_atomic(path: str, data: bytes) -> None:
    """Put `data` at `path` so that a reader, or a start after a power cut, sees all of it or what was there before."""
    if not is_local(path):
        filesystem(path).pipe_file(path, data)  # one put: atomic in every object store
        return
    with open_atomic(path) as stream:
        stream.write(data)


@contextlib.contextmanager
def open_atomic(path: str) -> Iterator[BinaryIO]:
    """Open `path` for writing; the file appears whole when the block ends, and not at all when it raises."""
    if not is_local(path):
        with tempfile.NamedTemporaryFile() as spooled:  # fsspec's own files are uploaded even when the block raises
            yield cast(BinaryIO, spooled)
            spooled.flush()
            filesystem(path).put_file(spooled.name, path)
        return
    target = local_path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("wb") as local:
            yield local
            local.flush()
            os.fsync(local.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_directory(target.parent)


def exists(path: str) -> bool:
    """Return whether there is a file or a directory at `path`."""
    if is_local(path):
        return local_path(path).exists()
    fs = filesystem(path)
    return bool(retry(path, lambda: fs.exists(path)))


def list_files(directory: str) -> list[str]:
    """Return the paths of all files beneath `directory`, sorted; none if it does not exist."""
    return sorted(list_sizes(directory))


def list_sizes(directory: str) -> dict[str, int]:
    """Return the path and the bytes of each file beneath `directory`; none if it does not exist."""
    if is_local(directory):
        return {str(path): path.stat().st_size for path in local_path(directory).rglob("*") if path.is_file()}
    fs = filesystem(directory)
    try:
        found = retry(directory, lambda: fs.find(directory, detail=True))
    except InputError:
        if exists(directory):
            raise
        return {}
    return {with_protocol(fs, path): int(info["size"] or 0) for path, info in found.items()}


def list_names(directory: str) -> list[str]:
    """Return the names of the files and directories directly in `directory`, sorted; none if it does not exist."""
    if is_local(directory):
        root = local_path(directory)
        return sorted(entry.name for entry in root.iterdir()) if root.is_dir() else []
    fs = filesystem(directory)
    try:
        found = retry(directory, lambda: fs.ls(directory, detail=False))
    except InputError:
        if exists(directory):
            raise
        return []
    return sorted({str(path).rstrip("/").rsplit("/", 1)[-1] for path in found})


def remove_tree(path: str) -> None:
    """Remove the file or directory at `path` and all beneath it; nothing happens if there is none."""
    if is_local(path):
        local = local_path(path)
        if local.is_dir() and not local.is_symlink():
            shutil.rmtree(local)
        else:
            local.unlink(missing_ok=True)
        return
    fs = filesystem(path)
    if fs.exists(path):
        fs.rm(path, recursive=True)


class _RemoteFile(io.RawIOBase):
    """A seekable remote file whose reads are tried again and whose errors are InputErrors."""

    def __init__(self, path: str, remote: Any) -> None:
        self._path = path
        self._remote = remote

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return int(self._remote.seek(offset, whence))

    def tell(self) -> int:
        return int(self._remote.tell())

    def readinto(self, buffer: Any, /) -> int:
        place = self._remote.tell()

        def read() -> bytes:
            self._remote.seek(place)
            return bytes(self._remote.read(len(buffer)))

        data = retry(self._path, read)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._remote.close()
        super().close()


def local_path(path: str) -> Path:
    protocol, rest = split_protocol(path)
    return Path(path if protocol is None else rest)


def _local_stat(path: str) -> os.stat_result:
    try:
        return local_path(path).stat()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error


def filesystem(path: str) -> Any:
    """Return the fsspec file system of a remote path, without caches of listings: another worker may have written."""
    protocol = split_protocol(path)[0] or "file"
    options = {} if protocol == "memory" else {"use_listings_cache": False}
    try:
        return fsspec.filesystem(protocol, **options)
    except ImportError as error:
        extra = _EXTRAS.get(protocol)
        hint = f"pip install '{extra}'" if extra else str(error)
        raise InputError(f"{path}: {protocol}:// needs a package that is not installed: {hint}") from error
    except ValueError as error:
        raise InputError(f"{path}: {protocol}:// is no known kind of storage") from error


@functools.cache
def _network_errors() -> tuple[type[Exception], ...]:
    errors: tuple[type[Exception], ...] = (OSError, TimeoutError, asyncio.TimeoutError, EOFError)
    try:
        from aiohttp import ClientError
    except ImportError:
        return errors
    return (*errors, ClientError)


def retry(path: str, call: Callable[[], T]) -> T:
    """Return `call()`, tried again after network errors; what is missing or forbidden is final at once."""
    for attempt in range(ATTEMPTS):
        try:
            return call()
        except (FileNotFoundError, PermissionError) as error:
            raise InputError(f"{path}: cannot be read: {_one_line(error)}") from error
        except _network_errors() as error:
            if attempt == ATTEMPTS - 1:
                raise InputError(f"{path}: cannot be read after {ATTEMPTS} attempts: {_one_line(error)}") from error
            time.sleep(2**attempt)
    raise AssertionError("unreachable")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _info(path: str) -> dict[str, Any]:
    fs = filesystem(path)
    return dict(retry(path, lambda: fs.info(path)))


def with_protocol(fs: Any, path: str) -> str:
    return str(fs.unstrip_protocol(path))


def _spool(fs: Any, path: str) -> BinaryIO:
    spooled = tempfile.TemporaryFile()  # noqa: SIM115  the caller closes it
    with fs.open(path, "rb") as remote:
        shutil.copyfileobj(remote, spooled, BLOCK_BYTES)
    spooled.seek(0)
    return cast(BinaryIO, spooled)


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
