"""The lists of RedPajama-v2's signals: stop words, dirty words, and UT1's categories of domains."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Final

import numpy as np

import storage
from schemas.errors import ConfigError
from transforms.dedup.urls import host
from transforms.safety.address_hashes import HashTable, name_hash
from transforms.safety.blocklist_files import check_lines, domain_hashes, read_list

# Of its configs/rp_v2.0.conf. UT1 has some under other names today: `agressif` is `aggressive`, `porn` is `adult`.
CATEGORIES: Final = (
    "adult", "agressive", "agressif", "arjel", "chat", "dating", "ddos", "filehosting", "gambling", "porn",
    "mixed_adult", "phishing", "violence",
)  # fmt: skip
MAX_CATEGORIES = 16  # a combination of them is kept as 16 bits


class DomainCategories:
    """The domains of UT1, each with all categories that it is in: 10 bytes a domain."""

    def __init__(self, directory: str, categories: Sequence[str] = CATEGORIES) -> None:
        """Read `<directory>/<category>/domains` or `domains.gz`. Raises ConfigError when none can be read."""
        self._n_categories = len(set(categories))
        if self._n_categories > MAX_CATEGORIES:
            raise ConfigError(f"redpajama.ut1_categories: must be {MAX_CATEGORIES} at most, not {self._n_categories}")
        place = storage.with_home(directory)
        hashes, masks = np.empty(0, np.uint64), np.empty(0, np.uint16)
        for at, category in enumerate(sorted(set(categories))):
            names = (storage.join(place, category, name) for name in ("domains", "domains.gz"))
            path = next(filter(storage.exists, names), None)  # another name of a category (a link) is one of its own
            if path is not None:
                found, odd = domain_hashes(read_list(path, "domains"))
                check_lines(path, "domains", len(found), odd)
                hashes = np.concatenate([hashes, found])
                masks = np.concatenate([masks, np.full(len(found), 1 << at, np.uint16)])
        if not len(hashes):
            raise ConfigError(f"redpajama.ut1_directory: {directory!r} has no list; expected <category>/domains")
        every, inverse = np.unique(hashes, return_inverse=True)
        combined = np.zeros(len(every), np.uint16)
        np.bitwise_or.at(combined, inverse, masks)
        self._table = HashTable(every, combined)

    def id_of(self, url: str) -> int | None:
        """Return the number of the combination of categories that the host of `url` is in; None: in none.

        Combinations are numbered by size, then in alphabetical order: 0 is the first category alone.
        """
        mask = self._table.get(name_hash(host(url)))
        if mask <= 0:
            return None
        chosen = [at for at in range(self._n_categories) if mask >> at & 1]
        return combination_number(chosen, self._n_categories)


def combination_number(chosen: Sequence[int], n: int) -> int:
    """Return the place of a combination of some of the numbers below `n` among all that are not empty."""
    smaller = sum(math.comb(n, size) for size in range(1, len(chosen)))
    of_size = itertools.combinations(range(n), len(chosen))
    return smaller + next(place for place, one in enumerate(of_size) if one == tuple(chosen))
