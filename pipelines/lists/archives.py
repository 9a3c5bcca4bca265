"""The files in a folder or an archive: zip (a wheel, too) or tar with any compression, also a tar within a zip.

A symbolic link is a file that holds the name of its target, as in a checkout without links. An archive that breaks off
is refused, not read as far as it goes: `tarfile` takes a file that ends where a header should be for a complete one,
so a tar needs its end mark, and its compressed stream is read to the checksum.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from schemas.errors import InputError

Member = tuple[str, IO[bytes]]  # path within, `/` between its parts; readable until the next is asked for

_OPENERS = ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ\x00", lzma.open))
_TAR_NAMES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
# NotImplementedError: a compression that zipfile does not know. OSError: damage, by gzip and bz2, if it has no number.
_DAMAGED = (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError, NotImplementedError, OSError)
_ENCRYPTED = 1  # bit of a zip entry's flags
_CHUNK = 1 << 20


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what a damaged archive raises while its members are read into an InputError of one line."""
    try:
        yield
    except _DAMAGED as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the disk, not of the archive
        text = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path}: neither a folder nor a whole zip or tar archive: {text}") from None


def members(path: Path) -> Iterator[Member]:
    """Yield the files at `path`, those of a folder sorted; to be used within `reading`."""
    if path.is_dir():
        yield from _of_folder(path)
    elif zipfile.is_zipfile(path):
        yield from _of_zip(path)
    else:
        with path.open("rb") as file:
            yield from _of_tar(file)


def _of_folder(folder: Path) -> Iterator[Member]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as stream:
                yield path.relative_to(folder).as_posix(), stream
        elif path.is_symlink():  # to a folder; rglob does not go into it
            yield path.relative_to(folder).as_posix(), _link(str(path.readlink()))


def _of_zip(path: Path) -> Iterator[Member]:
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if entry.flag_bits & _ENCRYPTED:
                raise zipfile.BadZipFile(f"{entry.filename} is encrypted")
            if not entry.is_dir():
                with archive.open(entry) as stream:
                    if entry.filename.endswith(_TAR_NAMES):
                        yield from _of_tar(stream)
                    else:
                        yield entry.filename, stream


def _of_tar(raw: IO[bytes]) -> Iterator[Member]:
    magic = raw.read(6)
    raw.seek(0)
    opener = next((opener for start, opener in _OPENERS if magic.startswith(start)), None)
    with contextlib.ExitStack() as stack:
        stream = raw if opener is None else stack.enter_context(cast(IO[bytes], opener(raw)))
        with tarfile.open(fileobj=stream, mode="r:") as archive:
            for entry in archive:
                name = entry.name.removeprefix("./")
                if entry.issym():
                    yield name, _link(entry.linkname)
                elif entry.isfile():
                    yield name, cast(IO[bytes], archive.extractfile(entry))
            if stream.tell() < archive.offset + tarfile.BLOCKSIZE:
                raise tarfile.ReadError("it ends without its end mark")
            while stream.read(_CHUNK):
                pass


def _link(target: str) -> IO[bytes]:
    return io.BytesIO(target.rstrip("/").rpartition("/")[2].encode())
