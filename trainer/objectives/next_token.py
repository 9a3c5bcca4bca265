"""Cross-entropy of the next token: over every token of pre-training, or weighted by a column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from trainer.data.batches import IGNORE, PRE_TRAINING, Columns
from trainer.objectives.objective import Mean, Objective, Tensors


def next_token_loss(model: nn.Module, batch: Tensors) -> Tensor:
    """Return the cross-entropy of the next token, summed over the labels that count, in nats.

    The document mask comes from positions that start anew at each document; an attention mask, even one of ones, would
    switch it off (transformers 5, masking_utils).
    """
    loss: Tensor = model(
        input_ids=batch.tokens, position_ids=batch.positions, attention_mask=None, use_cache=False,
        next_tokens=batch.labels,
    )  # fmt: skip
    return loss


def _loss(model: nn.Module, batch: Tensors) -> tuple[Tensor, Mapping[str, Mean]]:
    return next_token_loss(model, batch), {}


def targets(batch: Columns[Any]) -> float:
    """Return how many labels count."""
    return float((batch.labels != IGNORE).sum())


NEXT_TOKEN = Objective(columns=PRE_TRAINING, loss=_loss, count=targets)
