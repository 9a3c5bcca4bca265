from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from schemas.errors import InputError
from tests.trainer.model.test_llama import make_model, packed, tensors
from tests.trainer.small import Listener, recipe_of, stage, train, write_shards
from trainer.model.export import WEIGHTS, export, load_weights, weights_sha256
from trainer.recipe import ModelConfig


def _logits(model: torch.nn.Module) -> torch.Tensor:
    batch = tensors(packed())
    with torch.no_grad():
        logits: torch.Tensor = model(input_ids=batch.tokens, position_ids=batch.positions).logits
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
    with pytest.raises(InputError, match="is missing or of another shape than the recipe's model"):
        load_weights(wider, tmp_path / "model")
    (tmp_path / "model" / WEIGHTS).unlink()
    with pytest.raises(InputError, match=f"no {WEIGHTS} here"):
        load_weights(make_model(), tmp_path / "model")
