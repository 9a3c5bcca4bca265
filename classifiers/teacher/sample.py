"""The sample that a teacher judges: stratified by language, kind of page and cheap score, with sites in turn.

A random sample of a crawl is mostly the largest language, the commonest kind of page and the largest sites, so that a
student sees little else. Here the documents fall into strata, and a stratum of `p` documents gets a share in proportion
to `p ** balance`: 1 is a random sample, 0 as many documents from each. Within a stratum each site gives one document
before any gives a second. `balance`, the bands and the sites in turn are ours: the Llama 3 report does not say how
the documents were chosen that Llama 2 judged (arXiv:2407.21783, section 3.1.1).

Every choice is a keyed hash of the document's id, so the sample does not depend on parts, workers or order. A row's
`weight` is the documents of its stratum for each one that was drawn; it does not undo the turns of the sites.

Memory: twice `count` candidates a stratum at most, without texts.
"""

from __future__ import annotations

import bisect
import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from schemas.identity import keyed_hash
from schemas.settings import setting, validate

MIN_SCORED = 20  # documents with a score, for each band, from which a language has bands (ours)
_CUT_FROM = 4096  # scores of a language that its bands are cut from, drawn by hash
_SLACK = 64


@dataclass(frozen=True, kw_only=True)
class SampleConfig:
    """How the sample is drawn."""

    balance: float = setting(
        0.5, "a stratum's share goes with its documents to this power; 1: random, 0: equal (ours)", ge=0.0, le=1.0
    )
    score: str = setting("quality.score", "cheap score, STEP.MEASURE; '': none")
    bands: int = setting(4, "bands of the cheap score, by quantiles of its language (ours)", ge=1, le=100)
    by_page_kind: bool = setting(True, "the kind of page is a part of the stratum")
    by_site: bool = setting(True, "each site gives one document before any gives a second")
    max_chars: int = setting(4000, "characters from the start of a text that are judged (ours)", ge=100)
    seed: str = setting("0", "another seed draws another sample")

    def __post_init__(self) -> None:
        validate(self)


class Candidate(NamedTuple):
    """A document that may be drawn; `place` is where its text is."""

    id: str
    language: str
    page_kind: str
    site: str
    score: float | None
    place: tuple[int, int]  # file and row


class Drawn(NamedTuple):
    """A document of the sample."""

    candidate: Candidate
    stratum: str
    weight: float  # documents of the stratum for each one that was drawn


Cuts = Mapping[str, Sequence[float]]  # inner borders of the bands, by language


def score_cuts(scores: Iterable[tuple[str, str, float | None]], config: SampleConfig) -> dict[str, list[float]]:
    """Return the borders of the bands of each language from (id, language, score) of all documents.

    They are quantiles of the scores of 4,096 documents a language, drawn by hash. Languages with fewer than 20 scores a
    band have none.
    """
    held: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)  # the lowest hash is on top, negated
    for identifier, language, score in scores:
        if score is not None:
            entry = (-keyed_hash(f"label cuts {config.seed}"[:64], identifier), score)
            heap = held[language]
            (heapq.heappush if len(heap) < _CUT_FROM else heapq.heappushpop)(heap, entry)
    cuts = {}
    for language, heap in held.items():
        values = sorted(score for _, score in heap)
        if len(values) >= config.bands * MIN_SCORED:
            borders = {values[len(values) * n // config.bands] for n in range(1, config.bands)}
            cuts[language] = sorted(borders - {values[0]})  # what all scores reach parts nothing
    return cuts


def stratum_of(candidate: Candidate, cuts: Cuts, config: SampleConfig) -> str:
    """Return `en/article/2`: language, kind of page and band of the score, the lowest 1; `-` for what is not known."""
    band = "-"
    if candidate.score is not None and candidate.language in cuts:
        band = str(bisect.bisect_right(cuts[candidate.language], candidate.score) + 1)
    kind = candidate.page_kind if config.by_page_kind else ""
    return f"{candidate.language or '-'}/{kind or '-'}/{band}"


def draw(candidates: Iterable[Candidate], count: int, cuts: Cuts, config: SampleConfig) -> list[Drawn]:
    """Return about `count` documents, by id: all of them where there are no more."""
    population: Counter[str] = Counter()
    held: defaultdict[str, dict[str, Candidate]] = defaultdict(dict)
    for candidate in candidates:
        stratum = stratum_of(candidate, cuts, config)
        population[stratum] += 1
        here = held[stratum]
        known = here.get(candidate.id)
        here[candidate.id] = candidate if known is None else min(known, candidate, key=lambda one: one.place)
        if len(here) > 2 * count + _SLACK:
            held[stratum] = {one.id: one for one in _first(here.values(), count, config)}
    available = {stratum: len(some) for stratum, some in held.items()}
    shares = allocate(population, available, count, config.balance)
    drawn = [
        Drawn(one, stratum, population[stratum] / n)
        for stratum, n in shares.items() if n
        for one in _first(held[stratum].values(), n, config)
    ]  # fmt: skip
    return sorted(drawn, key=lambda one: one.candidate.id)


def _first(candidates: Iterable[Candidate], n: int, config: SampleConfig) -> list[Candidate]:
    """Return the first `n` in the order of the draw: by turn of the site, then by hash.

    What is left out here could not come in later: another document of a site only puts those behind it back.
    """
    salt = f"label {config.seed}"[:64]
    ordered = sorted((keyed_hash(salt, one.id), one.id, one) for one in candidates)
    turns: Counter[str] = Counter()
    slots = []
    for value, identifier, one in ordered:
        turn = turns[one.site] if one.site and config.by_site else 0
        turns[one.site] += 1
        slots.append((turn, value, identifier, one))
    return [one for *_, one in heapq.nsmallest(n, slots)]


def allocate(population: Mapping[str, int], available: Mapping[str, int], count: int, balance: float) -> dict[str, int]:
    """Return how many documents each stratum gives, in proportion to its documents to the power `balance`.

    None gives more than it has; what it lacks goes to the others in the same proportion. Parts of a document go to the
    largest remainders, ties by name.
    """
    left, shares = min(count, sum(available.values())), dict.fromkeys(sorted(population), 0.0)
    active = {stratum: population[stratum] ** balance for stratum in shares}
    while active:
        total = sum(active.values())
        full = [stratum for stratum, weight in active.items() if left * weight / total >= available[stratum]]
        for stratum in full or active:
            shares[stratum] = min(available[stratum], left * active[stratum] / total)
        left -= sum(available[stratum] for stratum in full)
        active = {stratum: weight for stratum, weight in active.items() if stratum not in full} if full else {}
    given = {stratum: int(share) for stratum, share in shares.items()}
    missing = min(count, sum(available.values())) - sum(given.values())
    by_remainder = sorted(shares, key=lambda stratum: (given[stratum] - shares[stratum], stratum))
    for stratum in [one for one in by_remainder if given[one] < available[one]][:missing]:
        given[stratum] += 1
    return given
