"""Small runs of the trainer: a model of some thousand weights, on documents that can be learned, in this process."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from schemas.shards import TokenizerFacts
from tests.trainer.shards import write_source
from trainer.commands.progress import Silent
from trainer.loop import local as local_module
from trainer.loop.checkpoints import State
from trainer.loop.run import run
from trainer.model.averages import read_snapshot
from trainer.recipe import (
    AdamWConfig,
    EvalConfig,
    FaultConfig,
    LocalConfig,
    ModelConfig,
    Recipe,
    ScheduleConfig,
    StageConfig,
)

FACTS = TokenizerFacts(sha256="1" * 64, vocab_size=64, bos_id=0, eos_id=1)
MODEL = ModelConfig(layers=2, dim=32, ffn_dim=64, heads=4, kv_heads=2)
SCHEDULE = ScheduleConfig(peak=3e-3, floor=3e-4, warmup_steps=2, decay_steps=60)


def write_shards(
    folder: Path,
    source: str = "a",
    documents: int = 80,
    seed: int = 0,
    step: int = 3,
    tokenizer: TokenizerFacts = FACTS,
) -> str:
    """Write shards whose documents count up by `step`, BOS and EOS around them; return the folder."""
    draw = random.Random(f"{source}:{seed}")
    made = []
    for _ in range(documents):
        first = draw.randrange(62)
        made.append([0, *(2 + (first + step * n) % 62 for n in range(draw.randrange(5, 40))), 1])
    write_source(folder, source, made, row_tokens=64, tokenizer=tokenizer)
    return str(folder)


def stage(name: str, steps: int, seq_len: int = 16, sequences: int = 4, **more: Any) -> StageConfig:
    """Return a stage of so many steps."""
    batch = seq_len * sequences
    return StageConfig(name=name, tokens=steps * batch, seq_len=seq_len, batch_tokens=batch,
                       **{"schedule": SCHEDULE, **more})  # fmt: skip


def recipe_of(data: str, *stages: StageConfig, **changes: Any) -> Recipe:
    """Return a recipe of the small model; a checkpoint is taken after each step unless told otherwise."""
    plain = Recipe(
        name="small", seed=3, data=(data,) if data else (), model=MODEL, stages=stages, mix_block=8,
        adamw=AdamWConfig(eps=1e-8), faults=FaultConfig(checkpoint_s=1e-9, stall_s=60.0), local=LocalConfig(threads=1),
        evaluation=EvalConfig(tokens=512, needle_depths=2, needles=1),
    )  # fmt: skip
    return dataclasses.replace(plain, **changes)


class Listener(Silent):
    """Keeps what is said, and does something at each step."""

    def __init__(self, on_step: Callable[[Mapping[str, Any]], None] | None = None) -> None:
        self.said: list[str] = []
        self.losses: list[float] = []
        self._on_step = on_step

    def step_taken(self, event: Mapping[str, Any]) -> None:
        self.losses.append(event["loss"])
        if self._on_step is not None:
            self._on_step(event)

    def say(self, line: str) -> None:
        self.said.append(line)


def train(recipe: Recipe, folder: Path, listener: Listener | None = None) -> State:
    """Train in this process."""
    return run(recipe, folder, listener or Listener())


def averaged_weights(monkeypatch: pytest.MonkeyPatch) -> dict[int, dict[str, torch.Tensor]]:
    """Return what will hold the weights that stages are averaged from, by the step of the stage."""
    found = {}

    def read(model: torch.nn.Module, folder: Path) -> None:
        read_snapshot(model, folder)
        weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        found[int(folder.name.removeprefix("step-"))] = weights

    monkeypatch.setattr(local_module, "read_snapshot", read)
    return found


def lineage(events: Iterable[Mapping[str, Any]]) -> dict[int, Mapping[str, Any]]:
    """Return the steps that the newest weights are made of, by number: without steps that were rolled back or lost."""
    steps: dict[int, Mapping[str, Any]] = {}
    for event in events:
        if event["event"] in ("start", "rollback"):
            steps = {n: step for n, step in steps.items() if n < event["step"]}
        elif event["event"] == "step":
            steps[event["step"]] = event
    return steps
