"""The archives of a crawl of Common Crawl, by its name or as the newest one: `cc:CC-MAIN-2026-43`, `cc:latest/wet`.

Two lists of Common Crawl's are read, both small: `collinfo.json`, the crawls there are, and the crawl's own
`warc.paths.gz`, 90,000 lines. No archive is looked up.
Source: Common Crawl, "Get Started" (data.commoncrawl.org, index.commoncrawl.org/collinfo.json).
"""

from __future__ import annotations

import gzip
import json
import os
import re
import zlib

from schemas.errors import InputError
from storage.network.remote import is_web

PREFIX = "cc:"
KINDS = ("warc", "wet")
COMMON_CRAWL = "https://data.commoncrawl.org/"  # what the entries of Common Crawl's own lists are relative to
INDEX = "https://index.commoncrawl.org/"  # where collinfo.json is
MIRROR = "WINNOW_COMMON_CRAWL"  # environment variable: a server that has both, in place of Common Crawl's own
TIMEOUT_S = 60.0  # of one attempt at a list (our value); there are remote.ATTEMPTS
_SPEC = re.compile(r"cc:(latest|CC-MAIN-\d{4}-\d{2})(?:/(\w+))?")
_CRAWL = re.compile(r"CC-MAIN-\d{4}-\d{2}")  # those before 2013 have other names, and no list of paths in this place


def list_crawl(spec: str) -> list[str]:
    """Return the addresses of a crawl's archives, in the order of its list.

    `spec` is `cc:CRAWL` or `cc:CRAWL/KIND`; CRAWL is a crawl's id or `latest`, KIND is `warc` or `wet`. Raises
    InputError when that is not what it says, and when a list cannot be fetched or is not what it must be.
    """
    found = _SPEC.fullmatch(spec)
    if found is None or (found[2] or KINDS[0]) not in KINDS:
        raise InputError(
            f"{spec}: is no crawl; expected cc:latest or cc:CC-MAIN-YEAR-WEEK, and /warc or /wet behind it if wanted"
        )
    data, index = _servers()
    crawl = newest_crawl(index) if found[1] == "latest" else found[1]
    address = f"{data}crawl-data/{crawl}/{found[2] or KINDS[0]}.paths.gz"
    entries = _lines(_fetch(address), address)
    stray = next((entry for entry in entries if not entry.startswith("crawl-data/")), None)
    if stray is not None or not entries:
        what = "is empty" if stray is None else f"has a line that is no path of an archive: {stray[:80]!r}"
        raise InputError(f"{address}: the list {what}")
    return [data + entry for entry in entries]


def newest_crawl(index: str = INDEX) -> str:
    """Return the id of the newest crawl in the list of crawls on the server `index`."""
    address = f"{index}collinfo.json"
    try:
        ids = [entry["id"] for entry in json.loads(_fetch(address))]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{address}: is not a list of crawls: {' '.join(str(error).split())}") from None
    crawls = [name for name in ids if isinstance(name, str) and _CRAWL.fullmatch(name)]
    if not crawls:
        raise InputError(f"{address}: no crawl is in the list (CC-MAIN-YEAR-WEEK)")
    return max(crawls)  # year and week, both of fixed width


def _servers() -> tuple[str, str]:
    """Return the addresses of the data and of the list of crawls, each with a slash at its end."""
    mirror = os.environ.get(MIRROR, "")
    if not mirror:
        return COMMON_CRAWL, INDEX
    if not is_web(mirror):
        raise InputError(f"{MIRROR}={mirror}: is not the address of a web server")
    return (mirror.rstrip("/") + "/",) * 2


def _lines(data: bytes, address: str) -> list[str]:
    try:
        text = (gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data).decode()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise InputError(f"{address}: is not a list of paths: {error}") from None
    return [line.strip() for line in text.splitlines() if line.strip()]


def _fetch(address: str) -> bytes:
    """Return what is at a web address, in bounded time: a list that is too slow is given up, unlike an archive."""
    try:
        from storage.network.web import read_web
    except ImportError as error:
        raise InputError(f"{PREFIX} needs a package that is not installed: {error.name}") from None
    return read_web(address, TIMEOUT_S)
