"""What `--input` means: paths, globs, directories, lists and crawls of Common Crawl become files."""

from __future__ import annotations

import glob
import gzip
import os
import posixpath
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from fsspec.core import split_protocol

from schemas.errors import InputError
from storage.crawl_lists import COMMON_CRAWL, PREFIX, list_crawl
from storage.files import (
    exists,
    filesystem,
    fingerprint,
    is_local,
    join,
    list_files,
    local_path,
    read_bytes,
    retry,
    size,
    with_protocol,
)

_HTTP = ("http", "https")
_REQUESTS = 16  # at a time


def expand(inputs: Sequence[str], list_prefix: str = "") -> list[str]:
    """Return the files that `inputs` name, sorted, each once; local ones as absolute paths.

    An input is a path, a glob (`*`, `?`, `[...]`, `**`), a directory (every file beneath it but hidden ones), a crawl
    (`cc:latest`, `cc:CC-MAIN-2026-43`, `cc:latest/wet`; storage/crawl_lists.py), or `@list`: a file, plain or
    gzip, with one path a line (as Common Crawl's `warc.paths.gz`). A relative entry of a list is put behind
    `list_prefix` when one is given. Otherwise it is relative to the list's folder, except for entries that begin with
    `crawl-data/`: these lie below the list's own `.../crawl-data/` if it has one, and on data.commoncrawl.org if not.
    Remote entries of a list are not looked up one by one. Raises InputError for what is missing or empty.
    """
    if not inputs:
        raise InputError("no input was given")
    found: set[str] = set()
    for item in inputs:
        if not item.strip():
            raise InputError("an input is empty: expected a path after --input, or after SOURCE=")
        if item.startswith(PREFIX):
            found.update(list_crawl(item))
        else:
            found.update(_expand_list(item[1:], list_prefix) if item.startswith("@") else _expand_one(item))
    return sorted(found)


def is_web(path: str) -> bool:
    """Return whether a path is an address of a web server."""
    return split_protocol(path)[0] in _HTTP


def describe_inputs(paths: Sequence[str]) -> list[dict[str, Any]]:
    """Return path, size and checksum of each file, in the order given. Raises InputError for one that is not there."""
    remote = [path for path in paths if not is_local(path)]
    with ThreadPoolExecutor(max_workers=_REQUESTS) as pool:
        asked = dict(zip(remote, pool.map(_describe, remote), strict=True))
    return [asked.get(path) or _describe(path) for path in paths]


def _describe(path: str) -> dict[str, Any]:
    return {"path": path, "size": size(path), "checksum": fingerprint(path)}


def _expand_one(item: str) -> list[str]:
    """Return the files of one path, directory or glob."""
    if is_local(item):
        return _expand_local(item)
    fs = filesystem(item)
    web = is_web(item)
    if "*" in item or (not web and any(sign in item for sign in "?[")):  # `?` begins a query in a web address
        found = [
            path for path, info in retry(item, lambda: fs.glob(item, detail=True)).items() if info["type"] == "file"
        ]
    elif web or retry(item, lambda: fs.isfile(item)):
        found = [item] if exists(item) else []
    else:
        found = [path for path in list_files(item) if not _hidden(path.removeprefix(item))]
    if not found:
        raise InputError(f"{item}: no such file, or nothing in it")
    return [with_protocol(fs, path) for path in found]


def _expand_local(item: str) -> list[str]:
    path = local_path(item)
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
        where = str(local_path(listing).absolute()) if is_local(listing) else listing
        root, found, _ = where.rpartition("/crawl-data/")
        return f"{root}/{entry}" if found else COMMON_CRAWL + entry
    return join(posixpath.dirname(listing), entry)


def _hidden(relative: str) -> bool:
    return any(part.startswith((".", "_")) for part in relative.split("/") if part)
