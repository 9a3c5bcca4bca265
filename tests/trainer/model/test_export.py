from __future__ import annotations

import dataclasses
import json
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, GenerationConfig, LlamaConfig, LlamaForCausalLM

from schemas.errors import ConfigError, InputError
from tests.trainer.model.test_llama import make_model, packed, tensors
from tests.trainer.small import MODEL, Listener, recipe_of, stage, train, write_shards
from trainer.loop.placement import whole_weights
from trainer.model import export as export_module
from trainer.model.export import WEIGHTS, export, load_weights, weights_sha256
from trainer.recipe import ModelConfig


def _logits(model: torch.nn.Module) -> torch.Tensor:
    batch = tensors(packed())
    with torch.no_grad():
        logits: torch.Tensor = model(input_ids=batch.tokens, position_ids=batch.positions, use_cache=False).logits
    return logits


@pytest.mark.parametrize("tied", [False, True])
def test_plain_transformers_gives_the_same_logits(tmp_path: Path, tied: bool) -> None:
    model = make_model(ModelConfig(layers=2, dim=32, ffn_dim=64, heads=4, kv_heads=2, tied_embeddings=tied))
    export(model, tmp_path / "model", is_first=True)
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path / "model")
    assert type(loaded).__name__ == "LlamaForCausalLM"
    assert torch.equal(_logits(loaded), _logits(model))
    again = make_model(ModelConfig(layers=2, dim=32, ffn_dim=64, heads=4, kv_heads=2, tied_embeddings=tied), seed=9)
    if not tied:
        load_weights(again, tmp_path / "model")
        assert torch.equal(_logits(again), _logits(model))


def test_the_model_of_a_stage_is_that_of_its_checkpoint_and_begins_another_run(tmp_path: Path) -> None:
    data = write_shards(tmp_path / "shards")
    first = recipe_of(data, stage("a", 4))
    train(first, tmp_path / "first")
    ended = tmp_path / "first" / "stages" / "00-a"
    more = [
        recipe_of(data, stage("b", 1), init_from=str(start))
        for start in (ended / "checkpoint", ended / "model", tmp_path / "none")
    ]
    losses = []
    for number, recipe in enumerate(more[:2]):
        heard = Listener()
        train(recipe, tmp_path / f"more-{number}", heard)
        losses.append(heard.losses[0])
    assert losses[0] == losses[1]
    assert weights_sha256(ended / "model") != weights_sha256(ended / "checkpoint")  # of the file, of the weights
    with pytest.raises(InputError, match="neither the checkpoint of a finished stage nor a model"):
        train(more[2], tmp_path / "more-2")


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    export(make_model(), tmp_path / "model", is_first=True)
    wider = make_model(ModelConfig(layers=2, dim=48, ffn_dim=64, heads=4, kv_heads=2))
    with pytest.raises(InputError, match=r"it has hidden_size 32, the recipe 48 \(model\.dim\)"):
        load_weights(wider, tmp_path / "model")
    (tmp_path / "model" / "config.json").unlink()
    with pytest.raises(InputError, match="is missing or of another shape than the recipe's model"):
        load_weights(wider, tmp_path / "model")
    (tmp_path / "model" / WEIGHTS).unlink()
    with pytest.raises(InputError, match=f"no {WEIGHTS} here"):
        load_weights(make_model(), tmp_path / "model")


def test_exports_generate_with_a_cache(tmp_path: Path) -> None:
    export(make_model(), tmp_path / "model", is_first=True)
    plain = json.loads((tmp_path / "model" / "config.json").read_bytes())
    assert (plain["architectures"], plain["use_cache"]) == (["LlamaForCausalLM"], True)
    assert GenerationConfig.from_pretrained(tmp_path / "model").use_cache is True


@pytest.mark.parametrize("is_first", [True, False])
def test_no_rank_holds_more_than_a_file_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_first: bool
) -> None:
    model, room = make_model(), 20_000
    monkeypatch.setattr(export_module, "FILE_BYTES", room)
    alive: list[weakref.ref[torch.Tensor]] = []
    most = 0

    def gathered(_: torch.nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
        nonlocal most
        for name, tensor in whole_weights(model):
            copy = tensor.clone()
            alive.append(weakref.ref(copy))
            held = [found.nbytes for ref in alive if (found := ref()) is not None]
            most = max(most, sum(held))
            yield name, copy
            del copy, tensor

    monkeypatch.setattr(export_module, "whole_weights", gathered)
    export(model, tmp_path / "model", is_first)
    largest = max(parameter.nbytes for parameter in model.parameters())
    assert len(alive) == 21
    assert most <= (room + largest if is_first else 2 * largest) < sum(p.nbytes for p in model.parameters()) / 2
    assert (tmp_path / "model").exists() == is_first
    if is_first:
        assert len(list((tmp_path / "model").glob("model-*-of-*.safetensors"))) > 3
        loaded = AutoModelForCausalLM.from_pretrained(tmp_path / "model")
        assert torch.equal(_logits(loaded), _logits(model))
        again = make_model(seed=9)
        load_weights(again, tmp_path / "model")
        assert torch.equal(_logits(again), _logits(model))


def _as_released(folder: Path, **settings: object) -> LlamaForCausalLM:
    """Write a model as the Hub has large ones: several files, an index, settings of its own."""
    plain = make_model().config.to_dict()
    plain.pop("rope_parameters")
    torch.manual_seed(1)
    model = LlamaForCausalLM(LlamaConfig(**{**plain, "rope_theta": 500_000.0, "use_cache": True, **settings}))
    model.save_pretrained(folder, max_shard_size="20KB")
    assert len(list(folder.glob("model-*.safetensors"))) > 2
    return model


def test_a_model_of_several_files_is_taken_in(tmp_path: Path, data: str) -> None:
    released = _as_released(tmp_path / "hub")
    model = make_model(seed=5)
    load_weights(model, tmp_path / "hub")
    assert torch.equal(_logits(model), _logits(released))
    before = weights_sha256(tmp_path / "hub")
    heard = Listener()
    train(recipe_of(data, stage("a", 1), init_from=str(tmp_path / "hub")), tmp_path / "run", heard)
    train(recipe_of(data, stage("a", 1)), tmp_path / "scratch", fresh := Listener())
    assert heard.losses != fresh.losses
    changed = next((tmp_path / "hub").glob("model-*.safetensors"))
    changed.write_bytes(changed.read_bytes()[:-4] + b"\0\0\1\0")
    assert weights_sha256(tmp_path / "hub") != before
    changed.unlink()
    with pytest.raises(InputError, match=f"{changed.name}: cannot be read"):
        load_weights(model, tmp_path / "hub")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"rope_theta": 10_000.0}, r"rope_theta 10000\.0, the recipe 500000\.0 \(model\.rope_theta\)"),
        ({"rms_norm_eps": 1e-3}, r"rms_norm_eps 0\.001, the recipe 1e-05 \(model\.norm_eps\)"),
        (
            {"rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                              "original_max_position_embeddings": 8192}},
            r"rope_type 'llama3', the recipe 'default' \(model\.rope_factor\); factor 8\.0, the recipe None",
        ),
        ({"num_key_value_heads": 4}, r"num_key_value_heads 4, the recipe 2 \(model\.kv_heads\)"),
        ({"tie_word_embeddings": True}, r"tie_word_embeddings True, the recipe False \(model\.tied_embeddings\)"),
        ({"attention_bias": True}, r"attention_bias True, the recipe False \(always none\)"),
    ],
)  # fmt: skip
def test_settings_that_differ_are_refused_by_name(tmp_path: Path, settings: dict[str, object], named: str) -> None:
    _as_released(tmp_path / "hub", **settings)
    with pytest.raises(InputError, match=f"config.json: another model than the recipe's: it has {named}"):
        load_weights(make_model(), tmp_path / "hub")


def test_a_setting_that_was_rounded_to_float32_is_the_same(tmp_path: Path) -> None:
    _as_released(tmp_path / "hub", rms_norm_eps=float(torch.tensor(1e-5)))
    load_weights(make_model(), tmp_path / "hub")


def test_a_setting_may_differ_when_the_recipe_says_so(tmp_path: Path, data: str) -> None:
    _as_released(tmp_path / "hub", rope_theta=10_000.0)
    recipe = recipe_of(data, stage("a", 1), init_from=str(tmp_path / "hub"))
    with pytest.raises(InputError, match="rope_theta"):
        train(recipe, tmp_path / "refused")
    train(dataclasses.replace(recipe, init_differs=("rope_theta",)), tmp_path / "run")
    ended = tmp_path / "run" / "stages" / "00-a" / "checkpoint"
    again = dataclasses.replace(recipe, init_from=str(ended), model=dataclasses.replace(MODEL, norm_eps=1e-3))
    with pytest.raises(InputError, match=r"rms_norm_eps 1e-05, the recipe 0\.001"):
        train(again, tmp_path / "again")


def test_other_kinds_of_model_are_refused(tmp_path: Path) -> None:
    export(make_model(), tmp_path / "model", is_first=True)
    path = tmp_path / "model" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "model_type": "gpt2"}))
    with pytest.raises(InputError, match="model_type 'gpt2'; only 'llama' is taken in"):
        load_weights(make_model(), tmp_path / "model")
    path.write_text("[]")
    with pytest.raises(InputError, match="not the configuration of a model"):
        load_weights(make_model(), tmp_path / "model")


def test_an_embedding_must_hold_the_tokens(tmp_path: Path, data: str) -> None:
    small = dataclasses.replace(MODEL, vocab_size=63)
    with pytest.raises(ConfigError, match=r"model\.vocab_size: 63 is not allowed; the shards' tokenizer has 64 tokens"):
        train(recipe_of(data, stage("a", 1), model=small), tmp_path)
