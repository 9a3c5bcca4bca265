"""Files of blocklists: where they lie, and what their lines name.

Directories are in the layout of the University of Toulouse (UT1: `<directory>/<category>/domains` and `urls`); its
`expressions` (regular expressions for a proxy) are not read. Other files are plain. In a list `#` starts a comment. A
line of domains names one, without `*.` or `.` before it, or after an IP address any number (hosts files: `0.0.0.0
evil.com bad.com`). A list most of whose lines are neither (AdBlock, dnsmasq, CSV, a page of HTML) is refused: read as
far as it goes it would block next to nothing and say nothing. Files may be gzip (`domains.gz`, as mirrors keep those
over 100 MB) and lie wherever storage.files reads.
"""

from __future__ import annotations

import gzip
import posixpath
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import storage
from schemas.errors import ConfigError, InputError
from schemas.settings import setting, validate
from transforms.dedup.urls import host, normalise
from transforms.safety.address_hashes import MAX_NAME, name_hash, numbers, url_hash

# fmt: off
UT1_CATEGORIES = (
    "adult", "agressif", "arjel", "dating", "ddos", "filehosting", "gambling", "mixed_adult", "phishing", "porn",
    "violence",
)


# fmt: on


@dataclass(frozen=True, kw_only=True)
class BlocklistConfig:
    """Which lists block an address. Nothing is blocked by default: `winnow lists fetch` brings lists."""

    directories: tuple[str, ...] = setting((), "directories in UT1 layout: <directory>/<category>/{domains,urls}")
    categories: tuple[str, ...] = setting(
        UT1_CATEGORIES, "UT1 categories that block; one that is absent is passed over"
    )
    domains_files: tuple[str, ...] = setting((), "plain lists of domains; the file's name is the category")
    urls_files: tuple[str, ...] = setting((), "plain lists of host/path prefixes; the file's name is the category")
    words_files: tuple[str, ...] = setting((), "lists of words; one in an address blocks it")
    soft_words_files: tuple[str, ...] = setting((), "lists of words that block only together")
    substrings_files: tuple[str, ...] = setting((), "lists of strings that block anywhere in host and path")
    max_soft_words: int = setting(1, "different soft words an address may hold (RefinedWeb)", ge=0)

    def __post_init__(self) -> None:
        validate(self)


CHUNK_BYTES = 1 << 20  # of a list hashed at once: 30 MB of working memory
_CATEGORY = re.compile(r"[A-Za-z0-9_\-]+")
_IP_ADDRESS = re.compile(r"\d+(\.\d+){3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*(%\w+)?")
_HOST = re.compile(r"[a-z0-9_.\-]+|\[[0-9a-f:.]+\]")
_ADBLOCK_RULE = re.compile(r".#[@?$%]?#")  # `a.com##.banner` hides a part of a.com's pages
_UT1_FILES = ("domains", "domains.gz", "urls", "urls.gz")
_PLAIN_BYTE = np.isin(np.arange(256), np.frombuffer(b"abcdefghijklmnopqrstuvwxyz0123456789-_.", np.uint8))


def ut1_lists(config: BlocklistConfig) -> Iterator[tuple[str, str, str]]:
    """Yield (path, kind, category) of the lists of each directory; every list once, also under two names."""
    for directory in map(storage.with_home, config.directories):
        if not storage.exists(directory):
            raise ConfigError(f"directories: {directory!r} does not exist")
        seen: set[str] = set()
        for category in dict.fromkeys(_resolve(directory, category) for category in config.categories):
            for kind in ("domains", "urls"):
                names = (storage.join(directory, category, name) for name in (kind, f"{kind}.gz"))
                path = next(filter(storage.exists, names), None)
                if path is not None:
                    seen.add(path)
                    yield path, kind, category
        if not seen:
            expected = "<category>/domains or <category>/urls for one of " + ", ".join(config.categories)
            raise ConfigError(f"directories: {directory!r} has no list; expected {expected}")


def _resolve(directory: str, category: str) -> str:
    """Return the category that `category` is another name of (porn: adult), else itself.

    UT1 has symbolic links; where they were checked out as files, each holds the name of its target.
    """
    path = storage.join(directory, category)
    if storage.is_local(path) and Path(path).is_symlink():
        return posixpath.basename(str(Path(path).readlink()))
    if not storage.exists(path) or any(storage.exists(storage.join(path, name)) for name in _UT1_FILES):
        return category
    try:
        name = storage.read_bytes(path).decode("utf-8", "replace").strip()
    except InputError:  # a directory
        return category
    return name if _CATEGORY.fullmatch(name) else category


def plain_lists(config: BlocklistConfig) -> Iterator[tuple[str, str, str]]:
    for kind in ("domains", "urls", "words", "soft_words", "substrings"):
        for path in map(storage.with_home, getattr(config, f"{kind}_files")):
            yield path, kind, posixpath.basename(path).removesuffix(".gz").partition(".")[0]


def read_list(path: str, kind: str) -> bytes:
    try:
        data = storage.read_bytes(path)
        return gzip.decompress(data) if path.endswith(".gz") else data
    except (InputError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ConfigError(f"{kind} list {path!r} cannot be read: {' '.join(str(error).split())}") from None


def lines_of(data: bytes) -> Iterator[str]:
    lines = (line.strip() for line in data.decode("utf-8-sig", "replace").splitlines())
    return (line for line in lines if line and not line.startswith("#"))


def check_lines(path: str, kind: str, entries: int, odd: Sequence[str]) -> None:
    """Raise ConfigError for a list most of whose lines cannot be read: it has another format."""
    if len(odd) > entries:
        expected = "a domain" if kind == "domains" else "host/path"
        raise ConfigError(
            f"{kind} list {path!r}: {len(odd):,} of {len(odd) + entries:,} lines are no entries, the first is "
            f"{odd[0][:60]!r}; expected {expected} on each line"
        )


def parts_of(url: str) -> tuple[str, str, str]:
    """Return host, path without its first slash, and query of the normal form, in lower case, without port."""
    site, _, query = normalise(url).lower().partition("#")[0].partition("?")
    if "://" in site:
        site = site.partition("://")[2]
    name, _, path = site.partition("/")
    if ":" in name and not name.endswith("]"):
        name = name.rpartition(":")[0]
    return name, path, query


def url_hashes(data: bytes) -> tuple[NDArray[np.uint64], NDArray[np.uint64], list[str]]:
    """Return the hashes of a list's entries and those of their hosts, and the lines that are no address."""
    pages: list[int] = []
    names: set[int] = set()
    odd: list[str] = []
    for line in lines_of(data):
        address = line.split()[0]
        name, path, query = parts_of(address)
        if _HOST.fullmatch(name) and not _ADBLOCK_RULE.search(address):
            pages.append(url_hash(f"{name}{'/' if path else ''}{path}{'?' if query else ''}{query}"))
            names.add(name_hash(name))
        else:
            odd.append(line)
    return np.array(pages, np.uint64), np.array(sorted(names), np.uint64), odd


def _domains(line: str) -> list[str] | None:
    """Return the hosts that one line of a list names; None of a line that is neither a name nor of a hosts file."""
    words = line.split()
    if not words or words[0].startswith("#"):
        return []
    fields = line.partition("#")[0].split()
    if _ADBLOCK_RULE.search(words[0]) or (len(fields) > 1 and not _IP_ADDRESS.fullmatch(fields[0])):
        return None
    hosts = [host(name.removeprefix("*.").removeprefix(".")) for name in fields[1:] or fields]
    return hosts if all(map(_HOST.fullmatch, hosts)) else None


def domain_hashes(data: bytes) -> tuple[NDArray[np.uint64], list[str]]:
    """Return the hashes of the entries of a list of domains, in no particular order, and the lines that are none."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    parts: list[NDArray[np.uint64]] = []
    odd: list[str] = []
    start = 0
    while start < len(data):
        end = data.rfind(b"\n", start, start + CHUNK_BYTES) + 1
        if end <= start:  # one line longer than a chunk, or the last line without its end
            end = data.find(b"\n", start) + 1 or len(data)
        parts.append(_hash_lines(data[start:end].rstrip(b"\r\n") + b"\n", odd))
        start = end
    return np.concatenate([np.empty(0, np.uint64), *parts]), odd


def _hash_lines(block: bytes, not_read: list[str]) -> NDArray[np.uint64]:
    """Hash the lines of `block`, all at once where they are plain names, one by one where they are not."""
    data = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(data == 10)
    starts = np.concatenate([[0], ends[:-1] + 1])
    from_end = np.repeat(ends, ends + 1 - starts) - 1 - np.arange(len(data))  # [bytes] -1 at the line's end
    inside = from_end >= 0
    odd = np.add.reduceat(~_PLAIN_BYTE[data] & inside, starts, dtype=np.int64) > 0
    odd |= (data[starts] == 46) | (data[ends - 1] == 46) | (ends - starts > MAX_NAME) | (ends == starts)
    values = np.where(inside, numbers()[0][(np.clip(from_end, 0, MAX_NAME - 1) << 8) | data], np.uint64(0))
    hashes = np.add.reduceat(values, starts)[~odd]
    keys: list[int] = []
    for start, end in zip(starts[odd].tolist(), ends[odd].tolist(), strict=True):
        line = block[start:end].decode("utf-8", "replace")
        names = _domains(line)
        if names is None:
            not_read.append(line.strip())
        else:
            keys += map(name_hash, names)
    return np.concatenate([hashes, np.array(keys, np.uint64)])
