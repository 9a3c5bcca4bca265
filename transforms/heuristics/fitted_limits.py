"""Limits of a language, fitted to good texts in it: a reference such as its Wikipedia.

FineWeb-2 (Penedo et al. 2025, arXiv:2506.20920) sets the limits of each language by the measures of a reference. Ours:

 1. A limit is a tolerance limit: an order statistic of the reference's measures that keeps at least `share` of all such
    texts with `confidence` (Wilks 1941, Ann. Math. Statist. 12:91), not the sample's own quantile, which keeps less
    every second time. Of too few texts the most extreme one is the limit, and the share that it does keep is told.
 2. Limits are rounded to three digits, outwards: what is said to be kept is kept.
 3. How many words or sentences a text must have says nothing about its language, and is not fitted.
 4. Stop words are the words that make up `stop_word_share` of the reference and are in half of its texts: so a frequent
    topic is none. Two different ones must be in as many texts as a limit keeps, or the language is not judged by any:
    where endings do their work there are none (languages.py).

Pure: numbers in, numbers out. pipelines/tuning reads the references and writes the settings.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from schemas.settings import setting, validate
from transforms.text.view import TextView

MAX, MIN = "max_", "min_"  # how the setting of an upper and of a lower limit begins
QUANTILES: Final = (0.0, 0.01, 0.05, 0.5, 0.95, 0.99, 1.0)
DIGITS: Final = 3

# The measure that each limit is of, by step. What is no limit, or has nothing to do with a language, is left out.
MEASURES: Final[Mapping[str, Mapping[str, str]]] = {
    "repetition": {
        f"max_{name}": name
        for name in (
            "duplicate_line_fraction", "duplicate_line_char_fraction", "duplicate_paragraph_fraction",
            "duplicate_paragraph_char_fraction", *(f"top_{n}_gram_fraction" for n in (2, 3, 4)),
            *(f"duplicate_{n}_gram_fraction" for n in range(5, 11)),
        )
    },
    "gopher": {
        "min_mean_word_chars": "mean_word_chars",
        "max_mean_word_chars": "mean_word_chars",
        "max_hashes_per_word": "hashes_per_word",
        "max_ellipses_per_word": "ellipses_per_word",
        "max_bullet_line_fraction": "bullet_line_fraction",
        "max_ellipsis_line_fraction": "ellipsis_line_fraction",
        "min_alphabetic_word_fraction": "alphabetic_word_fraction",
    },
    "c4": {},
    "words": {},
    "fineweb": {
        "min_terminal_line_fraction": "terminal_line_fraction",
        "max_duplicate_char_fraction": "duplicate_char_fraction",
        "max_short_line_fraction": "short_line_fraction",
        "max_line_ends_per_word": "line_ends_per_word",
    },
    "junk": {"max_word_fraction": "top_word_fraction", "max_commas_per_word": "commas_per_word"},
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class TuneConfig:
    """What a fitted limit must keep; all values are ours."""

    share: float = setting(0.99, "share of texts like the reference that a limit keeps, at least", gt=0, le=0.9999)
    confidence: float = setting(0.95, "probability that it keeps so many", ge=0.5, le=0.9999)
    min_texts: int = setting(20, "texts that a reference must have", ge=2)
    max_texts: int = setting(5000, "texts that are looked at, drawn by a hash", ge=2)
    held_out: float = setting(
        0.2, "share of the texts, by a hash, that the limits are tried on, not fitted to", ge=0, le=0.9
    )
    min_held_from: int = setting(100, "texts from which on some are held out; of fewer all are fitted to", ge=2)
    piece_words: int = setting(200, "words of a piece of a plain text file, at least; 0: a file is one text", ge=0)
    stop_word_share: float = setting(0.005, "share of the words that one of them must be to be a stop word", gt=0, le=1)
    max_stop_words: int = setting(50, "stop words, at most: the most frequent", ge=2)

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A limit, and what it rests on."""

    limit: float
    n_texts: int  # that have the measure
    share: float  # that it keeps, with the confidence asked for
    quantiles: tuple[float, ...]  # of the measure, at QUANTILES


def fit_limit(values: Sequence[float], is_upper: bool, share: float, confidence: float) -> Fitted:
    """Return the limit that keeps at least `share` of such values with `confidence`; of at least one value."""
    ordered = np.sort(np.asarray(values, np.float64))
    n = len(ordered)
    rank = tolerance_rank(n, share, confidence)
    kept = share if rank <= n else (1 - confidence) ** (1 / n)
    place = min(rank, n) - 1
    limit = _outwards(float(ordered[place] if is_upper else ordered[n - 1 - place]), is_upper)
    return Fitted(limit=limit, n_texts=n, share=kept, quantiles=quantiles(ordered))


def tolerance_rank(n: int, share: float, confidence: float) -> int:
    """Return the least k such that the k-th of n ascending values exceeds a `share` of all with `confidence`.

    n + 1 where n values are too few. The k-th lies above the quantile when fewer than k values are below that one: the
    probability that a binomial variable of n and `share` is less than k.
    """
    # From the top down: P(X >= k) must stay within 1 - confidence.
    log_pmf, tail, rank = n * math.log(share), 0.0, n + 1
    odds = math.log((1 - share) / share)
    while rank > 1:
        tail += math.exp(log_pmf)
        if tail > 1 - confidence:
            break
        rank -= 1
        log_pmf += odds + math.log(rank / (n - rank + 1))
    return rank


def _outwards(value: float, is_upper: bool) -> float:
    scale = 10**DIGITS
    scaled = round(value * scale, 6)  # 0.15 * 1000 is 150.00000000000003 in some versions of that number
    return (math.ceil(scaled) if is_upper else math.floor(scaled)) / scale


def quantiles(ordered: npt.NDArray[np.float64]) -> tuple[float, ...]:
    """Return the quantiles of ascending values, each of them one of the values."""
    return tuple(float(ordered[round(share * (len(ordered) - 1))]) for share in QUANTILES)


def looser(limit: float, english: float, is_upper: bool) -> float:
    """Return a fitted limit that is no stricter than the English one."""
    return max(limit, english) if is_upper else min(limit, english)


def find_stop_words(views: Iterable[TextView], config: TuneConfig) -> tuple[list[str], dict[str, float]]:
    """Return the stop words of some texts, the most frequent first, and the share of all words that each is.

    None in scripts that are written without spaces.
    """
    counts: Counter[str] = Counter()
    texts: Counter[str] = Counter()
    n_texts = n_words = 0
    for view in views:
        prose = view.in_words
        if prose.unspaced:
            continue
        n_texts += 1
        n_words += len(prose.word_ids)
        for word, n in zip(prose.vocabulary, prose.word_counts.tolist(), strict=True):
            if word.isalpha() or any(map(str.isalpha, word)):
                counts[word] += n
                texts[word] += 1
    least = config.stop_word_share * n_words
    some = [word for word, n in counts.items() if n >= least and 2 * texts[word] >= n_texts]
    found = sorted(some, key=lambda word: (-counts[word], word))[: config.max_stop_words]
    return found, {word: counts[word] / n_words for word in found}


def share_with(views: Iterable[TextView], words: Sequence[str], least: int) -> float:
    """Return the share of texts that have so many different ones of some words."""
    has = [sum(word in view.in_words.vocabulary for word in words) >= least for view in views]
    return sum(has) / len(has) if has else 0.0
