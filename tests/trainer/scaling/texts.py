"""Token shards of bytes for small real runs: text drawn from a seed, with something in it to learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from schemas.shards import TokenizerFacts
from tests.trainer.shards import write_source

TOKENIZER = TokenizerFacts(sha256="b" * 64, vocab_size=32, bos_id=0, eos_id=1)
WORDS = 40


def write_text(folder: Path, source: str, tokens: int, language: int, seed: int) -> None:
    """Write shards of about `tokens` tokens: words of a `language` of its own, some more common than others."""
    letters = np.random.default_rng(language)
    words = [[*letters.integers(3, 32, letters.integers(2, 6)).tolist(), 2] for _ in range(WORDS)]
    drawn = np.random.default_rng([language, seed])
    documents, n = [], 0
    while n < tokens:
        chosen = drawn.zipf(1.5, 30) % WORDS
        documents.append([0, *(token for word in chosen for token in words[word]), 1])
        n += len(documents[-1])
    write_source(folder, source, documents, row_tokens=64, rows_per_shard=4096, rows_per_group=64, tokenizer=TOKENIZER)
