"""Loss on shards that are never trained on, by source."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from trainer.data.batches import IGNORE, Batch
from trainer.data.corpus import Corpus
from trainer.data.mixture import pack
from trainer.evaluate.recovery import PARTS, means, part_of
from trainer.loop.step import micro_batches
from trainer.loop.training import Training


@dataclass(frozen=True)
class HeldOut:
    """The loss on one source."""

    loss: float  # nats a token; its exponential is the perplexity
    parts: list[float]  # of up to 32 equal stretches of the text, for trainer.evaluate.recovery
    bits_per_byte: float | None  # None where the bytes of the tokens are not known


def held_out_losses(
    training: Training, corpora: Mapping[str, Corpus], seq_len: int, tokens: int,
    token_bytes: npt.NDArray[np.int64] | None = None,
) -> dict[str, HeldOut]:  # fmt: skip
    """Return the loss of each source over its first `tokens`, cut into sequences of `seq_len`.

    `token_bytes` [vocabulary] are the bytes of UTF-8 that each token writes, 0 for special tokens: bits a byte leave
    those out, their loss too, as nanochat does, so models of different tokenizers can be compared. All ranks call it
    together and get the same figures.
    """
    return {name: _measure(training, corpus, seq_len, tokens, token_bytes) for name, corpus in sorted(corpora.items())}


def _measure(
    training: Training, corpus: Corpus, seq_len: int, tokens: int, token_bytes: npt.NDArray[np.int64] | None
) -> HeldOut:
    ranks = training.ranks
    total = max(1, min(tokens, corpus.epoch_tokens) // seq_len)
    share = -(-total // ranks.world)
    mine = range(min(total, ranks.rank * share), min(total, (ranks.rank + 1) * share))
    batch = pack([corpus.slice(n * seq_len, seq_len) for n in mine] or [corpus.slice(0, seq_len)])
    if not mine:
        batch.labels.fill(IGNORE)
    losses = _token_losses(training, batch, seq_len, share)
    counts, sums, targets = batch.labels != IGNORE, np.zeros(min(PARTS, total)), np.zeros(min(PARTS, total))
    for row, n in enumerate(mine):
        sums[part_of(n, total)] += losses[row].sum()
        targets[part_of(n, total)] += counts[row].sum()
    sums, targets = (np.array([ranks.sum(float(value)) for value in values]) for values in (sums, targets))
    bits = None
    if token_bytes is not None:
        sizes = np.where(counts, token_bytes[np.where(counts, batch.labels, 0)], 0)
        nats, size = ranks.sum(float(losses[sizes > 0].sum())), ranks.sum(float(sizes.sum()))
        bits = nats / math.log(2) / max(1.0, size)
    return HeldOut(float(sums.sum() / max(1.0, targets.sum())), means(list(sums), list(targets)), bits)


def _token_losses(training: Training, batch: Batch, seq_len: int, share: int) -> npt.NDArray[np.float64]:
    """Return the loss of each label of a rank's share, in nats; 0 for one that is IGNORE."""
    found = []
    training.model.train(False)
    with torch.no_grad():
        for micro in micro_batches(batch, training.micro_sequences(seq_len), share, training.ranks.device):
            each = training.model(
                input_ids=micro.tokens, position_ids=micro.positions, attention_mask=None, use_cache=False,
                next_tokens=micro.labels, each=True,
            )  # fmt: skip
            found.append(each.double().cpu().numpy())
            training.watchdog.beat()  # a long measurement is not a stall
    training.model.train()
    losses: npt.NDArray[np.float64] = np.concatenate(found)[: len(batch.tokens)]
    return losses
