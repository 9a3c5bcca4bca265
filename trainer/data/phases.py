"""A stage whose mix changes at some of its batches: one mixture after the other, each from where the last stopped."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence

from trainer.data.batches import Batch
from trainer.data.mixture import Mixture


class Phases:
    """The batches of such a stage: a feed."""

    unit_rows = 1

    def __init__(
        self, changes: Sequence[int], starts: Mapping[str, int], make: Callable[[int, Mapping[str, int]], Mixture]
    ) -> None:
        """`changes`: the batches, ascending and after 0, at which the next mix begins.

        `make` returns the n-th mixture, given the position in each source at which it starts.
        """
        self._firsts = [0, *changes]
        places = dict(starts)
        self._mixtures: list[Mixture] = []
        for n, first in enumerate(self._firsts):
            if n:
                places |= self._mixtures[-1].ends(first - self._firsts[n - 1])
            self._mixtures.append(make(n, places))

    @property
    def units(self) -> int:
        """Sequences of a batch."""
        return self._mixtures[0].units

    def batch(self, number: int, rank: int = 0, world: int = 1) -> Batch:
        """Return the share of one rank in batch `number` of the stage."""
        phase = bisect_right(self._firsts, number) - 1
        return self._mixtures[phase].batch(number - self._firsts[phase], rank, world)

    def ends(self, steps: int) -> dict[str, int]:
        """Return the position in each source after so many batches, of those too that only an earlier mix drew from."""
        phase = max(0, bisect_right(self._firsts, steps - 1) - 1)
        found: dict[str, int] = {}
        for n, first in enumerate(self._firsts[: phase + 1]):
            until = self._firsts[n + 1] if n < phase else steps
            found |= self._mixtures[n].ends(until - first)
        return found
