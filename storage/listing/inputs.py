"""What `--input` means: paths, globs, directories, lists and crawls of Common Crawl become files."""

from __future__ import annotations

import glob
import gzip
import os
import posixpath
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fsspec.core import split_protocol

from schemas.errors import ConfigError, InputError
from storage.files import (
    describe,
    filesystem,
    is_local,
    is_web,
    join,
    list_files,
    local_path,
    read_bytes,
    retry,
    with_protocol,
)
from storage.listing.crawl_lists import COMMON_CRAWL, PREFIX, list_crawl
from storage.listing.own_output import OwnOutput, is_hidden
from storage.local_folders import files_beneath
from storage.network.remote import NoConnectionError, or_none

SKIP = "--skip-unreadable"
_REQUESTS = 16  # at a time


class RefusedInputError(InputError):
    """An input that cannot be read, where none may be left out."""


@dataclass
class Unreadable:
    """What becomes of inputs that cannot be read: the first one is an error, or with `skip` all are left out."""

    skip: bool = False
    found: dict[str, str] = field(default_factory=dict)  # path: why, one line that names it

    def add(self, path: str, error: InputError) -> None:
        """Note an input that cannot be read. Raises RefusedInputError unless it may be left out."""
        if not self.skip:
            raise RefusedInputError(f"{error}; {SKIP} goes on without it") from error
        self.found[path] = str(error)

    def entries(self) -> list[dict[str, str]]:
        """Return path and cause of what was left out, as plain data, by path."""
        return [{"path": path, "why": self.found[path]} for path in sorted(self.found)]

    def check_some_left(self, left: Sequence[Any]) -> None:
        """Raise InputError when nothing but unreadable inputs was given."""
        if self.found and not left:
            path = min(self.found)
            raise InputError(f"none of {len(self.found):,} inputs can be read; the first: {self.found[path]}")


def expand(
    inputs: Sequence[str],
    list_prefix: str = "",
    unreadable: Unreadable | None = None,
    output: str = "",
    leaves_out: Callable[[str], bool] = is_hidden,
) -> list[str]:
    """Return the files that `inputs` name, sorted, each once; local ones as absolute paths.

    An input is a path, a glob (`*`, `?`, `[...]`, `**`), a directory (every file beneath it for whose name `leaves_out`
    is false, hidden ones by default; links are followed), a crawl (`cc:latest`, `cc:CC-MAIN-2026-43`, `cc:latest/wet`;
    crawl_lists.py), or `@list`: a file, plain or gzip, with one path a line (as Common Crawl's `warc.paths.gz`). A
    relative entry of a list is put behind `list_prefix` when one is given. Otherwise it is relative to the list's
    folder, except for entries that begin with `crawl-data/`: these lie below the list's own `.../crawl-data/` if it has
    one, and on data.commoncrawl.org if not. Remote entries of a list are not looked up one by one.
    Raises InputError for what is missing or empty, unless `unreadable` takes it; for a list or a crawl always. Raises
    RunError when the folder `output`, which the run writes to, is among the inputs.
    """
    if not inputs:
        raise ConfigError("no input was given")
    found: set[str] = set()
    expansion = _Expansion(list_prefix, unreadable, OwnOutput(output), leaves_out)
    for item in inputs:
        if not item.strip():
            raise ConfigError("an input is empty: expected a path after --input, or after SOURCE=")
        if item.startswith(PREFIX):
            found.update(list_crawl(item))
        else:
            found.update(expansion.of_list(item[1:]) if item.startswith("@") else expansion.of(item))
    paths = sorted(found)
    expansion.output.refuse_files(paths)
    return paths


def describe_inputs(paths: Sequence[str], unreadable: Unreadable | None = None) -> list[dict[str, Any]]:
    """Return path, size and checksum of each file, in the order given.

    Raises InputError for one that cannot be read; with `unreadable` it is noted there, and left out if that allows it.
    """
    lookup = _Lookup()
    remote = list(dict.fromkeys(path for path in paths if not is_local(path)))
    with ThreadPoolExecutor(max_workers=_REQUESTS) as pool:
        asked = dict(zip(remote, pool.map(lambda path: _described(path, lookup, unreadable), remote), strict=True))
    found = (asked[path] if path in asked else _described(path, lookup, unreadable) for path in paths)
    return [entry for entry in found if entry is not None]


class _Lookup:
    """Looks files up. A server that was never reached is not tried again for each of its files."""

    def __init__(self) -> None:
        self._reached: set[str] = set()
        self._unreached: dict[str, str] = {}

    def describe(self, path: str) -> tuple[int, str]:
        server = urlsplit(path).netloc if is_web(path) else ""
        if server and server in self._unreached and server not in self._reached:
            raise InputError(f"{path}: not asked for: {self._unreached[server]}")
        try:
            found = describe(path)
        except InputError as error:
            if isinstance(error.__cause__, NoConnectionError):
                self._unreached[server] = str(error.__cause__)
            else:
                self._reached.add(server)
            raise
        self._reached.add(server)
        return found


def _described(path: str, lookup: _Lookup, unreadable: Unreadable | None) -> dict[str, Any] | None:
    try:
        size, checksum = lookup.describe(path)
    except InputError as error:
        if unreadable is None:
            raise
        unreadable.add(path, error)
        return None
    return {"path": path, "size": size, "checksum": checksum}


@dataclass(frozen=True)
class _Expansion:
    """How the inputs of one command become files."""

    list_prefix: str
    unreadable: Unreadable | None
    output: OwnOutput
    leaves_out: Callable[[str], bool]

    def of(self, item: str) -> list[str]:
        """Return the files of one path, directory or glob; none when it may be left out."""
        try:
            return self._of_local(item) if is_local(item) else self._of_remote(item)
        except RefusedInputError:
            raise
        except InputError as error:
            self._refuse(item, error)
            return []

    def of_list(self, listing: str) -> Iterator[str]:
        """Yield the files of a list of paths."""
        for entry in read_list(listing):
            path = _resolve(entry, listing, self.list_prefix)
            if is_local(path) or "*" in path:
                yield from self.of(path)
            else:
                yield path

    def _refuse(self, path: str, error: InputError) -> None:
        if self.unreadable is None:
            raise error
        self.unreadable.add(path, error)

    def _of_remote(self, item: str) -> list[str]:
        fs = filesystem(item)
        if "*" in item or (not is_web(item) and any(sign in item for sign in "?[")):  # `?` begins a query on the web
            globbed = retry(item, lambda: fs.glob(item, detail=True))
            found = [path for path, info in globbed.items() if info["type"] == "file"]
        elif is_web(item):
            describe(item)  # an error that names the status
            found = [item]
        elif _is_remote_file(fs, item):
            found = [item]
        else:
            self.output.refuse_in(item)
            found = [path for path in list_files(item) if not self.leaves_out(path.removeprefix(item))]
        if not found:
            raise InputError(f"{item}: no such file, or nothing in it")
        return [with_protocol(fs, path) for path in found]

    def _of_local(self, item: str) -> list[str]:
        path = local_path(item)
        if path.is_dir():
            found = [
                file
                for file, _ in files_beneath(
                    path,
                    lambda name: not self.leaves_out(name),
                    self._refuse,
                    lambda folder: self.output.refuse_folder(item, folder),
                )
            ]
        elif path.exists():
            if not path.is_file():
                raise InputError(f"{item}: is a pipe or a device, which cannot be read twice; give a file")
            found = [path]
        else:
            self.output.refuse_glob(item)
            found = [Path(name) for name in glob.glob(str(path), recursive=True) if Path(name).is_file()]  # noqa: PTH207
        if not found:
            raise InputError(f"{item}: no such file, or nothing in it")
        return [os.path.abspath(file) for file in found if self._is_readable(file)]  # noqa: PTH100  no link is resolved

    def _is_readable(self, file: Path) -> bool:
        if not os.access(file, os.R_OK):
            self._refuse(str(file), InputError(f"{file}: cannot be read: permission denied"))
            return False
        return True


def _is_remote_file(fs: Any, path: str) -> bool:
    """Return whether there is a file; unlike `fs.isfile`, which takes every failure for an answer."""
    info = retry(path, lambda: or_none(lambda: dict(fs.info(path))))
    return info is not None and info.get("type") == "file"


def read_list(listing: str) -> list[str]:
    """Return the entries of a list of paths, plain or gzip. InputError when it is none, or empty."""
    data = read_bytes(listing)
    try:
        text = (gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data).decode("utf-8-sig")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise InputError(f"{listing}: is not a list of paths: {error}") from error
    entries = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if not entries:
        raise InputError(f"{listing}: the list is empty")
    return entries


def _resolve(entry: str, listing: str, prefix: str) -> str:
    """Return the path that `entry` of the list at `listing` means; the rules are those of `expand`."""
    if split_protocol(entry)[0] is not None or entry.startswith("/"):
        return entry
    if prefix:
        return join(prefix, entry)
    if entry.startswith("crawl-data/"):
        where = str(local_path(listing).absolute()) if is_local(listing) else listing
        root, found, _ = where.rpartition("/crawl-data/")
        return f"{root}/{entry}" if found else COMMON_CRAWL + entry
    return join(posixpath.dirname(listing), entry)
