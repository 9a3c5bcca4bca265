"""Which sequence comes when: batches as a pure function of stage, step, rank and world.

Sequences are numbered through a stage. Each block of `mix_block` of them holds a whole number of every source's, by the
method of the largest remainder, in an order of its own; so shares are exact to one sequence in a block, and the n-th
sequence of a stage is found without knowing any other. There is no iterator and no state: to resume is to ask for the
next step, another world size cuts the same batch otherwise, and a bad batch is passed over by its number.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from schemas.errors import ConfigError
from trainer.data.batches import IGNORE, Batch, Columns, share_of
from trainer.data.corpus import Stream, TokenSlice
from trainer.data.permutation import Permutation


def counts_in_block(mix: Mapping[str, float], block: int) -> dict[str, int]:
    """Return how many sequences of each source a block holds: the largest remainders, ties by name."""
    total = sum(mix.values())
    if not mix or total <= 0 or min(mix.values()) < 0:
        raise ConfigError(f"mix: {dict(mix)} is not allowed; expected weights of at least 0 with a positive sum")
    exact = {name: weight / total * block for name, weight in mix.items()}
    counts = {name: math.floor(share) for name, share in exact.items()}
    left = block - sum(counts.values())
    for name in sorted(exact, key=lambda name: (counts[name] - exact[name], name))[:left]:
        counts[name] += 1
    for name, weight in mix.items():
        if weight > 0 and not counts[name]:
            raise ConfigError(f"mix.{name}: {weight} of {total} is less than one sequence in a block of {block}")
    return {name: n for name, n in sorted(counts.items()) if n}


def data_step(step: int, skipped: Collection[int]) -> int:
    """Return the number of the batch that `step` trains on: the step-th that is not skipped."""
    for bad in sorted(skipped):
        if bad > step:
            break
        step += 1
    return step


class Mixture:
    """The batches of one stage, or of a part of it that has one mix: a feed whose units are sequences."""

    unit_rows = 1

    def __init__(
        self, corpora: Mapping[str, Stream], mix: Mapping[str, float], seq_len: int, batch_sequences: int,
        starts: Mapping[str, int], block: int, key: str,
    ) -> None:  # fmt: skip
        """`starts`: position in each source's stream where the stage begins; `key` tells its order from others'."""
        self._counts = counts_in_block(mix, block)
        missing = self._counts.keys() - corpora.keys()
        if missing:
            raise ConfigError(f"mix.{min(missing)}: no such source; allowed: {', '.join(sorted(corpora))}")
        self._corpora, self._seq_len, self._batch, self._block, self._key = (
            corpora,
            seq_len,
            batch_sequences,
            block,
            key,
        )
        self._starts = {name: -(-starts.get(name, 0) // seq_len) * seq_len for name in self._counts}
        names = list(self._counts)
        self._names = names
        self._laid_out = np.repeat(np.arange(len(names)), [self._counts[name] for name in names])  # before the shuffle

    @property
    def units(self) -> int:
        """Sequences of a batch."""
        return self._batch

    def locate(self, sequence: int) -> tuple[str, int]:
        """Return source and position in its stream of the stage's n-th sequence."""
        block, nth = divmod(sequence, self._block)
        codes, ordinals = self._order(block)
        name = self._names[int(codes[nth])]
        ordinal = block * self._counts[name] + int(ordinals[nth])
        return name, self._starts[name] + ordinal * self._seq_len

    def drawn(self, sequences: int) -> dict[str, int]:
        """Return how many of the first `sequences` of the stage are of each source."""
        blocks, rest = divmod(sequences, self._block)
        partial = np.bincount(self._order(blocks)[0][:rest], minlength=len(self._names))
        return {name: blocks * self._counts[name] + int(n) for name, n in zip(self._names, partial, strict=True)}

    def ends(self, steps: int) -> dict[str, int]:
        """Return the position in each stream after so many batches: where the next stage starts."""
        drawn = self.drawn(steps * self._batch)
        return {name: self._starts[name] + n * self._seq_len for name, n in drawn.items()}

    def batch(self, number: int, rank: int = 0, world: int = 1) -> Batch:
        """Return the share of one rank in batch `number`: ranks in order make up the whole batch.

        Shares differ by at most one sequence where the world does not divide the batch. ConfigError when a rank would
        get none.
        """
        share = share_of(self._batch, rank, world, "sequences")
        return pack([self._sequence(number * self._batch + n) for n in share])

    def _sequence(self, number: int) -> TokenSlice:
        name, position = self.locate(number)
        return self._corpora[name].slice(position, self._seq_len)

    @functools.lru_cache(maxsize=4)  # noqa: B019  lives as long as a stage
    def _order(self, block: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return for each sequence of a block the number of its source, and how many of that source come before it.

        Each source is read forward, so that the next stage, which starts behind what is drawn, repeats none of it even
        when this one ends amid a block.
        """
        order = Permutation(self._block, f"{self._key}:{block}").of(np.arange(self._block, dtype=np.uint64))
        codes = self._laid_out[order.astype(np.int64)]
        ordinals = np.empty_like(codes)
        for code in range(len(self._names)):
            mine = codes == code
            ordinals[mine] = np.arange(mine.sum())
        return codes, ordinals


def pack(slices: Sequence[TokenSlice]) -> Batch:
    """Return sequences of one length as a batch.

    A document that is left out stays where it is, but none of its labels counts: as no other document sees it, nothing
    is learned from it.
    """
    tokens = np.stack([piece.tokens for piece in slices]).astype(np.int64)
    positions, labels = np.empty_like(tokens), np.empty_like(tokens)
    for n, piece in enumerate(slices):
        positions[n] = positions_of(piece.doc_ends)
        labels[n, :-1], labels[n, -1] = tokens[n, 1:], piece.next_token if piece.cut else IGNORE
        labels[n, piece.doc_ends[:-1] - 1] = IGNORE
        if piece.left_out is not None:
            labels[n, np.repeat(piece.left_out, np.diff(piece.doc_ends, prepend=0))] = IGNORE
        if piece.unlabelled is not None:
            labels[n, piece.unlabelled] = IGNORE
    return Columns({"tokens": tokens, "positions": positions, "labels": labels}, [1] * len(slices))


def positions_of(doc_ends: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the position of each token in its document, given the exclusive ends of the documents."""
    starts = np.concatenate(([0], doc_ends[:-1]))
    positions: npt.NDArray[np.int64] = np.arange(doc_ends[-1]) - np.repeat(starts, np.diff(doc_ends, prepend=0))
    return positions
