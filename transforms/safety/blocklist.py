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
its words but not the URL.

Lists are read by `blocklist_files` and kept as hashes (`address_hashes`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from transforms.dedup.urls import host
from transforms.safety.address_hashes import HashTable, name_hash, suffix_hashes, table_of, url_hash
from transforms.safety.blocklist_files import (
    BlocklistConfig,
    check_lines,
    domain_hashes,
    lines_of,
    parts_of,
    plain_lists,
    read_list,
    url_hashes,
    ut1_lists,
)
from transforms.step import Drop

MAX_PARTS = 64  # path segments and parameters that are compared with URL entries
_TOKEN = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Source:
    """One list that was read: what `plan` shows, so that a list that is missing is seen."""

    path: str
    kind: str  # domains, urls, words, soft_words, substrings
    category: str
    entries: int


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
        lists = [*ut1_lists(config), *plain_lists(config)]
        categories = tuple(dict.fromkeys(category for _, _, category in lists))
        sources: list[Source] = []
        hashes: dict[str, list[tuple[NDArray[np.uint64], int]]] = {"domains": [], "urls": [], "url_hosts": []}
        tokens: dict[str, list[str]] = {"words": [], "soft_words": [], "substrings": []}
        for path, kind, category in lists:
            data, code = read_list(path, kind), categories.index(category)
            if kind == "domains":
                found, odd = domain_hashes(data)
                check_lines(path, kind, len(found), odd)
                hashes[kind].append((found, code))
                sources.append(Source(path, kind, category, len(found)))
            elif kind == "urls":
                pages, names, odd = url_hashes(data)
                check_lines(path, kind, len(pages), odd)
                hashes[kind].append((pages, code))
                hashes["url_hosts"].append((names, code))
                sources.append(Source(path, kind, category, len(pages)))
            else:
                entries = [" ".join(tokens_of(line)) for line in lines_of(data)]
                tokens[kind] += filter(None, entries)
                sources.append(Source(path, kind, category, len(entries)))
        return cls(
            categories=categories,
            domains=table_of(hashes["domains"]),
            urls=table_of(hashes["urls"]),
            url_hosts=table_of(hashes["url_hosts"]),
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
        name, path, query = parts_of(url)
        blocked = self._check_url(name, path, query) if self.urls else None
        return blocked if blocked is not None else self._check_words(f"{name}/{path}")

    def _check_domain(self, name: str) -> Drop | None:
        for start, key in suffix_hashes(name):
            code = self.domains.get(key)
            if code >= 0:
                return Drop("blocked_domain", detail=f"{self.categories[code]}:{name[start:]}")
        return None

    def _check_url(self, name: str, path: str, query: str) -> Drop | None:
        if self.url_hosts.get(name_hash(name)) < 0:
            return None
        for candidate in _url_candidates(name, path, query):
            code = self.urls.get(url_hash(candidate))
            if code >= 0:
                return Drop("blocked_url", detail=f"{self.categories[code]}:{candidate}")
        return None

    def _check_words(self, text: str) -> Drop | None:
        tokens = tokens_of(unquote(text) if "%" in text else text)
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


def tokens_of(text: str) -> list[str]:
    return _TOKEN.findall(text.lower())


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
