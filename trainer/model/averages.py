"""Polyak average of checkpoints (L3 3.4.3): the mean of the weights at even steps of a stage."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from trainer.recipe import StageConfig

TENTHS = 10


def averaged_steps(stage: StageConfig, total: int) -> list[int]:
    """Return after which of the stage's `total` steps the weights are kept for the average; the last always is.

    `total` is more than the stage's own steps where its gate has extended it: the average goes on at the same pace.
    """
    return sorted({step for step in range(1, total + 1) if is_averaged(stage, step)} | {total})


def is_averaged(stage: StageConfig, step: int) -> bool:
    """Return whether the weights after a step of the stage are kept whatever comes; those after the last are, too."""
    every = stage.average_every or max(1, stage.steps // TENTHS)
    return step % every == 0


def snapshot_path(folder: Path, step: int) -> Path:
    return folder / f"step-{step:09d}.safetensors"


def write_snapshot(path: Path, weights: dict[str, torch.Tensor]) -> None:
    """Write weights under a temporary name, then rename: a half-written file never has the final name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    staging = path.with_suffix(".writing")
    save_file({name: tensor.contiguous() for name, tensor in weights.items()}, staging)
    staging.replace(path)


def mean(paths: Sequence[Path]) -> dict[str, torch.Tensor]:
    """Return the mean of weights, summed in float64 tensor by tensor: memory holds one model and one tensor."""
    if not paths:
        raise ValueError("no checkpoints to average")
    with safe_open(paths[0], framework="pt") as first:
        names = sorted(first.keys())
    averaged = {}
    for name in names:
        total: torch.Tensor | None = None
        for path in paths:
            with safe_open(path, framework="pt") as file:
                tensor = file.get_tensor(name)
            total = tensor.double() if total is None else total.add_(tensor)
        assert total is not None  # noqa: S101
        averaged[name] = (total / len(paths)).to(tensor.dtype)
    return averaged
