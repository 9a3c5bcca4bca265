"""The model: transformers' own Llama classes, made from our settings, and what it costs."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM, LlamaForSequenceClassification

from schemas.errors import ConfigError
from schemas.shards import TokenizerFacts
from trainer.loop.placement import fill
from trainer.model.loss import summed_loss, token_losses
from trainer.model.reward import Reward
from trainer.recipe import ModelConfig

LOW_FREQ_FACTOR, HIGH_FREQ_FACTOR = 1.0, 4.0  # of the released Llama 3.1 code


def llama_config(config: ModelConfig, tokenizer: TokenizerFacts, max_len: int, attention: str) -> LlamaConfig:
    """Return transformers' configuration; `max_len` is the longest sequence of the recipe.

    ConfigError when the embedding has fewer entries than the tokenizer.
    """
    if 0 < config.vocab_size < tokenizer.vocab_size:
        raise ConfigError(
            f"model.vocab_size: {config.vocab_size} is not allowed; the shards' tokenizer has {tokenizer.vocab_size}"
            f" tokens"
        )
    return LlamaConfig(
        vocab_size=config.vocab_size or tokenizer.vocab_size,
        hidden_size=config.dim,
        intermediate_size=config.ffn_dim,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        num_key_value_heads=config.kv_heads,
        head_dim=config.dim // config.heads,
        max_position_embeddings=max_len,
        rms_norm_eps=config.norm_eps,
        tie_word_embeddings=config.tied_embeddings,
        initializer_range=config.init_std,
        rope_parameters=rope_parameters(config),
        bos_token_id=tokenizer.bos_id,
        eos_token_id=tokenizer.eos_id,
        attn_implementation=attention,  # type: ignore[call-arg]  # taken by its parent
        use_cache=False,
    )


def rope_parameters(config: ModelConfig) -> dict[str, Any]:
    """Return transformers' settings of RoPE."""
    rope: dict[str, Any] = {"rope_type": "default", "rope_theta": config.rope_theta}
    if config.rope_factor > 1:
        rope |= {
            "rope_type": "llama3",
            "factor": config.rope_factor,
            "low_freq_factor": LOW_FREQ_FACTOR,
            "high_freq_factor": HIGH_FREQ_FACTOR,
            "original_max_position_embeddings": config.rope_original_len,
        }
    return rope


class Llama(LlamaForCausalLM):  # type: ignore[no-untyped-call]  # its parents' hook for subclasses
    """transformers' Llama, which also returns its loss without holding the logits of all tokens.

    The loss is part of the forward pass because FSDP gathers the output embedding only for that long.
    """

    loss_tokens = 0  # tokens whose logits are in memory at once; 0: see trainer.model.loss

    def forward(self, *args: Any, next_tokens: Tensor | None = None, each: bool = False, **fields: Any) -> Any:
        """Return what transformers does; given `next_tokens` [b, S], the summed loss, or with `each` that of each.

        `next_tokens` are the labels of the tokens at the same places; those that are IGNORE do not count. Losses are in
        nats, in float32.
        """
        if next_tokens is None:
            return super().forward(*args, **fields)
        hidden = self.model(*args, **fields).last_hidden_state
        labels = next_tokens.flatten()
        if each:
            losses = token_losses(hidden.flatten(0, 1), self.lm_head.weight, labels, self.loss_tokens)
            return losses.view(next_tokens.shape)
        return summed_loss(hidden.flatten(0, 1), self.lm_head.weight, labels, self.loss_tokens)


Model = LlamaForCausalLM | LlamaForSequenceClassification


def empty_model(config: LlamaConfig) -> Llama:
    """Return the model on the meta device: no memory yet, so that each rank can make its own share alone."""
    with torch.device("meta"):
        return Llama(config)


def empty_reward_model(config: LlamaConfig) -> Reward:
    """Return the model with a head of one output, on the meta device."""
    config.num_labels = 1
    with torch.device("meta"):
        return Reward(config)  # type: ignore[no-untyped-call]


def set_rope(model: Model, config: ModelConfig) -> None:
    """Give a model other rotary embeddings; they have no weights."""
    model.config.rope_parameters = rope_parameters(config)
    rotary = model.model.rotary_emb
    model.model.rotary_emb = type(rotary)(config=model.config).to(rotary.inv_freq.device)


def materialise(model: Model, device: torch.device) -> None:
    """Give a model on the meta device memory on `device`, for weights that are drawn or read afterwards."""
    model.to_empty(device=device)
    model.tie_weights()  # if its config says so: what shared memory before does not now
    rotary = model.model.rotary_emb  # its frequencies are computed, not drawn
    model.model.rotary_emb = type(rotary)(config=model.config).to(device)


def recompute(model: Model) -> None:
    """Let blocks keep their input alone, and compute the rest again in the backward pass."""
    # The older name warns in late versions of transformers 5, and goes with 6.
    enable = getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable
    enable()


def draw_weights(model: Model, seed: int) -> None:
    """Give a model its initial weights, a function of `seed` alone.

    Matrices are normal with `initializer_range`, norms are one.
    """
    for name, parameter in model.named_parameters():
        is_norm = parameter.dim() == 1
        std = 0.0 if is_norm else float(model.config.initializer_range)
        fill(parameter, name, seed, mean=1.0 if is_norm else 0.0, std=std)


def initialise(model: Model, seed: int, device: torch.device) -> None:
    """Give a model on the meta device memory on `device` and its initial weights."""
    materialise(model, device)
    draw_weights(model, seed)


def count_parameters(config: ModelConfig, vocab_size: int) -> int:
    """Return the number of weights, embeddings included."""
    head = config.dim // config.heads
    attention = config.dim * head * (2 * config.heads + 2 * config.kv_heads)
    block = attention + 3 * config.dim * config.ffn_dim + 2 * config.dim
    embeddings = vocab_size * config.dim * (1 if config.tied_embeddings else 2)
    return config.layers * block + embeddings + config.dim


def flops_per_token(config: ModelConfig, vocab_size: int, seq_len: int) -> float:
    """Return the floating-point operations of forward and backward pass for one token.

    6 for each weight that multiplies (the input embedding does not), and 6 layers * dim * seq_len for causal attention
    (PaLM, appendix B, halved since half of the matrix is masked). Recomputed activations are not counted.
    """
    multiplied = count_parameters(config, vocab_size)
    if not config.tied_embeddings:
        multiplied -= vocab_size * config.dim
    return 6.0 * multiplied + 6.0 * config.layers * config.dim * seq_len
