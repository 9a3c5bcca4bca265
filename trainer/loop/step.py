"""One optimiser step over the ranks: forward and backward in micro-batches, one reduction, one update."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.distributed.fsdp import FSDPModule
from torch.distributed.tensor import DTensor

from trainer.data.mixture import IGNORE, Batch
from trainer.loop.training import Training


@dataclass(frozen=True, slots=True)
class Tensors:
    """A micro-batch on the device."""

    tokens: Tensor  # [b, S] int64
    positions: Tensor  # [b, S] int64
    labels: Tensor  # [b, S] int64


class Objective(Protocol):
    """The loss that is minimised: the extension point for post-training, which has other losses and batches."""

    def __call__(self, model: nn.Module, batch: Tensors) -> Tensor:
        """Return the sum of the loss over the targets of the batch, in float32."""


def next_token_loss(model: nn.Module, batch: Tensors) -> Tensor:
    """Cross-entropy of the next token, summed over the labels that count, in nats.

    The document mask comes from positions that start anew at each document; an attention mask, even one of ones, would
    switch it off (transformers 5, masking_utils).
    """
    loss: Tensor = model(
        input_ids=batch.tokens, position_ids=batch.positions, attention_mask=None, use_cache=False,
        next_tokens=batch.labels,
    )  # fmt: skip
    return loss


@dataclass(frozen=True, slots=True)
class StepResult:
    """The result of a step, over all ranks."""

    loss: float  # nats a target
    grad_norm: float  # before clipping
    targets: int


class Stepper:
    """Takes steps on a model; all ranks call it together."""

    def __init__(self, training: Training, micro_sequences: int, objective: Objective = next_token_loss) -> None:
        self._training, self._micro, self._objective = training, micro_sequences, objective

    def backward(self, batch: Batch, sequences: int) -> StepResult:
        """Leave the gradient of the mean loss over the whole batch in the model.

        `sequences` is what the largest share of a rank holds: every rank runs as many micro-batches as that takes.
        """
        training = self._training
        targets = int(training.ranks.sum(float(batch.targets)))
        total = torch.zeros((), dtype=torch.float64)
        micros = list(micro_batches(batch, self._micro, sequences, training.ranks.device))
        for n, micro in enumerate(micros):
            if isinstance(training.model, FSDPModule):
                each = training.recipe.local.shard_gradients
                training.model.set_requires_gradient_sync(each or n == len(micros) - 1)
            loss = self._objective(training.model, micro)
            # FSDP takes the mean over ranks, and the loss is a mean over the targets of all of them.
            (loss * (training.ranks.world / max(1, targets))).backward()  # type: ignore[no-untyped-call]
            total += loss.detach().double().cpu()
        norm = self._clip()
        return StepResult(training.ranks.sum(float(total)) / max(1, targets), norm, targets)

    def apply(self, learning_rate: float) -> None:
        """Update the weights."""
        optimiser = self._training.optimiser
        for group in optimiser.param_groups:
            group["lr"] = learning_rate
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)

    def skip(self) -> None:
        """Discard the gradient."""
        self._training.optimiser.zero_grad(set_to_none=True)

    def _clip(self) -> float:
        limit = self._training.recipe.adamw.clip_norm or math.inf
        norm = nn.utils.clip_grad_norm_(self._training.model.parameters(), limit)
        return float(norm.full_tensor() if isinstance(norm, DTensor) else norm)


def micro_batches(batch: Batch, size: int, sequences: int, device: torch.device) -> Iterator[Tensors]:
    """Cut a rank's share into micro-batches; a share smaller than the largest is padded without targets."""
    tensors = [torch.from_numpy(column) for column in (batch.tokens, batch.positions, batch.labels)]
    lacking = sequences - len(batch.tokens)
    if lacking:
        fillers = [column[:1].expand(lacking, -1) for column in tensors[:2]]
        fillers.append(torch.full_like(fillers[0], IGNORE))
        tensors = [torch.cat(pair) for pair in zip(tensors, fillers, strict=True)]
    for start in range(0, sequences, size):
        yield Tensors(*(column[start : start + size].to(device, non_blocking=True) for column in tensors))
