"""URL blocklists: adult and harmful domains, pages and URL words. Looks at the URL alone, parses no page.

Llama 3 removes "domains that have been ranked as harmful according to a variety of Meta safety standards, and domains
that are known to contain adult content" (3.1.1); its lists are not published. Ours are the caller's: directories in the
layout of the University of Toulouse (UT1: `<directory>/<category>/domains` and `urls`) and plain files.

* domain   an entry blocks its host and every subdomain: `evil.com` blocks a.b.evil.com, not notevil.com. An IP address
           blocks itself alone. Reason `blocked_domain`, detail `category:entry`.
* url      an entry `host/path` blocks that path and what is below it, at a segment's boundary: `a.com/x` blocks
           a.com/x/y and a.com/x?p=1, not a.com/xy. An entry with a query blocks the page with exactly that query, or,
           if it has one parameter, any page of that path with it. Compared in normal form (transforms.dedup.urls)
           without port and case. Reason `blocked_url`, detail `category:entry`.
* word     whole tokens (split at what is neither letter nor digit) of host and path in lower case. One hard word, more
           than `max_soft_words` different soft words, or one substring of the tokens joined together (RefinedWeb's
           "strict" list: ignores `-` and `.`; SPEC 1.5). Reason `blocked_word`, detail the word.

Deviations. RedPajama-v2 keeps UT1 categories as a signal (SPEC 1.12): the default categories are its thirteen without
`agressive`, a misspelling that names no list, and `chat`, neither harmful nor adult. datatrove compares the registered
name without its suffix against entries whose dots were removed, so its UT1 lists match next to nothing, and lower-cases
its words but not the URL. UT1's `expressions` (regular expressions for a proxy) are not read.

Memory: 10 bytes an entry. An entry is a 64-bit tabulation hash over its characters, kept in sorted numpy arrays; with 5
million domains a clean address is blocked by chance once in 10**12. In a list `#` starts a comment. A line of domains
names one, without `*.` or `.` before it, or after an IP address any number (hosts files: `0.0.0.0 evil.com bad.com`). A
list most of whose lines are neither (AdBlock, dnsmasq, CSV, a page of HTML) is refused: read as far as it goes it would
block next to nothing and say nothing. Files may be gzip (`domains.gz`, as mirrors keep those over 100 MB) and lie
wherever storage.files reads.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import posixpath
import re
import zlib
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

import storage
from schemas.errors import ConfigError, InputError
from schemas.settings import setting, validate
from transforms.dedup.urls import host, normalise
from transforms.step import Drop

MAX_NAME = 253  # characters of a domain name (RFC 1035); what is longer is compared by its last 253
MAX_PARTS = 64  # path segments and parameters that are compared with URL entries

CHUNK_BYTES = 1 << 20  # of a list hashed at once: 30 MB of working memory

_TOKEN = re.compile(r"[^\W_]+")
_CATEGORY = re.compile(r"[A-Za-z0-9_\-]+")
_IP_ADDRESS = re.compile(r"\d+(\.\d+){3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*(%\w+)?")
_HOST = re.compile(r"[a-z0-9_.\-]+|\[[0-9a-f:.]+\]")
_ADBLOCK_RULE = re.compile(r".#[@?$%]?#")  # `a.com##.banner` hides a part of a.com's pages
_UT1_FILES = ("domains", "domains.gz", "urls", "urls.gz")
_U64 = (1 << 64) - 1
_PLAIN_BYTE = np.isin(np.arange(256), np.frombuffer(b"abcdefghijklmnopqrstuvwxyz0123456789-_.", np.uint8))

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


@dataclass(frozen=True, slots=True)
class Source:
    """One list that was read: what `plan` shows, so that a list that is missing is seen."""

    path: str
    kind: str  # domains, urls, words, soft_words, substrings
    category: str
    entries: int


class HashTable:
    """Sorted 64-bit hashes, each with the number of its category; of equal hashes the first given wins."""

    def __init__(self, hashes: NDArray[np.uint64], categories: NDArray[np.uint16]) -> None:
        if (categories == categories[:1]).all():  # of one list only the hashes are sorted, 15 times faster
            hashes = np.sort(hashes)
        else:
            order = np.argsort(hashes, kind="stable")
            hashes, categories = hashes[order], categories[order]
        first = np.ones(len(hashes), bool)
        first[1:] = hashes[1:] != hashes[:-1]
        self._store(hashes[first], categories[first])

    def _store(self, hashes: NDArray[np.uint64], categories: NDArray[np.uint16]) -> None:
        self._hashes, self._categories = hashes, categories
        self._view = hashes.data  # indexing it gives ints, 5 times faster than numpy's scalars
        self._size = len(hashes)

    def __len__(self) -> int:
        return self._size

    def __getstate__(self) -> tuple[NDArray[np.uint64], NDArray[np.uint16]]:
        return self._hashes, self._categories

    def __setstate__(self, state: tuple[NDArray[np.uint64], NDArray[np.uint16]]) -> None:
        self._store(*state)

    def get(self, key: int) -> int:
        """Return the category's number, -1 if the hash is not in the table."""
        place = bisect_left(self._view, key)
        return int(self._categories[place]) if place < self._size and self._view[place] == key else -1


@dataclass(frozen=True)
class Blocklist:
    """Lists in memory. Built by `load` where it is used: pickling it would send every list to every worker."""

    categories: tuple[str, ...]
    domains: HashTable
    urls: HashTable
    url_hosts: HashTable  # the hosts of `urls`: most addresses need no more than this one look
    words: frozenset[str]
    soft_words: frozenset[str]
    phrases: tuple[str, ...]  # hard entries of several tokens, as ' two words '
    substrings: tuple[str, ...]
    max_soft_words: int
    sources: tuple[Source, ...]

    @classmethod
    def load(cls, config: BlocklistConfig) -> Blocklist:
        """Read the lists. Raises ConfigError, in one line, for one that is missing or unreadable."""
        lists = [*_ut1_lists(config), *_plain_lists(config)]
        categories = tuple(dict.fromkeys(category for _, _, category in lists))
        sources: list[Source] = []
        hashes: dict[str, list[tuple[NDArray[np.uint64], int]]] = {"domains": [], "urls": [], "url_hosts": []}
        tokens: dict[str, list[str]] = {"words": [], "soft_words": [], "substrings": []}
        for path, kind, category in lists:
            data, code = _read(path, kind), categories.index(category)
            if kind == "domains":
                found, odd = _domain_hashes(data)
                _check_lines(path, kind, len(found), odd)
                hashes[kind].append((found, code))
                sources.append(Source(path, kind, category, len(found)))
            elif kind == "urls":
                pages, names, odd = _url_hashes(data)
                _check_lines(path, kind, len(pages), odd)
                hashes[kind].append((pages, code))
                hashes["url_hosts"].append((names, code))
                sources.append(Source(path, kind, category, len(pages)))
            else:
                entries = [" ".join(_tokens(line)) for line in _lines(data)]
                tokens[kind] += filter(None, entries)
                sources.append(Source(path, kind, category, len(entries)))
        return cls(
            categories=categories,
            domains=_table(hashes["domains"]),
            urls=_table(hashes["urls"]),
            url_hosts=_table(hashes["url_hosts"]),
            words=frozenset(word for word in tokens["words"] if " " not in word),
            soft_words=frozenset(tokens["soft_words"]),
            phrases=tuple(sorted({f" {entry} " for entry in tokens["words"] if " " in entry})),
            substrings=tuple(sorted({entry.replace(" ", "") for entry in tokens["substrings"]})),
            max_soft_words=config.max_soft_words,
            sources=tuple(sources),
        )

    def check(self, url: str) -> Drop | None:
        """Return why `url` is blocked, or None. Never raises, for any string."""
        blocked = self._check_domain(host(url)) if self.domains else None
        if blocked is not None:
            return blocked
        if not (self.urls or self.words or self.soft_words or self.phrases or self.substrings):
            return None
        name, path, query = _parts(url)
        blocked = self._check_url(name, path, query) if self.urls else None
        return blocked if blocked is not None else self._check_words(f"{name}/{path}")

    def _check_domain(self, name: str) -> Drop | None:
        for start, key in _suffix_hashes(name):
            code = self.domains.get(key)
            if code >= 0:
                return Drop("blocked_domain", detail=f"{self.categories[code]}:{name[start:]}")
        return None

    def _check_url(self, name: str, path: str, query: str) -> Drop | None:
        if self.url_hosts.get(_name_hash(name)) < 0:
            return None
        for candidate in _url_candidates(name, path, query):
            code = self.urls.get(_url_hash(candidate))
            if code >= 0:
                return Drop("blocked_url", detail=f"{self.categories[code]}:{candidate}")
        return None

    def _check_words(self, text: str) -> Drop | None:
        tokens = _tokens(unquote(text) if "%" in text else text)
        if not self.words.isdisjoint(tokens):
            return Drop("blocked_word", detail=next(token for token in tokens if token in self.words))
        spaced, joined = f" {' '.join(tokens)} ", "".join(tokens)
        for phrase in self.phrases:
            if phrase in spaced:
                return Drop("blocked_word", detail=phrase.strip())
        for substring in self.substrings:
            if substring in joined:
                return Drop("blocked_word", detail=substring)
        soft = list(dict.fromkeys(token for token in tokens if token in self.soft_words))
        if len(soft) > self.max_soft_words:
            return Drop("blocked_word", float(len(soft)), float(self.max_soft_words), " ".join(soft))
        return None


def _table(parts: Sequence[tuple[NDArray[np.uint64], int]]) -> HashTable:
    hashes = [part for part, _ in parts]
    codes = [np.full(len(part), code, np.uint16) for part, code in parts]
    return HashTable(
        np.concatenate([np.empty(0, np.uint64), *hashes]), np.concatenate([np.empty(0, np.uint16), *codes])
    )


def _ut1_lists(config: BlocklistConfig) -> Iterator[tuple[str, str, str]]:
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


def _plain_lists(config: BlocklistConfig) -> Iterator[tuple[str, str, str]]:
    for kind in ("domains", "urls", "words", "soft_words", "substrings"):
        for path in map(storage.with_home, getattr(config, f"{kind}_files")):
            yield path, kind, posixpath.basename(path).removesuffix(".gz").partition(".")[0]


def _read(path: str, kind: str) -> bytes:
    try:
        data = storage.read_bytes(path)
        return gzip.decompress(data) if path.endswith(".gz") else data
    except (InputError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ConfigError(f"{kind} list {path!r} cannot be read: {' '.join(str(error).split())}") from None


def _lines(data: bytes) -> Iterator[str]:
    lines = (line.strip() for line in data.decode("utf-8-sig", "replace").splitlines())
    return (line for line in lines if line and not line.startswith("#"))


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text.lower())


def _parts(url: str) -> tuple[str, str, str]:
    """Return host, path without its first slash, and query of the normal form, in lower case, without port."""
    site, _, query = normalise(url).lower().partition("#")[0].partition("?")
    if "://" in site:
        site = site.partition("://")[2]
    name, _, path = site.partition("/")
    if ":" in name and not name.endswith("]"):
        name = name.rpartition(":")[0]
    return name, path, query


def _url_candidates(name: str, path: str, query: str) -> Iterator[str]:
    """Yield the texts whose presence in a list blocks the page, the widest first."""
    prefix = name
    yield prefix
    for segment in path.split("/")[:MAX_PARTS] if path else ():
        prefix += "/" + segment
        yield prefix
    if query:
        page = f"{name}/{path}" if path else name
        yield f"{page}?{query}"
        parameters = query.split("&")
        if len(parameters) > 1:
            for parameter in parameters[:MAX_PARTS]:
                yield f"{page}?{parameter}"


def _url_hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def _url_hashes(data: bytes) -> tuple[NDArray[np.uint64], NDArray[np.uint64], list[str]]:
    """Return the hashes of a list's entries and those of their hosts, and the lines that are no address."""
    pages: list[int] = []
    names: set[int] = set()
    odd: list[str] = []
    for line in _lines(data):
        address = line.split()[0]
        name, path, query = _parts(address)
        if _HOST.fullmatch(name) and not _ADBLOCK_RULE.search(address):
            pages.append(_url_hash(f"{name}{'/' if path else ''}{path}{'?' if query else ''}{query}"))
            names.add(_name_hash(name))
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


def _check_lines(path: str, kind: str, entries: int, odd: Sequence[str]) -> None:
    """Raise ConfigError for a list most of whose lines cannot be read: it has another format."""
    if len(odd) > entries:
        expected = "a domain" if kind == "domains" else "host/path"
        raise ConfigError(
            f"{kind} list {path!r}: {len(odd):,} of {len(odd) + entries:,} lines are no entries, the first is "
            f"{odd[0][:60]!r}; expected {expected} on each line"
        )


def _suffix_hashes(name: str) -> Iterator[tuple[int, int]]:
    """Yield (start, hash) of each domain that `name` lies in, the widest first; of an IP address only the whole."""
    data = name.encode("ascii", "replace")[-MAX_NAME:]
    whole_only = name[-1:] == "]" or name.rpartition(".")[2].isdigit()
    view, at, total = _numbers()[1], 0, 0
    for byte in reversed(data):
        if byte == 46 and not whole_only:  # a dot
            yield len(name) - (at >> 8), total & _U64
        total += view[at | byte]
        at += 256
    if data:
        yield len(name) - len(data), total & _U64


@functools.cache
def _numbers() -> tuple[NDArray[np.uint64], memoryview]:
    """Return the numbers of the tabulation hash (Zobrist 1970): one for each byte at each place.

    Places count from the end of a name, so that one pass gives the hash of every parent domain. The numbers are
    SHAKE-128's: the same in every process.
    """
    size = MAX_NAME * 256 * 8
    numbers = np.frombuffer(hashlib.shake_128(b"winnow.blocklist").digest(size), "<u8").astype(np.uint64)
    return numbers, numbers.data


def _name_hash(name: str) -> int:
    key = 0
    for _, key in _suffix_hashes(name):  # noqa: B007  the last is the whole name's
        pass
    return key


def _domain_hashes(data: bytes) -> tuple[NDArray[np.uint64], list[str]]:
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
    values = np.where(inside, _numbers()[0][(np.clip(from_end, 0, MAX_NAME - 1) << 8) | data], np.uint64(0))
    hashes = np.add.reduceat(values, starts)[~odd]
    keys: list[int] = []
    for start, end in zip(starts[odd].tolist(), ends[odd].tolist(), strict=True):
        line = block[start:end].decode("utf-8", "replace")
        names = _domains(line)
        if names is None:
            not_read.append(line.strip())
        else:
            keys += map(_name_hash, names)
    return np.concatenate([hashes, np.array(keys, np.uint64)])
