"""What a recipe needs, before anything is trained: steps, tokens, operations, memory, hours, epochs."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from trainer.data.mixture import counts_in_block
from trainer.model.llama import count_parameters, flops_per_token
from trainer.model.loss import LOGITS
from trainer.recipe import Recipe, StageConfig

PARAMETER_BYTES = 16  # float32 weight, gradient and two moments: what FSDP shards
COMPUTE_BYTES = 2  # bfloat16 weights, gathered and kept through a step (L3 3.3.2: not resharded after forward)
# Of one token in one block, per unit of width (Korthikanti et al. 2022, equation 2, without the attention matrix).
LAYER_ACTIVATION_BYTES = 34


@dataclass(frozen=True)
class Machine:
    """What the plan assumes of the machine."""

    gpus: int = 8
    peak_tflops: float = 989.0  # bfloat16, dense, of one H100 (its data sheet)
    mfu: float = 0.40  # share of it that is reached (L3 table 4: 38 to 43%)


@dataclass(frozen=True)
class StagePlan:
    """What one stage needs."""

    name: str
    steps: int
    tokens: int
    seq_len: int
    batch_tokens: int
    flops: float
    hours: float
    epochs: Mapping[str, float]  # of each source, in this stage


@dataclass(frozen=True)
class Plan:
    """What a recipe needs."""

    parameters: int
    stages: tuple[StagePlan, ...]
    gpu_bytes: int  # weights, moments, gathered weights and one sequence's activations on each GPU

    @property
    def tokens(self) -> int:
        return sum(stage.tokens for stage in self.stages)

    @property
    def flops(self) -> float:
        return sum(stage.flops for stage in self.stages)

    @property
    def hours(self) -> float:
        return sum(stage.hours for stage in self.stages)

    @property
    def epochs(self) -> dict[str, float]:
        """Epochs of each source over all stages."""
        names = sorted({name for stage in self.stages for name in stage.epochs})
        return {name: sum(stage.epochs.get(name, 0.0) for stage in self.stages) for name in names}


def plan(recipe: Recipe, vocab_size: int, source_tokens: Mapping[str, int], machine: Machine) -> Plan:
    """Return what a recipe needs on a machine; `source_tokens` are those of one epoch of each source."""
    model = recipe.model
    stages = tuple(_plan_stage(recipe, stage, vocab_size, source_tokens, machine) for stage in recipe.stages)
    return Plan(count_parameters(model, vocab_size), stages, _gpu_bytes(recipe, vocab_size, machine))


def _plan_stage(
    recipe: Recipe, stage: StageConfig, vocab_size: int, source_tokens: Mapping[str, int], machine: Machine
) -> StagePlan:
    tokens = stage.steps * stage.step_tokens
    flops = tokens * flops_per_token(recipe.model, vocab_size, stage.seq_len)
    epochs: dict[str, float] = {}
    for mix, of_mix in _mixes(stage, source_tokens):
        for name, n in counts_in_block(mix, recipe.mix_block).items():
            if source_tokens.get(name):
                epochs[name] = epochs.get(name, 0.0) + of_mix * n / recipe.mix_block / source_tokens[name]
    seconds = flops / (machine.gpus * machine.peak_tflops * 1e12 * machine.mfu)
    return StagePlan(stage.name, stage.steps, tokens, stage.seq_len, stage.step_tokens, flops, seconds / 3600, epochs)


def _mixes(stage: StageConfig, source_tokens: Mapping[str, int]) -> list[tuple[Mapping[str, float], int]]:
    """Return the mixes of a stage, and the tokens that it reads with each."""
    first = stage.weights(source_tokens)
    if stage.rows or not first:
        return []
    edges = [0, *(change.batch for change in stage.mix_changes if change.batch < stage.steps), stage.steps]
    lengths = [(end - start) * stage.batch_tokens for start, end in itertools.pairwise(edges)]
    return list(zip([first, *(change.mix for change in stage.mix_changes)], lengths, strict=False))


def _gpu_bytes(recipe: Recipe, vocab_size: int, machine: Machine) -> int:
    """Return a rough figure: one micro-batch of one sequence, activations of each block kept unless recomputed.

    Of the loss: the logits of one chunk in float32 and bfloat16, and the gradient of the output embedding in float32.
    """
    model, parameters = recipe.model, count_parameters(recipe.model, vocab_size)
    longest = max((stage.seq_len for stage in recipe.stages), default=0)
    kept_layers = 1 if recipe.local.checkpoint_activations else model.layers
    activations = longest * model.dim * (LAYER_ACTIVATION_BYTES * kept_layers + COMPUTE_BYTES * model.layers)
    chunk = min(longest, recipe.local.loss_tokens or max(1, LOGITS // max(1, vocab_size)))
    loss = chunk * vocab_size * (4 + COMPUTE_BYTES) + vocab_size * model.dim * 4
    unsharded = 0 if recipe.local.shard_gradients else parameters * 4
    kept = parameters * PARAMETER_BYTES // machine.gpus + parameters * COMPUTE_BYTES
    return kept + unsharded + activations + loss
