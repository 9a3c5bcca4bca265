"""Training is the same for any order and thread count; encoding loses nothing and never reads a special token."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import ConfigError
from transforms.tokens.exact_ranks import GPT2_PATTERN, LLAMA3_PATTERN
from transforms.tokens.tokenizer import MAX_RUN, Tokenizer, TokenizerConfig, in_training_sample, load, train_bpe

ROOT = pathlib.Path(__file__).resolve().parents[3]
DATA = ROOT.parent / "shared" / "data" / "tokenizers"
CONFIG = TokenizerConfig(vocab_size=400)
GPT = TokenizerConfig(bos="<|endoftext|>", eos="<|endoftext|>", pattern=GPT2_PATTERN)
TEXTS = [
    "The quick brown fox jumps over the lazy dog. The dog sleeps; the fox doesn't.",
    "Der schnelle braune Fuchs springt über den faulen Hund und über den Zaun.",
    "Быстрая лиса прыгает через ленивую собаку. 12345 67 8.",
    "敏捷的棕色狐狸跳过懒狗。 敏捷的狐狸。",
    "def fox(n):\n    return n + 1\n\n\n    # the end\n",
] * 3


@functools.cache
def trained() -> bytes:
    return train_bpe(TEXTS, CONFIG)


def tokenizer() -> Tokenizer:
    return load(trained(), "trained", CONFIG)


def spec(**changes: Any) -> dict[str, Any]:
    return {**json.loads(trained()), **changes}


def load_spec(changed: dict[str, Any], config: TokenizerConfig = CONFIG) -> Tokenizer:
    return load(json.dumps(changed).encode(), "changed.json", config)


def slow(text: str) -> list[int]:
    """The ids that `tokenizers` itself gives."""
    return tokenizers.Tokenizer.from_str(trained().decode()).encode(text, add_special_tokens=False).ids


def rank_file(*tokens: bytes) -> bytes:
    all_tokens = [bytes([b]) for b in range(256)] + list(tokens)
    return b"".join(base64.b64encode(token) + b" %d\n" % n for n, token in enumerate(all_tokens))


def test_training_gives_the_same_bytes_for_any_order() -> None:
    assert train_bpe(iter(TEXTS), CONFIG) == trained()
    assert train_bpe(sorted(TEXTS), CONFIG) == trained()
    assert train_bpe(sorted(TEXTS, reverse=True), CONFIG) == trained()


@pytest.mark.parametrize("threads", ["1", "4"])
def test_training_gives_the_same_bytes_for_any_number_of_threads(threads: str) -> None:
    code = (
        "import json, sys, hashlib\nfrom transforms.tokens.tokenizer import TokenizerConfig, train_bpe\n"
        "data = train_bpe(json.load(sys.stdin), TokenizerConfig(vocab_size=400))\n"
        "print(hashlib.sha256(data).hexdigest())"
    )
    environment = {**os.environ, "RAYON_NUM_THREADS": threads, "TOKENIZERS_PARALLELISM": str(threads != "1").lower()}
    done = subprocess.run(  # our own interpreter and code
        [sys.executable, "-c", code],
        input=json.dumps(TEXTS),
        env=environment,
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=True,
    )
    assert done.stdout.strip() == hashlib.sha256(trained()).hexdigest()


def test_a_trained_vocabulary_has_specials_bytes_and_merges() -> None:
    made = tokenizer()
    assert (made.bos_id, made.eos_id, made.vocab_size) == (0, 1, 400)
    assert made.sha256 == hashlib.sha256(trained()).hexdigest()
    # One repeated pair: 2 specials, 256 bytes and "ab"; "ab" occurs twice, "aba" and "bab" never twice.
    small = load(train_bpe(["ab ", "ab"], CONFIG), "small", CONFIG)
    assert small.vocab_size == 259
    assert small.decode([258]) == "ab"


def test_training_on_nothing_still_spells_every_text() -> None:
    made = load(train_bpe([], CONFIG), "empty", CONFIG)
    assert made.vocab_size == 258
    [ids] = made.encode_batch(["é"])
    assert len(ids) == 4
    assert made.decode(ids) == "é"


def test_documents_are_bos_text_eos() -> None:
    made = tokenizer()
    encoded = made.encode_batch(["", "a", TEXTS[0]])
    assert encoded[0].tolist() == [0, 1]
    assert [ids.dtype for ids in encoded] == [np.uint32] * 3
    assert all(ids[0] == 0 and ids[-1] == 1 for ids in encoded)
    assert encoded[2][1:-1].tolist() == slow(TEXTS[0])
    assert made.encode_batch([]) == []
    assert made.decode(encoded[1]) == "a"
    assert made.decode(encoded[1], specials=True) == "<|begin_of_text|>a<|end_of_text|>"


def test_special_tokens_in_a_text_stay_text() -> None:
    text = "<|end_of_text|> and <|begin_of_text|><|end_of_text|>"
    for made in (tokenizer(), load_spec(spec(normalizer={"type": "NFC"})), load(rank_file(), "ranks", CONFIG)):
        [ids] = made.encode_batch([text])
        inner = ids[1:-1].tolist()
        assert made.bos_id not in inner
        assert made.eos_id not in inner
        assert made.decode(ids) == text


@given(st.lists(st.text(), max_size=4))
@settings(deadline=None)
def test_nothing_is_lost_and_both_libraries_agree(texts: list[str]) -> None:
    made = tokenizer()
    encoded = made.encode_batch(texts)
    assert [made.decode(ids) for ids in encoded] == texts
    assert [ids[1:-1].tolist() for ids in encoded] == [slow(text) for text in texts]


@pytest.mark.parametrize("pattern", [LLAMA3_PATTERN, GPT2_PATTERN])
def test_both_libraries_cut_words_alike_around_every_kind_of_character(pattern: str) -> None:
    config = TokenizerConfig(vocab_size=400, pattern=pattern)
    data = train_bpe(TEXTS, config)
    points = [*range(0x600), *range(0x600, 0x110000, 37)]
    texts = ["".join(f"x{chr(c)}'{chr(c)} 1{chr(c)}\n" for c in points[n : n + 500] if not 0xD800 <= c < 0xE000)
             for n in range(0, len(points), 500)]  # fmt: skip
    ours = load(data, "pattern", config).encode_batch(texts)
    theirs = tokenizers.Tokenizer.from_str(data.decode()).encode_batch_fast(texts, add_special_tokens=False)
    assert [ids[1:-1].tolist() for ids in ours] == [encoding.ids for encoding in theirs]


def test_lone_surrogates_become_the_replacement_character_and_pairs_join() -> None:
    made = tokenizer()
    texts = ["a\ud800b", "\udcff", "\ud83d\ude00", "a\x00b\x00"]
    assert [made.decode(ids) for ids in made.encode_batch(texts)] == ["a\ufffdb", "\ufffd", "😀", "a\x00b\x00"]


@pytest.mark.parametrize("text", ["a" * 1_000_000, " " * 1_000_000 + "x", "\n" * 1_000_000, "的" * 333_333])
def test_a_line_of_one_megabyte_takes_no_more_than_linear_time(text: str) -> None:
    started = time.process_time()
    [ids] = tokenizer().encode_batch([text])
    assert time.process_time() - started < 5  # 0.03 to 0.2 s; a quadratic merge would take minutes
    assert tokenizer().decode(ids) == text


def test_runs_are_cut_above_the_limit_and_not_at_it() -> None:
    made = load(rank_file(b"aa"), "ranks", CONFIG)
    exact, over = made.encode_batch(["a" * MAX_RUN, "a" * (MAX_RUN + 1)])
    assert len(exact) == 2 + MAX_RUN // 2
    assert len(over) == 2 + MAX_RUN // 2 + 1
    odd = "b" + "a" * (MAX_RUN - 1) + "a" + " c"  # the cut parts the last two a's, which else pair differently
    [ids] = made.encode_batch([odd])
    assert made.decode(ids) == odd
    assert len(ids) == 2 + 1 + (MAX_RUN - 2) // 2 + 1 + 1 + 2


def test_decoding_refuses_ids_of_another_tokenizer() -> None:
    assert tokenizer().decode([]) == ""
    with pytest.raises(ConfigError, match="token 400 is not of this tokenizer; its ids end at 400"):
        tokenizer().decode([400])


def test_a_rank_file_gets_its_missing_specials_after_the_vocabulary() -> None:
    made = load(rank_file(b"he", b"hell"), "ranks", CONFIG)
    assert (made.bos_id, made.eos_id, made.vocab_size) == (258, 259, 260)
    [ids] = made.encode_batch(["hehe"])
    assert ids.tolist() == [258, 256, 256, 259]
    one = load(rank_file(), "ranks", GPT)
    assert (one.bos_id, one.eos_id, one.vocab_size) == (256, 256, 257)


def test_a_special_that_stands_in_the_rank_file_keeps_its_rank() -> None:
    made = load(rank_file(b"<|endoftext|>"), "ranks", GPT)
    assert (made.bos_id, made.eos_id, made.vocab_size) == (256, 256, 257)
    [ids] = made.encode_batch(["<|endoftext|>"])
    assert len(ids) == 2 + len("<|endoftext|>")


def test_a_pattern_that_leaves_gaps_loses_nothing() -> None:
    config = TokenizerConfig(pattern=r"\p{L}+")
    made = load(rank_file(), "ranks", config)
    assert made.decode(made.encode_batch(["a, b\n1"])[0]) == "a, b\n1"


def test_files_that_are_no_tokenizer_are_refused() -> None:
    for data, message in [
        (b"", "lacks single bytes"),
        (b"hello world\n", r"neither a tokenizer.json nor a tiktoken rank file \(line 1\)"),
        (b"YQ== 0\nnot base64 1 2\n", r"line 2"),
        (b"YQ== 0\n", "lacks single bytes"),
        (b"{nonsense", "not valid JSON"),
        (b'{"a": 1}', "without a model"),
    ]:
        with pytest.raises(ConfigError, match=message):
            load(data, "file", CONFIG)


def test_a_json_that_tokenizers_cannot_read_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"changed.json: not a tokenizer.json: "):
        load_spec(spec(normalizer={"type": "Nonsense"}))


def test_missing_specials_of_a_json_name_the_candidates() -> None:
    message = r"bos: '<\|endoftext\|>' is not in trained; special tokens there: <\|begin_of_text\|>, <\|end_of_text\|>"
    with pytest.raises(ConfigError, match=message):
        load(trained(), "trained", GPT)
    bare = spec(added_tokens=[])
    with pytest.raises(ConfigError, match="the file has no special tokens"):
        load_spec(bare, GPT)
    # They still stand in the vocabulary, which is enough.
    assert load_spec(bare).eos_id == 1


def test_dropout_truncation_and_padding_of_a_json_are_off() -> None:
    changed = spec(truncation={"max_length": 4, "strategy": "LongestFirst", "stride": 0, "direction": "Right"})
    changed["normalizer"] = {"type": "NFC"}  # keeps it in `tokenizers`
    changed["model"]["dropout"] = 0.9
    [ids] = load_spec(changed).encode_batch([TEXTS[0]])
    assert ids[1:-1].tolist() == slow(TEXTS[0])


def engine_of(changed: dict[str, Any]) -> str:
    return type(load_spec(changed).engine).__name__


def test_tiktoken_is_used_only_where_it_is_exact() -> None:
    prefixed = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
    assert engine_of(spec()) == "_RankEngine"
    assert engine_of(spec(normalizer={"type": "NFC"})) == "_JsonEngine"
    assert engine_of(spec(pre_tokenizer=prefixed)) == "_JsonEngine"
    swapped = spec()
    swapped["model"]["merges"][0], swapped["model"]["merges"][5] = (
        swapped["model"]["merges"][5],
        swapped["model"]["merges"][0],
    )
    assert engine_of(swapped) == "_JsonEngine"
    missing = spec()
    missing["model"]["merges"].pop()
    assert engine_of(missing) == "_JsonEngine"
    plain = spec()
    plain["added_tokens"].append({**plain["added_tokens"][0], "id": 400, "content": "word", "special": False})
    assert engine_of(plain) == "_JsonEngine"


def test_the_training_sample_is_drawn_by_id() -> None:
    config = TokenizerConfig(train_bytes=250)
    ids = [f"{n:032x}" for n in range(4000)]
    chosen = [doc_id for doc_id in ids if in_training_sample(doc_id, 1000, config)]
    assert 880 < len(chosen) < 1120  # 1,000 expected, sigma 27
    assert all(in_training_sample(doc_id, 250, config) for doc_id in ids)
    more = TokenizerConfig(train_bytes=500)
    assert all(in_training_sample(doc_id, 1000, more) for doc_id in chosen)
    assert all(in_training_sample(doc_id, 0, config) for doc_id in ids[:10])


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(ConfigError, match="vocab_size: 257 is not allowed; must be >= 258"):
        TokenizerConfig(vocab_size=257)
    with pytest.raises(ConfigError, match="pattern: not a regular expression"):
        TokenizerConfig(pattern="(")
    with pytest.raises(ConfigError, match="eos: '' is not allowed"):
        TokenizerConfig(eos="")


@pytest.mark.skipif(not DATA.exists(), reason="shared/data/tokenizers is not beside the checkout")
def test_published_files_load_and_lose_nothing() -> None:
    text = "Hello world's   tokens,\n\n  don't 12345 — 狐狸 🦊 مرحبا <|endoftext|>"
    neo = load((DATA / "gpt-neo-tokenizer.json").read_bytes(), "gpt-neo-tokenizer.json", GPT)
    neox = load((DATA / "gpt-neox-20b.tiktoken").read_bytes(), "gpt-neox-20b.tiktoken", GPT)
    assert (neo.vocab_size, neo.eos_id) == (50_280, 50_279)
    assert (neox.vocab_size, neox.eos_id) == (50_277, 0)
    for made in (neo, neox):
        [ids] = made.encode_batch([text])
        assert made.eos_id not in ids[1:-1]
        assert made.decode(ids) == text


@pytest.mark.skipif(not DATA.exists(), reason="shared/data/tokenizers is not beside the checkout")
def test_gpt2_gives_its_known_ids() -> None:
    model = tokenizers.models.BPE.from_file(str(DATA / "gpt2" / "vocab.json"), str(DATA / "gpt2" / "merges.txt"))
    whole = tokenizers.Tokenizer(model)
    whole.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made = load(whole.to_str().encode(), "gpt2", GPT)
    assert type(made.engine).__name__ == "_RankEngine"
    # "Hello world" is 15496 995 in GPT-2's published vocabulary, <|endoftext|> 50256.
    assert made.encode_batch(["Hello world"])[0].tolist() == [50256, 15496, 995, 50256]
