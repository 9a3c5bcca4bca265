"""Rows of tokens that training has not seen are the mean of the others, at the start and when a model is taken in."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from schemas.errors import InputError
from tests.trainer.row_files import row_stage, write
from tests.trainer.small import FACTS, MODEL, recipe_of, stage, train, write_shards
from trainer.model.mean_rows import rows_to_mean, with_mean_rows

CHAT = dataclasses.replace(FACTS, special_ids=(60, 61, 63))


def weights(folder: Path, stage_name: str) -> dict[str, torch.Tensor]:
    return load_file(folder / "stages" / stage_name / "model" / "model.safetensors")


def test_rows_become_the_mean_of_the_others() -> None:
    matrix = torch.randn(10, 4, generator=torch.Generator().manual_seed(0))
    before = matrix.clone()
    rows_to_mean(matrix, [2, 7])
    others = [n for n in range(10) if n not in (2, 7)]
    assert torch.equal(matrix[others], before[others])
    assert torch.allclose(matrix[2], before[others].mean(0), atol=1e-7)
    assert torch.equal(matrix[2], matrix[7])
    longer = with_mean_rows(before, 12)
    assert torch.equal(longer[:10], before)
    assert torch.allclose(longer[10:], before.mean(0), atol=1e-7)


def test_tokens_of_dialogues_begin_at_the_mean(tmp_path: Path) -> None:
    """A constant rate of almost nothing leaves the weights what they were at the start."""
    still = dataclasses.replace(stage("a", 1).schedule, peak=1e-30, floor=0.0)
    for name, facts in {"plain": FACTS, "chat": CHAT}.items():
        data = write_shards(tmp_path / f"{name}-shards", tokenizer=facts)
        train(recipe_of(data, stage("a", 1, schedule=still)), tmp_path / name)
    plain, chat = weights(tmp_path / "plain", "00-a"), weights(tmp_path / "chat", "00-a")
    others = [n for n in range(64) if n not in CHAT.special_ids]
    for name in ("model.embed_tokens.weight", "lm_head.weight"):
        assert torch.equal(plain[name][others], chat[name][others])
        assert torch.allclose(chat[name][list(CHAT.special_ids)], plain[name][others].mean(0), atol=1e-6)


def test_a_model_with_fewer_tokens_is_taken_in(tmp_path: Path) -> None:
    few = dataclasses.replace(FACTS, vocab_size=60)
    rows = {"tokens": [[0, *range(2, 9), 1]] * 8, "weights": [[1.0] * 9] * 8}
    small = row_stage("a", "weighted_next_token", write(tmp_path / "few", rows, few), 1, units=2)
    train(recipe_of("", small), tmp_path / "small")
    model = tmp_path / "small" / "stages" / "00-a" / "model"
    still = dataclasses.replace(small.schedule, peak=1e-30, warmup_steps=0)
    more = dataclasses.replace(small, rows=(write(tmp_path / "more", rows, CHAT),), schedule=still)
    recipe = recipe_of("", more, init_from=str(model))
    with pytest.raises(InputError, match="vocab_size 60, the recipe 64"):
        train(recipe, tmp_path / "refused")
    train(dataclasses.replace(recipe, init_differs=("vocab_size",)), tmp_path / "large")
    before, after = load_file(model / "model.safetensors"), weights(tmp_path / "large", "00-a")
    for name in ("model.embed_tokens.weight", "lm_head.weight"):
        assert torch.allclose(after[name][:60], before[name], atol=1e-7)
        assert torch.allclose(after[name][60:], before[name].mean(0), atol=1e-6)
    assert MODEL.vocab_size == 0  # that of the rows' tokenizer
