"""Placement of weights: whole on one rank, or sharded over many by FSDP2."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping

import torch
from torch import nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor
from torch.distributed.tensor._utils import compute_local_shape_and_global_offset
from transformers import LlamaForCausalLM, LlamaForSequenceClassification

from schemas.identity import keyed_hash

DRAWN_AT_ONCE = 1 << 24  # weights (ours): 64 MiB


def shard(
    model: LlamaForCausalLM | LlamaForSequenceClassification, mesh: DeviceMesh | None, dtype: torch.dtype,
    replicas: int = 1, reshard: bool = False,
) -> None:  # fmt: skip
    """Shard each block and then the rest (L3 3.3.2: parameters stay gathered after the forward pass, not `reshard`).

    `replicas` groups of ranks each hold all shards, and gradients are averaged over the groups (HSDP). Compute runs in
    `dtype`, gradients are reduced in float32. Without a mesh the model stays whole, unless `dtype` is another than that
    of its weights: then FSDP over this one rank computes in it, as it does over many.
    """
    if mesh is None:
        if dtype == torch.float32:
            return
        mesh = init_device_mesh("cuda" if torch.cuda.is_available() else "cpu", (1,))
    elif replicas > 1:
        sizes = (replicas, mesh.size() // replicas)
        mesh = init_device_mesh(mesh.device_type, sizes, mesh_dim_names=("replicate", "shard"))
    policy = MixedPrecisionPolicy(param_dtype=dtype, reduce_dtype=torch.float32)
    for block in model.model.layers:
        fully_shard(block, mesh=mesh, mp_policy=policy, reshard_after_forward=reshard)
    # What belongs to no block, the embeddings, is used last and first: it stays.
    fully_shard(model, mesh=mesh, mp_policy=policy, reshard_after_forward=False)


@torch.no_grad()
def fill(parameter: nn.Parameter, name: str, seed: int, mean: float, std: float) -> None:
    """Draw a parameter from a normal distribution, as a function of its name and `seed` alone.

    It is drawn in float32 on the CPU, in blocks of rows that have a generator each: the same weights for any world and
    device, and a rank draws only the blocks that its share touches, one at a time.
    """
    first, last = own_rows(parameter)
    share = local(parameter)
    if not std:
        share.fill_(mean)
        return
    height = max(1, DRAWN_AT_ONCE // math.prod(parameter.shape[1:]))
    for start in range(first // height * height, last, height):
        key = f"{seed}:{name}:{start}" if start else f"{seed}:{name}"
        generator = torch.Generator().manual_seed(keyed_hash("trainer.weights", key) >> 1)
        end = min(start + height, len(parameter))
        block = torch.empty(end - start, *parameter.shape[1:]).normal_(mean, std, generator=generator)
        low, high = max(first, start), min(last, end)
        share[low - first : high - first].copy_(block[low - start : high - start])


def own_rows(parameter: torch.Tensor) -> tuple[int, int]:
    """Return the first of a parameter's rows that this rank holds, and the one after the last."""
    if not isinstance(parameter, DTensor):
        return 0, len(parameter)
    shape, offset = compute_local_shape_and_global_offset(parameter.shape, parameter.device_mesh, parameter.placements)
    return (offset[0], offset[0] + shape[0]) if shape[0] else (0, 0)


def local(parameter: torch.Tensor) -> torch.Tensor:
    """Return the rows of a parameter that this rank holds, in its own memory."""
    return parameter.to_local() if isinstance(parameter, DTensor) else parameter


@torch.no_grad()
def put(parameter: torch.Tensor, whole: torch.Tensor) -> None:
    """Copy a whole tensor into a parameter, which takes its share of it."""
    first, last = own_rows(parameter)
    local(parameter).copy_(whole[first:last])


def whole_weights(model: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield each parameter by name, gathered on the device of this rank; every rank has to take part.

    One at a time: what a caller does not keep is gone before the next is gathered.
    """
    tied = getattr(getattr(model, "config", None), "tie_word_embeddings", False)
    for name, parameter in sorted(model.state_dict().items()):
        if tied and name == "lm_head.weight":
            continue
        yield name, (parameter.full_tensor() if isinstance(parameter, DTensor) else parameter).detach()


def weights_digest(weights: Mapping[str, torch.Tensor] | Iterator[tuple[str, torch.Tensor]]) -> str:
    """Return the SHA-256 of the names, shapes, types and bytes of weights in the order of their names."""
    digest = hashlib.sha256()
    for name, tensor in sorted(weights.items()) if isinstance(weights, Mapping) else weights:
        digest.update(f"{name}\0{tuple(tensor.shape)}\0{tensor.dtype}\0".encode())
        digest.update(tensor.cpu().contiguous().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
