"""Rows in which passages of random tokens recur: a source that a model learns to look back from.

Text of some million tokens hardly teaches a small model to copy, as needles ask (trainer/evaluate/needle.py): nearly
every token of it can be guessed otherwise. Here none can, but where a passage comes again; those labels alone count.

Two heads have to find each other for that: one that looks at the token before, one that looks for an earlier place of
the same token (Olsson et al. 2022, "In-context Learning and Induction Heads", arXiv 2209.11895). Neither is of use
without the other, so that nothing is learned for long, and in minutes nothing at all. So at first a passage comes
again at one distance, which a head finds by position alone; then the distances widen, few at a time, and what tells
them apart is the token before. After this warm-up, most rows have passages of 4 to 16 tokens twice, at
any two places amid filler.

    position / warm_up_tokens    0 to 0.2    0.2 to 1                 from 1
    tokens to the repetition     21          widening to 4 to 32      any in 3 of 4 rows, else 4 to 32

All of it is ours: no report has such rows. Tokens are drawn from all of the tokenizer's but the special ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas.errors import ConfigError
from schemas.identity import keyed_hash
from schemas.settings import setting, validate
from schemas.shards import TokenizerFacts
from trainer.data.corpus import Stream, TokenSlice

RECALL = "recall"  # what the source is called, in positions and in the mix
NEAREST, FARTHEST = 4, 32  # tokens from a passage that is repeated at once to its repetition, at most half of a row
SAME_DISTANCE = 0.2  # share of the warm-up in which the distance is one
PASSAGE = (4, 16)  # tokens of a passage amid filler
SHORTEST = 2 * PASSAGE[0]  # row
TOKENS_PER_PASSAGE = 64  # of such a row: a long row has several, else few of its labels count
REPEATED_AT_ONCE = 0.25  # share of such rows after the warm-up

Tokens = npt.NDArray[np.uint32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class RecallConfig:
    """Rows in which passages of random tokens recur, among the sequences of a stage; ours, no report has them."""

    share: float = setting(0.0, "of the stage's sequences; 0: none", ge=0, le=1)
    warm_up_tokens: int = setting(
        0, "tokens of such rows, counted from the run's first, within which the distance of a repetition widens", ge=0
    )

    def __post_init__(self) -> None:
        validate(self)


class RecallStream:
    """An endless stream of such rows: each a function of seed, position and length alone."""

    source = RECALL
    epoch_tokens = 1 << 62  # no row comes twice

    def __init__(self, tokenizer: TokenizerFacts, seed: int, warm_up_tokens: int) -> None:
        """ConfigError for a tokenizer without 2 tokens that are not special."""
        self.tokenizer, self._seed, self._warm_up = tokenizer, seed, warm_up_tokens
        special = {tokenizer.bos_id, tokenizer.eos_id, *tokenizer.special_ids}
        self._tokens = np.setdiff1d(np.arange(tokenizer.vocab_size, dtype=np.uint32), list(special))
        if len(self._tokens) < 2:
            raise ConfigError(f"recall.share: a tokenizer of {tokenizer.vocab_size} entries has no tokens to repeat")

    def slice(self, position: int, n: int) -> TokenSlice:
        """Return the row of `n` tokens at a position; `n` is at least SHORTEST. ValueError for fewer."""
        if n < SHORTEST:
            raise ValueError(f"a row of {n} tokens is too short for a passage that recurs")
        draw = np.random.default_rng(keyed_hash("trainer.recall", f"{self._seed}:{position}:{n}"))
        row = draw.choice(self._tokens, n)
        done = position / self._warm_up if self._warm_up else 1.0
        if done < 1 or draw.random() < REPEATED_AT_ONCE:
            nearest, farthest = distances(done, n)
            unlabelled = _repeat_at_once(row, int(draw.integers(nearest, farthest + 1)))
        else:
            unlabelled = _repeat_later(row, draw)
        return TokenSlice(row, -1, np.array([n], np.int64), False, unlabelled=unlabelled)


def distances(done: float, n: int) -> tuple[int, int]:
    """Return the least and the greatest distance of a repetition in a row of `n`, after so much of the warm-up."""
    farthest = min(FARTHEST, n // 2)
    middle = max(NEAREST, farthest * 2 // 3)
    widened = min(1.0, max(0.0, done - SAME_DISTANCE) / (1 - SAME_DISTANCE))
    return round(middle - widened * (middle - NEAREST)), round(middle + widened * (farthest - middle))


def with_recall(mix: Mapping[str, float], share: float) -> dict[str, float]:
    """Return a mix in which recall has this share of all sequences, the others what is left, as they had it."""
    total = sum(mix.values())
    if not share or total <= 0:
        return dict(mix)
    return {**{name: weight / total * (1 - share) for name, weight in mix.items()}, RECALL: share}


def beside_recall(corpora: Mapping[str, Stream], seed: int, warm_up_tokens: int) -> dict[str, Stream]:
    """Return the sources of a stage and recall. ConfigError when one of them has its name."""
    if RECALL in corpora:
        raise ConfigError(f"recall.share: not allowed beside a source of the name {RECALL!r}")
    tokenizer = next(iter(corpora.values())).tokenizer
    return {**corpora, RECALL: RecallStream(tokenizer, seed, warm_up_tokens)}


def _repeat_at_once(row: Tokens, length: int) -> Mask:
    """Repeat the first tokens of a row to its end; return which places' next token cannot be foretold."""
    row[:] = np.resize(row[:length], len(row))
    return np.arange(len(row)) < length


def _repeat_later(row: Tokens, draw: np.random.Generator) -> Mask:
    """Let passages of a row recur amid filler, each once; return which places' next token cannot be foretold."""
    passages = max(1, len(row) // TOKENS_PER_PASSAGE)
    lengths = draw.integers(PASSAGE[0], min(PASSAGE[1], len(row) // (2 * passages)) + 1, passages)
    order = draw.permutation(np.repeat(np.arange(passages), 2))
    taken = np.cumsum(lengths[order])
    filler = np.sort(draw.integers(0, len(row) - taken[-1] + 1, len(order)))  # tokens before each
    starts = filler + taken - lengths[order]
    unlabelled = np.ones(len(row), np.bool_)
    first: dict[int, int] = {}
    for which, start in zip(order.tolist(), starts.tolist(), strict=True):
        length = int(lengths[which])
        if which in first:
            row[start : start + length] = row[first[which] : first[which] + length]
            unlabelled[start : start + length - 1] = False
        else:
            first[which] = start
    return unlabelled
