"""Export and import of weights as Hugging Face safetensors, which plain transformers loads with the same logits."""

from __future__ import annotations

import contextlib
import json
import math
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM, LlamaForSequenceClassification
from transformers.utils import logging

import storage
from schemas.errors import InputError
from schemas.identity import content_id
from storage.pinned_files import file_sha256
from trainer.loop.checkpoints import read_state
from trainer.loop.placement import put, whole_weights
from trainer.model.llama import Model
from trainer.model.mean_rows import EMBEDDINGS, with_mean_rows
from trainer.model.reward import HEAD

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"  # of a model in several files: the file of each weight
FILE_BYTES = 5 * 10**9  # of an exported file at most, unless one weight is larger: what the Hub asks for
OUTPUT, VOCABULARY = "lm_head.weight", "vocab_size"
CONFIG, GENERATION = "config.json", "generation_config.json"
# What a model computes besides its weights, by transformers' names, and the recipe's setting for it.
SETTINGS = {
    "vocab_size": "model.vocab_size", "hidden_size": "model.dim", "intermediate_size": "model.ffn_dim",
    "num_hidden_layers": "model.layers", "num_attention_heads": "model.heads", "num_key_value_heads": "model.kv_heads",
    "head_dim": "model.dim / model.heads", "rms_norm_eps": "model.norm_eps",
    "tie_word_embeddings": "model.tied_embeddings", "hidden_act": "always silu", "attention_bias": "always none",
    "mlp_bias": "always none",
}  # fmt: skip
ROPE = {
    "rope_theta": "model.rope_theta", "rope_type": "model.rope_factor", "factor": "model.rope_factor",
    "low_freq_factor": "always 1", "high_freq_factor": "always 4",
    "original_max_position_embeddings": "model.rope_original_len",
}  # fmt: skip


def export(model: Model, folder: Path, is_first: bool) -> None:
    """Write the model as a folder of Hugging Face's layout; every rank takes part, rank 0 writes.

    Weights are gathered one at a time and written in files of `FILE_BYTES`: no rank holds more than one weight, and the
    first no more than one file. The folder says that the model keeps keys and values while it generates: training alone
    does without.
    """
    staging = folder.with_name(folder.name + ".writing")
    if is_first:
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
    _write_weights(model, staging, is_first)
    if not is_first:
        return
    model.config.save_pretrained(staging)
    dtype = str(next(model.parameters()).dtype).removeprefix("torch.")
    _change(staging / CONFIG, architectures=[_released_class(model)], dtype=dtype, use_cache=True)
    generation = getattr(model, "generation_config", None)  # a reward model has none
    if generation is not None:
        generation.save_pretrained(staging)
        _change(staging / GENERATION, use_cache=True)
    shutil.rmtree(folder, ignore_errors=True)
    staging.rename(folder)


def _released_class(model: Model) -> str:
    """Return the name of transformers' own class, which ours is made of."""
    return (LlamaForSequenceClassification if HEAD in dict(model.named_parameters()) else LlamaForCausalLM).__name__


def is_causal(folder: Path) -> bool:
    """Return whether an exported model gives next tokens, and not a score."""
    found: list[str] = json.loads((folder / CONFIG).read_bytes()).get("architectures", [])
    return found == [LlamaForCausalLM.__name__]


def _write_weights(model: Model, folder: Path, is_first: bool) -> None:
    """Gather the weights in the order of their names, and write each file as soon as it is complete."""
    tied = {"lm_head.weight"} if model.config.tie_word_embeddings else set()
    sizes = {name: tensor.nbytes for name, tensor in sorted(model.state_dict().items()) if name not in tied}
    parts = _parts(sizes)
    weights = whole_weights(model)
    for number, names in enumerate(parts, 1):
        held = {}
        for name in names:
            gathered, tensor = next(weights)
            assert gathered == name  # noqa: S101
            if is_first:
                held[name] = tensor.cpu().contiguous()
            del tensor  # before the next is gathered
        if is_first:
            save_file(held, folder / _file_name(number, len(parts)), metadata={"format": "pt"})
    if is_first and len(parts) > 1:
        where = {name: _file_name(n, len(parts)) for n, names in enumerate(parts, 1) for name in names}
        index = {"metadata": {"total_size": sum(sizes.values())}, "weight_map": where}
        storage.write_atomic(str(folder / INDEX), json.dumps(index, indent=2, sort_keys=True).encode())


def _parts(sizes: Mapping[str, int]) -> list[list[str]]:
    """Return the names of the weights of each file, given the bytes of each weight."""
    parts: list[list[str]] = [[]]
    room = FILE_BYTES
    for name, size in sizes.items():
        if size > room and parts[-1]:
            parts.append([])
            room = FILE_BYTES
        parts[-1].append(name)
        room -= size
    return parts


def _file_name(number: int, of: int) -> str:
    return WEIGHTS if of == 1 else f"model-{number:05d}-of-{of:05d}.safetensors"


def _change(path: Path, **values: Any) -> None:
    plain = {**json.loads(path.read_bytes()), **values}
    storage.write_atomic(str(path), json.dumps(plain, indent=2, sort_keys=True).encode())


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
    """Return what identifies a folder's weights: a checkpoint's recorded digest, or that of a model's files.

    InputError when it is neither.
    """
    state = read_state(folder) if folder.is_dir() else None
    if state is not None and state.weights_sha256:  # large models have a digest only at the ends of stages
        return state.weights_sha256
    try:
        if (folder / INDEX).exists():
            names = sorted({path.name for path in _files_of(folder).values()})
            return content_id(*(file_sha256(folder / name) for name in names))
        return file_sha256(folder / WEIGHTS)
    except OSError:
        raise InputError(f"{folder}: neither the checkpoint of a finished stage nor a model ({WEIGHTS})") from None


def load_weights(model: Model, source: Path | Sequence[Path], may_differ: Collection[str] = ()) -> None:
    """Fill a model, sharded or not, from a folder of Hugging Face's layout, in one file or several.

    Of several folders it takes the mean, summed in float64. A reward model's head that a folder lacks stays as it is.
    Where `vocab_size` may differ, tokens that the folder's embeddings lack have the mean row of the others.
    Memory holds one weight at a time. InputError when it is not such a folder, or another model's: a setting that
    `check_config` finds, a weight that is missing, that the model lacks, or that has another shape.
    """
    folders = [source] if isinstance(source, Path) else source
    files = {folder: _files_of(folder) for folder in folders}
    parameters = dict(model.named_parameters())
    unused = {OUTPUT} if model.config.tie_word_embeddings or HEAD in parameters else set()
    for folder, found in files.items():
        check_config(model.config, folder, may_differ)
        # Releases of before 2023 hold the frequencies of RoPE, which follow from the settings.
        extra = {name for name in found.keys() - parameters.keys() - unused if not name.endswith("rotary_emb.inv_freq")}
        if extra:
            raise InputError(f"{folder}: {min(extra)} is no weight of the recipe's model")
    for name, parameter in parameters.items():
        if name == HEAD and not any(HEAD in found for found in files.values()):
            continue
        total: torch.Tensor | None = None
        for folder, found in files.items():
            path = found.get(name)
            tensor = None if path is None else _read(path, name)
            if tensor is not None and name in EMBEDDINGS and VOCABULARY in may_differ:
                tensor = with_mean_rows(tensor, len(parameter))
            if tensor is None or tensor.shape != parameter.shape:
                raise InputError(f"{path or folder}: {name} is missing or of another shape than the recipe's model")
            total = tensor if len(files) == 1 else tensor.double() if total is None else total.add_(tensor)
        if total is not None:
            put(parameter, total if len(files) == 1 else (total / len(files)).to(parameter.dtype))


def check_config(ours: LlamaConfig, folder: Path, may_differ: Collection[str] = ()) -> None:
    """Compare the settings of a model with those in a folder's config.json, where there is one.

    InputError names each setting that differs; not those in `may_differ`, by transformers' names (`rope_theta`).
    """
    path = folder / CONFIG
    if not path.exists():
        return
    try:
        plain = json.loads(path.read_bytes())
        kind = plain["model_type"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not the configuration of a model ({error})") from None
    if kind != ours.model_type:
        raise InputError(f"{path}: model_type {kind!r}; only {ours.model_type!r} is taken in")
    theirs = LlamaConfig.from_pretrained(folder)
    pairs = [(name, getattr(theirs, name), getattr(ours, name), setting) for name, setting in SETTINGS.items()]
    pairs += [(name, _rope(theirs).get(name), _rope(ours).get(name), setting) for name, setting in ROPE.items()]
    differing = [
        f"{name} {their!r}, the recipe {our!r} ({setting})"
        for name, their, our, setting in pairs
        if not _is_same(their, our) and name not in may_differ
    ]
    if differing:
        raise InputError(f"{path}: another model than the recipe's: it has {'; '.join(differing)}")


def _is_same(their: Any, our: Any) -> bool:
    """Return whether a value is the other's, or that rounded to float32: out of GGUF comes 9.9999997e-06."""
    if isinstance(their, float) and isinstance(our, float):
        return math.isclose(their, our, rel_tol=1e-6)
    return bool(their == our)


def _rope(config: LlamaConfig) -> Mapping[str, Any]:
    found: Mapping[str, Any] = config.rope_parameters or {}
    return found


def _files_of(folder: Path) -> dict[str, Path]:
    """Return the file of each weight. InputError when a folder holds no model."""
    index = folder / INDEX
    try:
        if index.exists():
            return {name: folder / file for name, file in json.loads(index.read_bytes())["weight_map"].items()}
        with safe_open(folder / WEIGHTS, framework="pt") as file:
            return dict.fromkeys(file.keys(), folder / WEIGHTS)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{index}: not the index of a model ({error})") from None
    except (OSError, SafetensorError) as error:
        raise InputError(f"{folder}: no {WEIGHTS} here that can be read ({error})") from None


def _read(path: Path, name: str) -> torch.Tensor | None:
    """Return a weight of a file, None when it lacks it. InputError for a file that cannot be read."""
    try:
        with safe_open(path, framework="pt") as file:
            return file.get_tensor(name) if name in file.keys() else None  # noqa: SIM118  no mapping
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from None
