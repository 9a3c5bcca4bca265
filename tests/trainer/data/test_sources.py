from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from schemas.errors import ConfigError
from storage.shard_folders import find_shards
from tests.trainer.shards import counting, write_source
from trainer.data.sources import held_out_shards, open_held_out, open_streams, training_shards
from trainer.recipe import EvalConfig, Recipe, StageConfig


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    for source, first in (("a", 1000), ("b", 9000)):
        write_source(tmp_path / "data", source, counting([1024], first))  # four shards
    write_source(tmp_path / "kept", "b", counting([256], 20_000))
    stage = StageConfig(name="x", seq_len=16, batch_tokens=16)
    return Recipe(data=(str(tmp_path / "data"),), stages=(stage,))


def test_the_last_shards_of_each_source_are_held_out(recipe: Recipe, tmp_path: Path) -> None:
    kept = EvalConfig(held_out=(str(tmp_path / "kept"),), held_out_shards=1)
    recipe = dataclasses.replace(recipe, evaluation=kept)
    every = find_shards(recipe.data)
    trained, held = training_shards(recipe), held_out_shards(recipe)
    assert trained == {source: paths[:3] for source, paths in every.items()}
    assert held["a"] == every["a"][3:]
    assert held["b"] == [*find_shards(kept.held_out)["b"], *every["b"][3:]]
    assert {source: stream.epoch_tokens for source, stream in open_streams(recipe, trained).items()} == {
        "a": 768, "b": 768,
    }  # fmt: skip


def test_nothing_is_held_out_unless_asked_for(recipe: Recipe) -> None:
    assert training_shards(recipe) == find_shards(recipe.data)
    assert held_out_shards(recipe) == {}


@pytest.mark.parametrize("shards", [4, 5])
def test_one_shard_must_be_left(recipe: Recipe, shards: int) -> None:
    wanted = dataclasses.replace(recipe, evaluation=EvalConfig(held_out_shards=shards))
    with pytest.raises(ConfigError, match=f"{shards} is not allowed; source a has 4 shards"):
        training_shards(wanted)
    with pytest.raises(ConfigError, match="data: none"):
        training_shards(Recipe())


def test_every_seed_is_measured_on_the_same_text_in_the_same_order(recipe: Recipe) -> None:
    kept = dataclasses.replace(recipe, evaluation=EvalConfig(held_out_shards=2))
    texts = set()
    for seed in range(6):
        stream = open_held_out(dataclasses.replace(kept, seed=seed))["a"]
        texts.add(
            tuple(int(token) for at in range(0, stream.epoch_tokens, 16) for token in stream.slice(at, 16).tokens)
        )
    assert len(texts) == 1
    trained = {
        tuple(open_streams(replaced, training_shards(replaced))["a"].slice(0, 16).tokens.tolist())
        for replaced in (dataclasses.replace(kept, seed=seed) for seed in range(6))
    }
    assert len(trained) > 1
