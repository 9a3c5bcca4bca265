"""What a recipe needs, before anything is trained: steps, tokens, operations, memory, hours, epochs."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from trainer.data.mixture import counts_in_block
from trainer.model.llama import count_parameters, flops_per_token
from trainer.model.memory import Memory, Rank, peak
from trainer.recipe import Recipe, StageConfig


@dataclass(frozen=True)
class Machine:
    """What the plan assumes of the machine."""

    gpus: int = 8
    peak_tflops: float = 989.0  # bfloat16, dense, of one H100 (its data sheet)
    mfu: float = 0.40  # share of it that is reached (L3 table 4: 38 to 43%)
    on_gpu: bool = True


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
    memory: Memory | None  # of each rank of the local runner at its peak; None without stages

    @property
    def gpu_bytes(self) -> int:
        return self.memory.total if self.memory else 0

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
    return Plan(count_parameters(model, vocab_size), stages, _memory(recipe, vocab_size, machine))


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
    if stage.rows or not stage.weights(source_tokens):
        return []
    edges = [0, *(change.batch for change in stage.mix_changes), stage.steps]
    lengths = [(end - start) * stage.batch_tokens for start, end in itertools.pairwise(edges)]
    return list(zip(stage.mixes(source_tokens), lengths, strict=True))


def _memory(recipe: Recipe, vocab_size: int, machine: Machine) -> Memory | None:
    """Return what a rank of the local runner holds at the peak of a step, in the stage that needs most."""
    found = [_memory_of_stage(recipe, stage, vocab_size, machine) for stage in recipe.stages]
    return max(found, key=lambda memory: memory.total, default=None)


def _memory_of_stage(recipe: Recipe, stage: StageConfig, vocab_size: int, machine: Machine) -> Memory:
    share = -(-stage.batch_sequences // machine.gpus)
    micro = min(share, recipe.local.sequences_at_once(stage.seq_len, machine.on_gpu))
    rank = Rank(ranks=machine.gpus, on_gpu=machine.on_gpu, micro_sequences=micro, seq_len=stage.seq_len)
    return peak(recipe.model, vocab_size, recipe.local, rank)
