"""The tokenizer as a fit: trained on a sample drawn by document id, or a file that is taken as it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import storage
from schemas.records import Document
from transforms.fit import CorpusSize
from transforms.step import Draft
from transforms.tokens.tokenizer import Tokenizer, TokenizerConfig, in_training_sample, load, train_bpe, with_specials


def read_file(config: TokenizerConfig) -> bytes:
    """Return the file that the settings name, with the special tokens of dialogues that it lacks."""
    return with_specials(storage.read_bytes(config.path), config.path, config)


@dataclass(frozen=True)
class TokenizerFit:
    """Makes the tokenizer's file."""

    settings: TokenizerConfig
    name: ClassVar[str] = "tokenizer"

    @property
    def resources(self) -> list[str]:
        return storage.files_below(self.settings.path)

    def wants(self, draft: Draft, corpus: CorpusSize) -> bool:
        """Return whether a document is drawn; none where a file is given."""
        return not self.settings.path and in_training_sample(draft.document.id, corpus.text_bytes, self.settings)

    def fit(self, sample: Iterable[Document]) -> bytes:
        """Train a byte-level BPE, or read the file that is given, with the special tokens that it lacks."""
        if self.settings.path:
            return read_file(self.settings)
        return train_bpe((document.text for document in sample), self.settings)

    def step(self, artefact: bytes) -> Tokenizer:
        """Return the tokenizer."""
        return load(artefact, self.settings.path or "tokenizer.json", self.settings)
