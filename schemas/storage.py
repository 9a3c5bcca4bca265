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
import glob
import gzip
import io
import os
import posixpath
import shutil
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

import fsspec
from fsspec.core import split_protocol

from schemas.errors import InputError

T = TypeVar("T")

COMMON_CRAWL = "https://data.commoncrawl.org/"  # what the entries of Common Crawl's own lists are relative to
BLOCK_BYTES = 4 << 20  # one request of a remote read
ATTEMPTS = 4  # of a remote call, with 1, 2 and 4 seconds between them

_EXTRAS = {"gs": "winnow[gcp]", "gcs": "winnow[gcp]", "s3": "winnow[s3]", "s3a": "winnow[s3]"}
_HTTP = ("http", "https")
_CHECKSUMS = ("ETag", "etag", "md5Hash", "crc32c", "Content-MD5", "generation", "LastModified", "Last-Modified")


def expand(inputs: Sequence[str], list_prefix: str = "") -> list[str]:
    """Return the files that `inputs` name, sorted, each once; local ones as absolute paths.

    An input is a path, a glob (`*`, `?`, `[...]`, `**`), a directory (every file beneath it but hidden ones), or
    `@list`: a file, plain or gzip, with one path a line (as Common Crawl's `warc.paths.gz`). A relative entry of a list
    is put behind `list_prefix` when one is given. Else it lies beside the list, but for entries that begin with
    `crawl-data/`: these lie below the list's own `.../crawl-data/` if it has one, and on data.commoncrawl.org if not.
    Remote entries of a list are not looked up one by one. Raises InputError for what is missing or empty.
    """
    if not inputs:
        raise InputError("no input was given")
    found: set[str] = set()
    for item in inputs:
        found.update(_expand_list(item[1:], list_prefix) if item.startswith("@") else _expand_one(item))
    return sorted(found)


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
            return _local(path).open("rb")
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    fs = _filesystem(path)

    def open_remote() -> Any:
        return fs.open(path, "rb", block_size=BLOCK_BYTES, cache_type="readahead")

    remote = _retry(path, open_remote)
    if remote.seekable() and getattr(remote, "size", None) is not None:
        return cast(BinaryIO, io.BufferedReader(_RemoteFile(path, remote), buffer_size=1 << 16))
    return _retry(path, lambda: _spool(fs, path))


def read_bytes(path: str) -> bytes:
    """Return the whole file at `path`."""
    with open_read(path) as stream:
        return stream.read()


def open_write(path: str) -> BinaryIO:
    """Return a new file at `path` open for writing; its directories are made. Whole only once it is closed."""
    if is_local(path):
        local = _local(path)
        local.parent.mkdir(parents=True, exist_ok=True)
        return local.open("wb")
    return cast(BinaryIO, _filesystem(path).open(path, "wb"))


def write_atomic(path: str, data: bytes) -> None:
    """Put `data` at `path` so that a reader, or a start after a power cut, sees all of it or what was there before."""
    if not is_local(path):
        _filesystem(path).pipe_file(path, data)  # one put: atomic in every object store
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
            _filesystem(path).put_file(spooled.name, path)
        return
    target = _local(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}-{threading.get_ident()}.tmp")
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
        return _local(path).exists()
    fs = _filesystem(path)
    return bool(_retry(path, lambda: fs.exists(path)))


def list_files(directory: str) -> list[str]:
    """Return the paths of all files beneath `directory`, sorted; none if it does not exist."""
    if is_local(directory):
        root = _local(directory)
        return sorted(str(path) for path in root.rglob("*") if path.is_file())
    fs = _filesystem(directory)
    try:
        found = _retry(directory, lambda: fs.find(directory))
    except InputError:
        if exists(directory):
            raise
        return []
    return sorted(_with_protocol(fs, path) for path in found)


def list_names(directory: str) -> list[str]:
    """Return the names of the files and directories directly in `directory`, sorted; none if it does not exist."""
    if is_local(directory):
        root = _local(directory)
        return sorted(entry.name for entry in root.iterdir()) if root.is_dir() else []
    fs = _filesystem(directory)
    try:
        found = _retry(directory, lambda: fs.ls(directory, detail=False))
    except InputError:
        if exists(directory):
            raise
        return []
    return sorted({str(path).rstrip("/").rsplit("/", 1)[-1] for path in found})


def remove_tree(path: str) -> None:
    """Remove the file or directory at `path` and all beneath it; nothing happens if there is none."""
    if is_local(path):
        local = _local(path)
        if local.is_dir() and not local.is_symlink():
            shutil.rmtree(local)
        else:
            local.unlink(missing_ok=True)
        return
    fs = _filesystem(path)
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

        data = _retry(self._path, read)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._remote.close()
        super().close()


def _expand_one(item: str) -> list[str]:
    """Return the files of one path, directory or glob."""
    if is_local(item):
        return _expand_local(item)
    fs = _filesystem(item)
    web = split_protocol(item)[0] in _HTTP
    if "*" in item or (not web and any(sign in item for sign in "?[")):  # `?` begins a query in a web address
        found = [
            path for path, info in _retry(item, lambda: fs.glob(item, detail=True)).items() if info["type"] == "file"
        ]
    elif web or _retry(item, lambda: fs.isfile(item)):
        found = [item] if exists(item) else []
    else:
        found = [path for path in list_files(item) if not _hidden(path.removeprefix(item))]
    if not found:
        raise InputError(f"{item}: no such file, or nothing in it")
    return [_with_protocol(fs, path) for path in found]


def _expand_local(item: str) -> list[str]:
    path = _local(item)
    if path.is_dir():
        found = [file for file in path.rglob("*") if file.is_file() and not _hidden(str(file.relative_to(path)))]
    elif path.exists():
        found = [path]
    else:
        found = [Path(name) for name in glob.glob(str(path), recursive=True) if Path(name).is_file()]  # noqa: PTH207
    if not found:
        raise InputError(f"{item}: no such file, or nothing in it")
    for file in found:
        if not os.access(file, os.R_OK):
            raise InputError(f"{file}: cannot be read: permission denied")
    return [os.path.abspath(file) for file in found]  # noqa: PTH100  Path.resolve would follow links


def _expand_list(listing: str, prefix: str) -> Iterator[str]:
    data = read_bytes(listing)
    try:
        text = (gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data).decode("utf-8-sig")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise InputError(f"{listing}: is not a list of paths: {error}") from error
    entries = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if not entries:
        raise InputError(f"{listing}: the list is empty")
    for entry in entries:
        path = _resolve(entry, listing, prefix)
        if is_local(path) or "*" in path:
            yield from _expand_one(path)
        else:
            yield path


def _resolve(entry: str, listing: str, prefix: str) -> str:
    """Return the path that `entry` of the list at `listing` means; the rules are those of `expand`."""
    if split_protocol(entry)[0] is not None or entry.startswith("/"):
        return entry
    if prefix:
        return join(prefix, entry)
    if entry.startswith("crawl-data/"):
        where = str(_local(listing).absolute()) if is_local(listing) else listing
        root, found, _ = where.rpartition("/crawl-data/")
        return f"{root}/{entry}" if found else COMMON_CRAWL + entry
    return join(posixpath.dirname(listing), entry)


def _hidden(relative: str) -> bool:
    return any(part.startswith((".", "_")) for part in relative.split("/") if part)


def _local(path: str) -> Path:
    protocol, rest = split_protocol(path)
    return Path(path if protocol is None else rest)


def _local_stat(path: str) -> os.stat_result:
    try:
        return _local(path).stat()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error


def _filesystem(path: str) -> Any:
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


def _retry(path: str, call: Callable[[], T]) -> T:
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
    fs = _filesystem(path)
    return dict(_retry(path, lambda: fs.info(path)))


def _with_protocol(fs: Any, path: str) -> str:
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
