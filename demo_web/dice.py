"""Draws that depend on a name alone: the same seed gives the same web on any machine."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

from schemas.identity import keyed_fraction

T = TypeVar("T")

_BLOCK = 64  # bytes of one blake2b digest: 16 draws of 32 bits


class Dice:
    """An endless stream of draws named by `seed`; blake2b in counter mode, 32 bits a draw."""

    def __init__(self, *seed: str) -> None:
        self._key = hashlib.blake2b("/".join(seed).encode(), digest_size=_BLOCK).digest()
        self._counter = 0
        self._words: list[int] = []

    def below(self, n: int) -> int:
        """Return a whole number in [0, n); the bias of n / 2**32 is of no matter here."""
        if not self._words:
            block = hashlib.blake2b(self._counter.to_bytes(8, "little"), key=self._key).digest()
            self._words = [int.from_bytes(block[i : i + 4], "little") for i in range(0, _BLOCK, 4)]
            self._counter += 1
        return (self._words.pop() * n) >> 32

    def between(self, low: int, high: int) -> int:
        """Return a whole number in [low, high]."""
        return low + self.below(high - low + 1)

    def pick(self, items: Sequence[T]) -> T:
        return items[self.below(len(items))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """Return the items in a drawn order (Fisher-Yates)."""
        order = list(items)
        for i in range(len(order) - 1, 0, -1):
            j = self.below(i + 1)
            order[i], order[j] = order[j], order[i]
        return order


class Deck:
    """Cards drawn without repetition until all were seen, then shuffled anew."""

    def __init__(self, cards: Sequence[str], dice: Dice) -> None:
        self._cards, self._dice = cards, dice
        self._left: list[str] = []

    def draw(self) -> str:
        if not self._left:
            self._left = self._dice.shuffled(self._cards)
        return self._left.pop()


def scattered(salt: str, items: Sequence[T], names: Sequence[str]) -> list[T]:
    """Return `items` ordered by a keyed hash of their names."""
    order = sorted(range(len(items)), key=lambda i: (keyed_fraction(salt, names[i]), names[i], i))
    return [items[i] for i in order]
