"""Models and optimisers on the CPU, whole: the local runner's and torchtitan's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import get_state_dict
from torch.distributed.checkpoint.state_dict_saver import save

from tests.trainer.small import FACTS
from trainer.loop import checkpoints
from trainer.loop.checkpoints import State
from trainer.model.export import load_weights
from trainer.model.llama import empty_model, initialise, llama_config
from trainer.model.optimiser import make_optimiser
from trainer.recipe import Recipe


class LocalModel:
    """A model with its initial weights, and no moments yet."""

    def __init__(self, recipe: Recipe) -> None:
        self.model = empty_model(llama_config(recipe.model, FACTS, recipe.unit, "sdpa"))
        initialise(self.model, recipe.seed, torch.device("cpu"))
        self.optimiser = make_optimiser(self.model, recipe.adamw)

    def load(self, folder: Path) -> None:
        """Fill it from a checkpoint, or from a Hugging Face model."""
        if checkpoints.read_state(folder) is None:
            load_weights(self.model, folder)
        else:
            checkpoints.load(folder, self.model, self.optimiser)

    def save(self, folder: Path, state: State) -> None:
        weights, moments = get_state_dict(self.model, self.optimiser)
        save({"model": weights, "optimiser": moments}, checkpoint_id=str(folder), no_dist=True)
        checkpoints.complete(folder, state)

    def tensors(self) -> dict[str, Tensor]:
        """Return weights and moments."""
        found = dict(self.model.state_dict())
        for name, parameter in self.model.named_parameters():
            for kind, tensor in self.optimiser.state.get(parameter, {}).items():
                found[f"{name}.{kind}"] = tensor
        return found


def same(one: LocalModel, other: LocalModel) -> bool:
    """Return whether weights and moments are the same bits."""
    ours, theirs = one.tensors(), other.tensors()
    return ours.keys() == theirs.keys() and all(torch.equal(tensor, theirs[name]) for name, tensor in ours.items())


def build_whole(config: Any) -> tuple[nn.Module, Any]:
    """Return the model of torchtitan's configuration, weights not drawn, and its optimiser at its first rate."""
    with torch.device("meta"):
        model = config.model_spec.model.build()
    model.to_empty(device="cpu")
    if config.model_spec.model.enable_weight_tying:  # as its initialisation does
        model.tok_embeddings.weight = model.lm_head.weight
    optimizers = config.optimizer.build(model_parts=[model])
    config.lr_scheduler.build(optimizers=optimizers, training_steps=config.training.steps)  # adds to what is saved
    return model, optimizers
