"""Tokens of dialogues: ids of their own in any kind of file, that no text yields and the exported folder has."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from pipelines.commands.arguments.options import settings_of
from pipelines.recipes.common_crawl import CommonCrawlConfig
from pipelines.recipes.find import find_recipe
from schemas.errors import ConfigError
from transforms.tokens.tokenizer import TokenizerConfig, load, train_bpe, with_specials
from transforms.tokens.tokenizer_fit import TokenizerFit
from transforms.tokens.tokenizer_folder import tokenizer_folder

CHAT = ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")
CONFIG = TokenizerConfig(vocab_size=320, specials=CHAT, reserved=2)
NAMES = [*CHAT, "<|reserved_special_token_0|>", "<|reserved_special_token_1|>"]
TEXTS = ["The quick brown fox jumps over the lazy dog.", "der schnelle braune Fuchs"] * 5
PLAIN = TokenizerConfig(vocab_size=300)
HOSTILE = f"a user wrote {''.join(NAMES)} here"


def rank_file() -> bytes:
    return b"".join(b"%s %d\n" % (base64.b64encode(bytes([n])), n) for n in range(256))


def json_file() -> bytes:
    return train_bpe(TEXTS, PLAIN)


@pytest.mark.parametrize("kind", ["trained", "json", "ranks"])
def test_special_tokens_have_ids_that_no_text_yields(kind: str, tmp_path: Path) -> None:
    if kind == "trained":
        config, data = CONFIG, train_bpe(TEXTS, CONFIG)
    else:
        path = tmp_path / "tokenizer"
        path.write_bytes(json_file() if kind == "json" else rank_file())
        config = TokenizerConfig(path=str(path), specials=CHAT, reserved=2)
        data = TokenizerFit(config).fit([])
    tokenizer = load(data, "t", config)
    first = {"trained": 2, "json": load(json_file(), "t", PLAIN).vocab_size, "ranks": 258}[kind]
    assert tokenizer.special_ids == tuple(range(first, first + 5))
    assert tokenizer.vocab_size > max(tokenizer.special_ids)
    [ids] = tokenizer.encode_batch([HOSTILE])
    assert not {*tokenizer.special_ids} & {*ids.tolist()}
    assert tokenizer.decode(ids) == HOSTILE
    assert tokenizer.decode(tokenizer.special_ids, specials=True) == "".join(NAMES)
    assert tokenizer.decode([*tokenizer.special_ids, *ids]) == HOSTILE


@pytest.mark.parametrize("kind", ["trained", "ranks"])
def test_the_folder_gives_the_same_ids(kind: str, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    data = train_bpe(TEXTS, CONFIG) if kind == "trained" else rank_file()
    tokenizer = load(data, "t", CONFIG)
    for name, content in tokenizer_folder(data, "t", CONFIG).items():
        (tmp_path / name).write_bytes(content)
    theirs = transformers.AutoTokenizer.from_pretrained(str(tmp_path))
    assert tuple(theirs.convert_tokens_to_ids(NAMES)) == tokenizer.special_ids
    assert set(NAMES) <= set(theirs.all_special_tokens)
    spelled = theirs.encode(f"{CHAT[0]}user{CHAT[1]}", add_special_tokens=False)
    assert (spelled[0], spelled[-1]) == tokenizer.special_ids[:2]
    assert theirs.decode([*tokenizer.special_ids, *theirs.encode("fox")], skip_special_tokens=True) == "fox"


def test_without_any_the_files_are_what_they_were() -> None:
    data = json_file()
    assert with_specials(data, "t", PLAIN) is data
    assert load(data, "t", PLAIN).special_ids == ()
    assert "additional_special_tokens" not in json.loads(tokenizer_folder(data, "t", PLAIN)["tokenizer_config.json"])
    chat = train_bpe(TEXTS, CONFIG)
    assert with_specials(chat, "t", CONFIG) is chat


def test_the_preset_has_the_ids_of_llama_3() -> None:
    laid = settings_of(find_recipe("common_crawl"), [Path("preset:chat_tokens")], None)
    assert isinstance(laid, CommonCrawlConfig)
    names = laid.tokenizer.special_tokens
    assert len(names) == len(set(names)) == 256
    # Llama 3.1's tokenizer.json: 128,000 is BOS.
    found = {text: 128_000 + names.index(text) for text in (*CHAT, "<|eom_id|>", "<|python_tag|>")}
    assert found == {CHAT[0]: 128_006, CHAT[1]: 128_007, "<|eom_id|>": 128_008, CHAT[2]: 128_009,
                     "<|python_tag|>": 128_010}  # fmt: skip
    assert names[-1] == "<|reserved_special_token_247|>"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"specials": ("<|a|>", "<|a|>")}, "texts that are all different"),
        ({"specials": ("<|end_of_text|>",)}, "texts that are all different"),
        ({"specials": ("",)}, "texts that are all different"),
        (
            {"reserved": 63, "vocab_size": 320},
            "vocab_size: 320 is not allowed; 65 special tokens and all bytes are 321",
        ),
    ],
)
def test_settings_that_cannot_work(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        TokenizerConfig(**changes)  # type: ignore[arg-type]
    assert message in str(caught.value)


def test_none_can_be_added_to_a_vocabulary_with_scores() -> None:
    unigram = {"model": {"type": "Unigram", "vocab": [["a", -1.0]], "unk_id": 0}, "added_tokens": []}
    with pytest.raises(ConfigError, match="cannot be added to a vocabulary with scores"):
        with_specials(json.dumps(unigram).encode(), "t", CONFIG)
