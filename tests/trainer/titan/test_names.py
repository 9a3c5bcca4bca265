from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.recipe import ModelConfig
from trainer.titan.names import from_titan, titan_name, to_titan

QUERIES, KEYS, VALUES = (f"model.layers.0.self_attn.{kind}_proj.weight" for kind in "qkv")


def test_names() -> None:
    assert titan_name("model.embed_tokens.weight") == "tok_embeddings.weight"
    assert titan_name("lm_head.weight") == "lm_head.weight"
    assert titan_name("model.layers.125.mlp.up_proj.weight") == "layers.125.feed_forward.w3.weight"
    assert titan_name("model.layers.0.input_layernorm.weight") == "layers.0.attention_norm.weight"
    with pytest.raises(KeyError):
        titan_name("model.layers.0.self_attn.q_norm.weight")


def test_the_halves_of_a_head_become_pairs() -> None:
    model = ModelConfig(dim=8, heads=2, kv_heads=1)
    rows = torch.arange(8.0).repeat_interleave(8).reshape(8, 8)
    assert to_titan(QUERIES, rows, model)[:, 0].tolist() == [0, 2, 1, 3, 4, 6, 5, 7]
    assert to_titan(KEYS, rows[:4], model)[:, 0].tolist() == [0, 2, 1, 3]
    assert to_titan(VALUES, rows, model) is rows


@settings(deadline=None)
@given(heads=st.integers(1, 8), groups=st.integers(1, 4), half=st.integers(1, 6), seed=st.integers(0, 2**32))
def test_there_and_back_is_the_same_bits(heads: int, groups: int, half: int, seed: int) -> None:
    model = ModelConfig(dim=8 * heads * groups * half * 2, heads=heads * groups, kv_heads=heads)
    generator = torch.Generator().manual_seed(seed)
    for name, n in ((QUERIES, heads * groups), (KEYS, heads), (VALUES, heads)):
        tensor = torch.randn(n * half * 2, 3, generator=generator)
        assert torch.equal(from_titan(name, to_titan(name, tensor, model), model), tensor)
