"""Loss on shards that are never trained on, by source."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from trainer.data.batches import IGNORE
from trainer.data.corpus import Corpus
from trainer.data.mixture import pack
from trainer.loop.step import micro_batches
from trainer.loop.training import Training
from trainer.objectives.next_token import next_token_loss


def held_out_losses(training: Training, corpora: Mapping[str, Corpus], seq_len: int, tokens: int) -> dict[str, float]:
    """Return the mean loss of each source in nats a token, over its first `tokens` cut into sequences of `seq_len`.

    The exponential is the perplexity. All ranks call it together and get the same figures.
    """
    return {name: _loss(training, corpus, seq_len, tokens) for name, corpus in sorted(corpora.items())}


def _loss(training: Training, corpus: Corpus, seq_len: int, tokens: int) -> float:
    ranks = training.ranks
    total = max(1, min(tokens, corpus.epoch_tokens) // seq_len)
    share = -(-total // ranks.world)
    mine = range(min(total, ranks.rank * share), min(total, (ranks.rank + 1) * share))
    batch = pack([corpus.slice(n * seq_len, seq_len) for n in mine] or [corpus.slice(0, seq_len)])
    if not mine:
        batch.labels.fill(IGNORE)
    loss = targets = 0.0
    training.model.train(False)
    with torch.no_grad():
        for micro in micro_batches(batch, training.micro_sequences(seq_len), share, ranks.device):
            loss += float(next_token_loss(training.model, micro))
            targets += int((micro.labels != IGNORE).sum())
            training.watchdog.beat()  # a long measurement is not a stall
    training.model.train()
    return ranks.sum(loss) / max(1.0, ranks.sum(targets))
