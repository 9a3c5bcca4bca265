"""Makes captures: addresses, dates, ids and pages, each a function of the seed and a counter."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from demo_web.archives import Capture
from demo_web.dice import Dice
from demo_web.lexicons.lexicon import phrases
from demo_web.markup import N_TEMPLATES, render
from demo_web.texts import Article
from demo_web.truth import Cluster, Fate, newest
from schemas.identity import content_id, keyed_hash

_FIRST = phrases("""
    harbour; meadow; lantern; river; granite; amber; north; willow; copper; orchard; island; valley; quarry; heron;
    cedar;
    marble; winter; saffron; cobalt; juniper""")
_SECOND = phrases(
    "notes; journal; review; letters; herald; pages; archive; reader; society; gazette; almanac; observer"
)
_FIRST_DAY = datetime(2019, 1, 7, 6, 0, tzinfo=UTC)
_STEP = timedelta(minutes=2)
_STEPS = 1_000_000  # the dates of one web are scattered over three years and nine months
_STRIDE = 17_389  # prime to _STEPS: no two captures of a web have one date unless they are made so


class Cast:
    """Everything that will be written, in the order it was thought of."""

    def __init__(self, seed: str) -> None:
        self.seed = seed
        self.captures: list[Capture] = []
        self.clusters: list[Cluster] = []
        self._count = 0

    def next_name(self) -> str:
        """Return a new name to draw by."""
        self._count += 1
        return f"page {self._count}"

    def record_id(self, name: str) -> str:
        digits = content_id(self.seed, "record", name)
        return f"urn:uuid:{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def date(self) -> datetime:
        """Return a date that no other capture has: a step of its own, in scattered order."""
        self._count += 1
        return _FIRST_DAY + _STEP * ((self._count * _STRIDE) % _STEPS)

    def url(self, language: str, host: str = "") -> str:
        """Return a new address in its normal spelling: https, no www, no trailing slash."""
        dice = Dice(self.seed, "url", self.next_name())
        if not host:
            host = f"{dice.pick(_FIRST)}-{dice.pick(_SECOND)}-{language}.example"
        return f"https://{host}/{dice.between(2005, 2023)}/{dice.pick(_FIRST)}-{dice.pick(_SECOND)}-{self._count}"

    def page(self, article: Article, page_class: str, *, template: int | None = None, **given: Any) -> Capture:
        """Return a capture of a new page with the article as its main text; not yet added."""
        name = self.next_name()
        url = given.pop("url", "") or self.url(article.language)
        site = url.split("/")[2].split(".")[-2]
        if template is None:
            template = keyed_hash("demo template", site) % N_TEMPLATES
        body = given.pop("body", None) or render(article, site, template, name).encode()
        given.setdefault("fetched_at", self.date())
        return Capture(
            url=url,
            record_id=self.record_id(name),
            page_class=page_class,
            body=body,
            language=article.language,
            text=tuple(b for b in article.blocks if not b.startswith("<")),
            **given,
        )

    def add(self, capture: Capture) -> Capture:
        self.captures.append(capture)
        return capture

    def add_page(self, article: Article, page_class: str, **given: Any) -> Capture:
        return self.add(self.page(article, page_class, **given))

    def add_cluster(self, members: Sequence[Capture], loser: Fate, similarity: tuple[float, ...] = ()) -> None:
        """Add captures of which the newest is kept and the others share the fate `loser`."""
        kind = members[0].page_class
        name = f"{kind}-{len(self.clusters):03d}"
        kept = newest((m.fetched_at, m.record_id) for m in members if m.fetched_at is not None)
        for member in members:
            fate = member.fate if member.record_id == kept else loser
            self.add(dataclasses.replace(member, cluster=name, fate=fate))
        ids = tuple(member.record_id for member in members)
        self.clusters.append(Cluster(name=name, kind=kind, kept=kept, members=ids, similarity=similarity))
