"""The reference of a language: two halves, what lies far out, the trend by length."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from transforms.heuristics.kl.reference import Distribution, LanguageReference, TokenCounts, learn, percentile

VOCABULARY = 1000
ZIPF = 1 / np.arange(5, VOCABULARY)  # of tokens 0 to 994; the last five are in no clean text


def counts(half: int, *ids: int) -> TokenCounts:
    tokens, times = np.unique(np.array(ids, np.int64), return_counts=True)
    return TokenCounts(tokens, times, half)


def clean_tokens(n: int, seed: int) -> list[np.ndarray]:
    """Return texts of 100 to 3,000 tokens, each about something: the probabilities of a common distribution vary."""
    rng = np.random.default_rng(seed)
    texts = []
    for length in np.exp(rng.uniform(math.log(100), math.log(3000), n)).astype(int):
        topic = ZIPF * rng.gamma(rng.uniform(0.5, 2), size=len(ZIPF))
        texts.append(rng.choice(len(ZIPF), length, p=topic / topic.sum()))
    return texts


def clean_texts(n: int, seed: int) -> list[TokenCounts]:
    return [counts(number % 2, *tokens) for number, tokens in enumerate(clean_tokens(n, seed))]


def rank_correlation(x: list[float], y: list[float]) -> float:
    ranks = [np.argsort(np.argsort(values)) for values in (x, y)]
    return float(np.corrcoef(*ranks)[0, 1])


def test_a_distribution_by_hand() -> None:
    half = Distribution.of([counts(0, 1, 1, 3), counts(0, 1)], 4, 0.5)
    assert half.tokens.tolist() == [1, 3]
    assert half.counts.tolist() == [3, 1]
    # of 4 + 4 * 0.5: 3.5, 1.5 and 0.5
    assert half.bits(np.array([0, 1, 3])).tolist() == pytest.approx([math.log2(12), math.log2(6 / 3.5), 2.0])
    assert Distribution.of([], 4, 0.5).bits(np.array([0, 3])).tolist() == [2.0, 2.0]  # all alike


def test_a_text_is_compared_with_the_half_that_it_is_not_in() -> None:
    sample = [counts(0, 1, 1), counts(1, 2, 2)]
    found = learn(sample, 4, size=2, smoothing=1.0)
    # the other half has 2 of token 2 and none of 1: of 2 + 4 * 1 in all 3 and 1, so token 1 has log2(6) bits
    assert found.halves[1].counts.tolist() == [2]
    measured = found.measure(counts(0, 1, 1))
    assert measured is not None
    assert measured.plain == pytest.approx(math.log2(6))
    assert measured.even == pytest.approx(math.log2(6))
    assert measured.excess == pytest.approx(0.0)  # what is usual in this sample
    same = found.measure(counts(1, 1, 1))
    assert same is not None
    assert same.even == pytest.approx(1.0)  # 3 of 6


def test_a_short_text_is_not_measured() -> None:
    found = learn([counts(0, 1, 1), counts(1, 2, 2)], 4, size=2, smoothing=1.0)
    assert found.measure(counts(0, 1)) is None


def test_a_cut_text_is_as_far_as_the_whole() -> None:
    """Each text, which the reference has not seen, at four lengths: plain KL falls with length, the corrected stays."""
    found = learn(clean_texts(200, seed=1), VOCABULARY, size=50, smoothing=0.5)
    cuts = (50, 100, 200, 400)
    texts = [tokens for tokens in clean_tokens(200, seed=2) if len(tokens) >= max(cuts)]
    pieces = [(cut, found.measure(counts(0, *tokens[:cut]))) for tokens in texts for cut in cuts]
    lengths = [float(cut) for cut, _ in pieces]
    assert rank_correlation(lengths, [one.plain for _, one in pieces if one]) < -0.8
    assert abs(rank_correlation(lengths, [one.even for _, one in pieces if one])) < 0.05
    means = [np.mean([one.even for cut, one in pieces if one and cut == at]) for at in cuts]
    assert max(means) - min(means) < 0.05  # bits; plain ones differ by more than one


def test_what_goes_with_length_by_itself_is_taken_out() -> None:
    """Short texts of other words than long ones: their excess over what is usual at the length tells nothing of it."""
    sample = [counts(text.half, *np.repeat(text.tokens % (400 + text.n), text.counts)) for text in clean_texts(300, 7)]
    found = learn(sample, VOCABULARY, size=50, smoothing=0.5)
    measured = [found.measure(text) for text in sample]
    lengths = [float(text.n) for text in sample]
    assert abs(rank_correlation(lengths, [one.even for one in measured if one])) > 0.1
    assert abs(rank_correlation(lengths, [one.excess for one in measured if one])) < 0.05


def planted(number: int, rng: np.random.Generator) -> TokenCounts:
    """Return keyword stuffing, a list of rare words, or a text in other tokens, of 100 to 1,000 tokens."""
    n = int(rng.integers(100, 1000))
    pools = (rng.choice(len(ZIPF), 12), np.arange(400, len(ZIPF)), np.arange(len(ZIPF), VOCABULARY))
    return counts(number % 2, *rng.choice(pools[number % 3], n))


def test_planted_spam_is_found_at_one_clean_text_in_a_hundred() -> None:
    rng = np.random.default_rng(3)
    sample = [*clean_texts(400, seed=1), *(planted(number, rng) for number in range(12))]  # the sample has some, too
    found = learn(sample, VOCABULARY, size=50, smoothing=0.5)
    assert found.n_left_out >= 12

    def excess(texts: list[TokenCounts]) -> np.ndarray:
        return np.array([one.excess for one in map(found.measure, texts) if one])

    limit = np.quantile(excess(clean_texts(300, seed=2)), 0.99)
    assert (excess([planted(number, rng) for number in range(150)]) > limit).mean() >= 0.95


def test_the_order_of_the_sample_does_not_matter() -> None:
    sample = clean_texts(40, seed=4)
    one = learn(sample, VOCABULARY, size=50, smoothing=0.5).to_plain()
    assert learn(sample[::-1], VOCABULARY, size=50, smoothing=0.5).to_plain() == one


def test_it_is_read_as_it_was_written() -> None:
    found = learn(clean_texts(20, seed=5), VOCABULARY, size=50, smoothing=0.5, percentiles=[97.3])
    plain = json.loads(json.dumps(found.to_plain()))
    again = LanguageReference.from_plain(plain)
    text = clean_texts(1, seed=6)[0]
    assert again.measure(text) == found.measure(text)
    assert again.excess == found.excess
    assert 97.3 in again.excess


@pytest.mark.parametrize(("percent", "value"), [(1, 10.0), (25, 10.0), (25.1, 20.0), (75, 30.0), (100, 40.0)])
def test_percentiles(percent: float, value: float) -> None:
    assert percentile(np.array([10.0, 20.0, 30.0, 40.0]), percent) == value


@pytest.mark.parametrize(
    ("percent", "n", "rank"), [(99.9, 1000, 999), (99.9, 2000, 1998), (55, 100, 55), (0.07, 10_000, 7)]
)
def test_the_rank_of_a_percentile_is_exact(percent: float, n: int, rank: int) -> None:
    assert percentile(np.arange(1.0, n + 1), percent) == rank


def test_the_half_of_a_document_is_that_of_its_id() -> None:
    halves = {name: TokenCounts.of(name, [3, 3, 1]).half for name in map(str, range(40))}
    assert set(halves.values()) == {0, 1}
    one = TokenCounts.of("7", [3, 3, 1])
    assert (one.half, one.tokens.tolist(), one.counts.tolist(), one.n) == (halves["7"], [1, 3], [1, 2], 3)
