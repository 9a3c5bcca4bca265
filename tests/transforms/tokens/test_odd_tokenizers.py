"""Tokenizers of others: control tokens nobody calls special, and normalizers that put something before a text."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import tokenizers
from tokenizers import models, normalizers, pre_tokenizers

from schemas.errors import ConfigError
from transforms.tokens.tokenizer import MAX_RUN, TokenizerConfig, load, train_bpe

CONFIG = TokenizerConfig(vocab_size=300)
LLAMA2 = TokenizerConfig(bos="<s>", eos="</s>")
CONTROL = [
    "<|user|>",
    "<|im_start|>",
    "<\uff5cAssistant\uff5c>",
    "[INST]",
    "[/INST]",
    "<think>",
    "</tool_call>",
    "<unused7>",
]
TEXTUAL = ["  ", "\t\t\t", "<table>", "</h1>", "[x]", "->", "n't"]


def _with_added(contents: list[str], *, special: bool = False) -> bytes:
    spec = json.loads(train_bpe(["one two three"] * 3, CONFIG))
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    spec["added_tokens"] += [
        {"id": len(spec["model"]["vocab"]) + n, "content": content, "special": special, **flags}
        for n, content in enumerate(contents)
    ]
    return json.dumps(spec).encode()


@pytest.mark.parametrize("special", [False, True])
@pytest.mark.parametrize("content", CONTROL)
def test_a_text_that_spells_a_control_token_is_text(content: str, special: bool) -> None:
    tokenizer = load(_with_added([content], special=special), "file", CONFIG)
    text = f"a {content} b{content}"
    (ids,) = tokenizer.encode_batch([text])
    assert tokenizer.vocab_size - 1 not in ids
    assert tokenizer.decode(ids) == text


@pytest.mark.parametrize("content", TEXTUAL)
def test_added_tokens_for_text_are_used(content: str) -> None:
    tokenizer = load(_with_added([content]), "file", CONFIG)
    (ids,) = tokenizer.encode_batch([f"a{content}b"])
    assert tokenizer.vocab_size - 1 in ids


def _llama2_like(before: str) -> tokenizers.Tokenizer:
    letters = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "\u2581", "x", "y", "\u7684", "xx"]
    vocab = {token: number for number, token in enumerate(letters)}
    model = models.BPE(vocab=vocab, merges=[("x", "x")], unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    tokenizer = tokenizers.Tokenizer(model)
    if before == "normalizer":
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    elif before == "metaspace":
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.add_special_tokens(["<s>", "</s>"])
    return tokenizer


@pytest.mark.parametrize("before", ["normalizer", "metaspace", "prefix space"])
@pytest.mark.parametrize(
    "text", ["x" * (MAX_RUN + 1), "\u7684" * (2 * MAX_RUN + 7), "y " + "x" * (3 * MAX_RUN), " " * 30_000]
)
def test_a_long_run_has_the_ids_of_the_file(before: str, text: str) -> None:
    made = _llama2_like(before)
    (ids,) = load(made.to_str().encode(), "file", LLAMA2).encode_batch([text])
    assert ids[1:-1].tolist() == made.encode(text, add_special_tokens=False).ids


@pytest.mark.parametrize(
    "change",
    [
        {"added_tokens": None}, {"added_tokens": [{}]}, {"added_tokens": [1]}, {"model": []},
        {"model": {"type": "BPE", "vocab": {"a": "b"}, "merges": []}}, {"pre_tokenizer": {"type": "Sequence"}},
        {"model": {"type": "BPE", "vocab": ["a"], "merges": [1]}}, {"normalizer": 5},
    ],
)  # fmt: skip
def test_a_file_that_is_out_of_shape_is_one_line(change: dict[str, Any]) -> None:
    spec = json.loads(train_bpe(["one two"], CONFIG))
    with pytest.raises(ConfigError, match="file: ") as raised:
        load(json.dumps({**spec, **change}).encode(), "file", CONFIG)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("ranks", [b"YQ== 0\nYg== 0\n", b"YQ== -1\n", b"YQ== 99999999999\n"])
def test_ids_that_tiktoken_aborts_on_are_one_line(ranks: bytes) -> None:
    single = b"".join(b"%s %d\n" % (base64.b64encode(bytes([n])), n + 10) for n in range(256) if n not in b"ab")
    rest = b"Yg== 5\n" if b"Yg==" not in ranks else b""
    with pytest.raises(ConfigError, match="share an id, or an id is no number"):
        load(single + rest + ranks, "file", CONFIG)
