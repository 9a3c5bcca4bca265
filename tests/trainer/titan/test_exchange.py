"""Checkpoints there and back: the same bits, through torchtitan's own checkpointer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from schemas.errors import RunError
from tests.trainer.titan.jobs import MODEL, job, recipe
from tests.trainer.titan.local import LocalModel, build_whole, same
from trainer.loop.checkpoints import State
from trainer.loop.ranks import joined
from trainer.recipe import Recipe
from trainer.titan.exchange import read_moments, read_weights, write_titan
from trainer.titan.job import TitanJob

pytestmark = pytest.mark.filterwarnings("ignore:torch.distributed is disabled")


def trained(whole: Recipe, steps: int = 2) -> LocalModel:
    """Return a model after some steps along drawn gradients."""
    local, generator = LocalModel(whole), torch.Generator().manual_seed(1)
    for _ in range(steps):
        for parameter in local.model.parameters():
            parameter.grad = torch.randn(parameter.shape, generator=generator)
        for group in local.optimiser.param_groups:
            group["lr"] = 1e-2
        local.optimiser.step()
    return local


def test_there_and_back(tmp_path: Path) -> None:
    whole = recipe(tmp_path)
    ours, back = trained(whole), LocalModel(replace(whole, seed=9))
    write_titan(ours.model, ours.optimiser, whole.model, {}, tmp_path / "titan")
    read_weights(back.model, whole.model, tmp_path / "titan")
    assert not back.optimiser.state
    read_moments(back.model, back.optimiser, whole.model, tmp_path / "titan")
    assert same(back, ours)


def test_a_model_without_moments_gets_zeros(tmp_path: Path) -> None:
    whole = recipe(tmp_path)
    ours, back = LocalModel(whole), trained(whole)
    write_titan(ours.model, ours.optimiser, whole.model, {}, tmp_path / "titan")
    read_moments(back.model, back.optimiser, whole.model, tmp_path / "titan")
    assert all(not tensor.any() for held in back.optimiser.state.values() for tensor in held.values())


def test_what_is_not_torchtitans_is_an_error_in_one_line(tmp_path: Path) -> None:
    whole = recipe(tmp_path)
    local = LocalModel(whole)
    with pytest.raises(RunError, match="not a checkpoint of torchtitan"):
        read_weights(local.model, whole.model, tmp_path / "nowhere")
    local.save(tmp_path / "ours", State())
    with pytest.raises(RunError, match=r"tok_embeddings.weight is missing or of another shape"):
        read_weights(local.model, whole.model, tmp_path / "ours")


@pytest.mark.parametrize("tied", [False, True])
def test_there_and_back_through_torchtitans_checkpointer(engine: ModuleType, tmp_path: Path, tied: bool) -> None:
    shape = replace(MODEL, tied_embeddings=tied)
    whole = recipe(tmp_path, shape)
    ours = trained(whole)
    made = tmp_path / "start"
    options = engine.saved_options(job(tmp_path, recipe=whole))
    write_titan(ours.model, ours.optimiser, shape, options, made)
    titan = job(tmp_path, recipe=whole, load_from=str(made.absolute()))
    with joined(60):
        checkpointer, model, optimiser = _checkpointer(engine, titan)
        wanted = set(optimiser.state_dict())
        assert wanted == {*options, *(key for key in wanted if key.startswith("state."))}
        assert checkpointer.load()
        checkpointer.save(4, last_step=True)
        checkpointer.close()
    again = LocalModel(replace(whole, seed=9))
    folder = Path(titan.folder) / "checkpoint" / "step-4"
    read_weights(again.model, shape, folder)
    read_moments(again.model, again.optimiser, shape, folder)
    assert same(again, ours)
    adapter = engine.Llama3StateDictAdapter(engine.model_config(whole, 64), None)
    theirs, named = adapter.to_hf(dict(model.state_dict())), dict(ours.model.named_parameters())
    assert all(torch.equal(theirs[name], tensor) for name, tensor in named.items())
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
    model, optimiser = build_whole(config)
    tokenizer = config.tokenizer.build(tokenizer_path="")
    data = config.dataloader.build(dp_world_size=1, dp_rank=0, tokenizer=tokenizer, seq_len=16, local_batch_size=2)
    schedule = config.lr_scheduler.build(optimizers=optimiser, training_steps=4)
    checkpointer = config.checkpoint.build(
        dataloader=data, model_parts=[model], optimizers=optimiser, lr_schedulers=schedule,
        states={"train_state": _TrainState()}, sd_adapter=None, base_folder=config.dump_folder,
    )  # fmt: skip
    return checkpointer, model, optimiser
