"""One optimiser step over the ranks: forward and backward in micro-batches, one reduction, one update."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.distributed.fsdp import FSDPModule
from torch.distributed.tensor import DTensor

from trainer.data.batches import PRE_TRAINING, Batch, Column, Columns, filled, n_tokens, rows_of
from trainer.loop.training import Training
from trainer.objectives.next_token import NEXT_TOKEN
from trainer.objectives.objective import Mean, Objective, Tensors


@dataclass(frozen=True, slots=True)
class StepResult:
    """The result of a step, over all ranks."""

    loss: float  # mean over what the objective counts; nats a target
    grad_norm: float  # before clipping
    tokens: int  # of the batch, padding not counted
    metrics: Mapping[str, float] = field(default_factory=dict)  # of the objective; none of those that nothing counts in


class Stepper:
    """Takes steps on a model; all ranks call it together."""

    def __init__(self, training: Training, micro_units: int, objective: Objective = NEXT_TOKEN) -> None:
        """`micro_units` go through the model at once."""
        self._training, self._micro, self._objective = training, micro_units, objective

    def backward(self, batch: Batch, units: int) -> StepResult:
        """Leave the gradient of the mean loss over the whole batch in the model.

        `units` is what the largest share of a rank holds: every rank runs as many micro-batches as that takes.
        """
        training, objective = self._training, self._objective
        count, tokens = training.ranks.sums([objective.count(batch), n_tokens(batch)])
        # FSDP takes the mean over ranks, and the loss is a mean over what counts on all of them.
        factor = training.ranks.world / (count or 1.0)
        sums = _Sums(training.ranks.device)
        micros = list(micro_batches(batch, self._micro, units, training.ranks.device, objective.columns))
        for n, micro in enumerate(micros):
            if isinstance(training.model, FSDPModule):
                each = training.recipe.local.shard_gradients
                training.model.set_requires_gradient_sync(each or n == len(micros) - 1)
            loss, metrics = objective.loss(training.model, micro)
            (loss * factor).backward()  # type: ignore[no-untyped-call]
            sums.add(loss, metrics)
        norm = self._clip()
        total, metrics_of_all = sums.over(training)
        return StepResult(total / (count or 1.0), norm, int(tokens), metrics_of_all)

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


class _Sums:
    """The loss and the metrics of a step, added up where the model is: the device is waited for once a step."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._names: list[str] = []
        self._total = torch.zeros(1, dtype=torch.float64, device=device)

    def add(self, loss: Tensor, metrics: Mapping[str, Mean]) -> None:
        if metrics and not self._names:
            self._names = sorted(metrics)
            self._total = torch.cat([self._total, self._total.new_zeros(2 * len(self._names))])
        if sorted(metrics) != self._names:
            raise ValueError(f"metrics {sorted(metrics)}: the first micro-batch had {self._names}")
        values = [loss, *(value for name in self._names for value in metrics[name])]
        self._total += torch.stack([self._number(value) for value in values])

    def _number(self, value: Tensor | float) -> Tensor:
        held = value.detach() if isinstance(value, Tensor) else torch.tensor(value)
        return held.to(self._device, torch.float64).reshape(())

    def over(self, training: Training) -> tuple[float, dict[str, float]]:
        """Return the sum of the loss, and the mean of each metric, over all ranks."""
        loss, *rest = training.ranks.sums(self._total.tolist())
        pairs = zip(self._names, rest[::2], rest[1::2], strict=True)
        return loss, {name: total / count for name, total, count in pairs if count}


def micro_batches(
    batch: Batch, size: int, units: int, device: torch.device, facts: Mapping[str, Column] = PRE_TRAINING
) -> Iterator[Tensors]:
    """Cut a rank's share into micro-batches of `size` units; a share of less than `units` is filled up."""
    batch = filled(batch, units, facts)
    for first in range(0, len(batch.units), size):
        cut = rows_of(batch, first, first + size)
        tensors = {name: torch.from_numpy(array).to(device, non_blocking=True) for name, array in cut.columns.items()}
        yield Columns(tensors, cut.units)
