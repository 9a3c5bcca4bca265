"""Learnt weights of words: of class names and tags on the way to a block, of a block's own words, of a page's marks.

Every weight is an integer (thousandths of a logit), so that sums are the same on every machine and in every order.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from numpy.typing import NDArray

_MARK_WORD = re.compile(r"[a-z]{2,}|[A-Z]{2,}(?![a-z])|[A-Z][a-z]+|\n")
# The first alternative is there for speed alone.
_TEXT_WORD = re.compile(r"[a-z]+[^\W\d_]*|[^\W\d_]+|\d+|[$€£¥©®•|→›»\0]")
MAX_NAMES = 40  # of an element: utility classes come by the dozen
MAX_NAME = 60  # characters of a class name that are looked at
MAX_TEXT_WORDS = 10  # of a block: what a block is for shows in its first words
MAX_TEXT = 80  # characters of a block that they are taken from


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Word -> weight in thousandths of a logit."""

    marks: Mapping[str, int]
    texts: Mapping[str, int]
    pairs: Mapping[tuple[str, str], int]  # of words that follow each other, both in `texts`
    pages: Mapping[str, int]  # row of `page_weights`
    page_weights: NDArray[np.int64]  # one column for each page kind
    page_bias: tuple[int, ...]

    _first: dict[str, tuple[int, Mapping[str, int] | None]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Gather what a word of a text leads to: its weight, and the weights of the pairs that it begins."""
        after: dict[str, dict[str, int]] = {}
        for (first, second), weight in self.pairs.items():
            after.setdefault(first, {})[second] = weight
        first_of = {word: (weight, after.get(word)) for word, weight in self.texts.items()}
        object.__setattr__(self, "_first", first_of)

    def __reduce__(self) -> tuple[type[Lexicon], tuple[object, ...]]:
        """Travel without what is gathered, compiled or not."""
        return Lexicon, (self.marks, self.texts, self.pairs, self.pages, self.page_weights, self.page_bias)

    def marker_weights(self, names: Names) -> list[int]:
        """Return the sum of the weights of the `mark_words` of each signature."""
        weight = self.marks.get
        of_name: dict[str, int] = {}
        name, total = iter(names.names), 0
        for word in names.words:
            if word == "\n":
                of_name[next(name)] = total
                total = 0
            else:
                total += weight(word, 0)
        weight_of = of_name.__getitem__
        tags = {tag: weight(f"<{tag}>", 0) for tag in set(names.tags)}
        signatures = zip(names.tags, names.of_signatures, strict=True)
        return [sum(map(weight_of, own_names[:MAX_NAMES]), tags[tag]) for tag, own_names in signatures]

    def text_weights(self, texts: Iterable[str]) -> list[int]:
        """Return the sum of the weights of each block's `text_words`, and of each two that follow each other."""
        first = self._first.get
        totals = []
        total, left, after = 0, MAX_TEXT_WORDS, None
        for word in _TEXT_WORD.findall(_heads(texts)):
            if word == "\0":
                totals.append(total)
                total, left, after = 0, MAX_TEXT_WORDS, None
            elif left:
                left -= 1
                if word.isdecimal():
                    word = "0"
                found = first(word)
                if found is None:
                    after = None  # what is rare alone is in no pair
                    continue
                total += found[0]
                if after is not None:
                    total += after.get(word, 0)
                after = found[1]
        return totals


@dataclass(frozen=True, slots=True)
class Names:
    """The class names, ids, roles and itemprops of a page, each once, taken apart all at once."""

    tags: Sequence[str]  # of each signature
    of_signatures: Sequence[Sequence[str]]  # its names
    names: Sequence[str]
    words: Sequence[str]  # the `name_words` of each, and a line end

    @classmethod
    def of(cls, signatures: Collection[tuple[str, str]]) -> Names:
        """Return the names of elements given as (tag; class, id, role, itemprop)."""
        of_signatures = [mark.split() for _, mark in signatures]
        names = list(dict.fromkeys(chain.from_iterable(of_signatures)))
        found = _MARK_WORD.findall("".join([f"{name[:MAX_NAME]}\n" for name in names]))
        words = " ".join(found).lower().split(" ") if found else []
        return cls([tag for tag, _ in signatures], of_signatures, names, words)


def name_words(name: str) -> list[str]:
    """Return the words of one class name or id, in lower case: camel case taken apart, single letters left out."""
    return [word.lower() for word in _MARK_WORD.findall(name[:MAX_NAME])]


def mark_words(tag: str, mark: str) -> list[str]:
    """Return the tag and the words of an element's class names, id, role and itemprop."""
    return [f"<{tag}>", *chain.from_iterable(map(name_words, mark.split(None, MAX_NAMES)[:MAX_NAMES]))]


def text_words(text: str) -> list[str]:
    """Return the first words of a block; numbers are `0`."""
    found = _TEXT_WORD.findall(_heads([text]))[:-1][:MAX_TEXT_WORDS]
    return ["0" if word.isdecimal() else word for word in found]


def _heads(texts: Iterable[str]) -> str:
    """Return the parts of blocks that are looked at, each with an end that no block holds."""
    heads = [text[:MAX_TEXT] for text in texts]
    joined = "\0".join([*heads, ""])
    if joined.count("\0") != len(heads):
        joined = "\0".join([*[head.replace("\0", " ") for head in heads], ""])
    return joined.lower()
