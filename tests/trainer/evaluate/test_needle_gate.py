"""A gate that asks for every needle, and a model of two layers that has learned to look back: it passes, whole."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from schemas.errors import RunError
from schemas.shards import TokenizerFacts
from tests.trainer.shards import write_source
from tests.trainer.small import Listener, recipe_of, stage, train
from trainer.data.batches import IGNORE
from trainer.loop.journal import read_journal
from trainer.model.export import export
from trainer.model.llama import Llama, empty_model, initialise, llama_config
from trainer.recipe import EvalConfig, FaultConfig, GateConfig, ModelConfig, Recipe, ScheduleConfig

FACTS = TokenizerFacts(sha256="1" * 64, vocab_size=34, bos_id=0, eos_id=1)
MODEL = ModelConfig(layers=2, dim=64, ffn_dim=96, heads=4, kv_heads=4, rope_theta=10_000.0, init_std=0.12)
LENGTH, BATCH, STEPS, ALTERNATE = 32, 32, 900, 200
RATE, WARMUP = 5e-3, 30

pytestmark = pytest.mark.slow  # to learn to look back takes some 18 s of one core


def _row(draw: np.random.Generator, step: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return a sequence in which a passage recurs, and labels that count where it does alone.

    First the passage comes again at once, later also amid filler of the other tokens. The filler cannot be foretold:
    with its labels learning takes several times as long.
    """
    labels = np.full(LENGTH, IGNORE)
    if step < ALTERNATE or draw.random() < 0.25:
        passage = draw.integers(2, FACTS.vocab_size, int(draw.integers(8, 16)))
        row = np.tile(passage, LENGTH // len(passage) + 1)[:LENGTH]
        labels[len(passage) : -1] = row[len(passage) + 1 :]
        return row, labels
    tokens = draw.permutation(np.arange(2, FACTS.vocab_size))
    n = int(draw.integers(4, 13))
    row = draw.choice(tokens[16:], LENGTH)
    first = int(draw.integers(0, LENGTH - 2 * n + 1))
    second = int(draw.integers(first + n, LENGTH - n + 1))
    row[first : first + n] = row[second : second + n] = tokens[:n]
    labels[second : second + n - 1] = tokens[1:n]
    return row, labels


@pytest.fixture(scope="module")
def looks_back() -> Llama:
    """A model that is trained on passages that recur."""
    model = empty_model(llama_config(MODEL, FACTS, LENGTH, "sdpa"))
    initialise(model, 0, torch.device("cpu"))
    optimiser = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.98), weight_decay=0.0, fused=True)
    draw = np.random.default_rng(0)
    positions = torch.arange(LENGTH).expand(BATCH, -1)
    for step in range(STEPS):
        rows = [np.stack(column) for column in zip(*(_row(draw, step) for _ in range(BATCH)), strict=True)]
        tokens, labels = map(torch.from_numpy, rows)
        loss = model(input_ids=tokens, position_ids=positions, use_cache=False, next_tokens=labels)
        (loss / int((labels != IGNORE).sum())).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimiser.param_groups:
            group["lr"] = RATE * min(1.0, (step + 1) / WARMUP) * max(0.1, 1 - step / STEPS)
        optimiser.step()
        optimiser.zero_grad()
    return model


@pytest.fixture
def gated(tmp_path: Path) -> Recipe:
    """A recipe whose only stage begins with the model and must find all of thirty needles; its text is new to it."""
    draw = random.Random(11)
    documents = []
    for _ in range(80):
        tokens = draw.sample(range(2, FACTS.vocab_size), 16)
        documents.append(draw.choices(tokens, k=LENGTH))
    write_source(tmp_path / "shards", "a", documents, row_tokens=LENGTH, tokenizer=FACTS)
    gate = GateConfig(enabled=True, tolerance=9.0, needle_accuracy=1.0)
    still = ScheduleConfig(kind="constant", peak=1e-9, warmup_steps=0)
    return recipe_of(
        str(tmp_path / "shards"), stage("context", 2, seq_len=LENGTH, gate=gate, schedule=still),
        model=MODEL, init_from=str(tmp_path / "model"), faults=FaultConfig(checkpoint_s=1e9, stall_s=60.0),
        evaluation=EvalConfig(held_out_shards=1, tokens=2048, needle_depths=10, needles=3, needle_count=1),
    )  # fmt: skip


def test_a_model_that_looks_back_passes_a_gate_of_all_needles(looks_back: Llama, gated: Recipe, tmp_path: Path) -> None:
    export(looks_back, tmp_path / "model", is_first=True)
    train(gated, tmp_path / "run", Listener())
    assert [event["needle"] for event in read_journal(tmp_path / "run", only=("eval",))] == [1.0, 1.0]


def test_a_model_of_damaged_attention_does_not(looks_back: Llama, gated: Recipe, tmp_path: Path) -> None:
    keys = looks_back.model.layers[1].self_attn.k_proj.weight
    whole = keys.detach().clone()
    with torch.no_grad():
        keys.copy_(whole.roll(1, 0))  # each key is written where the query expects another
        export(looks_back, tmp_path / "model", is_first=True)
        keys.copy_(whole)
    with pytest.raises(RunError, match="stage context: its gate is still shut after 4 steps"):
        train(dataclasses.replace(gated), tmp_path / "run", Listener())
    assert max(event["needle"] for event in read_journal(tmp_path / "run", only=("eval",))) < 0.5
