from __future__ import annotations

import random
from collections import Counter

import pytest

from classifiers.teacher.sample import Candidate, SampleConfig, allocate, draw, score_cuts, stratum_of

CONFIG = SampleConfig()


def candidate(n: int, **more: object) -> Candidate:
    plain = {"language": "en", "page_kind": "article", "site": f"s{n % 50}.org", "score": n % 100 / 100}
    return Candidate(id=f"{n:032x}", place=(0, n), **{**plain, **more})  # type: ignore[arg-type]


def corpus(n: int) -> list[Candidate]:
    """English mostly, some German, few Danish; a large site; forums; some documents without a score."""
    draws = random.Random(7)
    return [
        candidate(
            at, language=draws.choices(["en", "de", "da"], [90, 9, 1])[0],
            page_kind=draws.choices(["article", "forum", ""], [7, 2, 1])[0],
            site="big.com" if draws.random() < 0.5 else f"s{draws.randrange(300)}.org",
            score=None if draws.random() < 0.1 else draws.random(),
        )
        for at in range(n)
    ]  # fmt: skip


def drawn_ids(candidates: list[Candidate], count: int, config: SampleConfig = CONFIG) -> list[str]:
    cuts = score_cuts(((one.id, one.language, one.score) for one in candidates), config)
    return [one.candidate.id for one in draw(candidates, count, cuts, config)]


def test_the_sample_does_not_depend_on_the_order() -> None:
    found = corpus(3000)
    expected = drawn_ids(found, 40)
    assert len(expected) == len(set(expected)) == 40
    for seed in range(5):
        random.Random(seed).shuffle(found)
        assert drawn_ids(found, 40) == expected


def test_pruning_loses_nobody() -> None:
    # 5,000 documents of one stratum are pruned many times on the way to 7; a copy is a second place of one document.
    found = [candidate(n, score=None, site=f"s{n % 40}.org") for n in range(5000)]
    whole = [one.candidate for one in draw(found, 5000, {}, CONFIG)]
    sites: Counter[str] = Counter()
    turns = {}
    for one in draw_order(whole):
        turns[one.id] = sites[one.site]
        sites[one.site] += 1
    expected = sorted(draw_order(whole), key=lambda one: turns[one.id])[:7]  # a stable sort
    assert drawn_ids([*found, found[17]], 7) == sorted(one.id for one in expected)


def draw_order(candidates: list[Candidate]) -> list[Candidate]:
    from schemas.identity import keyed_hash

    return sorted(candidates, key=lambda one: (keyed_hash("label 0", one.id), one.id))


def test_sites_take_turns() -> None:
    found = corpus(4000)
    sites = [one.candidate.site for one in draw(found, 60, {}, SampleConfig(by_page_kind=False))]
    assert sites.count("big.com") <= 3  # one a language; half of the documents are its
    unequal = draw(found, 60, {}, SampleConfig(by_page_kind=False, by_site=False))
    assert sum(one.candidate.site == "big.com" for one in unequal) > 20


def test_documents_without_a_site_are_not_one_site() -> None:
    found = [candidate(n, site="" if n % 2 else f"s{n}.org") for n in range(200)]
    drawn = draw(found, 100, {}, CONFIG)
    assert 30 < sum(not one.candidate.site for one in drawn) < 70


def test_shares_follow_balance() -> None:
    population = {"a": 9000, "b": 900, "c": 100}
    assert allocate(population, population, 100, 1.0) == {"a": 90, "b": 9, "c": 1}
    assert allocate(population, population, 99, 0.0) == {"a": 33, "b": 33, "c": 33}
    assert allocate(population, population, 1000, 0.0) == {"a": 450, "b": 450, "c": 100}  # c has no more
    assert allocate(population, population, 10**6, 0.5) == population
    assert allocate({"a": 5, "b": 5, "c": 5}, {"a": 5, "b": 5, "c": 5}, 2, 1.0) == {"a": 1, "b": 1, "c": 0}
    assert allocate({}, {}, 5, 0.5) == {}


def test_shares_add_up_whatever_the_numbers() -> None:
    draws = random.Random(3)
    for _ in range(300):
        population = {str(n): draws.randrange(1, 200) for n in range(draws.randrange(1, 9))}
        count, balance = draws.randrange(0, 400), draws.random()
        given = allocate(population, population, count, balance)
        assert sum(given.values()) == min(count, sum(population.values()))
        assert all(given[name] <= population[name] for name in population)


def test_weights_add_up_to_the_corpus() -> None:
    found = corpus(2000)
    drawn = draw(found, 500, score_cuts(((o.id, o.language, o.score) for o in found), CONFIG), CONFIG)
    shown = {one.stratum for one in drawn}
    cuts = score_cuts(((o.id, o.language, o.score) for o in found), CONFIG)
    assert sum(one.weight for one in drawn) == pytest.approx(sum(stratum_of(o, cuts, CONFIG) in shown for o in found))


def test_bands_are_quantiles_of_the_language() -> None:
    rows = [(f"{n:032x}", "en", n / 1000) for n in range(1000)] + [(f"{n:031x}f", "da", 0.5) for n in range(79)]
    assert score_cuts(rows, CONFIG) == {"en": [0.25, 0.5, 0.75]}  # Danish has too few
    cuts = {"en": [0.25, 0.5, 0.75]}
    found = [stratum_of(candidate(1, score=score), cuts, CONFIG) for score in (0.0, 0.25, 0.74, 0.99, None)]
    assert found == ["en/article/1", "en/article/2", "en/article/3", "en/article/4", "en/article/-"]
    assert stratum_of(candidate(1, language="da", page_kind=""), cuts, CONFIG) == "da/-/-"


def test_equal_scores_make_no_bands() -> None:
    assert score_cuts(((f"{n:032x}", "en", 1.0) for n in range(500)), CONFIG) == {"en": []}
