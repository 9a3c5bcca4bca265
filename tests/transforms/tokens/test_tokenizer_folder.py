"""AutoTokenizer, loaded from the folder, gives the pipeline's tokens with BOS before them, for any kind of file."""

from __future__ import annotations

import base64
import json
import pathlib
from collections.abc import Callable
from typing import Any

import pytest
import tokenizers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.errors import ConfigError
from transforms.tokens.exact_ranks import GPT2_PATTERN
from transforms.tokens.tokenizer import TokenizerConfig, load, train_bpe
from transforms.tokens.tokenizer_folder import tokenizer_folder

transformers = pytest.importorskip("transformers")

ROOT = pathlib.Path(__file__).resolve().parents[3]
DATA = ROOT.parent / "shared" / "data" / "tokenizers"
CONFIG = TokenizerConfig(vocab_size=500)
ONE = TokenizerConfig(bos="<|endoftext|>", eos="<|endoftext|>", pattern=GPT2_PATTERN)
TEXTS = [
    "The quick brown fox jumps over the lazy dog. The dog sleeps; the fox doesn't.",
    "Быстрая лиса прыгает через ленивую собаку. 12345 67 8.\n\n  — Ja!",
    "敏捷的棕色狐狸跳过懒狗。 敏捷的狐狸。 \U0001f98a",
    "def fox(n):\n\treturn n + 1\r\n\n\n    # the end\n",
    "",
    " ",
    "\x00\x7f e\u0301 \u200b \u00a0",
]
TRAINED = train_bpe(TEXTS * 4, CONFIG)


def template(*names: str) -> dict[str, Any]:
    spec = json.loads(TRAINED)
    ids = {token["content"]: token["id"] for token in spec["added_tokens"]}
    parts: list[dict[str, Any]] = [{"Sequence": {"id": "A", "type_id": 0}}]
    before, after = ([{"SpecialToken": {"id": name, "type_id": 0}}] for name in (names[0], names[-1]))
    single = [*before, *parts, *(after if len(names) > 1 else [])]
    special = {name: {"id": name, "ids": [ids[name]], "tokens": [name]} for name in names}
    return {"type": "TemplateProcessing", "single": single, "pair": single, "special_tokens": special}


def changed(**changes: Any) -> bytes:
    return json.dumps({**json.loads(TRAINED), **changes}).encode()


def not_marked() -> bytes:
    """A file whose BOS and EOS are words of the vocabulary and nothing more."""
    spec = json.loads(TRAINED)
    return changed(model={**spec["model"], "vocab": spec["model"]["vocab"]}, added_tokens=[])


def ranks_of(data: bytes) -> bytes:
    """The trained tokenizer as a rank file: its ranks are its ids."""
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in shown]
    letters = {chr(byte): byte for byte in shown} | {chr(256 + n): byte for n, byte in enumerate(hidden)}
    spec = json.loads(data)
    special = {token["content"] for token in spec["added_tokens"]}
    lines = [
        base64.b64encode(bytes(letters[c] for c in token)) + b" %d\n" % (n - 2)
        for token, n in spec["model"]["vocab"].items()
        if token not in special
    ]
    return b"".join(lines)


def ranks_with_gaps() -> bytes:
    """The same with ids that no token has, and BOS among them."""
    lines = [line.split() for line in ranks_of(TRAINED).splitlines()]
    spread = [b"%s %d\n" % (token, 2 * int(rank)) for token, rank in lines]
    return b"".join([base64.b64encode(CONFIG.bos.encode()) + b" 7\n", *spread])


BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True}
FILES: dict[str, Callable[[], bytes]] = {
    "trained": lambda: TRAINED,
    "byte_level_post_processor": lambda: changed(post_processor=BYTE_LEVEL),
    "its_own_bos": lambda: changed(post_processor=template(CONFIG.bos)),
    "its_own_bos_and_eos": lambda: changed(post_processor=template(CONFIG.bos, CONFIG.eos)),
    "both": lambda: changed(post_processor={"type": "Sequence", "processors": [BYTE_LEVEL, template(CONFIG.bos)]}),
    "truncated_and_padded": lambda: changed(
        truncation={"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0}
    ),
    "not_marked": not_marked,
    "rank_file": lambda: ranks_of(TRAINED),
    "rank_file_with_gaps": ranks_with_gaps,
}


def open_folder(folder: pathlib.Path, data: bytes, config: TokenizerConfig) -> Any:
    for name, text in tokenizer_folder(data, "file", config).items():
        (folder / name).write_bytes(text)
    return transformers.AutoTokenizer.from_pretrained(str(folder))


def assert_same(found: Any, data: bytes, config: TokenizerConfig, texts: list[str]) -> None:
    ours = load(data, "file", config)
    assert (found.bos_token, found.eos_token) == (config.bos, config.eos)
    assert (found.bos_token_id, found.eos_token_id) == (ours.bos_id, ours.eos_id)
    assert max(found.get_vocab().values()) + 1 == ours.vocab_size
    for text, tokens in zip(texts, ours.encode_batch(texts), strict=True):
        assert found(text).input_ids == tokens[:-1].tolist(), text
        assert found.decode(tokens.tolist(), skip_special_tokens=True) == text


@pytest.mark.parametrize("name", FILES)
def test_a_folder_encodes_as_the_pipeline_does(tmp_path: pathlib.Path, name: str) -> None:
    data = FILES[name]()
    assert_same(open_folder(tmp_path, data, CONFIG), data, CONFIG, TEXTS)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=60))
def test_any_text(loaded: list[tuple[Any, bytes]], text: str) -> None:
    for found, data in loaded:
        assert_same(found, data, CONFIG, [text])


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Any, bytes]]:
    files = [FILES[name]() for name in ("trained", "rank_file")]
    return [(open_folder(tmp_path_factory.mktemp("folder"), data, CONFIG), data) for data in files]


def test_the_same_bytes_for_the_same_file() -> None:
    assert tokenizer_folder(TRAINED, "a", CONFIG) == tokenizer_folder(TRAINED, "b", CONFIG)


def test_a_rank_file_with_another_pattern(tmp_path: pathlib.Path) -> None:
    config = TokenizerConfig(pattern=r"[a-z]+", bos="<s>", eos="</s>")  # leaves out all but small letters
    data = ranks_of(TRAINED)
    assert_same(open_folder(tmp_path, data, config), data, config, TEXTS)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"{", "not valid JSON"),
        (b"{}", "without a model"),
        (b"no ranks at all", "neither a tokenizer.json nor a tiktoken rank file"),
        (base64.b64encode(b"a") + b" 0\n", "lacks single bytes"),
        (TRAINED.replace(b"<|end_of_text|>", b"<|another|>"), "is not in file"),
    ],
)
def test_what_is_no_tokenizer_is_told_in_one_line(data: bytes, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as told:
        tokenizer_folder(data, "file", CONFIG)
    assert "\n" not in str(told.value)


@pytest.mark.skipif(not DATA.exists(), reason="shared/data/tokenizers is not beside the checkout")
@pytest.mark.parametrize("name", ["gpt-neo-tokenizer.json", "gpt-neox-20b.tiktoken"])
def test_real_tokenizers(tmp_path: pathlib.Path, name: str) -> None:
    data = (DATA / name).read_bytes()
    found = open_folder(tmp_path, data, ONE)
    ours = load(data, name, ONE)
    assert (found.bos_token_id, found.eos_token_id) == (ours.bos_id, ours.eos_id)
    for text, tokens in zip(TEXTS, ours.encode_batch(TEXTS), strict=True):
        assert found(text).input_ids == tokens[:-1].tolist(), text


def test_a_tokenizer_that_is_not_byte_level(tmp_path: pathlib.Path) -> None:
    model = tokenizers.models.BPE({"<s>": 0, "</s>": 1, "▁": 2, "a": 3, "▁a": 4, "b": 5}, [("▁", "a")])
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.normalizer = tokenizers.normalizers.Sequence(
        [tokenizers.normalizers.Prepend("▁"), tokenizers.normalizers.Replace(" ", "▁")]
    )
    tokenizer.add_special_tokens(["<s>", "</s>"])
    config, data = TokenizerConfig(bos="<s>", eos="</s>"), tokenizer.to_str().encode()
    found, ours = open_folder(tmp_path, data, config), load(data, "file", config)
    for text in ("a b", "ab a", "b"):
        assert found(text).input_ids == ours.encode_batch([text])[0][:-1].tolist()
