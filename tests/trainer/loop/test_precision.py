"""The type that a run computes in, on one process."""

from __future__ import annotations

import dataclasses
import signal
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from transformers.models.llama.modeling_llama import LlamaMLP

from tests.trainer.small import Listener, recipe_of, stage, train
from trainer.data.corpus import TokenSlice
from trainer.data.mixture import pack
from trainer.evaluate.finished import opened
from trainer.loop.journal import read_journal
from trainer.loop.loop import StoppedError
from trainer.loop.step import Stepper
from trainer.objectives.next_token import NEXT_TOKEN
from trainer.objectives.objective import Mean, Tensors
from trainer.recipe import LocalConfig, Recipe


@pytest.fixture
def recipe(data: str) -> Recipe:
    return recipe_of(data, stage("a", 6))


def _in(dtype: str, recipe: Recipe) -> Recipe:
    return dataclasses.replace(recipe, local=LocalConfig(threads=1, dtype=dtype))


def test_one_process_computes_in_the_type_that_it_is_given(recipe: Recipe, tmp_path: Path) -> None:
    losses = {}
    for dtype in ("float32", "bfloat16"):
        heard = Listener()
        train(_in(dtype, recipe), tmp_path / dtype, heard)
        losses[dtype] = heard.losses
        written = load_file(tmp_path / dtype / "stages" / "00-a" / "model" / "model.safetensors")
        assert {tensor.dtype for tensor in written.values()} == {torch.float32}  # what is trained stays in float32
    assert losses["float32"] != losses["bfloat16"]
    assert losses["float32"] == pytest.approx(losses["bfloat16"], abs=0.02)


def _losses(recipe: Recipe, folder: Path, **local: object) -> list[float]:
    heard = Listener()
    settings = LocalConfig(threads=1, **local)  # type: ignore[arg-type]
    train(dataclasses.replace(recipe, local=settings), folder, heard)
    return heard.losses


def test_losses_are_the_same_where_activations_are_recomputed(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    forward = LlamaMLP.forward
    monkeypatch.setattr(LlamaMLP, "forward", lambda self, x: calls.append(1) or forward(self, x))
    plain = _losses(recipe, tmp_path / "kept")
    once = len(calls)
    again = _losses(recipe, tmp_path / "again", checkpoint_activations=True)
    assert again == pytest.approx(plain, abs=1e-6)
    assert len(calls) == 3 * once


def test_a_run_in_bfloat16_is_resumed_to_the_same_bits(recipe: Recipe, tmp_path: Path) -> None:
    half = _in("bfloat16", recipe)
    wanted = train(half, tmp_path / "whole").weights_sha256

    def stop(event: object) -> None:
        if len(heard.losses) == 3:
            signal.raise_signal(signal.SIGTERM)

    heard = Listener(stop)
    with pytest.raises(StoppedError):
        train(half, tmp_path / "stopped", heard)
    assert train(half, tmp_path / "stopped").weights_sha256 == wanted
    assert [event["event"] for event in read_journal(tmp_path / "stopped")].count("start") == 2


def test_logits_are_in_bfloat16(recipe: Recipe, tmp_path: Path) -> None:
    half = _in("bfloat16", recipe)
    train(half, tmp_path)
    with opened(tmp_path, half) as training, torch.no_grad():
        assert training.model(input_ids=torch.tensor([[0, 5, 8]])).logits.dtype == torch.bfloat16


@pytest.mark.parametrize("sharded", [True, False])
def test_gradients_are_reduced_after_each_micro_batch(recipe: Recipe, tmp_path: Path, sharded: bool) -> None:
    train(recipe, tmp_path)
    local = LocalConfig(threads=1, dtype="bfloat16", micro_sequences=1, shard_gradients=sharded)
    reduced: list[bool] = []

    def loss(model: nn.Module, batch: Tensors) -> tuple[torch.Tensor, Mapping[str, Mean]]:
        reduced.append(all(parameter.grad is not None for parameter in model.parameters()))
        return NEXT_TOKEN.loss(model, batch)

    with opened(tmp_path, dataclasses.replace(recipe, local=local)) as training:
        slices = [TokenSlice(np.arange(2, 18, dtype=np.uint32) + n, -1, np.array([16]), False) for n in range(3)]
        Stepper(training, 1, dataclasses.replace(NEXT_TOKEN, loss=loss)).backward(pack(slices), 3)
        found = {name: p.grad.full_tensor() for name, p in training.model.named_parameters() if p.grad is not None}
    assert reduced == [False, sharded, sharded]
    with opened(tmp_path, recipe) as whole:
        Stepper(whole, 3).backward(pack(slices), 3)
        for name, parameter in whole.model.named_parameters():
            assert parameter.grad is not None
            assert float((found[name] - parameter.grad).norm() / parameter.grad.norm()) < 0.03
