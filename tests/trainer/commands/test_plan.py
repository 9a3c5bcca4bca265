from __future__ import annotations

import pytest

from trainer.commands.plan import Machine, plan
from trainer.data.recall import RecallConfig
from trainer.model.llama import count_parameters, flops_per_token
from trainer.presets import MODELS, PRESETS, SENSIBLE
from trainer.recipe import MixChange, Recipe, StageConfig


@pytest.mark.parametrize(("size", "billions"), [("8b", 8.03), ("70b", 70.55), ("405b", 405.85)])
def test_parameters_of_the_reports_models(size: str, billions: float) -> None:
    assert count_parameters(MODELS[size], 128_256) / 1e9 == pytest.approx(billions, abs=0.005)


def test_operations_of_the_report() -> None:
    """L3 says 3.8e25 for 405B on 15.6T tokens: 6 N D. Attention over 128K adds five in a hundred."""
    found = plan(PRESETS[SENSIBLE], 128_256, {}, Machine(gpus=16_384))
    assert found.tokens == pytest.approx(15.6e12, rel=1e-4)
    assert found.flops == pytest.approx(3.8e25, rel=0.06)
    assert found.hours / 24 == pytest.approx(72, abs=8)


def test_operations_of_a_token_by_hand() -> None:
    model = MODELS["cpu-1m"]
    weights = count_parameters(model, 1000) - 1000 * model.dim
    assert flops_per_token(model, 1000, 64) == 6 * weights + 6 * model.layers * model.dim * 64


def test_epochs_of_each_source() -> None:
    recipe = Recipe(stages=(StageConfig(name="x", tokens=32_000, seq_len=10, batch_tokens=80),), mix_block=16)
    found = plan(recipe, 2048, {"a": 1_000_000, "b": 250_000}, Machine())
    assert found.epochs["a"] == pytest.approx(32_000 * 13 / 16 / 1_000_000)
    assert found.epochs["b"] == pytest.approx(32_000 * 3 / 16 / 250_000)


def test_recall_is_no_epoch_of_any_source() -> None:
    shares = (("all", 1.0, 0), ("half", 0.5, 8), ("none", 0.0, 16))
    stages = tuple(
        StageConfig(name=name, tokens=32_000, seq_len=10, batch_tokens=80, recall=RecallConfig(share=share))
        for name, share, _ in shares
    )
    found = plan(Recipe(stages=stages, mix_block=16), 2048, {"a": 1_000_000}, Machine())
    assert [stage.epochs.get("a", 0.0) for stage in found.stages] == [0.002 * n for _, _, n in shares]


def test_more_gpus_need_less_memory_each() -> None:
    one, many = (plan(PRESETS["llama3-8b"], 128_256, {}, Machine(gpus=n)).gpu_bytes for n in (1, 64))
    assert one - many == pytest.approx(count_parameters(MODELS["8b"], 128_256) * 16 * 63 / 64, rel=1e-6)


def test_a_mix_that_changes_counts_for_as_long_as_it_holds() -> None:
    changes = (MixChange(batch=4, mix={"b": 1.0}),)
    stage = StageConfig(name="a", tokens=800, seq_len=10, batch_tokens=80, mix={"a": 1.0}, mix_changes=changes)
    found = plan(Recipe(stages=(stage,), mix_block=10), 100, {"a": 160, "b": 240}, Machine())
    assert found.epochs == {"a": 2.0, "b": 2.0}
