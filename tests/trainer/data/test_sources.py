from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from schemas.errors import ConfigError
from storage.shard_folders import find_shards
from tests.trainer.shards import counting, write_source
from trainer.data.batches import IGNORE, Batch
from trainer.data.mixture import Mixture
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


def _repeating(folder: Path) -> Recipe:
    """Write a source whose documents come twice, the first half of them early and again in the last shard."""
    documents = counting([9, 20, 5, 31, 14, 7, 25, 17] * 2)
    write_source(folder, "a", [*documents, *documents[:10]], row_tokens=32, rows_per_shard=4)
    return Recipe(data=(str(folder),), stages=(StageConfig(name="x", seq_len=16, batch_tokens=32),))


def _epoch(recipe: Recipe) -> Batch:
    """Return an epoch of the training shards as one batch."""
    streams = open_streams(recipe, training_shards(recipe))
    sequences = streams["a"].epoch_tokens // 16
    return Mixture(streams, {"a": 1.0}, 16, sequences, {}, 1, "k").batch(0)


def test_documents_of_held_out_shards_are_not_trained_on(tmp_path: Path) -> None:
    recipe = _repeating(tmp_path)
    without, kept = recipe, dataclasses.replace(recipe, evaluation=EvalConfig(held_out_shards=1))
    held = {
        int(token) for stream in open_held_out(kept).values() for at in range(0, stream.epoch_tokens, 16)
        for token in stream.slice(at, 16).tokens
    }  # fmt: skip
    counting_on = _epoch(without)
    assert held & set(counting_on.labels.ravel().tolist())  # the mix repeats documents
    batch = _epoch(kept)
    assert not held & set(batch.labels.ravel().tolist())
    of_held = np.isin(batch.tokens, list(held))
    assert of_held.any()  # they keep their places
    # What is left is trained on as before: every label of a document that no held-out shard holds.
    documents = counting([9, 20, 5, 31, 14, 7, 25, 17] * 2)
    left = {token for document in documents if not held & set(document) for token in document[1:]}
    ours = set(batch.labels.ravel().tolist()) - {IGNORE}
    assert ours <= left
    assert len(ours) > len(left) * 0.8  # but the labels at the ends of sequences that the shards' end cuts


def test_documents_of_a_held_out_folder_are_left_out_too(tmp_path: Path) -> None:
    recipe = _repeating(tmp_path / "data")
    first = counting([9])[0]
    write_source(tmp_path / "other", "b", [first, [7, 7, 7]], row_tokens=16)
    kept = dataclasses.replace(recipe, evaluation=EvalConfig(held_out=(str(tmp_path / "other"),)))
    assert set(first[1:]) <= set(_epoch(recipe).labels.ravel().tolist())
    assert not set(first) & set(_epoch(kept).labels.ravel().tolist())
