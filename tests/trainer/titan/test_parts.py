"""torchtitan's contracts for a loader and a schedule, kept by ours."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from schemas.errors import ConfigError, RunError
from tests.trainer.titan.jobs import BATCH, MODEL, SEQ_LEN, job
from tests.trainer.titan.local import build_whole


def loader(engine: ModuleType, path: Path, rank: int = 0, world: int = 1, size: int = 2, seq_len: int = SEQ_LEN) -> Any:
    """Build a loader as torchtitan's trainer does."""
    config = engine.trainer_config(job(path))
    return config.dataloader.build(
        dp_world_size=world, dp_rank=rank, tokenizer=config.tokenizer.build(tokenizer_path=config.hf_assets_path),
        seq_len=seq_len, local_batch_size=size, snapshot_every_n_steps=500,
    )  # fmt: skip


def test_it_yields_what_the_trainer_asks_for(engine: ModuleType, tmp_path: Path) -> None:
    from torchtitan.components.dataloader import BaseDataLoader
    from torchtitan.components.loss import IGNORE_INDEX

    made = loader(engine, tmp_path)
    assert isinstance(made, BaseDataLoader)
    inputs, labels = next(iter(made))
    assert sorted(inputs) == ["input", "positions"]
    assert {tensor.dtype for tensor in (*inputs.values(), labels)} == {torch.int64}
    assert {tuple(tensor.shape) for tensor in (*inputs.values(), labels)} == {(2, SEQ_LEN)}
    within = inputs["positions"][:, 1:] > 0
    assert (labels[:, :-1][within] == inputs["input"][:, 1:][within]).all()
    assert (labels[:, :-1][~within] == IGNORE_INDEX).all()


def test_it_resumes_to_the_token_also_with_other_ranks(engine: ModuleType, tmp_path: Path) -> None:
    first = loader(engine, tmp_path)
    batches = list(itertools.islice(first, 3 * BATCH // 2))
    state = first.state_dict()
    again = loader(engine, tmp_path)
    again.load_state_dict(state)
    cut = loader(engine, tmp_path, rank=1, world=2)
    cut.load_state_dict(state)
    following = [inputs["input"] for inputs, _ in itertools.islice(first, BATCH // 2)]
    assert torch.equal(torch.cat([i["input"] for i, _ in itertools.islice(again, BATCH // 2)]), torch.cat(following))
    assert torch.equal(torch.cat([i["input"] for i, _ in itertools.islice(cut, BATCH // 4)]), torch.cat(following[2:]))
    assert len(batches) == 12


def test_an_empty_state_is_the_beginning(engine: ModuleType, tmp_path: Path) -> None:
    made = loader(engine, tmp_path)
    made.load_state_dict({})
    assert made.state_dict() == {"sequences": 0}


def test_it_refuses_what_is_not_its_jobs(engine: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="sequences of 16 tokens, and torchtitan asks 32"):
        loader(engine, tmp_path, seq_len=32)
    with pytest.raises(ConfigError, match="for 3 ranks"):
        loader(engine, tmp_path, world=3, size=1)
    with pytest.raises(RunError, match="cannot go on after 4 sequences"):
        loader(engine, tmp_path).load_state_dict({"sequences": 4})


@pytest.mark.filterwarnings("ignore:To get the last learning rate")  # torchtitan's own load_state_dict
def test_the_rate_is_the_recipes_at_each_step(engine: ModuleType, tmp_path: Path) -> None:
    made = job(tmp_path)
    config = engine.trainer_config(made)
    _, optimiser = build_whole(config)
    schedule = config.lr_scheduler.build(optimizers=optimiser, training_steps=4)
    found = []
    for _ in range(4):
        found.append({group["lr"] for group in next(iter(optimiser)).param_groups})
        next(iter(optimiser)).step()
        schedule.step()
    assert found == [{made.rate(step)} for step in range(4)]
    again = config.lr_scheduler.build(optimizers=optimiser, training_steps=4)
    again.load_state_dict({"last_epoch": 2})
    assert set(again.get_metrics().values()) == {made.rate(2)}


def test_a_rate_from_another_stage_does_not_stay(engine: ModuleType, tmp_path: Path) -> None:
    made = job(tmp_path)
    config = engine.trainer_config(made)
    model, optimiser = build_whole(config)
    config.lr_scheduler.build(optimizers=optimiser, training_steps=4)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(1.0)
    optimiser.state_dict()  # makes the moments, by a step that must not move a weight
    assert all(bool((parameter == 1).all()) for parameter in model.parameters())
    groups = next(iter(optimiser)).param_groups
    for group in groups:
        group["lr"] = 77.0  # as a checkpoint brings it
    optimiser.step()
    assert {group["lr"] for group in groups} == {made.rate(0)}


def test_there_is_nothing_to_encode(engine: ModuleType, tmp_path: Path) -> None:
    tokenizer = engine.trainer_config(job(tmp_path)).tokenizer.build(tokenizer_path=str(tmp_path))
    assert tokenizer.get_vocab_size() == MODEL.vocab_size
    with pytest.raises(RunError, match="not encoded again"):
        tokenizer.encode("text")
    with pytest.raises(RunError, match="not decoded"):
        tokenizer.decode([1])
