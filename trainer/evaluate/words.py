"""Between text and the tokens of the shards: the tokenizer that the shards were made with."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

import storage
from schemas.errors import ConfigError
from schemas.shards import TokenizerFacts
from trainer.recipe import Recipe

FILE = "tokenizer.json"


@dataclass(frozen=True)
class Words:
    """Encodes and decodes."""

    engine: Tokenizer
    facts: TokenizerFacts

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text, without BOS and EOS."""
        ids: list[int] = self.engine.encode(text, add_special_tokens=False).ids
        return ids

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
        config = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": bos, "eos_token": eos,
                  "model_max_length": max_len, "clean_up_tokenization_spaces": False}  # fmt: skip
        (folder / FILE).write_text(json.dumps(plain, ensure_ascii=False), encoding="utf-8")
        (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")

    def decode(self, tokens: list[int]) -> str:
        """Return the text of tokens, BOS and EOS left out."""
        text: str = self.engine.decode(tokens, skip_special_tokens=True)
        return text


def open_words(recipe: Recipe, facts: TokenizerFacts) -> Words:
    """Return the tokenizer that a recipe names, or the one among the outputs of Winnow that it trains on.

    ConfigError when there is none with the SHA-256 that the shards tell.
    """
    named = recipe.evaluation.tokenizer
    looked_at = [named] if named else [path for folder in recipe.data for path in _candidates(folder)]
    for path in looked_at:
        data = storage.read_bytes(path)
        if hashlib.sha256(data).hexdigest() == facts.sha256:
            return Words(Tokenizer.from_buffer(data), facts)
    where = named or f"{FILE} under {', '.join(recipe.data)}"
    raise ConfigError(f"evaluation.tokenizer: {where} is not the shards' tokenizer, SHA-256 {facts.sha256}")


def _candidates(folder: str) -> list[str]:
    paths = storage.list_files(storage.join(folder.rstrip("/"), "tokenize"))
    return [path for path in paths if path.rpartition("/")[2] == FILE]
