"""Which sequences each torchtitan rank gets next, as a pure function of how many it has had.

torchtitan asks a loader for one micro-batch after the other and adds up gradients until the batch is whole. Rank r of w
gets the r-th of w equal shares of each batch, as with the local runner, cut into micro-batches.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.errors import ConfigError, RunError
from trainer.data.batches import Batch, Feed, rows_of


class MicroBatches:
    """The micro-batches of one rank. All its state is the number of sequences that all ranks together have had."""

    def __init__(self, mixture: Feed, batch_sequences: int, size: int, rank: int, world: int) -> None:
        """`size`: sequences of a micro-batch. ConfigError when the batch cannot be cut evenly."""
        if batch_sequences % (size * world):
            raise ConfigError(
                f"a batch of {batch_sequences} sequences cannot be cut into micro-batches of {size} for {world} ranks"
            )
        self._mixture, self._batch, self._size, self._rank, self._world = mixture, batch_sequences, size, rank, world
        self.sequences = 0  # of all ranks, since the stage began

    def __iter__(self) -> Iterator[Batch]:
        while True:
            step, done = divmod(self.sequences, self._batch)
            share = self._mixture.batch(step, self._rank, self._world)
            for start in range(done // self._world, self._batch // self._world, self._size):
                self.sequences += self._size * self._world
                yield rows_of(share, start, start + self._size)

    def go_to(self, sequences: int) -> None:
        """Continue after so many sequences, read by a world of any size. RunError inside a batch."""
        if sequences < 0 or sequences % self._batch:
            raise RunError(f"the data cannot go on after {sequences} sequences: batches have {self._batch}")
        self.sequences = sequences
