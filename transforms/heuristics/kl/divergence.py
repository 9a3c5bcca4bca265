"""Kullback-Leibler divergence of the tokens of a text from a reference, comparable between texts of any length.

    KL(p || q) = sum over tokens of p log2(p / q) = cross-entropy(p, q) - entropy(p)      bits a token

p is the distribution of the text itself, count / length, and q the reference. The cross-entropy is a mean over the
tokens of the text, so length does not change what it is expected to be. The entropy is different: n tokens have log2(n)
bits at most, and KL of a short text is too high. On English web pages it falls from 5.3 bits at 100 tokens to 2.8 at
3,200 of the same pages (LOG.md).

The correction is rarefaction: the entropy is that of `size` tokens drawn from the text without replacement, as it is
expected, computed from the counts alone:

    H_size = sum over tokens of sum over k of P(k) * -(k / size) log2(k / size)      P hypergeometric: n, count, size

For tokens that are drawn independently from one distribution, whichever, it is expected to be the same at every length
from `size` on: `size` of n independent tokens are `size` independent tokens. So texts of any length are compared as if
they all had `size` tokens. Ecologists compare samples of species so (Hurlbert 1971, Ecology 52(4), for the number of
species; here for entropy).

Real texts are not drawn independently, and short pages are of other kinds than long ones. What trend is left is taken
out as a line over log2(length) that the sample gives (`fit_trend`).
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_TREND_POINTS = 2000  # two million pairs: 0.1 s, 80 MB


def reference_bits(counts: Ints, vocab_size: int, smoothing: float) -> Floats:
    """Return -log2 of the probability of tokens: (count + smoothing) / (sum of counts + smoothing * vocab_size).

    `counts` has all tokens that occur; the others of the vocabulary may be left out.
    """
    bits: Floats = np.log2(counts.sum() + smoothing * vocab_size) - np.log2(counts + smoothing)
    return bits


def cross_entropy(counts: Ints, bits: Floats) -> float:
    """Return the mean of `bits`, those of the distinct tokens of a text, over all its tokens. The text has some."""
    return float((counts * bits).sum() / counts.sum())


def entropy(counts: Ints) -> float:
    """Return the entropy of the distribution count / length, in bits. The text has some tokens."""
    shares = counts / counts.sum()
    return float(-(shares * np.log2(shares)).sum())


def expected_entropy(counts: Ints, size: int) -> float:
    """Return the entropy that `size` tokens drawn from a text without replacement are expected to have, in bits.

    `counts` are those of its distinct tokens, all positive; ValueError when they are fewer than `size` together.
    """
    n = int(counts.sum())
    if not 0 < size <= n:
        raise ValueError(f"{size} tokens cannot be drawn from {n}")
    values, times = np.unique(counts, return_counts=True)
    drawn = np.arange(1, min(size, int(values[-1])) + 1)
    count, k = values[:, None], drawn[None, :]
    possible = (k <= count) & (size - k <= n - count)
    logs = _log_factorials(n)
    # log P(k): (count choose k) (n - count choose size - k) / (n choose size); cells that are impossible stay 0
    rest, left = n - count, size - k
    chances = logs[count] + logs[rest] - logs[k] - logs[left]
    chances = chances - logs[np.maximum(count - k, 0)] - logs[np.maximum(rest - left, 0)]
    chances = np.where(possible, np.exp(chances - (logs[n] - logs[size] - logs[n - size])), 0.0)
    terms = -(drawn / size) * np.log2(drawn / size)
    return float((times * (chances @ terms)).sum())


def _log_factorials(n: int) -> Floats:
    """Return a table of log(i!) for i = 0 to n at least."""
    return _log_factorial_table(max(10, n.bit_length()))


@functools.lru_cache(maxsize=1)
def _log_factorial_table(bits: int) -> Floats:
    return np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, 1 << bits)))))


def fit_trend(x: Floats, y: Floats) -> tuple[float, float]:
    """Return slope and intercept of a line through points that outliers do not bend; no line (0, 0) without points.

    Theil (1950) and Sen (1968): the slope is the median of the slopes of all pairs of points, so that what is left of y
    has no rank correlation with x; the intercept is the median of what is left. Of more than `_TREND_POINTS` points
    every second one in order of x is taken, or every third, .... The order in which they are given does not matter.
    """
    if not len(x):
        return 0.0, 0.0
    order = np.lexsort((y, x))[:: -(-len(x) // _TREND_POINTS)]
    some_x, some_y = x[order], y[order]
    first, second = np.triu_indices(len(order), 1)
    run, rise = some_x[second] - some_x[first], some_y[second] - some_y[first]
    apart = run > 0
    slope = float(np.median(rise[apart] / run[apart])) if apart.any() else 0.0
    return slope, float(np.median(y - slope * x))
