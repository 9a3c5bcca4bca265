"""StackExchange as a source: the Posts.xml of any number of sites, part by part."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from schemas.records import Header
from storage.files import open_read
from transforms.sources.items import Broken, Part, Skipped
from transforms.sources.members import RawFile
from transforms.sources.source import Reader
from transforms.sources.stackexchange.dump import problem_of, read_rows
from transforms.sources.stackexchange.post import judge
from transforms.sources.stackexchange.settings import PostsConfig, SitesConfig
from transforms.sources.stackexchange.site import site_of
from transforms.step import Drop


@dataclass(frozen=True)
class StackExchange:
    """Questions and answers of StackExchange's dumps. A record is a post; a document is a question with its answers."""

    name: str
    settings: PostsConfig
    reader: Reader  # transforms.sources.stackexchange.reader.ThreadReader
    kind: ClassVar[str] = "stackexchange"
    formats: ClassVar[str] = "Posts.xml of StackExchange, unpacked"

    def parts(self, files: Sequence[tuple[str, int]]) -> list[Part]:
        """Return the parts of some files, (path, bytes) each: equal byte ranges."""
        parts: list[Part] = []
        for path, size in sorted(files):
            n = max(1, math.ceil(size / (self.settings.part_mib << 20)))
            parts.extend(Part(path, size * i // n, size * (i + 1) // n) for i in range(n))
        return parts

    def scan(self, part: Part) -> Iterator[Header | Skipped | Broken]:
        """Yield, for each post that begins in a part, one item."""
        site = site_of(part.path, self.settings.site)
        with open_read(part.path) as stream:
            problem = problem_of(RawFile(stream))
            if problem is not None:
                if part.start == 0:
                    yield Broken(row=0, offset=0, cause=problem.cause, detail=problem.detail)
                return
            for number, row in enumerate(read_rows(stream, part, self.settings.max_post_bytes)):
                yield judge(row, number, site, self.settings)


@dataclass(frozen=True)
class ThreadJoin:
    """Answers belong to questions; sites are chosen here, where the posts of all of them are counted.

    Source: Llama 1, "the 28 largest websites". RedPajama-1 names them by a file that it does not have; here they are
    computed from the dumps: by questions and answers that are not left out, ties to the name that sorts first.
    """

    settings: SitesConfig
    site: str = ""  # PostsConfig.site

    def refused(self, records: Mapping[str, int]) -> Mapping[str, Drop]:
        """Return why the posts of some files are not wanted, by path."""
        sites = {path: site_of(path, self.site) for path in records}
        refused = {
            path: Drop("meta_site", detail=site.name)
            for path, site in sites.items()
            if site.is_meta and not self.settings.meta_sites
        }
        posts: Counter[str] = Counter()
        for path, n in records.items():
            if path not in refused:
                posts[sites[path].name] += n
        if not self.settings.largest:
            return refused
        ranked = sorted(posts, key=lambda name: (-posts[name], name))
        place = {name: number for number, name in enumerate(ranked, 1)}
        small = {
            path: Drop("site_not_among_largest", place[site.name], self.settings.largest, site.name)
            for path, site in sites.items()
            if path not in refused and place[site.name] > self.settings.largest
        }
        return {**refused, **small}
