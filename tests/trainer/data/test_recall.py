"""Rows in which passages recur: what of them counts, how far apart, and that nothing but their place decides them."""

from __future__ import annotations

import dataclasses
import functools
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from schemas.errors import ConfigError
from schemas.shards import TokenizerFacts
from tests.trainer.shards import counting, write_source
from tests.trainer.small import FACTS, Listener, recipe_of, stage, train, write_shards
from trainer.data.batches import IGNORE, Batch
from trainer.data.corpus import Corpus
from trainer.data.mixture import pack
from trainer.data.recall import RecallConfig, RecallStream, beside_recall, distances, with_recall
from trainer.loop.checkpoints import State
from trainer.loop.loop import StoppedError, make_mixture
from trainer.recipe import Recipe, StageConfig
from trainer.stages.data import StageData
from trainer.stages.jobs import jobs

TOKENIZER = TokenizerFacts(sha256="1" * 64, vocab_size=4000, bos_id=0, eos_id=1, special_ids=(2, 7))
WARM_UP = 64_000


def _rows(n: int, positions: range, warm_up: int = 0, seed: int = 0) -> Batch:
    stream = RecallStream(TOKENIZER, seed, warm_up)
    return pack([stream.slice(position, n) for position in positions])


@pytest.mark.parametrize("n", [8, 9, 64, 1000])
@pytest.mark.parametrize("warm_up", [0, 10**9])
def test_a_label_counts_where_its_passage_came_before(n: int, warm_up: int) -> None:
    """A reader that looks for the newest earlier place of the last two tokens can foretell what counts."""
    batch = _rows(n, range(0, 40 * n, n), warm_up)
    counted = hits = 0
    for row, labels in zip(batch.tokens.tolist(), batch.labels.tolist(), strict=True):
        assert labels[-1] == IGNORE
        for at, label in enumerate(labels):
            if label == IGNORE:
                continue
            counted += 1
            assert label == row[at + 1]
            before = [k for k in range(at) if row[k] == row[at]]
            hits += any(row[k + 1] == label for k in before)
    assert counted == hits >= 40


def test_a_long_row_has_several_passages() -> None:
    shares = [(_rows(n, range(0, 60 * n, n)).labels != IGNORE).mean() for n in (64, 2048)]
    assert min(shares) > 0.2


@pytest.mark.parametrize(
    ("done", "n", "wanted"),
    [(0.0, 64, (21, 21)), (0.2, 64, (21, 21)), (0.36, 64, (18, 23)), (1.0, 64, (4, 32)), (1.0, 8, (4, 4))],
)
def test_distances_widen_during_the_warm_up(done: float, n: int, wanted: tuple[int, int]) -> None:
    assert distances(done, n) == wanted


def test_at_first_every_repetition_lies_at_one_distance_and_later_at_any() -> None:
    first = _rows(64, range(0, 12_800, 64), WARM_UP).tokens
    assert (first[:, 21:] == first[:, :-21]).all()
    late = _rows(64, range(WARM_UP, WARM_UP + 6400, 64), WARM_UP)
    apart = set()
    for row, labels in zip(late.tokens, late.labels, strict=True):
        at = int(np.flatnonzero(labels != IGNORE)[0])
        apart |= {at - int(np.flatnonzero(row[:at] == row[at])[-1])}
    assert len(apart) > 20
    assert max(apart) > 40


def test_no_token_is_a_special_one_and_all_others_come() -> None:
    found = np.unique(_rows(512, range(0, 512 * 400, 512)).tokens)
    assert set(range(4000)) - set(found.tolist()) == {0, 1, 2, 7}


def test_a_row_is_a_function_of_seed_position_and_length() -> None:
    assert (_rows(64, range(0, 640, 64)).tokens == _rows(64, range(0, 640, 64)).tokens).all()
    rows = [*_rows(64, range(0, 640, 64)).tokens, *_rows(64, range(0, 640, 64), seed=1).tokens]
    assert len({row.tobytes() for row in rows}) == 20


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a row of 7 tokens is too short for a passage that recurs"):
        RecallStream(TOKENIZER, 0, 0).slice(0, 7)
    with pytest.raises(ConfigError, match="a tokenizer of 3 entries has no tokens to repeat"):
        RecallStream(TokenizerFacts(sha256="1" * 64, vocab_size=3, bos_id=0, eos_id=1), 0, 0)
    with pytest.raises(ConfigError, match="seq_len: 4 is not allowed with recall; at least 8"):
        StageConfig(name="a", tokens=8, seq_len=4, batch_tokens=8, recall=RecallConfig(share=0.1))
    with pytest.raises(ConfigError, match="rows: not allowed beside mix, upsample, mix_changes, recall or a gate"):
        StageConfig(name="a", rows=("x",), units=1, batch_units=1, recall=RecallConfig(share=0.1))
    corpus = Corpus("recall", write_source(tmp_path, "recall", counting([200], 5)), unit=32, seed=0)
    with pytest.raises(ConfigError, match="not allowed beside a source of the name 'recall'"):
        beside_recall({"recall": corpus}, 0, 0)


def test_its_share_is_of_all_sequences_whatever_the_mix() -> None:
    assert with_recall({"a": 30.0, "b": 10.0}, 0.2) == pytest.approx({"a": 0.6, "b": 0.2, "recall": 0.2})
    assert with_recall({"a": 3.0}, 0.0) == {"a": 3.0}


def test_ranks_cut_the_same_batch_and_the_next_stage_goes_on(tmp_path: Path) -> None:
    corpora = {"a": Corpus("a", write_source(tmp_path, "a", counting([900], 5)), unit=32, seed=0)}
    mixed = StageConfig(name="x", tokens=1, seq_len=16, batch_tokens=96, recall=RecallConfig(share=0.25))
    feed = make_mixture(Recipe(mix_block=8), corpora, mixed, State(starts={"recall": 160}))
    for number in range(4):
        whole = feed.batch(number).tokens
        parts = np.concatenate([feed.batch(number, rank, 4).tokens for rank in range(4)])
        assert (whole == parts).all()
    assert feed.ends(4) == {"a": 18 * 16, "recall": 160 + 6 * 16}


def test_a_stage_without_recall_keeps_its_key(tmp_path: Path) -> None:
    plain = stage("a", 2)
    keys = [
        jobs(Recipe(stages=(config,)), [StageData(16, {})], tmp_path)[0].key
        for config in (plain, dataclasses.replace(plain, recall=RecallConfig(warm_up_tokens=9)),
                       dataclasses.replace(plain, recall=RecallConfig(share=0.5)))
    ]  # fmt: skip
    assert keys[0] == keys[1] != keys[2]


def _stop_after(step: int, event: Mapping[str, Any]) -> None:
    if event["step"] == step:
        signal.raise_signal(signal.SIGTERM)


def test_a_run_that_was_stopped_within_it_ends_with_the_same_weights(tmp_path: Path) -> None:
    data = write_shards(tmp_path / "shards", tokenizer=FACTS)
    recipe = recipe_of(
        data, stage("recall", 4, recall=RecallConfig(share=1.0, warm_up_tokens=128)),
        stage("mixed", 6, recall=RecallConfig(share=0.5, warm_up_tokens=128)),
    )  # fmt: skip
    wanted = train(recipe, tmp_path / "undisturbed")
    assert wanted.starts == {"a": 6 * 2 * 16, "recall": 4 * 4 * 16 + 6 * 2 * 16}
    for at in (2, 7):
        with pytest.raises(StoppedError):
            train(recipe, tmp_path / "run", Listener(functools.partial(_stop_after, at)))
    heard = Listener()
    assert train(recipe, tmp_path / "run", heard) == wanted
    assert len(heard.losses) == 2
