"""Placement of weights: whole on one rank, or sharded over many by FSDP2."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

import torch
from torch import nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from transformers import LlamaForCausalLM, LlamaForSequenceClassification

from schemas.identity import keyed_hash


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


def fill(parameter: nn.Parameter, name: str, seed: int, mean: float, std: float) -> None:
    """Draw a parameter from a normal distribution, as a function of its name and `seed` alone.

    It is drawn whole, in float32 on the CPU, before its share is taken: the same weights for any world and device.
    """
    generator = torch.Generator().manual_seed(keyed_hash("trainer.weights", f"{seed}:{name}") >> 1)
    whole = torch.empty(parameter.shape, dtype=torch.float32).normal_(mean, std, generator=generator)
    put(parameter, whole)


@torch.no_grad()
def put(parameter: torch.Tensor, whole: torch.Tensor) -> None:
    """Copy a whole tensor into a parameter, which takes its share of it."""
    if isinstance(parameter, DTensor):
        share = distribute_tensor(
            whole.to(parameter.device), parameter.device_mesh, parameter.placements, src_data_rank=None
        )
        parameter.to_local().copy_(share.to_local())
    else:
        parameter.copy_(whole)


def whole_weights(model: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield each parameter by name, gathered and on the CPU; every rank has to take part."""
    tied = getattr(getattr(model, "config", None), "tie_word_embeddings", False)
    for name, parameter in sorted(model.state_dict().items()):
        if tied and name == "lm_head.weight":
            continue
        tensor = parameter.full_tensor() if isinstance(parameter, DTensor) else parameter
        yield name, tensor.detach().to("cpu")


def weights_digest(weights: Mapping[str, torch.Tensor] | Iterator[tuple[str, torch.Tensor]]) -> str:
    """Return the SHA-256 of the names, shapes, types and bytes of weights in the order of their names."""
    digest = hashlib.sha256()
    for name, tensor in sorted(weights.items()) if isinstance(weights, Mapping) else weights:
        digest.update(f"{name}\0{tuple(tensor.shape)}\0{tensor.dtype}\0".encode())
        digest.update(tensor.contiguous().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
