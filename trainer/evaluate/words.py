"""Between text and the tokens of the shards: the tokenizer that the shards were made with."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer, decoders

import storage
from schemas.errors import ConfigError, RunError
from schemas.shards import TokenizerFacts
from trainer.recipe import Recipe

FILE = "tokenizer.json"
FOLDER, FACTS = "tokenizer", "facts.json"  # in the folder of a run: its tokenizer, and what its shards say of it


@dataclass(frozen=True)
class Words:
    """Encodes and decodes."""

    engine: Tokenizer
    facts: TokenizerFacts

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text, without BOS and EOS."""
        ids: list[int] = self.engine.encode(text, add_special_tokens=False).ids
        return ids

    def token_bytes(self) -> npt.NDArray[np.int64]:
        """Return how many bytes of text each token of the shards' vocabulary writes, [vocab_size]; 0 for special ones.

        A byte-level token is written in letters that stand for one byte each; any other by what it decodes to.
        """
        special = {number for number, token in self.engine.get_added_tokens_decoder().items() if token.special}
        special |= {self.facts.bos_id, self.facts.eos_id}
        by_byte = isinstance(self.engine.decoder, decoders.ByteLevel)
        names = [self.engine.id_to_token(number) for number in range(self.facts.vocab_size)]
        found = np.zeros(self.facts.vocab_size, np.int64)
        for number, name in enumerate(names):
            if name is not None and number not in special:
                found[number] = len(name) if by_byte else len(self.engine.decode([number]).encode())
        return found

    def write(self, folder: Path, max_len: int) -> None:
        """Save the tokenizer with a model, as transformers reads it: it puts BOS before a text, as the shards do."""
        bos, eos = (self.engine.id_to_token(number) for number in (self.facts.bos_id, self.facts.eos_id))
        single = [{"SpecialToken": {"id": bos, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
        plain = json.loads(self.engine.to_str())
        plain["post_processor"] = {
            "type": "TemplateProcessing", "single": single,
            "pair": [*single, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {bos: {"id": bos, "ids": [self.facts.bos_id], "tokens": [bos]}},
        }  # fmt: skip
        config: dict[str, Any] = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": bos, "eos_token": eos,
                  "model_max_length": max_len, "clean_up_tokenization_spaces": False}  # fmt: skip
        if self.facts.special_ids:
            config["additional_special_tokens"] = [self.engine.id_to_token(n) for n in self.facts.special_ids]
        (folder / FILE).write_text(json.dumps(plain, ensure_ascii=False), encoding="utf-8")
        (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")

    def decode(self, tokens: list[int]) -> str:
        """Return the text of tokens, BOS and EOS left out."""
        text: str = self.engine.decode(tokens, skip_special_tokens=True)
        return text


def open_words(recipe: Recipe, facts: TokenizerFacts, run: Path | None = None) -> Words:
    """Return the tokenizer that a recipe names, else the one in the folder of the run, or in the data it trains on.

    ConfigError when there is none with the SHA-256 that the shards tell.
    """
    data = _find(recipe, facts, run)
    if data is not None:
        return Words(Tokenizer.from_buffer(data), facts)
    named = recipe.evaluation.tokenizer
    where = named or f"{FILE} under {', '.join(recipe.data)}"
    raise ConfigError(f"evaluation.tokenizer: {where} is not the shards' tokenizer, SHA-256 {facts.sha256}")


def keep_tokenizer(run: Path, recipe: Recipe, facts: TokenizerFacts) -> None:
    """Put into a run's folder what the shards say of their tokenizer, and the tokenizer where there is one to be found.

    With it the folder can be sampled from, exported and measured where the shards are not.
    """
    storage.write_atomic(str(run / FOLDER / FACTS), json.dumps(dataclasses.asdict(facts), indent=1).encode())
    data = _find(recipe, facts, run)
    if data is not None and not (run / FOLDER / FILE).exists():
        storage.write_atomic(str(run / FOLDER / FILE), data)


def kept_facts(run: Path) -> TokenizerFacts | None:
    """Return what a run's folder says of the tokenizer; None where it says nothing. RunError for a broken file."""
    path = run / FOLDER / FACTS
    if not path.exists():
        return None
    try:
        return TokenizerFacts(**json.loads(path.read_bytes()))
    except (ValueError, TypeError) as error:
        raise RunError(f"{path}: not what a run says of its tokenizer ({error})") from None


def _find(recipe: Recipe, facts: TokenizerFacts, run: Path | None) -> bytes | None:
    """Return the bytes of the first tokenizer that has the SHA-256 of the shards."""
    for path in _looked_at(recipe, run):
        data = storage.read_bytes(path)
        if hashlib.sha256(data).hexdigest() == facts.sha256:
            return data
    return None


def _looked_at(recipe: Recipe, run: Path | None) -> Iterator[str]:
    if recipe.evaluation.tokenizer:
        yield recipe.evaluation.tokenizer
        return
    if run is not None and (run / FOLDER / FILE).exists():
        yield str(run / FOLDER / FILE)
    for folder in recipe.data:
        yield from _candidates(folder)


def _candidates(folder: str) -> list[str]:
    paths = storage.list_files(storage.join(folder.rstrip("/"), "tokenize"))
    return [path for path in paths if path.rpartition("/")[2] == FILE]
