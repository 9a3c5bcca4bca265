"""Polyak average of checkpoints (L3 3.4.3): the mean of the weights at even steps of a stage."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import nn
from torch.distributed.checkpoint.state_dict import get_model_state_dict, set_model_state_dict
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import save

from trainer.loop.placement import local
from trainer.loop.ranks import Ranks
from trainer.recipe import StageConfig

TENTHS = 10
MODEL = "model"  # what a snapshot holds


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
    return folder / f"step-{step:09d}"


def write_snapshot(model: nn.Module, folder: Path, ranks: Ranks) -> None:
    """Write the weights of now, each rank its share; a folder that is not complete has no `.metadata`."""
    if ranks.is_first:
        shutil.rmtree(folder, ignore_errors=True)  # of a step that is taken again
    ranks.barrier()
    save({MODEL: get_model_state_dict(model)}, checkpoint_id=str(folder))


def read_snapshot(model: nn.Module, folder: Path) -> None:
    """Fill a model from a snapshot of any world size; all ranks call it."""
    held = {MODEL: get_model_state_dict(model)}
    load(held, checkpoint_id=str(folder))
    set_model_state_dict(model, held[MODEL])


@torch.no_grad()
def average(model: nn.Module, fills: Sequence[Callable[[], None]]) -> None:
    """Fill a model with the mean of the weights that each of `fills` puts into it, summed in float64.

    A rank holds its share of the model and of the sum.
    """
    if not fills:
        raise ValueError("no checkpoints to average")
    shares = {name: local(parameter) for name, parameter in model.named_parameters()}
    sums = {name: torch.zeros_like(share, dtype=torch.float64) for name, share in shares.items()}
    for fill in fills:
        fill()
        for name, share in shares.items():
            sums[name] += share
    for name, share in shares.items():
        share.copy_(sums[name] / len(fills))
