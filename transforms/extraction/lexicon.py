"""Learnt weights of words: of class names and tags on the way to a block, of a block's own words, of a page's marks.

Every weight is an integer (thousandths of a logit), so that sums are the same on every machine and in every order.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from numpy.typing import NDArray

_MARK_WORD = re.compile(r"[a-z]{2,}|[A-Z]{2,}(?![a-z])|[A-Z][a-z]+|\n")
_TEXT_WORD = re.compile(r"[^\W\d_]+|\d+|[$€£¥©®•|→›»\0]")
MAX_NAMES = 40  # of an element: utility classes come by the dozen
MAX_NAME = 60  # characters of a class name that are looked at
MAX_TEXT_WORDS = 10  # of a block: what a block is for shows in its first words
MAX_TEXT = 80  # characters of a block that they are taken from
MAX_KNOWN = 100_000  # class names that are remembered


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Word -> weight in thousandths of a logit."""

    marks: Mapping[str, int]
    texts: Mapping[str, int]
    pairs: Mapping[tuple[str, str], int]  # of words that follow each other, both in `texts`
    pages: Mapping[str, int]  # row of `page_weights`
    page_weights: NDArray[np.int64]  # one column for each page kind
    page_bias: tuple[int, ...]
    known: dict[str, tuple[int, Sequence[int]]] = field(default_factory=dict, repr=False, compare=False)

    def learn(self, names: Set[str]) -> Mapping[str, tuple[int, Sequence[int]]]:
        """Return a mapping that holds these class names: the weight of a name's words, and their rows of
        `page_weights`. Most names of a page stand on no other: its new ones are taken apart all at once."""
        known, mark, row = self.known, self.marks.get, self.pages.get
        new = [name for name in names if name not in known]
        if len(known) + len(new) > MAX_KNOWN:
            known.clear()
            new = list(names)
        weight, rows, nth = 0, list[int](), 0
        for word in _MARK_WORD.findall("".join([f"{name[:MAX_NAME]}\n" for name in new])):
            if word == "\n":
                known[new[nth]] = weight, rows
                weight, rows, nth = 0, [], nth + 1
                continue
            lower = word.lower()
            weight += mark(lower, 0)
            if (at := row(lower)) is not None:
                rows.append(at)
        return known

    def own_weights(self, made: Collection[tuple[str, str]]) -> list[int]:
        """Return the sum of the weights of the `mark_words` of each (tag; class, id, role, itemprop)."""
        known, marks = self.known, self.marks
        totals = []
        for tag, mark in made:
            total = marks.get(f"<{tag}>", 0)
            for name in mark.split(None, MAX_NAMES)[:MAX_NAMES]:
                total += (known.get(name) or self.learn(names_of(made))[name])[0]
            totals.append(total)
        return totals

    def page_rows(self, words: Iterable[str], names: Set[str]) -> set[int]:
        """Return the rows of `page_weights` of words and of the words of class names."""
        known, rows = self.learn(names), self.pages
        return {rows[word] for word in words if word in rows}.union(*[known[name][1] for name in names])

    def said(self, texts: Iterable[str]) -> list[int]:
        """Return what the `text_words` of each block weigh, and each two that follow each other."""
        weights, pairs = self.texts.get, self.pairs.get
        totals = []
        total, left, before = 0, MAX_TEXT_WORDS, ""
        for word in _TEXT_WORD.findall("".join([_head(text) for text in texts])):
            if word == "\0":
                totals.append(total)
                total, left, before = 0, MAX_TEXT_WORDS, ""
            elif left:
                left -= 1
                if word.isdecimal():
                    word = "0"
                if (weight := weights(word)) is None:
                    before = ""  # what is rare alone is in no pair
                    continue
                total += weight
                if before and (weight := pairs((before, word))) is not None:
                    total += weight
                before = word
        return totals


def names_of(made: Iterable[tuple[str, str]]) -> set[str]:
    """Return the class names, ids, roles and itemprops of elements."""
    return set(" ".join([mark for _, mark in made]).split())


def name_words(name: str) -> list[str]:
    """Return the words of one class name or id, camel case taken apart, single letters left out."""
    return [word.lower() for word in _MARK_WORD.findall(name[:MAX_NAME])]


def mark_words(tag: str, mark: str) -> list[str]:
    """Return the tag and the words of an element's class names, id, role and itemprop."""
    return [f"<{tag}>", *chain.from_iterable(map(name_words, mark.split(None, MAX_NAMES)[:MAX_NAMES]))]


def text_words(text: str) -> list[str]:
    """Return the first words of a block; numbers are `0`."""
    found = _TEXT_WORD.findall(_head(text))[:-1][:MAX_TEXT_WORDS]
    return ["0" if word.isdecimal() else word for word in found]


def _head(text: str) -> str:
    """Return the part of a block that is looked at, and an end that no block holds."""
    return text[:MAX_TEXT].replace("\0", " ").lower() + "\0"
