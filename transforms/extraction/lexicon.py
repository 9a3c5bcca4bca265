"""Learnt weights of words: of class names and tags on the way to a block, of a block's own words, of a page's marks.

Every weight is an integer (thousandths of a logit), so that sums are the same on every machine and in every order.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MARK_WORD = re.compile(r"[a-z]{2,}|[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]")
_LOWER_WORD = re.compile(r"[a-z]{2,}")
_TEXT_WORD = re.compile(r"[^\W\d_]+|\d+|[$€£¥©®|•→›»]")
MAX_NAMES = 40  # of an element: utility classes come by the dozen
MAX_NAME = 60  # characters of a class name that are looked at
MAX_TEXT_WORDS = 10  # of a block: what a block is for shows in its first words
MAX_TEXT = 80  # characters of a block that they are taken from
MAX_KNOWN = 100_000  # class names whose weight is remembered


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Word -> weight in thousandths of a logit."""

    marks: Mapping[str, int]
    texts: Mapping[str, int]
    pairs: Mapping[tuple[str, str], int]  # of words that follow each other, both in `texts`
    pages: Mapping[str, int]  # row of `page_weights`
    page_weights: NDArray[np.int64]  # one column for each page kind
    page_bias: tuple[int, ...]
    known: dict[str, int] = field(default_factory=dict, repr=False, compare=False)  # class name -> its words' weight

    def own_weight(self, tag: str, mark: str) -> int:
        """Return the sum of the weights of `mark_words`."""
        known = self.known
        total = self.marks.get(f"<{tag}>", 0)
        for name in mark.split(None, MAX_NAMES)[:MAX_NAMES]:
            weight = known.get(name)
            if weight is None:
                if len(known) >= MAX_KNOWN:
                    known.clear()
                weight = known[name] = weigh(name_words(name), self.marks)
            total += weight
        return total

    def said(self, words: Sequence[str]) -> int:
        """Return what a block's words weigh, and each two that follow each other."""
        total = 0
        words_get, pairs_get = self.texts.get, self.pairs.get
        before = ""
        for word in words:
            if (weight := words_get(word)) is None:
                before = ""  # what is rare alone is in no pair
                continue
            total += weight
            if before and (weight := pairs_get((before, word))) is not None:
                total += weight
            before = word
        return total


@lru_cache(maxsize=65536)
def name_words(name: str) -> tuple[str, ...]:
    """Return the words of one class name or id, camel case taken apart, single letters left out."""
    if name.islower():  # most are
        return tuple(_LOWER_WORD.findall(name[:MAX_NAME]))
    return tuple([word.lower() for word in _MARK_WORD.findall(name[:MAX_NAME]) if len(word) > 1])


def mark_words(tag: str, mark: str) -> list[str]:
    """Return the tag and the words of an element's class names, id, role and itemprop."""
    return [f"<{tag}>", *chain.from_iterable(map(name_words, mark.split(None, MAX_NAMES)[:MAX_NAMES]))]


def text_words(text: str) -> list[str]:
    """Return the first words of a block; numbers are `0`."""
    found = _TEXT_WORD.findall(text[:MAX_TEXT].lower())[:MAX_TEXT_WORDS]
    return ["0" if word.isdecimal() else word for word in found]


def weigh(words: Iterable[Hashable], weights: Mapping[Any, int]) -> int:
    """Return the sum of the weights of the words that have one."""
    return sum(filter(None, map(weights.get, words)))
