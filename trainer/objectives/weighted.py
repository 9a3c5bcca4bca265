"""Next-token cross-entropy in which each target has a weight: a mask of ones and zeros trains on the answers alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from trainer.data.batches import IGNORE, POSITIONS, TOKENS, Batch, Column
from trainer.objectives.objective import Mean, Objective, Tensors

WEIGHTS = Column("float32", "weight of the token as a target; 0: it is only read", idle=0)


def _count(batch: Batch) -> float:
    """Return the sum of the weights of all targets; a row's first token is none."""
    return float(batch["weights"][:, 1:].sum(dtype=np.float64))


def _loss(model: nn.Module, batch: Tensors) -> tuple[Tensor, Mapping[str, Mean]]:
    """Return the weighted sum of the cross-entropy in nats; of metrics the share of tokens that are targets."""
    weights = torch.zeros_like(batch["weights"])
    weights[:, :-1] = batch["weights"][:, 1:]
    labels = torch.full_like(batch.tokens, IGNORE)
    labels[:, :-1] = batch.tokens[:, 1:]
    labels[weights == 0] = IGNORE
    losses: Tensor = model(
        input_ids=batch.tokens, position_ids=batch.positions, attention_mask=None, use_cache=False,
        next_tokens=labels, each=True,
    )  # fmt: skip
    return (losses * weights).sum(), {"trained_share": ((weights != 0).sum(), batch["lengths"].sum())}


WEIGHTED = Objective(
    columns={"tokens": TOKENS, "positions": POSITIONS, "weights": WEIGHTS}, loss=_loss, count=_count, counted="weight"
)
