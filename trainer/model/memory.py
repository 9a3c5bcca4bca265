"""What a rank holds at the peak of a step, in bytes.

Weights, moments and gradients are arithmetic. What a block keeps for its backward pass is counted by torch itself: one
block more on the meta device, which has shapes and no memory. Attention is taken to keep no matrix of scores, as
flex_attention and the kernels of `sdpa` do; on CPUs, `sdpa` keeps the document mask as numbers for each block.
"""

from __future__ import annotations

import functools
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import nn
from torch.autograd.graph import saved_tensors_hooks
from transformers import AttentionInterface
from transformers.models.llama.modeling_llama import repeat_kv

from schemas.shards import TokenizerFacts
from trainer.model.llama import count_parameters, empty_model, llama_config
from trainer.model.loss import chunk_tokens
from trainer.recipe import LocalConfig, ModelConfig

FLOAT32 = 4
FUSED = "winnow_fused"  # name of an attention
FEW = 2  # blocks whose weights or gradients are on their way at once: FSDP gathers one ahead


@dataclass(frozen=True)
class Memory:
    """Bytes of a rank at the peak of a step."""

    weights: int  # its share, in float32
    moments: int  # two, in float32
    gradients: int  # in float32: its share, or with `shard_gradients` off the whole model's
    gathered: int  # weights of the whole model, in the type that is computed in
    activations: int  # of one micro-batch, kept for the backward pass
    loss: int  # one chunk of logits, and the gradients of what goes into the loss
    passing: int  # blocks whose weights or gradients are being gathered or reduced, and what one block computes with

    @property
    def total(self) -> int:
        return sum(asdict(self).values())


@dataclass(frozen=True, kw_only=True)
class Rank:
    """What is computed on a rank."""

    ranks: int  # that share the weights
    on_gpu: bool
    micro_sequences: int
    seq_len: int


def peak(model: ModelConfig, vocab_size: int, local: LocalConfig, rank: Rank) -> Memory:
    """Return what a rank of the local runner holds at the peak of a step."""
    dtype: torch.dtype = getattr(torch, local.computed_in(rank.on_gpu))
    size, is_sharded = dtype.itemsize, rank.ranks > 1 or dtype != torch.float32
    everything = count_parameters(model, vocab_size)
    embeddings = vocab_size * model.dim * (1 if model.tied_embeddings else 2)
    block = (everything - embeddings) // model.layers
    tokens = rank.micro_sequences * rank.seq_len
    share = -(-everything * local.replicas // rank.ranks)
    own = share * FLOAT32
    gradients = own if local.shard_gradients or not is_sharded else everything * FLOAT32
    kept = block_bytes(model, rank.micro_sequences, rank.seq_len, dtype, repeats=not rank.on_gpu)
    computing = 2 * tokens * max(model.ffn_dim, 2 * model.dim) * size
    if not rank.on_gpu:
        masks = rank.micro_sequences * rank.seq_len**2 * size
        kept, computing = kept + masks, computing + masks
    layers = model.layers
    inputs = tokens * model.dim * size
    activations = layers * inputs + kept if local.checkpoint_activations else layers * kept
    chunk = min(tokens, chunk_tokens(local.loss_tokens, vocab_size))
    output = vocab_size * model.dim
    loss = 2 * chunk * vocab_size * FLOAT32 + output * FLOAT32 + inputs * 4
    gathered = (embeddings if local.reshard else everything) * size if is_sharded else 0
    passing = computing + (FEW * block * (size + FLOAT32) if is_sharded else 0)
    return Memory(own, 2 * own, gradients, gathered, activations, loss, passing)


@functools.lru_cache(maxsize=32)
def block_bytes(model: ModelConfig, sequences: int, seq_len: int, dtype: torch.dtype, repeats: bool) -> int:
    """Return what a block keeps of its forward pass for the backward pass, its input included, in bytes.

    `repeats`: keys and values are copied for each head that shares them, as `sdpa` does where there is a mask.
    """
    facts = TokenizerFacts(sha256="", vocab_size=8, bos_id=0, eos_id=1)
    shape = replace(model, layers=1, vocab_size=8)
    AttentionInterface.register(FUSED, functools.partial(_fused_attention, repeats=repeats))
    net = empty_model(llama_config(shape, facts, seq_len, FUSED))
    block = net.model.layers[0].to(dtype)
    constant = {parameter.untyped_storage()._cdata for parameter in block.parameters()}
    turn = torch.empty(1, seq_len, model.dim // model.heads, dtype=dtype, device="meta")
    constant.add(turn.untyped_storage()._cdata)  # cosine and sine: once for all blocks
    kept: dict[int, torch.UntypedStorage] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in constant:
            kept[storage._cdata] = storage
        return tensor

    hidden = torch.empty(sequences, seq_len, model.dim, dtype=dtype, device="meta", requires_grad=True)
    with saved_tensors_hooks(keep, lambda tensor: tensor):
        block(hidden, attention_mask=None, position_embeddings=(turn, turn))
    return sum(storage.nbytes() for storage in kept.values())


class _FusedAttention(torch.autograd.Function):
    """Keeps what a fused kernel keeps: its inputs, its output, and the sum of each row of scores."""

    @staticmethod
    def forward(ctx: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        out = torch.empty_like(query)
        ctx.save_for_backward(query, key, value, out, torch.empty_like(query[..., 0], dtype=torch.float32))
        return out


def _fused_attention(
    module: nn.Module, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, _mask: None, *, repeats: bool,
    **_: Any,
) -> tuple[torch.Tensor, None]:  # fmt: skip
    """Be an attention of transformers: tensors are [b, heads, S, head]."""
    if repeats:
        key, value = (repeat_kv(tensor, query.shape[1] // tensor.shape[1]) for tensor in (key, value))
    out: torch.Tensor = _FusedAttention.apply(query, key, value)  # type: ignore[no-untyped-call]
    return out.transpose(1, 2).contiguous(), None
