"""Site density: hand-made documents of a few sites, judged over two parts."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import apache_beam as beam
import numpy as np
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from schemas.identity import keyed_fraction
from schemas.records import Document
from transforms.dedup.keys_over_limit import KEYS_PER_DOCUMENT, TOTAL
from transforms.dedup.sites import site_of
from transforms.safety.pii.density import pii_sites
from transforms.safety.site_density import SCALE, SiteDensityConfig, keys, site_density
from transforms.step import Draft, Drop
from transforms.survey import Ground, emitted

PLACED_BYTES = TOTAL.itemsize + 4  # with the number of the part
VERDICTS: list[tuple[int, bytes]] = []  # of the runner, which is in this process
CONFIG = SiteDensityConfig(max_mean=0.1, min_documents=2)


def draft(url: str, rate: float | None) -> Draft:
    made = Draft(Document(id=f"{abs(hash(url)):032x}"[:32], text="some text", url=url))
    made.stored = {"dirty_words": None if rate is None else {"dirty_words_per_word": rate}}
    return made


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://www.shop.example.co.uk:80/a?b", "example.co.uk"),
        ("http://one.blogspot.com/x", "one.blogspot.com"),
        ("http://192.0.2.7/x", "192.0.2.7"),
        ("", ""),
        ("not an address", "not%20an%20address"),
    ],
)
def test_site_of(url: str, site: str) -> None:
    assert site_of(url) == site


def test_a_document_gives_its_site_and_its_measure() -> None:
    ((key, weight),) = keys(draft("https://a.example.com/1", 0.25), CONFIG)
    assert weight == 0.25 * SCALE
    assert keys(draft("https://b.example.com/2", 0.0), CONFIG) == [(key, 0)]
    assert keys(draft("", 0.5), CONFIG) == []
    assert keys(draft("https://a.example.com/1", None), CONFIG) == []


def _keep(piece: tuple[int, bytes]) -> None:
    VERDICTS.append(piece)


def judged(parts: list[list[Draft]], config: SiteDensityConfig, n_documents: int = 0) -> list[list[Any]]:
    """Return what the survey decides of each document of each part; `n_documents` sets the number of partitions."""
    survey, ground = site_density(config), Ground({"en": n_documents or sum(map(len, parts))})
    rows = [
        (number, np.concatenate([emitted(survey.emit(one), row, survey.row) for row, one in enumerate(part)]).tobytes())
        for number, part in enumerate(parts)
    ]
    VERDICTS.clear()
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        pieces = pipeline | beam.Create(rows).with_output_types(tuple[int, bytes])
        _ = survey.judge(pieces, ground).verdicts | beam.Map(_keep)
    found = {number: [block for part, block in VERDICTS if part == number] for number in range(len(parts))}
    deciders = [survey.verdict(found[number], ground) for number in range(len(parts))]
    return [[decide(one, row) for row, one in enumerate(part)] for decide, part in zip(deciders, parts, strict=True)]


def test_all_documents_of_a_site_that_is_bad_on_average_go_and_no_others() -> None:
    bad = [draft("https://x.bad.com/1", 0.0), draft("https://y.bad.com/2", 0.5)]  # mean 0.25, in two parts
    edge = [draft("https://edge.com/1", 0.1), draft("https://edge.com/2", 0.1)]  # at the limit: stays
    single = [draft("https://single.com/1", 0.9)]  # too few documents
    found = judged([[bad[0], edge[0], single[0]], [bad[1], edge[1]]], CONFIG)
    drop = Drop("site_over_limit", 0.25, 0.1, "bad.com")
    assert found == [[drop, None, None], [drop, None]]
    assert judged([[bad[0], single[0]], [bad[1]]], SiteDensityConfig(max_mean=0.1, min_documents=3)) == [
        [None, None],
        [None],
    ]


def test_sites_of_much_personal_data_for_any_number_of_partitions_and_parts() -> None:
    def page(site: int, at: int) -> Draft:
        made = Draft(Document(id=f"{site:016x}{at:016x}", text="x" * 100, url=f"https://www.site{site}.com/{at}"))
        made.stored = {"pii_density": {"spans_per_1000_chars": float(site)}}
        return made

    pages = [page(site, at) for site in range(5) for at in range(6)]
    config = pii_sites()
    found = {}
    for n_partitions, n_documents in ((1, 10), (3, 50_000), (17, 310_000)):
        assert Ground({"en": n_documents}).partitions(KEYS_PER_DOCUMENT, PLACED_BYTES) == n_partitions
        for n_parts in (1, 4):
            parts = [pages[at::n_parts] for at in range(n_parts)]
            decided = judged(parts, config, n_documents)
            found[n_partitions, n_parts] = {
                one.document.id: drop
                for part, drops in zip(parts, decided, strict=True)
                for one, drop in zip(part, drops, strict=True)
            }
    first = found[1, 1]
    assert all(other == first for other in found.values())
    assert [drop and drop.detail for drop in (first[one.document.id] for one in pages[::6])] == [
        *(None, None, None),  # 2 spans a 1,000 characters are at the limit
        *("site3.com", "site4.com"),
    ]


def test_generated_documents_are_judged_as_a_dictionary_of_all_sites_says() -> None:
    """benchmarks/runs/site_verdicts.py does the same with a million documents."""
    pages, sums = [], defaultdict[str, list[float]](list)
    for number in range(3000):
        name = f"{number:032x}"
        site = f"site{int(400 * keyed_fraction('site', name) ** 3)}.org"  # uneven: the largest has 14% of them
        rate = 8 * keyed_fraction("level", site) * keyed_fraction("measure", name)
        made = Draft(Document(id=name, text="x", url=f"https://w{number % 7}.{site}/{number}"))
        made.stored = {"pii_density": {"spans_per_1000_chars": rate}}
        pages.append(made)
        sums[site].append(round(rate * SCALE))
    config = pii_sites()
    bad = {site for site, some in sums.items() if len(some) >= config.min_documents
           and sum(some) / len(some) / SCALE > config.max_mean}  # fmt: skip
    expected = {page.document.id: site for page in pages if (site := site_of(page.document.url)) in bad}
    assert 20 < len(bad) < len(sums) / 2
    for n_documents in (10, 50_000, 310_000):  # 1, 3 and 17 partitions
        parts = [pages[at::13] for at in range(13)]
        decided = judged(parts, config, n_documents)
        gone = {one.document.id: drop.detail for part, drops in zip(parts, decided, strict=True)
                for one, drop in zip(part, drops, strict=True) if drop}  # fmt: skip
        assert gone == expected
