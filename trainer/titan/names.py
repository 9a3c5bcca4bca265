"""One weight, two names: Hugging Face's and torchtitan's; and two orders of the rows of queries and keys.

transformers turns the halves of a head against each other, torchtitan neighbouring pairs (as Meta's own code does): row
i of a head there is row i // 2 here where i is even, and row head_dim / 2 + i // 2 where it is odd. Moments of the
optimiser have the shape of their weight and go the same way.
"""

from __future__ import annotations

import re

from torch import Tensor

from trainer.recipe import ModelConfig

_WHOLE = {
    "model.embed_tokens.weight": "tok_embeddings.weight",
    "model.norm.weight": "norm.weight",
    "lm_head.weight": "lm_head.weight",
}
_OF_BLOCK = {
    "self_attn.q_proj.weight": "attention.qkv_linear.wq.weight",
    "self_attn.k_proj.weight": "attention.qkv_linear.wk.weight",
    "self_attn.v_proj.weight": "attention.qkv_linear.wv.weight",
    "self_attn.o_proj.weight": "attention.wo.weight",
    "mlp.gate_proj.weight": "feed_forward.w1.weight",
    "mlp.up_proj.weight": "feed_forward.w3.weight",
    "mlp.down_proj.weight": "feed_forward.w2.weight",
    "input_layernorm.weight": "attention_norm.weight",
    "post_attention_layernorm.weight": "ffn_norm.weight",
}
_BLOCK = re.compile(r"model\.layers\.(\d+)\.(.+)")


def titan_name(name: str) -> str:
    """Return torchtitan's name of a weight. KeyError for one that a Llama has not."""
    block = _BLOCK.fullmatch(name)
    return f"layers.{block[1]}.{_OF_BLOCK[block[2]]}" if block else _WHOLE[name]


def is_turned(name: str) -> bool:
    """Return whether the rows of a weight have another order there; `name` is Hugging Face's."""
    return name.endswith(("q_proj.weight", "k_proj.weight"))


def to_titan(name: str, tensor: Tensor, model: ModelConfig) -> Tensor:
    """Return a weight, or a moment of it, as torchtitan orders its rows; `name` is Hugging Face's."""
    heads = _rotated_heads(name, model)
    if not heads:
        return tensor
    rows, columns = tensor.shape
    return tensor.reshape(heads, 2, rows // heads // 2, columns).transpose(1, 2).reshape(rows, columns)


def from_titan(name: str, tensor: Tensor, model: ModelConfig) -> Tensor:
    """Return what `to_titan` was given; `name` is Hugging Face's."""
    heads = _rotated_heads(name, model)
    if not heads:
        return tensor
    rows, columns = tensor.shape
    return tensor.reshape(heads, rows // heads // 2, 2, columns).transpose(1, 2).reshape(rows, columns)


def _rotated_heads(name: str, model: ModelConfig) -> int:
    """Return how many heads of a weight are turned by position; 0 for other weights."""
    if name.endswith("q_proj.weight"):
        return model.heads
    return model.kv_heads if name.endswith("k_proj.weight") else 0
