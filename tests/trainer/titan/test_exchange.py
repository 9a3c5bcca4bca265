"""Checkpoints there and back: the same bits, through torchtitan's own checkpointer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from schemas.errors import RunError
from tests.trainer.small import FACTS as TOKENIZER
from tests.trainer.titan.jobs import MODEL, job, recipe
from trainer.loop.checkpoints import State, read_state
from trainer.loop.ranks import joined
from trainer.recipe import Recipe
from trainer.titan.exchange import LocalModel, Whole, read_titan, write_titan
from trainer.titan.job import TitanJob
from trainer.titan.names import titan_name


def trained(whole: Recipe, steps: int = 2) -> LocalModel:
    """Return a model after some steps along drawn gradients."""
    local, generator = LocalModel(whole, TOKENIZER), torch.Generator().manual_seed(1)
    for _ in range(steps):
        for parameter in local.model.parameters():
            parameter.grad = torch.randn(parameter.shape, generator=generator)
        for group in local.optimiser.param_groups:
            group["lr"] = 1e-2
        local.optimiser.step()
    return local


def same(one: Whole, other: Whole) -> bool:
    assert one.weights.keys() == other.weights.keys()
    assert one.moments.keys() == other.moments.keys()
    return all(torch.equal(tensor, other.weights[name]) for name, tensor in one.weights.items()) and all(
        torch.equal(tensor, other.moments[name][kind])
        for name, moments in one.moments.items()
        for kind, tensor in moments.items()
    )


def shapes(local: LocalModel) -> dict[str, torch.Size]:
    return {name: parameter.shape for name, parameter in local.model.named_parameters()}


def test_the_local_runners_checkpoint_there_and_back(tmp_path: Path) -> None:
    whole = recipe(tmp_path)
    one, other, state = trained(whole), LocalModel(whole, TOKENIZER), State(stage=1, taken=(4,), tokens=512)
    one.save(tmp_path / "checkpoint", state)
    assert read_state(tmp_path / "checkpoint") == state
    other.load(tmp_path / "checkpoint")
    assert same(one.whole(), other.whole())


def test_a_model_without_moments_has_none(tmp_path: Path) -> None:
    assert LocalModel(recipe(tmp_path), TOKENIZER).whole().moments == {}


def test_what_is_not_torchtitans_is_an_error_in_one_line(tmp_path: Path) -> None:
    whole = recipe(tmp_path)
    local = LocalModel(whole, TOKENIZER)
    with pytest.raises(RunError, match="not a checkpoint of torchtitan"):
        read_titan(tmp_path / "nowhere", whole, shapes(local))
    local.save(tmp_path / "ours", State())
    with pytest.raises(RunError, match=r"tok_embeddings.weight is missing or of another shape"):
        read_titan(tmp_path / "ours", whole, shapes(local))


@pytest.mark.parametrize("tied", [False, True])
def test_there_and_back_through_torchtitans_checkpointer(engine: ModuleType, tmp_path: Path, tied: bool) -> None:
    shape = replace(MODEL, tied_embeddings=tied)
    whole = recipe(tmp_path, shape)
    ours = trained(whole)
    made = tmp_path / "start"
    write_titan(ours.whole(), *engine.build_whole(engine.trainer_config(job(tmp_path, recipe=whole))), shape, made)
    titan = job(tmp_path, recipe=whole, load_from=str(made.absolute()))
    with joined(60):
        checkpointer, model, optimiser = _checkpointer(engine, titan)
        assert checkpointer.load()
        assert set(optimiser.state_dict()) >= {f"state.{titan_name(name)}.exp_avg" for name in shapes(ours)}
        checkpointer.save(4, last_step=True)
        checkpointer.close()
    back = read_titan(Path(titan.folder) / "checkpoint" / "step-4", whole, shapes(ours))
    assert same(back, ours.whole())
    again = LocalModel(whole, TOKENIZER)
    again.fill(back)
    assert same(again.whole(), ours.whole())
    adapter = engine.Llama3StateDictAdapter(engine.model_config(whole, 64), None)
    theirs = adapter.to_hf(dict(model.state_dict()))
    assert all(torch.equal(theirs[name], tensor) for name, tensor in ours.whole().weights.items())
    from_ours = adapter.from_hf({name: tensor.clone() for name, tensor in ours.model.state_dict().items()})
    assert all(torch.equal(from_ours[name], tensor) for name, tensor in model.state_dict().items())


class _TrainState:
    """Stands for torchtitan's trainer, which is saved as two numbers."""

    def state_dict(self) -> dict[str, Any]:
        return {"step": 4, "ntokens_seen": 512}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        raise AssertionError("a stage begins at its own step 0")


def _checkpointer(engine: ModuleType, titan: TitanJob) -> tuple[Any, torch.nn.Module, Any]:
    """Build torchtitan's checkpointer as its trainer does."""
    config = engine.trainer_config(titan)
    model, optimiser = engine.build_whole(config)
    tokenizer = config.tokenizer.build(tokenizer_path="")
    data = config.dataloader.build(dp_world_size=1, dp_rank=0, tokenizer=tokenizer, seq_len=16, local_batch_size=2)
    schedule = config.lr_scheduler.build(optimizers=optimiser, training_steps=4)
    checkpointer = config.checkpoint.build(
        dataloader=data, model_parts=[model], optimizers=optimiser, lr_schedulers=schedule,
        states={"train_state": _TrainState()}, sd_adapter=None, base_folder=config.dump_folder,
    )  # fmt: skip
    return checkpointer, model, optimiser
