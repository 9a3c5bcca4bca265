"""Answers to one prompt in their order: the model gives each a score, and the better ones should have the higher.

Source: Bradley and Terry 1952, as Llama 2 (arXiv 2307.09288, section 3.2.2) and L3 (4.1.2) use it, without a margin.
All ordered pairs of a unit count, so two answers are one pair, and three (edited, chosen, rejected) are three.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from trainer.data.batches import LENGTHS, POSITIONS, TOKENS, Batch, Column
from trainer.objectives.objective import SCALAR, Mean, Objective, Tensors

RANK = Column("int64", "place of the answer in its unit, the best first; equal ones make no pair", False, idle=-1)


def _count(batch: Batch) -> float:
    """Return the number of ordered pairs."""
    ranks = np.split(batch["rank"], np.cumsum(batch.units)[:-1])
    return float(sum((rank[:, None] < rank[None, :])[rank >= 0].sum() for rank in ranks))


def _loss(model: nn.Module, batch: Tensors) -> tuple[Tensor, Mapping[str, Mean]]:
    """Return the sum of -log sigmoid(score of the better - score of the worse) over all pairs."""
    scores: Tensor = model(
        input_ids=batch.tokens, position_ids=batch.positions, attention_mask=None, use_cache=False,
        ends=batch["lengths"] - 1,
    )  # fmt: skip
    unit = torch.repeat_interleave(torch.tensor(batch.units)).to(scores.device)
    rank = batch["rank"]
    is_pair = (unit[:, None] == unit[None, :]) & (rank[:, None] < rank[None, :]) & (rank[:, None] >= 0)
    margins = (scores[:, None] - scores[None, :])[is_pair]
    pairs = is_pair.sum()
    metrics: Mapping[str, Mean] = {"accuracy": ((margins > 0).sum(), pairs), "margin": (margins.sum(), pairs)}
    # With `scores * 0` a micro-batch without any pair has a backward pass, too: all ranks take part in each.
    return -logsigmoid(margins).sum() + (scores * 0).sum(), metrics


PAIRWISE = Objective(
    columns={"tokens": TOKENS, "positions": POSITIONS, "lengths": LENGTHS, "rank": RANK},
    loss=_loss, count=_count, kind=SCALAR, counted="pairs",
)  # fmt: skip
