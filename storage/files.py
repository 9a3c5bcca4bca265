"""Where files are: the one interface between Winnow and storage, over fsspec.

A path is a string: a local path, `gs://`, `s3://`, `https://`, `http://` or `memory://`. Object stores have neither
rename nor partial write, so the one guarantee everywhere is that of `write_atomic`: a reader sees the old bytes or the
new ones.
Credentials and endpoints come from each library's usual places, or from fsspec's environment variables
(`FSSPEC_S3_ENDPOINT_URL=http://...`). What this interface needs from a store, and what it costs: docs/storage.md.

Reading what cannot be listed, opened or fetched raises InputError in one line, writing to a store RunError; a call over
the network is retried first. Writing to a disk raises plain OSError (no space left), which the stage that writes
turns into its own line. Web servers are in storage/network/web.py, imported where an address is met: aiohttp takes its
time.
"""

from __future__ import annotations

import contextlib
import io
import os
import posixpath
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from fsspec.core import split_protocol

from schemas.errors import InputError
from storage.local_folders import files_beneath
from storage.network.remote import (
    GCS,
    HUB,
    S3,
    WRITE,
    RemoteFile,
    list_s3,
    or_none,
    protocol_of,
    remove_s3,
    upload_options,
)
from storage.network.remote import filesystem as filesystem
from storage.network.remote import is_web as is_web
from storage.network.remote import retry as retry
from storage.network.remote import with_protocol as with_protocol

BLOCK_BYTES = 4 << 20  # one request of a remote read
_CHECKSUMS = ("ETag", "etag", "md5Hash", "crc32c", "Content-MD5", "generation", "blob_id", "LastModified",
              "Last-Modified")  # fmt: skip


def is_local(path: str) -> bool:
    """Return whether `path` lies in the local file system."""
    return split_protocol(path)[0] in (None, "file", "local")


def with_home(path: str) -> str:
    """Return `path` with a leading `~` replaced by the home directory, if it is local."""
    return posixpath.expanduser(path) if is_local(path) else path


def join(directory: str, *names: str) -> str:
    """Return the path of `names` beneath `directory`."""
    return posixpath.join(directory, *names)


def size(path: str) -> int:
    """Return the bytes of the file at `path`; InputError when that cannot be known."""
    return describe(path)[0]


def fingerprint(path: str) -> str:
    """Return a text that changes when the file does: size and modification time, or size and what the store offers.

    Remote stores offer an ETag, a checksum, a generation or a date; without any of these, only the size counts.
    """
    return describe(path)[1]


def describe(path: str) -> tuple[int, str]:
    """Return the bytes and the fingerprint of the file at `path`, of a remote one by one request."""
    if is_local(path):
        stat = _local_stat(path)
        return stat.st_size, f"{stat.st_size}:{stat.st_mtime_ns}"
    info: dict[str, Any]
    if is_web(path):
        from storage.network.web import describe_web

        n_bytes, info = describe_web(path)
    else:
        fs = filesystem(path)
        info = dict(retry(path, lambda: fs.info(path)))
        if info.get("size") is None:
            raise InputError(f"{path}: the store does not report its size")
        n_bytes = int(info["size"])
    marks = [f"{key}={info[key]}" for key in _CHECKSUMS if info.get(key)]
    return n_bytes, ":".join([str(n_bytes), *marks[:1]])


def open_read(path: str) -> BinaryIO:
    """Return the file at `path` open for reading, seekable and buffered.

    A web server without Range requests is read once into an unnamed temporary file.
    """
    if is_local(path):
        try:
            return local_path(path).open("rb")
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    if is_web(path):
        from storage.network.web import open_web

        return open_web(path)
    fs = filesystem(path)
    if protocol_of(path) in (*S3, *GCS) and size(path) <= BLOCK_BYTES:
        return io.BytesIO(read_bytes(path))  # with one request: readers of Parquet begin at the end
    remote = retry(path, lambda: fs.open(path, "rb", block_size=BLOCK_BYTES, cache_type="readahead"))
    return cast(BinaryIO, io.BufferedReader(RemoteFile(path, remote), buffer_size=1 << 16))


def read_bytes(path: str) -> bytes:
    """Return the whole file at `path`; a remote one by one request."""
    if is_web(path):
        from storage.network.web import read_web

        return read_web(path)
    if protocol_of(path) in (*S3, *GCS):
        fs, how = filesystem(path), {"max_concurrency": 1} if protocol_of(path) in S3 else {}
        return bytes(retry(path, lambda: fs.cat_file(path, **how)))
    with open_read(path) as stream:
        return stream.read()


def open_write(path: str) -> BinaryIO:
    """Return a new file at `path` open for writing; missing directories are created. Complete only when closed."""
    if is_local(path):
        local = local_path(path)
        local.parent.mkdir(parents=True, exist_ok=True)
        return local.open("wb")
    return cast(BinaryIO, filesystem(path).open(path, "wb"))


def write_atomic(path: str, data: bytes) -> None:
    """Put `data` at `path` so that a reader, or a start after a power cut, sees all of it or what was there before."""
    if not is_local(path):
        fs = filesystem(path)
        retry(path, lambda: fs.pipe_file(path, data), WRITE)  # one put: atomic in every object store
        return
    with open_atomic(path) as stream:
        stream.write(data)


def open_atomic(path: str) -> contextlib.AbstractContextManager[BinaryIO]:
    """Open `path` for writing; the file appears whole when the block ends, and not at all when it raises."""
    return _opened(path, durable=True)


def open_scratch(path: str) -> contextlib.AbstractContextManager[BinaryIO]:
    """Open `path` for writing as `open_atomic` does, without fsync: scratch files need not survive a power cut."""
    return _opened(path, durable=False)


@contextlib.contextmanager
def _opened(path: str, *, durable: bool) -> Iterator[BinaryIO]:
    if not is_local(path):
        with tempfile.NamedTemporaryFile() as spooled:  # fsspec's own files are uploaded even when the block raises
            yield cast(BinaryIO, spooled)
            spooled.flush()
            fs = filesystem(path)
            retry(path, lambda: fs.put_file(spooled.name, path, **upload_options(path)), WRITE)
        return
    target = local_path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("wb") as local:
            yield local
            local.flush()
            if durable:
                os.fsync(local.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync_to_disk(target.parent)


def exists(path: str) -> bool:
    """Return whether there is a file or a directory at `path`."""
    if is_local(path):
        return local_path(path).exists()
    if is_web(path):
        from storage.network.web import web_exists

        return web_exists(path)
    fs = _listed_anew(path)
    return bool(retry(path, lambda: fs.exists(path)))


def list_files(directory: str) -> list[str]:
    """Return the paths of all files beneath `directory`, sorted; none if it does not exist."""
    return sorted(list_sizes(directory))


def files_below(path: str) -> list[str]:
    """Return the files of a directory, sorted, or the one file that `path` is; '' has none.

    A web address is always one file: what fsspec lists of a page is its links.
    """
    if not path:
        return []
    if is_web(path):
        return [path]
    place = with_home(path)
    return list_files(place) or [place]


def list_sizes(directory: str) -> dict[str, int]:
    """Return the path and the bytes of each file beneath `directory`, links followed; none if it does not exist."""
    if is_local(directory):
        return {str(path): n_bytes for path, n_bytes in files_beneath(local_path(directory))}
    fs = _listed_anew(directory)
    if protocol_of(directory) in S3:
        return retry(directory, lambda: list_s3(fs, f"{directory.rstrip('/')}/"))
    found = retry(directory, lambda: or_none(lambda: dict(fs.find(directory, detail=True))))
    return {with_protocol(fs, path): int(info["size"] or 0) for path, info in (found or {}).items()}


def list_names(directory: str) -> list[str]:
    """Return the names of the files and directories directly in `directory`, sorted; none if it does not exist."""
    if is_local(directory):
        root = local_path(directory)
        return sorted(entry.name for entry in root.iterdir()) if root.is_dir() else []
    fs = _listed_anew(directory)
    if protocol_of(directory) in S3:
        found = list(retry(directory, lambda: list_s3(fs, f"{directory.rstrip('/')}/", "/")))
    else:
        found = retry(directory, lambda: or_none(lambda: list(fs.ls(directory, detail=False))) or [])
    return sorted({str(path).rstrip("/").rsplit("/", 1)[-1] for path in found})


def _listed_anew(path: str) -> Any:
    """Return the file system of a remote path, which will list what is there now."""
    fs = filesystem(path)
    if protocol_of(path) in HUB:
        fs.invalidate_cache()
    return fs


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
    if protocol_of(path) in S3:
        retry(path, lambda: remove_s3(fs, path), WRITE)
        return
    found = retry(path, lambda: or_none(lambda: list(fs.find(path))) or [], WRITE)
    if found:
        retry(path, lambda: or_none(lambda: fs.rm(found)), WRITE)


def local_path(path: str) -> Path:
    protocol, rest = split_protocol(path)
    return Path(path if protocol is None else rest)


def _local_stat(path: str) -> os.stat_result:
    try:
        return local_path(path).stat()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error


def sync_to_disk(path: Path) -> None:
    """Wait until a local file's bytes, or a directory's names, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
