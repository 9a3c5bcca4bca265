"""A small model file of two languages, trained as the command does."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import pytest

from transforms.heuristics.perplexity.perplexity import PerplexityConfig
from transforms.heuristics.perplexity.train import PerplexityReport, PerplexityTrainConfig, train_perplexity

NOUNS = ["cat", "dog", "bird", "horse", "child", "teacher", "river", "garden"]
VERBS = ["sees", "finds", "follows", "likes"]
CONFIG = PerplexityTrainConfig(vocab_size=400, order=3, prune=0)


def sentence(seed: int) -> str:
    chance = random.Random(seed)
    return f"The {chance.choice(NOUNS)} {chance.choice(VERBS)} the {chance.choice(NOUNS)}."


TEXTS = [
    *((f"{sentence(n)}\n\n{sentence(n + 1000)} {sentence(n + 2000)}", "en") for n in range(200)),
    *((f"Das {n % 7}. Haus steht an der Straße.", "de") for n in range(20)),
]


@dataclass(frozen=True)
class Trained:
    data: bytes
    report: PerplexityReport
    path: Path

    def config(self, **changes: object) -> PerplexityConfig:
        pinned = {"judge": "measure", "model_path": str(self.path), "model_sha256": self.report.sha256}
        return PerplexityConfig(**{**pinned, **changes})  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    data, report = train_perplexity(TEXTS, CONFIG)
    path = tmp_path_factory.mktemp("perplexity") / "model.zip"
    path.write_bytes(data)
    return Trained(data, report, path)
