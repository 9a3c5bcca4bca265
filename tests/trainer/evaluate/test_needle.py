"""Needles: what lies where, and that a model which copies what it has learned finds all of them."""

from __future__ import annotations

import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from tests.trainer.model.test_llama import make_model
from tests.trainer.shards import TOKENIZER, write_source
from trainer.data.corpus import Corpus
from trainer.evaluate.needle import KEY_TOKENS, NEEDLE_TOKENS, VALUE_TOKENS, NeedleTest, haystack, known_tokens
from trainer.recipe import EvalConfig

KNOWN = range(2, 302)  # of 50,000 entries: what the documents hold
CONFIG = EvalConfig(tokens=4096, needle_depths=3, needles=2)


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    draw = random.Random(7)
    documents = [[0, *draw.choices(KNOWN, k=draw.randrange(50, 200)), 1] for _ in range(40)]
    return Corpus("a", write_source(tmp_path, "a", documents, row_tokens=128), unit=128, seed=0)


class Copier(torch.nn.Module):
    """Goes on as the context did after the last four tokens the time before, in the tokens that it has learned.

    What an induction head does, and no more: a token that training never shows has no logit of its own.
    """

    def __init__(self, learned: set[int]) -> None:
        super().__init__()
        self.learned = learned
        self.rows: list[int] = []  # of logits that were asked for

    def forward(self, input_ids: torch.Tensor, logits_to_keep: int = 0, **_: Any) -> Any:
        self.rows.append(logits_to_keep)
        logits = torch.zeros(*input_ids.shape, TOKENIZER.vocab_size)
        for b, row in enumerate(input_ids.tolist()):
            last: dict[tuple[int, ...], int] = {}
            for at in range(KEY_TOKENS, len(row) + 1):
                before = tuple(row[at - KEY_TOKENS : at])
                token = row[last[before]] if before in last else 0
                logits[b, at - 1, token if token in self.learned else 0] = 1.0
                last[before] = at
        return SimpleNamespace(logits=logits[:, -logits_to_keep:])


def training_of(model: torch.nn.Module) -> Any:
    """Return as much of a run as the test needs."""
    return SimpleNamespace(
        model=model, ranks=SimpleNamespace(device=torch.device("cpu")), micro_sequences=lambda _: 4,
        watchdog=SimpleNamespace(beat=lambda: None),
    )  # fmt: skip


def test_a_model_that_copies_what_it_has_learned_finds_all_needles(corpus: Corpus) -> None:
    copier = Copier(set(KNOWN))
    assert NeedleTest({"a": corpus}, CONFIG).share_found(training_of(copier), 128) == 1.0
    assert set(copier.rows) == {VALUE_TOKENS + 1}
    assert NeedleTest({"a": corpus}, CONFIG).share_found(training_of(Copier(set())), 128) == 0.0


def test_the_asked_logits_are_those_of_the_whole_context(corpus: Corpus) -> None:
    model = make_model()
    small = [np.remainder(context, 64) for context in NeedleTest({"a": corpus}, CONFIG).contexts(64)]
    tokens = torch.from_numpy(np.stack(small))
    with torch.no_grad():
        whole, asked = (model(input_ids=tokens, logits_to_keep=rows).logits for rows in (0, VALUE_TOKENS + 1))
    assert asked.shape[1] == VALUE_TOKENS + 1
    assert torch.allclose(whole[:, -VALUE_TOKENS - 1 :], asked, atol=1e-6)


def test_several_needles_at_each_depth_in_contexts_of_their_own(corpus: Corpus) -> None:
    contexts = NeedleTest({"a": corpus}, CONFIG).contexts(128)
    needles = [tuple(context[-NEEDLE_TOKENS:].tolist()) for context in contexts]
    places = [
        next(at for at in range(128) if tuple(context[at : at + NEEDLE_TOKENS].tolist()) == needle)
        for context, needle in zip(contexts, needles, strict=True)
    ]
    room = 128 - 2 * NEEDLE_TOKENS
    assert places == [0, room // 2, room, 0, room // 2, room]
    assert len(set(needles)) == 6
    assert {token for needle in needles for token in needle} <= set(KNOWN)
    assert len({tuple(context[40:60].tolist()) for context in contexts}) == 6


def test_tokens_that_are_known(tmp_path: Path) -> None:
    document = [0, *[5] * 9, *[6] * 8, *[7] * 7, *range(10, 18), 1]
    corpus = Corpus("a", write_source(tmp_path, "a", [document * 2], row_tokens=68), unit=68, seed=0)
    assert known_tokens(corpus, 1000, 2).tolist() == [5, 6, 7, *range(10, 18)]
    assert known_tokens(corpus, 1000, 15).tolist() == [5, 6, 7, *range(10, 15)]  # too few: the most frequent eight


@pytest.mark.parametrize("depth", [0.0, 0.5, 1.0])
def test_a_needle_lies_where_it_should_and_is_asked_for_at_the_end(depth: float) -> None:
    filler = np.arange(10, 50)
    context = haystack(filler, filler, depth, "x")
    needle = context[-NEEDLE_TOKENS:]
    place = round(depth * (len(filler) - 2 * NEEDLE_TOKENS))
    assert len(context) == len(filler)
    assert np.array_equal(context[place : place + NEEDLE_TOKENS], needle)
    assert len(set(needle.tolist())) == NEEDLE_TOKENS
    assert np.array_equal(haystack(filler, filler, depth, "x"), context)
    assert not np.array_equal(haystack(filler, filler, depth, "y")[-NEEDLE_TOKENS:], needle)
    with pytest.raises(ValueError, match="a context of 15 tokens is too short"):
        haystack(filler[:15], filler, depth, "x")


def test_a_needle_is_of_tokens_that_the_filler_lacks_or_has_least_of() -> None:
    filler = np.tile(np.arange(10, 20), 10)
    for name in "abcdef":
        assert set(haystack(filler, np.arange(10, 110), 0.5, name)[-NEEDLE_TOKENS:]) <= set(range(20, 110))
        few = haystack(filler, np.arange(10, 24), 0.5, name)[-NEEDLE_TOKENS:]
        assert len(set(few)) == NEEDLE_TOKENS
    # Of 70 known ones the filler lacks six: the sixteen that it has least of.
    known = np.arange(70)
    filler = np.concatenate([np.arange(6, 70), np.tile(np.arange(17, 70), 2), np.zeros(2 * NEEDLE_TOKENS, int)])
    drawn = {int(token) for n in range(40) for token in haystack(filler, known, 0.0, str(n))[-NEEDLE_TOKENS:]}
    assert drawn == set(range(16))


def test_a_key_that_the_context_holds_already_is_drawn_again() -> None:
    two = np.array([3, 4, 5, 6, 7, 8, 9, 10])
    filler = np.tile(haystack(np.arange(40), two, 0.5, "z")[-NEEDLE_TOKENS:], 5)
    context = haystack(filler, two, 0.5, "z")
    key = context[-NEEDLE_TOKENS:-VALUE_TOKENS].tolist()
    assert sum(context[at : at + KEY_TOKENS].tolist() == key for at in range(len(context))) == 2
    with pytest.raises(ValueError, match="no key of 4 of these 8 tokens is new"):
        haystack(np.full(40, 3), np.full(8, 3), 0.0, "z")
