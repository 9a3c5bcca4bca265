"""What a rank holds: counted on the meta device, and held against what torch keeps in a real forward pass."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.autograd.graph import saved_tensors_hooks

from tests.trainer.small import FACTS
from trainer.model.llama import count_parameters, empty_model, initialise, llama_config
from trainer.model.memory import Rank, block_bytes, peak
from trainer.presets import MODELS
from trainer.recipe import LocalConfig, ModelConfig

SHAPE = ModelConfig(layers=2, dim=64, ffn_dim=160, heads=4, kv_heads=2, vocab_size=64)


def _kept(shape: ModelConfig, sequences: int, seq_len: int, dtype: torch.dtype) -> int:
    model = empty_model(llama_config(shape, FACTS, seq_len, "sdpa"))
    initialise(model, 0, torch.device("cpu"))
    model.to(dtype)
    weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    kept: dict[int, tuple[int, torch.Tensor]] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = (storage.nbytes(), tensor)
        return tensor

    positions = torch.arange(seq_len).repeat(sequences, 1)
    positions[:, seq_len // 2 :] -= seq_len // 2  # two documents: a mask
    with saved_tensors_hooks(keep, lambda tensor: tensor):
        model.model(
            input_ids=torch.zeros(sequences, seq_len, dtype=torch.int64), position_ids=positions, use_cache=False
        )
    return sum(size for size, _ in kept.values())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("sequences", "seq_len"), [(1, 256), (3, 64)])
def test_a_block_keeps_what_is_counted(dtype: torch.dtype, sequences: int, seq_len: int) -> None:
    one, two = (_kept(replace(SHAPE, layers=layers), sequences, seq_len, dtype) for layers in (1, 2))
    mask = sequences * seq_len**2 * dtype.itemsize
    assert two - one == block_bytes(SHAPE, sequences, seq_len, dtype, repeats=True) + mask


def test_the_parts_of_a_rank_by_hand() -> None:
    model, local = MODELS["8b"], LocalConfig()
    weights = count_parameters(model, 128_256)
    rank = Rank(ranks=8, on_gpu=True, micro_sequences=2, seq_len=8192)
    found = peak(model, 128_256, local, rank)
    assert (found.weights, found.moments, found.gradients) == (weights // 2, weights, weights // 2)
    assert found.gathered == 2 * weights
    unsharded = peak(model, 128_256, LocalConfig(shard_gradients=False), rank)
    assert unsharded.gradients == 4 * weights
    again = peak(model, 128_256, LocalConfig(checkpoint_activations=True), rank)
    inputs = 2 * 8192 * 4096 * 2
    assert again.activations == 32 * inputs + found.activations // 32
    alone = peak(model, 128_256, LocalConfig(dtype="float32"), replace(rank, ranks=1))
    assert (alone.weights, alone.gathered) == (4 * weights, 0)
