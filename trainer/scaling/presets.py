"""Ladders by name: the report's, as far as it is published, and one that two cores climb in minutes."""

from __future__ import annotations

from trainer.presets import K
from trainer.recipe import EvalConfig, FaultConfig, LocalConfig, ModelConfig, Recipe
from trainer.scaling.ladder import BudgetConfig, LadderConfig, RungConfig

# L3: from 6e18 to 1e22; those between are our own.
LETTER_BUDGETS = (6e18, 1e19, 3e19, 6e19, 1e20, 3e20, 6e20, 1e21, 3e21, 1e22)
# Width, blocks, heads, heads of keys and values; None: a shape of trainer.presets. L3 names no shapes, only 40M to 16B.
# With a vocabulary of 128,256 one token costs as much as C / 6 D = 45M to 15B weights, each 1.3 to 1.6 times the one
# before: four to six sizes within a factor of four of each minimum, which five sizes a factor of 200 apart were not.
LETTER_SHAPES: dict[str, tuple[int, int, int, int] | None] = {
    "d256x6": (256, 6, 4, 2), "d384x6": (384, 6, 6, 3), "40m": None, "d640x10": (640, 10, 10, 5), "150m": None,
    "d896x16": (896, 16, 14, 7), "400m": None, "d1280x26": (1280, 26, 20, 5), "1b": None, "d2048x28": (2048, 28, 32, 8),
    "d2560x28": (2560, 28, 20, 5), "d3072x32": (3072, 32, 24, 8), "8b": None, "d4608x36": (4608, 36, 36, 9),
    "d5120x40": (5120, 40, 40, 8),
}  # fmt: skip


def _letter() -> LadderConfig:
    return LadderConfig(
        recipe=Recipe(name="letter"),
        rungs=tuple(_rung(name, shape) for name, shape in LETTER_SHAPES.items()),
        budgets=tuple(BudgetConfig(flops=flops) for flops in LETTER_BUDGETS),
        around=8.0,
    )


def _rung(name: str, shape: tuple[int, int, int, int] | None) -> RungConfig:
    if shape is None:
        return RungConfig(shape=name)
    dim, layers, heads, kv_heads = shape
    ffn_dim = 4 * dim if dim < 4096 else 7 * dim // 2  # as the shapes of trainer.presets
    return RungConfig(
        name=name, model=ModelConfig(layers=layers, dim=dim, ffn_dim=ffn_dim, heads=heads, kv_heads=kv_heads)
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
