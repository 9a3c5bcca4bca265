"""Counts: fates by source and language, balance by source, sums of parts and of stages."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from pipelines.runs.counts import Counts, Fate, PartCounts, add_up, sum_of

FATES = {
    Fate("web", "en", "kept", ""): 3,
    Fate("web", "de", "kept", ""): 1,
    Fate("web", "de", "dropped", "too_short"): 2,
    Fate("wiki", "en", "kept", ""): 4,
    Fate("wiki", "", "failed", "cut"): 1,
}


def test_views_of_the_fates() -> None:
    counts = Counts.of({"wiki": 5, "web": 6}, FATES, {"pii:emails": 2}, text_bytes=9)
    assert (counts.read, counts.kept, counts.read_of) == (11, 8, {"web": 6, "wiki": 5})
    assert (counts.dropped, counts.failed) == ({"too_short": 2}, {"cut": 1})
    assert (counts.documents, counts.kept_of) == ({"en": 7, "de": 1}, {"web": 4, "wiki": 4})
    assert dict(counts.items()) == FATES
    assert counts.unbalanced() == []


def test_counts_of_any_order_are_the_same_and_zeros_are_left_out() -> None:
    backwards = {**dict(reversed(FATES.items())), Fate("web", "fr", "kept", ""): 0}
    assert Counts.of({"web": 6, "wiki": 5}, backwards) == Counts.of({"wiki": 5, "web": 6}, FATES)


@pytest.mark.parametrize(
    ("read", "said"),
    [
        ({"web": 7, "wiki": 4}, ["source web: read 7 records, 6 have a fate", "source wiki: read 4 records, 5 have a"]),
        ({"web": 6}, ["source wiki: read 0 records, 5 have a"]),
        ({"web": 6, "wiki": 5, "books": 1}, ["source books: read 1 records, 0 have a"]),
    ],
)
def test_each_source_balances_by_itself(read: dict[str, int], said: list[str]) -> None:
    """The first case balances in the sum: that is not enough."""
    found = Counts.of(read, FATES).unbalanced()
    assert [line.startswith(start) for line, start in zip(found, said, strict=True)] == [True] * len(said)


def test_the_sum_of_stages() -> None:
    one = Counts.of({"web": 2}, {Fate("web", "en", "kept", ""): 2}, {"pii:emails": 1}, 5)
    two = Counts.of({"web": 1, "wiki": 1}, {Fate("web", "en", "kept", ""): 1, Fate("wiki", "en", "kept", ""): 1}, {}, 7)
    fates = {Fate("web", "en", "kept", ""): 3, Fate("wiki", "en", "kept", ""): 1}
    assert sum_of([one, two]) == Counts.of({"web": 3, "wiki": 1}, fates, {"pii:emails": 1}, 12)
    assert sum_of([]) == Counts()


def test_counts_of_parts_add_up(tmp_path: Path) -> None:
    part = PartCounts(Counter(web=6, wiki=5), Counter(FATES), Counter(emails=2), Counter(pii=7), text_bytes=9)
    part.tally("tokens")["en"] += 11
    part.not_routed = 3
    for name in ("0.json", "1.json"):
        (tmp_path / name).write_bytes(part.to_json())
    total = add_up([str(tmp_path / "0.json"), str(tmp_path / "1.json")])
    assert total.fates == {fate: 2 * n for fate, n in FATES.items()}
    assert (total.read, total.edits, total.cpu_ns) == ({"web": 12, "wiki": 10}, {"emails": 4}, {"pii": 14})
    assert (total.tallies, total.text_bytes, total.not_routed) == ({"tokens": {"en": 22}}, 18, 6)
