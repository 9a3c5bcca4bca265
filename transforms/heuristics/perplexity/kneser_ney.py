"""An n-gram language model by interpolated modified Kneser-Ney smoothing, estimated exactly in memory.

Sources: Chen and Goodman 1998, "An Empirical Study of Smoothing Techniques for Language Modeling", in the form that
KenLM's `lmplz` estimates (Heafield et al. 2013, "Scalable Modified Kneser-Ney Language Model Estimation"):

    p(w | h) = (a(h w) - D(a(h w))) / sum over x of a(h x) + gamma(h) p(w | h')       h' is h without its first word
    gamma(h) = what the discounts D, and the n-grams left out, take from the words after h / sum over x of a(h x)

a is the count for n-grams of the highest order and for those that begin with `<s>`; for the others it is the number of
different words before them. D is 0, D1, D2 or D3+ for a = 0, 1, 2, 3 and more, one set an order, from the numbers of
n-grams with a = 1 to 4. The order below unigrams is uniform over all words but `<s>`, with `</s>` and `<unk>`.

Pruning: an n-gram of three words or more whose count is at most `prune` is left out, and its probability goes to
gamma. Discounts are those of all n-grams, as in lmplz.

Deviation: where an order is too small for discounts (a number of n-grams is 0, or D <= 0 or D > a) they are 0.5, 1 and
1.5, those of `lmplz --discount_fallback`; lmplz without that option stops.

All counts are whole numbers and n-grams are in lexicographic order of token ids, so the order of the lines has no say
in any bit of the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float64]

MAX_ORDER = 5
FIRST_PRUNED = 3  # order from which on n-grams are pruned
_FALLBACK = (0.0, 0.5, 1.0, 1.5)  # D(0) to D(3+), of `lmplz --discount_fallback`


@dataclass(frozen=True)
class Level:
    """The n-grams of one order k, n of them in lexicographic order."""

    tokens: Ints  # [n, k]; `NgramModel.bos` and `.eos` are the ends of a line
    probability: Floats  # [n] of the last token after the others; 0 for <s>, which nothing predicts
    backoff: Floats  # [n] gamma; 1 where nothing follows


@dataclass(frozen=True)
class NgramModel:
    """Levels of order 1 and up; fewer than asked for where no line is long enough."""

    levels: tuple[Level, ...]
    unknown: float  # probability of <unk>, any token without a unigram
    bos: int
    eos: int


@dataclass
class _Counted:
    """The distinct k-grams of the text."""

    first: Ints  # [n] a place in the stream where it occurs
    count: Ints  # [n]
    prefix: Ints  # [n] number of the (k-1)-gram without its last token
    suffix: Ints  # [n] number of the (k-1)-gram without its first token


def estimate(lines: Sequence[Ints], vocab_size: int, order: int, prune: int) -> NgramModel:
    """Return the model of lines of token ids, each 0 to vocab_size - 1, without BOS and EOS; a function of their set.

    n-grams do not cross lines. ValueError without lines, for an order outside 2 to 5, or for `prune` below 0.
    """
    if not lines or not 2 <= order <= MAX_ORDER or prune < 0:
        raise ValueError(f"{len(lines)} lines, order {order}, prune {prune}: no model can be estimated")
    bos, eos = vocab_size, vocab_size + 1
    stream, left = _stream(lines, bos, eos)
    orders = _count(stream, left, vocab_size + 2, order)
    levels: list[Level] = []
    kept = np.ones(len(orders[0].first), np.bool_)
    unigrams = orders[0]
    adjusted = _adjusted(orders, 0, stream, bos)
    discount = discounts(adjusted)[np.minimum(adjusted, 3)]
    n_words = len(unigrams.first)  # all but <s>, with <unk>
    unknown = float(discount.sum() / adjusted.sum() / n_words)
    probability = np.where(stream[unigrams.first] == bos, 0.0, (adjusted - discount) / adjusted.sum() + unknown)
    for k in range(1, len(orders) + 1):
        gamma = np.ones(len(kept), np.float64)
        kept_above, probability_above = np.zeros(0, np.bool_), np.zeros(0, np.float64)
        if k < len(orders):
            above = orders[k]
            adjusted = _adjusted(orders, k, stream, bos)
            discount = discounts(adjusted)[np.minimum(adjusted, 3)]
            kept_above = above.count > prune if k + 1 >= FIRST_PRUNED else np.ones(len(above.count), np.bool_)
            total = np.bincount(above.prefix, adjusted, len(kept))
            lost = np.bincount(above.prefix, np.where(kept_above, discount, adjusted), len(kept))
            np.divide(lost, total, out=gamma, where=total > 0)
            probability_above = (adjusted - discount) / total[above.prefix]
            probability_above += gamma[above.prefix] * probability[above.suffix]
        tokens = stream[orders[k - 1].first[kept][:, None] + np.arange(k)]
        levels.append(Level(tokens, probability[kept], gamma[kept]))
        kept, probability = kept_above, probability_above
    while len(levels) > 1 and not len(levels[-1].tokens):
        levels.pop()
    return NgramModel(tuple(levels), unknown, bos, eos)


def discounts(adjusted: Ints) -> Floats:
    """Return D(0) = 0, D1, D2 and D3+ of an order, from the adjusted counts of its n-grams."""
    t = [int((adjusted == n).sum()) for n in range(5)]
    if not all(t[1:4]):
        return np.array(_FALLBACK)
    y = t[1] / (t[1] + 2 * t[2])
    found = [0.0, *(n - (n + 1) * y * t[n + 1] / t[n] for n in (1, 2, 3))]
    return np.array(found if all(0 < found[n] <= n for n in (1, 2, 3)) else _FALLBACK)


def _stream(lines: Sequence[Ints], bos: int, eos: int) -> tuple[Ints, Ints]:
    """Return all lines as `<s> tokens </s>`, end to end, and for each place how many tokens its line still has."""
    lengths = np.array([len(line) + 2 for line in lines], np.int64)
    ends = np.cumsum(lengths)
    stream = np.empty(int(ends[-1]), np.int32)
    for line, end in zip(lines, ends.tolist(), strict=True):
        start = end - len(line) - 2
        stream[start], stream[start + 1 : end - 1], stream[end - 1] = bos, line, eos
    return stream, np.repeat(ends, lengths) - np.arange(len(stream))


def _count(stream: Ints, left: Ints, base: int, order: int) -> list[_Counted]:
    """Return the distinct n-grams of each order that the text has. A k-gram's key: number of its prefix, last token."""
    counted: list[_Counted] = []
    number = np.zeros(len(stream), np.int32)  # of the (k-1)-gram that begins at each place
    for k in range(1, order + 1):
        places = np.flatnonzero(left >= k)
        if not len(places):
            break
        keys = number[places].astype(np.int64) * base + stream[places + k - 1]
        distinct, first, numbers, count = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
        first = places[first]
        suffix = number[first + 1] if k > 1 else np.zeros(len(first), np.int32)
        counted.append(_Counted(first, count.astype(np.int32), (distinct // base).astype(np.int32), suffix))
        number = np.full(len(stream), -1, np.int32)
        number[places] = numbers
    return counted


def _adjusted(orders: Sequence[_Counted], at: int, stream: Ints, bos: int) -> Ints:
    """Return a of the n-grams of order at + 1; that of <s> alone is 0."""
    here = orders[at]
    if at + 1 == len(orders):
        return here.count
    begins = stream[here.first] == bos
    before = np.bincount(orders[at + 1].suffix, minlength=len(here.first))
    return np.where(begins, here.count if at else 0, before)
