"""What the tokens of a language usually are, learned from a sample: two halves of a distribution and a trend by length.

A text is compared with the half that it is not in (the half is chosen by a keyed hash of its id), so that no text is
compared with itself, and a limit taken from the sample is right for the texts outside it, too.

What lies far out is left out and the rest learned again (`_ROUNDS`): spam of one kind would otherwise teach the
reference its own words. All sums are of whole numbers, so neither the order of the texts nor that of parts matters.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.identity import keyed_fraction
from transforms.heuristics.kl.divergence import (
    Floats,
    Ints,
    cross_entropy,
    entropy,
    expected_entropy,
    fit_trend,
    reference_bits,
)

_ROUNDS = 3  # times the reference is learned; a fourth changes nothing on the pages it was tried on
_FAR_OUT = 3.0  # robust standard deviations above the median
_MAD_SCALE = 1.4826  # of a normal distribution: standard deviation by median absolute deviation
# Of the sample's excess: what a limit may be set by, and what `winnow whatif` can try.
_PERCENTILES = (50.0, *(tenths / 10 for tenths in range(900, 1001)))


@dataclass(frozen=True)
class TokenCounts:
    """The distinct tokens of a text, ascending, with their counts, and the half of the sample it belongs to."""

    tokens: Ints
    counts: Ints
    half: int

    @staticmethod
    def of(document_id: str, ids: npt.ArrayLike) -> TokenCounts:
        """Return the counts of a document's tokens, without BOS and EOS."""
        tokens, counts = np.unique(np.asarray(ids, np.int64), return_counts=True)
        return TokenCounts(tokens, counts, int(2 * keyed_fraction("kl.half", document_id)))

    @functools.cached_property
    def n(self) -> int:
        return int(self.counts.sum())


@dataclass(frozen=True)
class Distribution:
    """Counts of the tokens of a half of the sample; `tokens` ascend, the others of the vocabulary have none."""

    tokens: Ints
    counts: Ints
    vocab_size: int
    smoothing: float

    @staticmethod
    def of(texts: Sequence[TokenCounts], vocab_size: int, smoothing: float) -> Distribution:
        """Return the sum of the counts of some texts."""
        dense = np.zeros(vocab_size, np.int64)
        for text in texts:
            dense[text.tokens] += text.counts
        tokens = np.flatnonzero(dense)
        return Distribution(tokens, dense[tokens], vocab_size, smoothing)

    @functools.cached_property
    def _bits(self) -> Floats:
        """Bits of each of `tokens`, then those of a token without a count."""
        return reference_bits(np.append(self.counts, 0), self.vocab_size, self.smoothing)

    def bits(self, tokens: Ints) -> Floats:
        """Return -log2 of the smoothed probability of some tokens."""
        at = np.searchsorted(self.tokens, tokens)
        seen = np.append(self.tokens, -1)[at] == tokens
        return self._bits[np.where(seen, at, len(self.tokens))]


@dataclass(frozen=True)
class Divergence:
    """What is measured of a text, in bits a token."""

    plain: float  # KL of its distribution, which falls with its length
    even: float  # KL as `size` of its tokens are expected to have
    excess: float  # above what is usual at its length


@dataclass(frozen=True)
class LanguageReference:
    """The reference of one language."""

    halves: tuple[Distribution, Distribution]
    size: int  # tokens that texts are compared at
    slope: float  # of `even` by log2 of the number of tokens
    intercept: float
    n_documents: int  # of the sample that have `size` tokens
    n_left_out: int  # of these, what lies far out: not in the reference
    excess: Mapping[float, float]  # of the sample, by percentile

    def measure(self, text: TokenCounts) -> Divergence | None:
        """Return the divergence of a text; None for one of fewer than `size` tokens."""
        if text.n < self.size:
            return None
        cross = cross_entropy(text.counts, self.halves[1 - text.half].bits(text.tokens))
        even = cross - expected_entropy(text.counts, self.size)
        usual = self.slope * math.log2(text.n) + self.intercept
        return Divergence(cross - entropy(text.counts), even, even - usual)

    def to_plain(self) -> dict[str, Any]:
        """Return it as data for JSON."""
        return {
            "documents": self.n_documents,
            "left_out": self.n_left_out,
            "compared_tokens": self.size,
            "slope": self.slope,
            "intercept": self.intercept,
            "excess_bits": {repr(percentile): value for percentile, value in self.excess.items()},
            "vocab_size": self.halves[0].vocab_size,
            "smoothing": self.halves[0].smoothing,
            "halves": [{"tokens": half.tokens.tolist(), "counts": half.counts.tolist()} for half in self.halves],
        }

    @staticmethod
    def from_plain(plain: Mapping[str, Any]) -> LanguageReference:
        """Return what `to_plain` made data of."""
        one, other = (
            Distribution(
                np.array(half["tokens"], np.int64),
                np.array(half["counts"], np.int64),
                plain["vocab_size"],
                plain["smoothing"],
            )
            for half in plain["halves"]
        )
        return LanguageReference(
            (one, other), plain["compared_tokens"], plain["slope"], plain["intercept"], plain["documents"],
            plain["left_out"], {float(name): value for name, value in plain["excess_bits"].items()},
        )  # fmt: skip


def learn(
    sample: Sequence[TokenCounts], vocab_size: int, *, size: int, smoothing: float, percentiles: Sequence[float] = ()
) -> LanguageReference:
    """Return the reference of a language, learned from a sample of its texts; a function of the set of these.

    Texts of fewer than `size` tokens count in the distribution, not in the trend and the percentiles.
    """
    long = np.array([text.n >= size for text in sample], np.bool_)
    judged = [text for text in sample if text.n >= size]
    lengths = np.log2(np.array([text.n for text in judged], np.float64))
    entropies = np.array([expected_entropy(text.counts, size) for text in judged], np.float64)
    used = np.ones(len(judged), np.bool_)
    for _ in range(_ROUNDS):
        counted = np.ones(len(sample), np.bool_)
        counted[long] = used
        some = [text for text, counts in zip(sample, counted.tolist(), strict=True) if counts]
        halves = [
            Distribution.of([text for text in some if text.half == half], vocab_size, smoothing) for half in (0, 1)
        ]
        cross = [cross_entropy(text.counts, halves[1 - text.half].bits(text.tokens)) for text in judged]
        even = np.array(cross, np.float64) - entropies
        slope, intercept = fit_trend(lengths[used], even[used])
        excess = even - (slope * lengths + intercept)
        left_out = len(judged) - int(used.sum())
        used = excess <= _FAR_OUT * _MAD_SCALE * float(np.median(np.abs(excess))) if len(excess) else used
    ordered = np.sort(excess)
    return LanguageReference(
        (halves[0], halves[1]), size, slope, intercept, len(judged), left_out,
        {one: percentile(ordered, one) for one in sorted({*_PERCENTILES, *percentiles})} if len(ordered) else {},
    )  # fmt: skip


def percentile(ordered: Floats, percent: float) -> float:
    """Return the smallest of some values, ascending, that at least `percent` in 100 of them do not exceed.

    The rank is that of the decimal number: in floating point 99.9 in 100 of 1,000 are more than 999.
    """
    return float(ordered[max(1, math.ceil(Fraction(repr(percent)) * len(ordered) / 100)) - 1])
