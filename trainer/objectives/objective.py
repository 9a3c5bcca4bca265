"""What a stage minimises, as the loop sees it.

A loss is a pure function of model and micro-batch. It returns a sum, and the loop divides by the count of the whole
batch, over all micro-batches and ranks: so the mean does not depend on how the batch is cut. The count is a function of
the batch alone, for it has to be known before the first backward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from trainer.data.batches import Column, Columns

CAUSAL, SCALAR = "causal", "scalar"  # kinds of models: next-token logits; one number for a row
Tensors = Columns[Tensor]  # a micro-batch on the device
Mean = tuple[Tensor, Tensor | float]  # a sum, and what it is to be divided by; both add up over micro-batches
Loss = Callable[[nn.Module, Tensors], tuple[Tensor, Mapping[str, Mean]]]


@dataclass(frozen=True)
class Objective:
    """A loss, and what it needs."""

    columns: Mapping[str, Column]  # of a batch; a column with `idle` must make a row count for nothing
    loss: Loss  # the sum in float32, and free metrics by name, the same names for each micro-batch
    count: Callable[[Columns[Any]], float]  # what the sum is divided by; 0 in rows that only fill up
    kind: str = CAUSAL  # of the model
    counted: str = "tokens"  # what `count` counts, for people
