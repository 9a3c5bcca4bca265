"""The runs of a ladder: models of several sizes at several budgets of compute, each as a recipe of the trainer.

L3 section 3.2.1: budgets from 6e18 to 1e22 operations, models from 40M to 16B parameters; cosine with 2,000 steps of
warm-up, peak rate 2e-4 to 4e-4 by size, decay to 0.1 of the peak, weight decay 0.1 times the rate, one batch size for
each budget, 250K to 4M tokens. Our choices: rates and batches between these ends are interpolated linearly in
logarithms, and warm-up is at most a share of a run, which is what the many short runs of a laptop need.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass

from schemas.errors import ConfigError
from schemas.settings import section, setting, validate
from trainer.model.llama import count_parameters, flops_per_token
from trainer.presets import MODELS
from trainer.recipe import COSINE, ModelConfig, Recipe, ScheduleConfig, StageConfig
from trainer.scaling.fits.powerlaw import FIGURE_LAW
from trainer.scaling.fits.settings import FitConfig

# L3: the ends of the ladder, and what goes with them.
BUDGET_ENDS, BATCH_ENDS = (6e18, 1e22), (2.0**18, 2.0**22)
SIZE_ENDS, PEAK_ENDS = (40e6, 16e9), (4e-4, 2e-4)
WARMUP_STEPS, FLOOR_SHARE = 2000, 0.1
STAGE = "ladder"


@dataclass(frozen=True, kw_only=True)
class RungConfig:
    """One size of model."""

    name: str = setting("", "unique in the ladder; empty: that of the shape")
    shape: str = setting("", "a shape by name; empty: as `model` says", choices=("", *MODELS))
    model: ModelConfig = section(ModelConfig, "the shape, where it has no name")
    peak: float = setting(0.0, "highest learning rate; 0: by size, 4e-4 at 40M to 2e-4 at 16B (L3)", ge=0)

    def __post_init__(self) -> None:
        validate(self)

    @property
    def label(self) -> str:
        return self.name or self.shape

    @property
    def shaped(self) -> ModelConfig:
        return MODELS[self.shape] if self.shape else self.model


@dataclass(frozen=True, kw_only=True)
class BudgetConfig:
    """One budget of compute."""

    flops: float = setting(6e18, "operations of each of its runs", gt=0)
    batch_tokens: int = setting(0, "tokens of a batch; 0: by budget, 2^18 at 6e18 to 2^22 at 1e22 (L3)", ge=0)

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, kw_only=True)
class LadderConfig:
    """Which models are trained for how long."""

    recipe: Recipe = section(Recipe, "what all runs share: data, held-out shards, optimiser, seed; it has no stages")
    rungs: tuple[RungConfig, ...] = setting((), "sizes of model")
    budgets: tuple[BudgetConfig, ...] = setting((), "budgets of compute")
    paired: bool = setting(False, "the n-th rung runs at the n-th budget alone, not at each")
    seeds: int = setting(1, "runs of each size and budget, with seeds that count up from the recipe's", ge=1)
    seq_len: int = setting(4096, "tokens of a sequence (ours: not in L3)", ge=2)
    mix: dict[str, float] = setting({}, "weight of each source; none: by their tokens")
    weights: dict[str, float] = setting({}, "of held-out sources in the loss that is fitted; none: all alike", ge=0)
    warmup_share: float = setting(0.1, "of its steps that a run warms up at most (ours), else 2,000 (L3)", ge=0, le=1)
    min_steps: int = setting(20, "a run of less is left out (ours)", ge=1)
    max_epochs: float = setting(4.0, "a run that reads its data more often is left out (arXiv:2305.16264)", gt=0)
    around: float = setting(
        0.0, "a run is left out whose tokens are not within this factor of L3's law; 0: none is (ours)", ge=0
    )
    fit: FitConfig = section(FitConfig, "how the law is fitted")

    def __post_init__(self) -> None:
        validate(self)
        labels = [rung.label for rung in self.rungs]
        if "" in labels or len(set(labels)) < len(labels):
            raise ConfigError(f"rungs: names {labels} are not allowed; each rung needs one of its own")
        flops = [budget.flops for budget in self.budgets]
        if len(set(flops)) < len(flops):
            raise ConfigError(f"budgets: {flops} are not allowed; each must be another")
        if self.paired and len(flops) != len(labels):
            raise ConfigError(f"paired: {len(labels)} rungs and {len(flops)} budgets are not allowed; as many of each")
        if self.recipe.stages:
            raise ConfigError("recipe.stages: must be empty; the ladder makes them")


@dataclass(frozen=True)
class Cell:
    """One run: of which size, budget and mix, and the recipe that does it."""

    name: str
    mix: str
    rung: str
    budget: float
    parameters: int
    flops: float
    recipe: Recipe
    weights: Mapping[str, float]

    @property
    def stage(self) -> StageConfig:
        return self.recipe.stages[-1]

    @property
    def tokens(self) -> int:
        return self.stage.steps * self.stage.batch_tokens


@dataclass(frozen=True)
class LeftOut:
    """A run that is not worth its budget, and why."""

    name: str
    reason: str


def between(value: float, ends: tuple[float, float], results: tuple[float, float]) -> float:
    """Return what lies between two results as `value` between two ends, on logarithms; beyond the ends, the end's."""
    low, high = (math.log(end) for end in ends)
    share = min(1.0, max(0.0, (math.log(value) - low) / (high - low)))
    return math.exp(math.log(results[0]) * (1 - share) + math.log(results[1]) * share)


def batch_of(budget: BudgetConfig, seq_len: int) -> int:
    """Return the tokens of a batch: what the budget says, or the power of two nearest to L3's range."""
    tokens = budget.batch_tokens or 2 ** round(math.log2(between(budget.flops, BUDGET_ENDS, BATCH_ENDS)))
    return max(1, tokens // seq_len) * seq_len


def make_cells(
    config: LadderConfig, vocab_size: int, epoch_tokens: Mapping[str, int], mix: str = ""
) -> tuple[list[Cell], list[LeftOut]]:
    """Return the runs of a ladder and those left out, by budget, then size, then seed.

    `vocab_size` is the tokenizer's, `epoch_tokens` those of one epoch of each source, `mix` a name for `config.mix`.
    """
    if not config.rungs or not config.budgets:
        raise ConfigError("rungs, budgets: a ladder needs at least one of each")
    if not config.recipe.evaluation.held_out:
        raise ConfigError("recipe.evaluation.held_out: none; a ladder is fitted to the loss on held-out shards")
    pairs = zip(config.budgets, config.rungs, strict=True) if config.paired else None
    chosen = list(pairs or ((budget, rung) for budget in config.budgets for rung in config.rungs))
    cells: list[Cell] = []
    left_out: list[LeftOut] = []
    for budget, rung in sorted(chosen, key=lambda pair: pair[0].flops):
        for seed in range(config.seeds):
            cell = _cell(config, budget, rung, seed, vocab_size, mix)
            reason = _not_worth(cell, config, epoch_tokens)
            if reason is None:
                cells.append(cell)
            else:
                left_out.append(LeftOut(cell.name, reason))
    return cells, left_out


def _cell(config: LadderConfig, budget: BudgetConfig, rung: RungConfig, seed: int, vocab_size: int, mix: str) -> Cell:
    model, base = rung.shaped, config.recipe
    entries = model.vocab_size or vocab_size
    parameters, each = count_parameters(model, entries), flops_per_token(model, entries, config.seq_len)
    batch = batch_of(budget, config.seq_len)
    steps = max(1, round(budget.flops / each / batch))
    peak = rung.peak or between(parameters, SIZE_ENDS, PEAK_ENDS)
    schedule = ScheduleConfig(
        kind=COSINE, peak=peak, floor=FLOOR_SHARE * peak, decay_steps=steps,
        warmup_steps=min(WARMUP_STEPS, int(config.warmup_share * steps)),
    )  # fmt: skip
    stage = StageConfig(
        name=STAGE, tokens=steps * batch, seq_len=config.seq_len, batch_tokens=batch, mix=config.mix, schedule=schedule
    )
    name = "-".join([*([mix] if mix else []), f"{budget.flops:.3g}", rung.label, f"s{seed}"])
    # Needles are not what a ladder is for: one place in the context, for the least.
    evaluation = dataclasses.replace(base.evaluation, needle_depths=1, needles=1)
    recipe = dataclasses.replace(
        base, name=name, seed=base.seed + seed, model=model, stages=(stage,), evaluation=evaluation
    )
    return Cell(name, mix, rung.label, budget.flops, parameters, stage.tokens * each, recipe, config.weights)


def _not_worth(cell: Cell, config: LadderConfig, epoch_tokens: Mapping[str, int]) -> str | None:
    if cell.stage.steps < config.min_steps:
        return f"{cell.stage.steps} steps; min_steps is {config.min_steps}"
    times = cell.tokens / FIGURE_LAW.tokens(cell.budget)
    if config.around and max(times, 1 / times) > config.around:
        return f"{times:.2g} times the tokens of L3's law; around is {config.around:g}"
    mix = config.mix or {name: float(tokens) for name, tokens in epoch_tokens.items()}
    total = math.fsum(mix.values())
    for name, weight in sorted(mix.items()):
        epochs = cell.tokens * weight / total / epoch_tokens[name] if epoch_tokens.get(name) and total else 0.0
        if epochs > config.max_epochs:
            return f"{epochs:.1f} epochs of {name}; max_epochs is {config.max_epochs:g}"
    return None
