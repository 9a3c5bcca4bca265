"""Export and import of weights as Hugging Face safetensors, which plain transformers loads with the same logits."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from safetensors.torch import load_file
from transformers import LlamaForCausalLM
from transformers.utils import logging

from schemas.errors import InputError
from storage.pinned_files import file_sha256
from trainer.loop.checkpoints import read_state
from trainer.loop.placement import put, whole_weights

WEIGHTS = "model.safetensors"


def export(model: LlamaForCausalLM, folder: Path, is_first: bool) -> None:
    """Write the model as a folder of Hugging Face's layout; every rank takes part, rank 0 writes."""
    weights = dict(whole_weights(model))
    if not is_first:
        return
    staging = folder.with_name(folder.name + ".writing")
    shutil.rmtree(staging, ignore_errors=True)
    with quietly():
        model.save_pretrained(staging, state_dict=weights)
    shutil.rmtree(folder, ignore_errors=True)
    staging.rename(folder)


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Keep transformers' progress bars off the console, which shows the trainer's own."""
    was_on = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if was_on:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def weights_sha256(folder: Path) -> str:
    """Return what identifies a folder's weights: a checkpoint's recorded digest, or that of a model's file.

    InputError when it is neither.
    """
    state = read_state(folder) if folder.is_dir() else None
    if state is not None and state.weights_sha256:  # large models have a digest only at the ends of stages
        return state.weights_sha256
    try:
        return file_sha256(folder / WEIGHTS)
    except OSError:
        raise InputError(f"{folder}: neither the checkpoint of a finished stage nor a model ({WEIGHTS})") from None


def load_weights(model: LlamaForCausalLM, folder: Path) -> None:
    """Fill a model, sharded or not, from such a folder. InputError when it is not one, or another model's."""
    path = folder / WEIGHTS
    if not path.exists():
        raise InputError(f"{folder}: no {WEIGHTS} here")
    weights = load_file(path)
    parameters = dict(model.named_parameters())
    differing = [name for name, p in parameters.items() if name not in weights or weights[name].shape != p.shape]
    if differing:
        raise InputError(f"{path}: {differing[0]} is missing or of another shape than the recipe's model")
    for name, parameter in parameters.items():
        put(parameter, weights[name])
