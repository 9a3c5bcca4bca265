"""The model and its loss: packed documents do not see each other, and no label crosses from one to the next."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from transformers import LlamaForCausalLM

from tests.trainer.small import FACTS, MODEL
from trainer.data.batches import Batch
from trainer.data.corpus import TokenSlice
from trainer.data.mixture import pack
from trainer.loop.step import micro_batches
from trainer.model.llama import empty_model, initialise, llama_config
from trainer.objectives.next_token import next_token_loss, targets
from trainer.objectives.objective import Tensors
from trainer.recipe import ModelConfig

CPU = torch.device("cpu")
LENGTHS = (5, 9, 2, 16)  # of the documents in one sequence


def make_model(config: ModelConfig = MODEL, attention: str = "sdpa", seed: int = 0) -> LlamaForCausalLM:
    model = empty_model(llama_config(config, FACTS, 64, attention))
    initialise(model, seed, CPU)
    return model


def packed(seed: int = 0) -> Batch:
    tokens = np.random.default_rng(seed).integers(2, 64, sum(LENGTHS)).astype(np.uint32)
    return pack([TokenSlice(tokens, -1, np.cumsum(LENGTHS), False)])


def tensors(batch: Batch) -> Tensors:
    return next(micro_batches(batch, len(batch.tokens), len(batch.tokens), CPU))


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_a_document_does_not_see_the_others(attention: str) -> None:
    model = make_model(attention=attention)
    batch = tensors(packed())
    other = batch.tokens.clone()
    other[0, : LENGTHS[0]] = 7  # another first document
    with torch.no_grad():
        before, after = (model(input_ids=x, position_ids=batch.positions).logits for x in (batch.tokens, other))
    assert not torch.equal(before[0, 1], after[0, 1])
    assert torch.equal(before[0, LENGTHS[0] :], after[0, LENGTHS[0] :])


def test_the_trap_an_attention_mask_of_ones_switches_the_document_mask_off() -> None:
    """transformers finds packed documents by their positions only where no attention mask is given."""
    model = make_model()
    batch = tensors(packed())
    other = batch.tokens.clone()
    other[0, : LENGTHS[0]] = 7
    ones = torch.ones_like(other)
    with torch.no_grad():
        before, after = (
            model(input_ids=x, position_ids=batch.positions, attention_mask=ones).logits for x in (batch.tokens, other)
        )
    assert not torch.allclose(before[0, LENGTHS[0] :], after[0, LENGTHS[0] :], atol=1e-6)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_the_loss_of_a_packed_sequence_is_that_of_its_documents(attention: str) -> None:
    """The loss that training takes would differ if it fell into the trap, or if a label crossed a document."""
    model = make_model(attention=attention)
    batch = packed()
    together = next_token_loss(model, tensors(batch)).item()
    apart, start = 0.0, 0
    for length in LENGTHS:
        piece = batch.tokens[0, start : start + length].astype(np.uint32)
        alone = pack([TokenSlice(piece, -1, np.array([length]), False)])
        assert targets(alone) == length - 1
        apart += next_token_loss(model, tensors(alone)).item()
        start += length
    assert targets(batch) == sum(LENGTHS) - len(LENGTHS)
    assert together == pytest.approx(apart, rel=1e-5)


def test_weights_are_a_function_of_the_seed() -> None:
    first, same, other = (dict(make_model(seed=seed).named_parameters()) for seed in (1, 1, 2))
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert not torch.equal(first["lm_head.weight"], other["lm_head.weight"])
    assert torch.equal(first["model.norm.weight"], torch.ones(32))
    assert float(first["lm_head.weight"].detach().std()) == pytest.approx(MODEL.init_std, rel=0.1)


def test_a_model_on_the_meta_device_has_no_memory() -> None:
    large = empty_model(llama_config(ModelConfig(layers=2, vocab_size=128_256), FACTS, 64, "sdpa"))
    assert {parameter.device.type for parameter in large.parameters()} == {"meta"}


def test_rope_is_scaled_as_in_the_released_code() -> None:
    config = llama_config(dataclasses.replace(MODEL, rope_factor=8.0), FACTS, 131_072, "sdpa")
    rope = config.rope_parameters
    assert (rope["rope_type"], rope["factor"], rope["original_max_position_embeddings"]) == ("llama3", 8.0, 8192)
    assert (rope["low_freq_factor"], rope["high_freq_factor"], rope["rope_theta"]) == (1.0, 4.0, 500_000.0)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_micro_batches_hold_each_sequence_once(size: int) -> None:
    slices = [TokenSlice(np.full(4, n, np.uint32), -1, np.array([4]), False) for n in range(3)]
    micros = list(micro_batches(pack(slices), size, 5, CPU))
    assert sum(len(micro.tokens) for micro in micros) == 5
    labels = torch.cat([micro.labels for micro in micros])
    assert [int(row.max()) for row in labels] == [0, 1, 2, -100, -100]  # fillers have no targets
