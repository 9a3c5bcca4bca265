"""Limits fitted to a reference: order statistics, stop words."""

from __future__ import annotations

import math

import numpy as np
import pytest

from demo_web.texts import write_article
from transforms.heuristics import fineweb, gopher, junk, repetition
from transforms.heuristics.fitted_limits import (
    MEASURES,
    TuneConfig,
    find_stop_words,
    fit_limit,
    looser,
    share_with,
    tolerance_rank,
)
from transforms.heuristics.languages import STOP_WORDS
from transforms.text.view import TextView


def binomial_below(k: int, n: int, share: float) -> float:
    """Return the probability that a binomial variable is less than k, summed term by term."""
    return math.fsum(math.comb(n, j) * share**j * (1 - share) ** (n - j) for j in range(k))


@pytest.mark.parametrize(("share", "confidence"), [(0.99, 0.95), (0.9, 0.95), (0.5, 0.9), (0.95, 0.99)])
@pytest.mark.parametrize("n", [1, 2, 20, 59, 298, 299, 500, 900])
def test_the_rank_is_the_least_that_keeps_the_share_with_the_confidence(
    n: int, share: float, confidence: float
) -> None:
    rank = tolerance_rank(n, share, confidence)
    assert 1 <= rank <= n + 1
    if rank <= n:
        assert binomial_below(rank, n, share) >= confidence - 1e-9
    if rank > 1:
        assert binomial_below(rank - 1, n, share) < confidence + 1e-9


def test_the_textbook_sizes() -> None:
    """299 values are the fewest whose maximum exceeds 99% with a confidence of 95%, 59 those for 95% (Wilks)."""
    assert [tolerance_rank(n, 0.99, 0.95) for n in (298, 299)] == [299, 299]
    assert [tolerance_rank(n, 0.95, 0.95) for n in (58, 59)] == [59, 59]
    assert tolerance_rank(100_000, 0.99, 0.95) == pytest.approx(
        99_000 + 1.645 * math.sqrt(100_000 * 0.99 * 0.01), abs=3
    )


@pytest.mark.parametrize("is_upper", [True, False])
def test_a_limit_keeps_the_share_of_held_out_values_as_often_as_is_said(is_upper: bool) -> None:
    """Of a thousand references 95% keep at least the share of a population, by its own distribution function."""
    dice = np.random.default_rng(7)
    share, trials = 0.9, 1000
    good = 0
    for _ in range(trials):
        fitted = fit_limit(dice.random(200), is_upper, share, 0.95)
        good += (fitted.limit if is_upper else 1 - fitted.limit) >= share
    assert good / trials >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / trials)
    assert good < trials  # it is no trivial limit


def test_of_too_few_values_the_most_extreme_is_the_limit_and_what_it_keeps_is_told() -> None:
    fitted = fit_limit([0.2, 0.1, 0.34567], True, 0.99, 0.95)
    assert (fitted.limit, fitted.n_texts) == (0.346, 3)  # outwards
    assert fitted.share == pytest.approx(0.05 ** (1 / 3))
    assert fit_limit([0.2, 0.12345], False, 0.99, 0.95).limit == 0.123
    assert fit_limit([0.15], True, 0.9, 0.9).limit == 0.15
    assert fitted.quantiles == (0.1, 0.1, 0.1, 0.2, 0.34567, 0.34567, 0.34567)


def test_a_limit_does_not_depend_on_the_order() -> None:
    values = np.random.default_rng(1).random(500).tolist()
    assert fit_limit(values, True, 0.95, 0.95) == fit_limit(sorted(values), True, 0.95, 0.95)


def test_none_is_stricter_than_english() -> None:
    assert (looser(7.4, 10, True), looser(12.5, 10, True)) == (10, 12.5)
    assert (looser(5.6, 3, False), looser(2.1, 3, False)) == (3, 2.1)


def test_the_measures_are_those_of_the_rules() -> None:
    rules = {
        "repetition": (repetition.RepetitionConfig, repetition.RepetitionStats),
        "gopher": (gopher.GopherConfig, gopher.GopherStats),
        "fineweb": (fineweb.FineWebConfig, fineweb.FineWebStats),
        "junk": (junk.JunkConfig, junk.JunkStats),
    }
    assert {name for name, some in MEASURES.items() if some} == set(rules)
    for name, (config, stats) in rules.items():
        assert MEASURES[name].keys() <= config.__dataclass_fields__.keys()
        assert set(MEASURES[name].values()) <= stats.__dataclass_fields__.keys()


def views(language: str, n: int = 40) -> list[TextView]:
    return [TextView("\n".join(write_article(language, str(k)).blocks), language) for k in range(n)]


@pytest.mark.parametrize("language", ["de", "fr", "es", "ru"])
def test_known_stop_words_are_found(language: str) -> None:
    words, shares = find_stop_words(views(language), TuneConfig())
    known = set(STOP_WORDS[language].split())
    assert len(words) >= 8
    assert sum(word in known for word in words[:10]) >= 7
    assert list(shares.values()) == sorted(shares.values(), reverse=True)
    assert share_with(views(language), words, 2) == 1


def test_a_frequent_topic_and_numbers_are_no_stop_words() -> None:
    topic = [TextView(f"Walfang {n} 1999 1999 1999 und die Walfang Walfang See", "de") for n in range(4)]
    rest = [TextView(f"und die See {n} 1999 1999", "de") for n in range(6)]
    assert find_stop_words([*topic, *rest], TuneConfig(stop_word_share=0.05))[0] == ["die", "see", "und"]


def test_scripts_without_spaces_have_none() -> None:
    assert find_stop_words(views("ja", 5), TuneConfig()) == ([], {})
