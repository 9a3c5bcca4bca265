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
import contextlib
import functools
import hashlib
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
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

N_BYTES = 256
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
    specials: tuple[str, ...] = setting(
        (), "tokens of dialogues, after BOS and EOS; no text yields one (ours: none; Llama 3's are preset:chat_tokens)"
    )
    reserved: int = setting(0, "further ones, <|reserved_special_token_N|>, for what comes later (ours: none)", ge=0)
    pattern: str = setting(LLAMA3_PATTERN, "regular expression that cuts words, for training and for rank files")

    def __post_init__(self) -> None:
        validate(self)
        for name in ("bos", "eos"):
            if not getattr(self, name):
                raise ConfigError(f"{name}: '' is not allowed; expected the text of a special token")
        names = self.special_tokens
        if "" in names or len(set(names)) < len({self.bos, self.eos}) + len(self.specials) + self.reserved:
            raise ConfigError(f"specials: {list(self.specials)} is not allowed; expected texts that are all different")
        if not self.path and self.vocab_size < N_BYTES + len(names):
            raise ConfigError(f"vocab_size: {self.vocab_size} is not allowed; {len(names)} special tokens and all bytes"
                              f" are {N_BYTES + len(names)}")  # fmt: skip
        try:
            tiktoken.Encoding(
                "pattern", pat_str=self.pattern, mergeable_ranks={bytes([b]): b for b in range(256)}, special_tokens={}
            )
        except ValueError as error:
            raise ConfigError(f"pattern: not a regular expression: {' '.join(str(error).split())}") from None

    @property
    def special_tokens(self) -> list[str]:
        """BOS, EOS, those of dialogues and the reserved ones, in the order of their ids."""
        numbers = (name for n in itertools.count() if (name := f"<|reserved_special_token_{n}|>") not in self.specials)
        return list(dict.fromkeys((self.bos, self.eos, *self.specials, *itertools.islice(numbers, self.reserved))))


def in_training_sample(doc_id: str, total_bytes: int, config: TokenizerConfig) -> bool:
    """Return whether a document of a corpus of `total_bytes` trains the tokenizer: by its id, not by its place."""
    return keyed_fraction("tokenizer.train", doc_id) * total_bytes < config.train_bytes


def train_bpe(texts: Iterable[str], config: TokenizerConfig) -> bytes:
    """Return the tokenizer.json of a byte-level BPE trained on `texts`; the same bytes for any order of them.

    BOS and EOS are ids 0 and 1; the other special tokens follow, then the bytes. Fewer tokens than `vocab_size` come
    out where the texts have no more repeated pairs. Cost: about 0.5 s of CPU per MB of text.
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
        special_tokens=config.special_tokens,
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
    special_ids: tuple[int, ...] = ()  # besides BOS and EOS, ascending: no document has them

    def encode_batch(self, texts: Sequence[str]) -> list[Ids]:
        """Return each text as BOS, its tokens, EOS."""
        pieces = [_encodable(text) if self.engine.takes_pieces else [_storable(text)] for text in texts]
        encoded = iter(self.engine.encode([piece for group in pieces for piece in group]))
        bos, eos = np.array([self.bos_id], np.uint32), np.array([self.eos_id], np.uint32)
        return [np.concatenate((bos, *(next(encoded) for _ in group), eos)) for group in pieces]

    def decode(self, ids: Sequence[int] | Ids, *, specials: bool = False) -> str:
        """Return the text of `ids`, without special tokens unless `specials`; halves of a character become U+FFFD."""
        found = [int(token) for token in ids]
        if found and max(found) >= self.vocab_size:
            raise ConfigError(
                f"{self.name}: token {max(found)} is not of this tokenizer; its ids end at {self.vocab_size}"
            )
        if not specials:
            found = [token for token in found if token not in (self.bos_id, self.eos_id, *self.special_ids)]
        return self.engine.decode(found)


@functools.lru_cache(maxsize=2)
def load(data: bytes, name: str, config: TokenizerConfig) -> Tokenizer:
    """Return the tokenizer in `data`, the bytes of the file `name`: a tokenizer.json or a tiktoken rank file.

    Raises ConfigError when the file is neither, lacks BOS or EOS, or would let a page's text yield their ids.
    """
    make = _load_json if data.lstrip()[:1] == b"{" else _load_ranks
    with _well_formed(name):
        tokenizer = make(data, name, config)
    spelled = tokenizer.engine.encode(["".join((*config.special_tokens, config.bos))])[0]
    if np.isin(spelled, (tokenizer.bos_id, tokenizer.eos_id, *tokenizer.special_ids)).any():
        texts = " or ".join((config.bos, config.eos, *config.specials))
        raise ConfigError(f"{name}: a text that spells {texts} yields the special token itself")
    return tokenizer


def load_for_texts(data: bytes, name: str, config: TokenizerConfig) -> Tokenizer:
    """Return the tokenizer in `data` for the tokens of texts alone, whatever the file calls BOS and EOS.

    Both are a special token of a tokenizer.json, or are added to one that has none. Raises ConfigError as `load` does.
    """
    if data.lstrip()[:1] == b"{":
        with _well_formed(name):
            spec = _read_json(data, name)
            model = spec["model"]
            found = [
                token["content"]
                for token in spec.get("added_tokens", ())
                if token.get("special") and token["content"]
                and token["content"] != model.get("unk_token") and token["id"] != model.get("unk_id")  # texts yield it
            ]  # fmt: skip
            if found:
                config = replace(config, bos=found[0], eos=found[0])
            else:
                data = _with_added(data, name, [config.bos, config.eos])
    return load(data, name, config)


@contextlib.contextmanager
def _well_formed(name: str) -> Iterator[None]:
    try:
        yield
    except (KeyError, IndexError, TypeError, AttributeError, ValueError, OverflowError, RecursionError) as error:
        what = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise ConfigError(f"{name}: not a tokenizer.json or rank file as their libraries write it ({what})") from None


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
    for text in config.special_tokens:
        specials[text] = ranks.pop(text.encode(), -1)
        if specials[text] < 0:
            specials[text], after = after, after + 1
    return ranks, specials


def _load_ranks(data: bytes, name: str, config: TokenizerConfig) -> Tokenizer:
    ranks, specials = parse_ranks(data, name, config)
    engine = _RankEngine(name, config.pattern, ranks, specials)
    size = max(*ranks.values(), *specials.values()) + 1
    return _tokenizer(data, name, size, specials, config, engine)


def parse_json(data: bytes, name: str, config: TokenizerConfig) -> tuple[dict[str, Any], dict[str, int]]:
    """Return a tokenizer.json as texts are encoded with it, and the ids of its special tokens, marked so in it.

    ConfigError when `data` is no tokenizer.json or lacks one of them.
    """
    spec = _read_json(data, name)
    roles = {config.eos: "eos", config.bos: "bos"}
    ids = {text: _mark_special(spec, name, roles.get(text, "specials"), text) for text in config.special_tokens}
    mark_control_tokens(spec["added_tokens"])
    spec["truncation"] = spec["padding"] = None
    if "dropout" in spec["model"]:
        spec["model"]["dropout"] = None  # merges left out at random are for training a model, not for a data set
    return spec, ids


def _read_json(data: bytes, name: str) -> dict[str, Any]:
    try:
        spec: dict[str, Any] = json.loads(data)
    except ValueError:
        raise ConfigError(f"{name}: not valid JSON, so not a tokenizer.json") from None
    if not isinstance(spec.get("model"), dict) or not isinstance(spec["model"].get("vocab"), (dict, list)):
        raise ConfigError(f"{name}: a JSON file without a model and its vocabulary, so not a tokenizer.json")
    return spec


def with_specials(data: bytes, name: str, config: TokenizerConfig) -> bytes:
    """Return a tokenizer's file with the special tokens of dialogues that it lacks, after all others.

    The same bytes where it lacks none, and for a rank file, which lists no special tokens. ConfigError for a
    tokenizer.json whose vocabulary has scores, to which none can be added.
    """
    added = [text for text in config.special_tokens if text not in (config.bos, config.eos)]
    return data if not added or data.lstrip()[:1] != b"{" else _with_added(data, name, added)


def _with_added(data: bytes, name: str, added: Sequence[str]) -> bytes:
    spec = _read_json(data, name)
    vocab, tokens = spec["model"]["vocab"], spec.setdefault("added_tokens", [])
    had = {token["content"]: token["id"] for token in tokens}
    missing = [text for text in added if text not in had and text not in vocab]
    if missing and not isinstance(vocab, dict):
        raise ConfigError(f"specials: {missing[0]!r} is not in {name}, and cannot be added to a vocabulary with scores")
    for text in missing:
        vocab[text] = max((*vocab.values(), *had.values()), default=-1) + 1
        _mark_special(spec, name, "specials", text)
    return json.dumps(spec, ensure_ascii=False, separators=(",", ":")).encode() if missing else data


def _load_json(data: bytes, name: str, config: TokenizerConfig) -> Tokenizer:
    spec, special = parse_json(data, name, config)
    added = {token["content"]: token["id"] for token in spec["added_tokens"]}
    ranks = exact_ranks(spec)
    engine: Engine
    if ranks is not None:
        engine = _RankEngine(name, word_pattern(spec["pre_tokenizer"]), ranks, added)
        return _tokenizer(data, name, max(*ranks.values(), *added.values()) + 1, special, config, engine)
    try:
        loaded = tokenizers.Tokenizer.from_str(json.dumps(spec))
    except Exception as error:
        if type(error) is not Exception:  # tokenizers raises that very class and nothing narrower
            raise
        raise ConfigError(f"{name}: not a tokenizer.json: {error}") from None
    ids = loaded.get_vocab(with_added_tokens=True).values()
    takes_pieces = not spec.get("normalizer") and word_pattern(spec.get("pre_tokenizer")) != ""
    engine = _JsonEngine(loaded, takes_pieces=takes_pieces)
    return _tokenizer(data, name, max(ids) + 1, special, config, engine)


def _tokenizer(
    data: bytes, name: str, vocab_size: int, special: dict[str, int], config: TokenizerConfig, engine: Engine
) -> Tokenizer:  # fmt: skip
    others = tuple(sorted(n for text, n in special.items() if text not in (config.bos, config.eos)))
    digest = hashlib.sha256(data).hexdigest()
    return Tokenizer(name, digest, vocab_size, special[config.bos], special[config.eos], engine, others)


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
