from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from transformers import AutoTokenizer

from schemas.errors import ConfigError
from schemas.shards import TokenizerFacts
from tests.trainer.small import FACTS, MODEL
from trainer.evaluate.choice import Row, log_likelihoods, rows_of, score
from trainer.evaluate.sample import sample
from trainer.evaluate.scores import core
from trainer.evaluate.tasks import Question
from trainer.evaluate.words import Words, open_words
from trainer.model.llama import empty_model, initialise, llama_config
from trainer.recipe import EvalConfig, Recipe

CPU = torch.device("cpu")


def make_words() -> Words:
    """Return a tokenizer of single characters, but that a space goes with the letter after it."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    names = ["<bos>", "<eos>", "\u0120", *letters, *("\u0120" + letter for letter in letters)]
    merges = [("\u0120", letter) for letter in letters]
    engine = Tokenizer(BPE(vocab={name: n for n, name in enumerate(names)}, merges=merges))
    engine.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    engine.decoder = decoders.ByteLevel()
    return Words(engine, FACTS)


def test_text_and_choice_are_tokenised_together() -> None:
    rows = rows_of(make_words(), " ", Question("ab", ("c", "de"), 0), 64)
    assert [(row.tokens, row.scored) for row in rows] == [([0, 3, 4, 31], 1), ([0, 3, 4, 32, 7], 2)]


def test_spaces_at_the_end_of_the_text_count_to_the_choice() -> None:
    words = make_words()
    outside, inside = Question("ab", ("c", "d"), 0), Question("ab ", ("c", "d"), 0)
    assert rows_of(words, "", inside, 64) == rows_of(words, " ", outside, 64)


def test_without_a_text_all_but_bos_is_scored() -> None:
    assert rows_of(make_words(), "", Question("", ("abc", "d"), 0), 64)[0] == Row([0, 3, 4, 5], 3)


def test_what_is_too_long_loses_its_beginning() -> None:
    row = rows_of(make_words(), " ", Question("abcdefgh", ("xy", "z"), 0), 5)[0]
    assert (row.tokens, row.scored) == ([8, 9, 10, 52, 27], 2)
    assert rows_of(make_words(), "", Question("a", ("bcdefghij", "k"), 0), 5)[0].scored == 4


def test_likelihoods_are_those_of_one_row_at_a_time() -> None:
    model = empty_model(llama_config(MODEL, FACTS, 64, "sdpa"))
    initialise(model, 0, CPU)
    rows = [Row([0, 5, 9, 11], 2), Row([0, 7], 1), Row([0, 3, 4, 5, 6, 7, 8], 6)]
    together = log_likelihoods(model, rows, CPU)
    for row, found in zip(rows, together, strict=True):
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([row.tokens])).logits[0].double()
        shares = torch.log_softmax(logits, -1)
        places = range(len(row.tokens) - row.scored, len(row.tokens))
        assert found == pytest.approx(sum(float(shares[n - 1, row.tokens[n]]) for n in places), abs=1e-4)


def test_scores_by_likelihood_by_character_and_by_byte() -> None:
    """The first is likeliest, the second likeliest a character, the third likeliest a byte of UTF-8."""
    question = Question("q", ("a", "bbbb", "\u00e9\u00e9\u00e9"), 1)
    likelihoods = [-1.0, -3.2, -3.0]
    found = score([question], likelihoods)
    assert (found.acc, found.acc_norm, found.acc_bytes) == (0.0, 1.0, 0.0)
    assert found.nll_per_char == pytest.approx(0.8)
    both = score([question, Question("q", ("a", "b"), 0)], [*likelihoods, -1.0, -1.0])
    assert (both.questions, both.acc) == (2, 0.5)  # a tie goes to the first
    assert both.parts == [0.0, 1.0]
    assert both.centered == pytest.approx((0.5 - 5 / 12) / (7 / 12))  # guessing: a third and a half
    assert core({"facts": {"centered": 0.5}, "more": {"centered": -0.1}}) == pytest.approx(0.2)
    assert core({}) is None


def test_scores_by_domain() -> None:
    questions = [Question("q", ("a", "b"), n % 2, domain) for n, domain in enumerate(("law", "law", "art"))]
    found = score(questions, [-1.0, -2.0] * 3)  # always the first
    assert found.domains == {"art": 1.0, "law": 0.5}
    assert score([Question("q", ("a", "b"), 0)], [-1.0, -2.0]).domains == {}


def test_the_bytes_of_tokens() -> None:
    found = make_words().token_bytes()
    assert found[:4].tolist() == [0, 0, 1, 1]  # BOS, EOS, a space, a letter
    assert found[29:32].tolist() == [2, 2, 2]  # a space and a letter
    assert found[55:].tolist() == [0] * 9  # entries without a token


def test_samples_are_a_function_of_their_seed() -> None:
    model = empty_model(llama_config(MODEL, FACTS, 64, "sdpa"))
    initialise(model, 0, CPU)
    drawn = [sample(model, [0, 5], 12, 1.0, 1, 8, seed) for seed in ("a", "a", "b")]
    assert drawn[0] == drawn[1] != drawn[2]
    likeliest = sample(model, [0, 5], 3, 0.0, 1, 8, "a")
    assert likeliest == sample(model, [0, 5], 3, 0.0, 1, 8, "b")
    assert sample(model, [0, 5], 3, 0.0, likeliest[0], 8, "a") == []


def test_the_tokenizer_must_be_that_of_the_shards(tmp_path: Path) -> None:
    path = tmp_path / "run" / "tokenize" / "key" / "tokenizer.json"
    path.parent.mkdir(parents=True)
    make_words().engine.save(str(path))
    facts = TokenizerFacts(sha256=hashlib.sha256(path.read_bytes()).hexdigest(), vocab_size=64, bos_id=0, eos_id=1)
    recipe = Recipe(data=(str(tmp_path / "run"),))
    assert open_words(recipe, facts).decode([3, 4, 31]) == "ab c"
    with pytest.raises(ConfigError, match="is not the shards' tokenizer, SHA-256 1111"):
        open_words(recipe, FACTS)
    words = open_words(recipe, facts)
    words.write(tmp_path, 128)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    assert (loaded.bos_token_id, loaded.eos_token_id, loaded.model_max_length) == (0, 1, 128)
    assert loaded("ab c")["input_ids"] == [0, 3, 4, 31]
    named = Recipe(evaluation=EvalConfig(tokenizer=str(path)))
    assert open_words(named, facts).encode("ab") == [3, 4]
