"""The tokenizer: train a byte-level BPE, or load a tokenizer.json or a tiktoken rank file; documents as BOS text EOS.

Training is `tokenizers`' BPE over the Llama 3 pre-tokenizer (Llama 3 report, arXiv:2407.21783, 3.2: the tiktoken
cl100k pattern), over all 256 bytes, so that every text can be encoded and decoded. Pair counts are sums and ties fall
to the smaller pair, so the file depends on neither the order of the texts nor the number of threads.

Encoding runs in tiktoken wherever that gives the ids of the file exactly (`exact_ranks` proves it, token by token),
else in `tokenizers`: 2.9 against 0.36 million tokens per second of CPU on English web pages, the same ids.

A text is only text: a page that spells a special token never yields the special id, nor that of an added token that
looks like a control token (`<|user|>`, `[INST]`, `<think>`), whether or not the file calls it special. Deviations: lone
surrogates, which no UTF-8 can hold, become U+FFFD; runs of more than 25,000 characters without (or only of) white space
are cut first, as Meta's own tokenizer.py for Llama 3 does, because the pattern's backtracking fails on them. Only
byte-level tokenizers are cut so: others may put something before each piece (Llama 2's `▁`).
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import tiktoken
import tokenizers
from tokenizers import decoders, models, pre_tokenizers, trainers

from schemas.errors import ConfigError
from schemas.identity import keyed_fraction
from schemas.settings import setting, validate
from transforms.tokens.control_tokens import mark_control_tokens
from transforms.tokens.exact_ranks import LLAMA3_PATTERN, exact_ranks, spells_all, word_pattern

Ids = npt.NDArray[np.uint32]

MAX_RUN = 25_000  # characters without, or only of, white space; Meta's MAX_NO_WHITESPACES_CHARS
_RUNS = re.compile(r"\S+|\s+")
_NOT_SPACE = re.compile(r"\S+")


@dataclass(frozen=True, kw_only=True)
class TokenizerConfig:
    """Where the tokenizer comes from and how it is trained."""

    path: str = setting("", "a tokenizer.json or a tiktoken rank file; '' trains one on a sample of the documents")
    vocab_size: int = setting(
        32_768, "tokens of a trained vocabulary, BOS and EOS included; 128,256 in Llama 3", ge=258
    )
    train_bytes: int = setting(200_000_000, "UTF-8 bytes of text to train on, drawn by document id", ge=1)
    bos: str = setting("<|begin_of_text|>", "token before each document; a GPT-2 file has <|endoftext|> for both")
    eos: str = setting("<|end_of_text|>", "token after each document, and the padding of a source's last row")
    pattern: str = setting(LLAMA3_PATTERN, "regular expression that cuts words, for training and for rank files")

    def __post_init__(self) -> None:
        validate(self)
        for name in ("bos", "eos"):
            if not getattr(self, name):
                raise ConfigError(f"{name}: '' is not allowed; expected the text of a special token")
        try:
            tiktoken.Encoding(
                "pattern", pat_str=self.pattern, mergeable_ranks={bytes([b]): b for b in range(256)}, special_tokens={}
            )
        except ValueError as error:
            raise ConfigError(f"pattern: not a regular expression: {' '.join(str(error).split())}") from None


def in_training_sample(doc_id: str, total_bytes: int, config: TokenizerConfig) -> bool:
    """Return whether a document of a corpus of `total_bytes` trains the tokenizer: by its id, not by its place."""
    return keyed_fraction("tokenizer.train", doc_id) * total_bytes < config.train_bytes


def train_bpe(texts: Iterable[str], config: TokenizerConfig) -> bytes:
    """Return the tokenizer.json of a byte-level BPE trained on `texts`; the same bytes for any order of them.

    BOS and EOS are ids 0 and 1, the bytes follow. Fewer tokens than `vocab_size` come out where the texts have no more
    repeated pairs. Cost: about 0.5 s of CPU per MB of text.
    """
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(tokenizers.Regex(config.pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=config.vocab_size,
        special_tokens=list(dict.fromkeys((config.bos, config.eos))),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator((piece for text in texts for piece in _encodable(text)), trainer)
    return tokenizer.to_str(pretty=False).encode()


class Engine(Protocol):
    """A library that turns text into ids without ever reading a special token in it."""

    @property
    def takes_pieces(self) -> bool:
        """Whether the pieces of a long run have the ids that they have in the run, but at the cuts."""

    def encode(self, texts: Sequence[str]) -> list[Ids]: ...

    def decode(self, ids: Sequence[int]) -> str: ...


@dataclass(frozen=True)
class Tokenizer:
    """A loaded tokenizer. Load it in a worker's setup: it cannot be pickled."""

    name: str
    sha256: str  # of the file
    vocab_size: int  # highest id + 1
    bos_id: int
    eos_id: int
    engine: Engine

    def encode_batch(self, texts: Sequence[str]) -> list[Ids]:
        """Return each text as BOS, its tokens, EOS."""
        pieces = [_encodable(text) if self.engine.takes_pieces else [_storable(text)] for text in texts]
        encoded = iter(self.engine.encode([piece for group in pieces for piece in group]))
        bos, eos = np.array([self.bos_id], np.uint32), np.array([self.eos_id], np.uint32)
        return [np.concatenate((bos, *(next(encoded) for _ in group), eos)) for group in pieces]

    def decode(self, ids: Sequence[int] | Ids, *, specials: bool = False) -> str:
        """Return the text of `ids`, without BOS and EOS unless `specials`; halves of a character become U+FFFD."""
        found = [int(token) for token in ids]
        if found and max(found) >= self.vocab_size:
            raise ConfigError(
                f"{self.name}: token {max(found)} is not of this tokenizer; its ids end at {self.vocab_size}"
            )
        if not specials:
            found = [token for token in found if token not in (self.bos_id, self.eos_id)]
        return self.engine.decode(found)


@functools.lru_cache(maxsize=2)
def load(data: bytes, name: str, config: TokenizerConfig) -> Tokenizer:
    """Return the tokenizer in `data`, the bytes of the file `name`: a tokenizer.json or a tiktoken rank file.

    Raises ConfigError when the file is neither, lacks BOS or EOS, or would let a page's text yield their ids.
    """
    make = _load_json if data.lstrip()[:1] == b"{" else _load_ranks
    try:
        tokenizer = make(data, name, config)
    except (KeyError, IndexError, TypeError, AttributeError, ValueError, OverflowError, RecursionError) as error:
        what = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise ConfigError(f"{name}: not a tokenizer.json or rank file as their libraries write it ({what})") from None
    spelled = tokenizer.engine.encode([config.bos + config.eos + config.bos])[0]
    if np.isin(spelled, (tokenizer.bos_id, tokenizer.eos_id)).any():
        raise ConfigError(f"{name}: a text that spells {config.bos} or {config.eos} yields the special token itself")
    return tokenizer


def _storable(text: str) -> str:
    """Return `text` with lone surrogates replaced."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _encodable(text: str) -> list[str]:
    """Return `text` in pieces whose runs are bounded, lone surrogates replaced."""
    text = _storable(text)
    if len(text) <= MAX_RUN or max(map(len, (*text.split(), *_NOT_SPACE.split(text)))) <= MAX_RUN:
        return [text]
    cuts = [0, *_cuts(text), len(text)]
    return [text[start:end] for start, end in itertools.pairwise(cuts)]


def _cuts(text: str) -> Iterator[int]:
    for run in _RUNS.finditer(text):
        yield from range(run.start() + MAX_RUN, run.end(), MAX_RUN)


class _RankEngine:
    """tiktoken."""

    takes_pieces = True

    def __init__(self, name: str, pattern: str, ranks: dict[bytes, int], specials: dict[str, int]) -> None:
        ids = [*ranks.values(), *specials.values()]
        if len(set(ids)) < len(ids) or not all(type(one) is int and 0 <= one < 2**31 for one in ids):
            raise ConfigError(f"{name}: two tokens share an id, or an id is no number below 2^31")  # tiktoken aborts
        # tiktoken drops what its pattern does not match; the last arm keeps it.
        self._encoding = tiktoken.Encoding(
            name, pat_str=f"{pattern}|(?s:.)", mergeable_ranks=ranks, special_tokens=specials
        )

    def encode(self, texts: Sequence[str]) -> list[Ids]:
        return [self._encoding.encode_to_numpy(text, disallowed_special=()) for text in texts]

    def decode(self, ids: Sequence[int]) -> str:
        return self._encoding.decode_bytes(ids).decode("utf-8", "replace")


class _JsonEngine:
    """tokenizers."""

    def __init__(self, tokenizer: tokenizers.Tokenizer, *, takes_pieces: bool) -> None:
        self.takes_pieces = takes_pieces
        self._tokenizer = tokenizer
        self._tokenizer.encode_special_tokens = True  # that is: as the text they are

    def encode(self, texts: Sequence[str]) -> list[Ids]:
        encodings = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [np.array(encoding.ids, np.uint32) for encoding in encodings]

    def decode(self, ids: Sequence[int]) -> str:
        return self._tokenizer.decode(ids, skip_special_tokens=False)


def parse_ranks(data: bytes, name: str, config: TokenizerConfig) -> tuple[dict[bytes, int], dict[str, int]]:
    """Return the ranks of a tiktoken file, lines of base64 token and rank, and the ids of its special tokens.

    A special token the ranks lack gets the next id after the vocabulary. ConfigError when it is no such file.
    """
    ranks: dict[bytes, int] = {}
    for number, line in enumerate(data.splitlines(), 1):
        fields = line.split()
        if not fields:
            continue
        try:
            token, rank = fields
            ranks[base64.b64decode(token, validate=True)] = int(rank)
        except (ValueError, binascii.Error):
            raise ConfigError(f"{name}: neither a tokenizer.json nor a tiktoken rank file (line {number})") from None
    if not spells_all(ranks):
        raise ConfigError(f"{name}: the rank file lacks single bytes, so it cannot spell every text")
    specials: dict[str, int] = {}
    after = max(ranks.values()) + 1
    for text in dict.fromkeys((config.bos, config.eos)):
        specials[text] = ranks.pop(text.encode(), -1)
        if specials[text] < 0:
            specials[text], after = after, after + 1
    return ranks, specials


def _load_ranks(data: bytes, name: str, config: TokenizerConfig) -> Tokenizer:
    ranks, specials = parse_ranks(data, name, config)
    engine = _RankEngine(name, config.pattern, ranks, specials)
    size = max(*ranks.values(), *specials.values()) + 1
    return _tokenizer(data, name, size, specials[config.bos], specials[config.eos], engine)


def parse_json(data: bytes, name: str, config: TokenizerConfig) -> tuple[dict[str, Any], int, int]:
    """Return a tokenizer.json as texts are encoded with it, and the ids of BOS and EOS, which are marked special in it.

    ConfigError when `data` is no tokenizer.json or lacks BOS or EOS.
    """
    try:
        spec = json.loads(data)
    except ValueError:
        raise ConfigError(f"{name}: not valid JSON, so not a tokenizer.json") from None
    if not isinstance(spec.get("model"), dict) or not isinstance(spec["model"].get("vocab"), (dict, list)):
        raise ConfigError(f"{name}: a JSON file without a model and its vocabulary, so not a tokenizer.json")
    bos_id, eos_id = (_mark_special(spec, name, role, getattr(config, role)) for role in ("bos", "eos"))
    mark_control_tokens(spec["added_tokens"])
    spec["truncation"] = spec["padding"] = None
    if "dropout" in spec["model"]:
        spec["model"]["dropout"] = None  # merges left out at random are for training a model, not for a data set
    return spec, bos_id, eos_id


def _load_json(data: bytes, name: str, config: TokenizerConfig) -> Tokenizer:
    spec, bos_id, eos_id = parse_json(data, name, config)
    added = {token["content"]: token["id"] for token in spec["added_tokens"]}
    ranks = exact_ranks(spec)
    engine: Engine
    if ranks is not None:
        engine = _RankEngine(name, word_pattern(spec["pre_tokenizer"]), ranks, added)
        return _tokenizer(data, name, max(*ranks.values(), *added.values()) + 1, bos_id, eos_id, engine)
    try:
        loaded = tokenizers.Tokenizer.from_str(json.dumps(spec))
    except Exception as error:
        if type(error) is not Exception:  # tokenizers raises that very class and nothing narrower
            raise
        raise ConfigError(f"{name}: not a tokenizer.json: {error}") from None
    ids = loaded.get_vocab(with_added_tokens=True).values()
    takes_pieces = not spec.get("normalizer") and word_pattern(spec.get("pre_tokenizer")) != ""
    engine = _JsonEngine(loaded, takes_pieces=takes_pieces)
    return _tokenizer(data, name, max(ids) + 1, bos_id, eos_id, engine)


def _tokenizer(data: bytes, name: str, vocab_size: int, bos_id: int, eos_id: int, engine: Engine) -> Tokenizer:
    return Tokenizer(name, hashlib.sha256(data).hexdigest(), vocab_size, bos_id, eos_id, engine)


def _mark_special(spec: dict[str, Any], name: str, role: str, text: str) -> int:
    """Return the id of the token `text` of a tokenizer.json and mark it special, which keeps it out of texts."""
    added = spec.setdefault("added_tokens", [])
    for token in added:
        if token["content"] == text:
            token.update(special=True, normalized=False)
            return int(token["id"])
    vocab = spec["model"]["vocab"]
    if isinstance(vocab, dict) and text in vocab:
        flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
        added.append({"id": vocab[text], "content": text, "special": True, **flags})
        added.sort(key=lambda token: int(token["id"]))
        return int(vocab[text])
    candidates = [token["content"] for token in added if token.get("special")]
    allowed = ", ".join(candidates) if candidates else "the file has no special tokens"
    raise ConfigError(f"{role}: {text!r} is not in {name}; special tokens there: {allowed}")
