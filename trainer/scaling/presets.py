"""Ladders by name: the report's, as far as it is published, and one that two cores climb in minutes."""

from __future__ import annotations

from trainer.presets import K
from trainer.recipe import EvalConfig, FaultConfig, LocalConfig, ModelConfig, Recipe
from trainer.scaling.ladder import BudgetConfig, LadderConfig, RungConfig

# L3: from 6e18 to 1e22; those between are our own.
LETTER_BUDGETS = (6e18, 1e19, 3e19, 6e19, 1e20, 3e20, 6e20, 1e21, 3e21, 1e22)
LETTER_SHAPES = ("40m", "150m", "400m", "1b", "8b")  # those of trainer.presets within 40M to 16B


def _letter() -> LadderConfig:
    return LadderConfig(
        recipe=Recipe(name="letter"),
        rungs=tuple(RungConfig(shape=shape) for shape in LETTER_SHAPES),
        budgets=tuple(BudgetConfig(flops=flops) for flops in LETTER_BUDGETS),
    )


def _tiny(dim: int, layers: int, peak: float) -> RungConfig:
    ffn_dim, heads = dim * 8 // 3 // 8 * 8, max(1, dim // 16)
    shape = ModelConfig(layers=layers, dim=dim, ffn_dim=ffn_dim, heads=heads, kv_heads=1, tied_embeddings=True)
    return RungConfig(name=f"d{dim}x{layers}", model=shape, peak=peak)


def _cpu() -> LadderConfig:
    """7 thousand to 105 thousand weights with a vocabulary of bytes, whose minima lie between them; our own choices."""
    recipe = Recipe(
        name="cpu", mix_block=16, faults=FaultConfig(checkpoint_s=600.0), evaluation=EvalConfig(tokens=64 * K),
        local=LocalConfig(threads=1),
    )  # fmt: skip
    return LadderConfig(
        recipe=recipe,
        rungs=(_tiny(16, 1, 1e-2), _tiny(24, 2, 1e-2), _tiny(32, 3, 8e-3), _tiny(64, 2, 6e-3)),
        budgets=tuple(BudgetConfig(flops=flops, batch_tokens=K) for flops in (1e11, 1.8e11, 3.4e11, 6.3e11)),
        seq_len=128,
    )


LADDERS = {"letter": _letter(), "cpu": _cpu()}
