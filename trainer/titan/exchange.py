"""Checkpoints from the local runner to torchtitan and back: weights and moments, bit for bit.

All ranks take part, and each holds its share (16 bytes a parameter) and one weight of those whose rows change places.
Between two stages of torchtitan nothing is converted: the second loads the first's checkpoint as it is.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.checkpoint.filesystem import FileSystemReader
from torch.distributed.checkpoint.metadata import TensorStorageMetadata
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import save
from torch.distributed.tensor import DTensor

from schemas.errors import RunError
from trainer.loop.placement import local, put
from trainer.recipe import ModelConfig
from trainer.titan.names import from_titan, is_turned, titan_name, to_titan

MOMENTS = ("step", "exp_avg", "exp_avg_sq")  # of AdamW
OPTIMISER = "optimizer"  # torchtitan's key


@torch.no_grad()
def write_titan(
    model: nn.Module, optimiser: torch.optim.Optimizer, config: ModelConfig, options: Mapping[str, Any], folder: Path
) -> None:
    """Write a checkpoint that torchtitan loads into an empty folder, from the local runner's model and its moments.

    `options` is what torchtitan saves of its optimiser besides moments (`engine.saved_options`). Where there are no
    moments, as in a model from elsewhere, they are zero.
    """
    weights, flat = {}, dict(options)
    for name, parameter in model.named_parameters():
        key = titan_name(name)
        weights[key] = _turned(parameter.detach(), name, config)
        for kind in MOMENTS:
            held = optimiser.state[parameter].get(kind) if parameter in optimiser.state else None
            if held is None:
                held = torch.zeros(()) if kind == "step" else torch.zeros_like(parameter)
            flat[f"state.{key}.{kind}"] = _turned(held, name, config)
    if config.tied_embeddings:
        weights["lm_head.weight"] = weights["tok_embeddings.weight"]
    with _alone():
        save({**weights, OPTIMISER: flat}, checkpoint_id=str(folder))


def read_weights(model: nn.Module, config: ModelConfig, folder: Path) -> None:
    """Fill the local runner's model from a checkpoint of torchtitan.

    RunError when it is not one, or another model's.
    """
    held = {titan_name(name): (name, parameter.detach()) for name, parameter in model.named_parameters()}
    _read(held, _stored(folder), config, folder)


def read_moments(model: nn.Module, optimiser: torch.optim.Optimizer, config: ModelConfig, folder: Path) -> None:
    """Give the local runner's optimiser the moments of a checkpoint of torchtitan. RunError when they are not there."""
    held = {}
    for name, parameter in model.named_parameters():
        state = {kind: torch.zeros_like(parameter.detach()) for kind in MOMENTS[1:]}
        optimiser.state[parameter] = {"step": torch.zeros((), device=local(parameter).device), **state}
        for kind in MOMENTS:
            held[f"{OPTIMISER}.state.{titan_name(name)}.{kind}"] = (name, optimiser.state[parameter][kind])
    _read(held, _stored(folder), config, folder)


def _stored(folder: Path) -> Mapping[str, Any]:
    try:
        return FileSystemReader(str(folder)).read_metadata().state_dict_metadata
    except OSError as error:
        raise RunError(f"{folder}: not a checkpoint of torchtitan ({error})") from None


def _read(
    held: Mapping[str, tuple[str, Tensor]], stored: Mapping[str, Any], config: ModelConfig, folder: Path
) -> None:  # fmt: skip
    """Fill tensors by torchtitan's keys, each given with its weight's local name, and bring rows into our order."""
    for key, (_, tensor) in held.items():
        found = stored.get(key)
        if not isinstance(found, TensorStorageMetadata) or found.size != tensor.shape:
            raise RunError(f"{folder}: {key} is missing or of another shape than the recipe's model")
    with _alone():
        load({key: tensor for key, (_, tensor) in held.items()}, checkpoint_id=str(folder))
    for name, tensor in held.values():
        if tensor.dim() and is_turned(name):
            put(tensor, from_titan(name, _whole(tensor), config))


def _turned(tensor: Tensor, name: str, config: ModelConfig) -> Tensor:
    """Return a weight, or a moment of it, in torchtitan's order of rows, sharded as it is."""
    if not tensor.dim() or not is_turned(name):
        return tensor
    turned = torch.empty_like(tensor)
    put(turned, to_titan(name, _whole(tensor), config))
    return turned


def _whole(tensor: Tensor) -> Tensor:
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


@contextmanager
def _alone() -> Iterator[None]:
    """Keep torch from warning where one process reads and writes alone."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "torch.distributed is disabled, unavailable or uninitialized")
        yield
