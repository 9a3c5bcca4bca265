"""Checkpoints from the local runner to torchtitan and back: weights and moments, bit for bit.

One process holds the whole model and its moments meanwhile: 16 bytes a parameter, twice. Between two stages of
torchtitan nothing is exchanged: the second loads the first's checkpoint as it is.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.checkpoint.filesystem import FileSystemReader
from torch.distributed.checkpoint.metadata import TensorStorageMetadata
from torch.distributed.checkpoint.state_dict import get_state_dict, set_state_dict
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import save
from transformers import LlamaForCausalLM

from schemas.errors import RunError
from schemas.shards import TokenizerFacts
from trainer.loop import checkpoints
from trainer.loop.checkpoints import State
from trainer.model.export import load_weights
from trainer.model.llama import empty_model, initialise, llama_config
from trainer.model.optimiser import make_optimiser
from trainer.recipe import ModelConfig, Recipe
from trainer.titan.names import from_titan, titan_name, to_titan

MOMENTS = ("step", "exp_avg", "exp_avg_sq")  # of AdamW
OPTIMISER = "optimizer"  # torchtitan's key
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Whole:
    """A model and its moments under Hugging Face's names; a tied output embedding is not named twice."""

    weights: Mapping[str, Tensor]
    moments: Mapping[str, Mapping[str, Tensor]] = field(default_factory=dict)  # none before the first step


class LocalModel:
    """The local runner's model and optimiser on the CPU."""

    def __init__(self, recipe: Recipe, tokenizer: TokenizerFacts) -> None:
        self.model: LlamaForCausalLM = empty_model(llama_config(recipe.model, tokenizer, recipe.unit, "sdpa"))
        initialise(self.model, recipe.seed, CPU)
        self._may_differ = recipe.init_differs
        self.optimiser = make_optimiser(self.model, recipe.adamw)

    def load(self, folder: Path) -> None:
        """Fill it from a checkpoint of the local runner, or the weights alone from a Hugging Face model."""
        if checkpoints.read_state(folder) is None:
            load_weights(self.model, folder, self._may_differ)
            return
        weights, moments = get_state_dict(self.model, self.optimiser)
        held: dict[str, Any] = {"model": weights, "optimiser": moments}
        with _alone():
            load(held, checkpoint_id=str(folder), no_dist=True)
        set_state_dict(self.model, self.optimiser, model_state_dict=held["model"], optim_state_dict=held["optimiser"])

    def whole(self) -> Whole:
        """Return what it holds."""
        weights = {name: parameter.detach() for name, parameter in self.model.named_parameters()}
        state = self.optimiser.state
        moments = {
            name: {kind: state[parameter][kind] for kind in MOMENTS}
            for name, parameter in self.model.named_parameters()
            if parameter in state
        }
        return Whole(weights, moments)

    @torch.no_grad()
    def fill(self, whole: Whole) -> None:
        """Take over weights and moments."""
        for name, parameter in self.model.named_parameters():
            parameter.copy_(whole.weights[name])
            if name in whole.moments:
                self.optimiser.state[parameter] = {kind: whole.moments[name][kind].clone() for kind in MOMENTS}

    def save(self, folder: Path, state: State) -> None:
        """Write a checkpoint that the local runner goes on from."""
        checkpoints.remove(folder)
        weights, moments = get_state_dict(self.model, self.optimiser)
        with _alone():
            save({"model": weights, "optimiser": moments}, checkpoint_id=str(folder), no_dist=True)
        checkpoints.complete(folder, state)


def write_titan(whole: Whole, model: nn.Module, optimiser: Any, config: ModelConfig, folder: Path) -> None:
    """Write a checkpoint that torchtitan loads; `model` and `optimiser` are its own, uncut (`engine.build_whole`)."""
    weights = {titan_name(name): to_titan(name, tensor, config) for name, tensor in whole.weights.items()}
    if config.tied_embeddings:
        weights["lm_head.weight"] = weights["tok_embeddings.weight"]
    model.load_state_dict(weights)
    flat = optimiser.state_dict()
    for name, moments in whole.moments.items():
        for kind, tensor in moments.items():
            flat[f"state.{titan_name(name)}.{kind}"] = to_titan(name, tensor, config) if tensor.dim() else tensor
    checkpoints.remove(folder)  # the files of an older one would mix with the new one's
    with _alone():
        save({**model.state_dict(), OPTIMISER: flat}, checkpoint_id=str(folder), no_dist=True)


def read_titan(folder: Path, recipe: Recipe, names: Mapping[str, torch.Size]) -> Whole:
    """Return what a checkpoint of torchtitan holds; `names` and shapes are those of the local model's weights.

    RunError when it is not one, or another model's.
    """
    try:
        stored = FileSystemReader(str(folder)).read_metadata().state_dict_metadata
    except OSError as error:
        raise RunError(f"{folder}: not a checkpoint of torchtitan ({error})") from None
    wanted = {titan_name(name): name for name in names}
    held = {key: _room(key, stored, names[name], folder) for key, name in wanted.items()}
    moments = {}
    for key in wanted:
        for kind in MOMENTS:
            path = f"{OPTIMISER}.state.{key}.{kind}"
            if path in stored:
                moments[path] = _room(path, stored, None, folder)
    with _alone():
        load({**held, **moments}, checkpoint_id=str(folder), no_dist=True)
    config = recipe.model
    weights = {name: from_titan(name, held[key], config) for key, name in wanted.items()}
    found: dict[str, dict[str, Tensor]] = {}
    for key, name in wanted.items():
        for kind in MOMENTS:
            tensor = moments.get(f"{OPTIMISER}.state.{key}.{kind}")
            if tensor is not None:
                found.setdefault(name, {})[kind] = from_titan(name, tensor, config) if tensor.dim() else tensor
    return Whole(weights, found)


def _room(key: str, stored: Mapping[str, Any], shape: torch.Size | None, folder: Path) -> Tensor:
    """Return an empty tensor for what is stored under a key."""
    found = stored.get(key)
    if not isinstance(found, TensorStorageMetadata) or (shape is not None and found.size != shape):
        raise RunError(f"{folder}: {key} is missing or of another shape than the recipe's model")
    return torch.empty(found.size, dtype=found.properties.dtype)


@contextmanager
def _alone() -> Iterator[None]:
    """Keep torch from warning that one process reads and writes alone, which is what `no_dist` asks for."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "torch.distributed is disabled, unavailable or uninitialized")
        yield
