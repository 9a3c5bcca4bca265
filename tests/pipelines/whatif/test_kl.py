"""The stage `kl` decided again by what it stored, beside a real rerun of the stage."""

from __future__ import annotations

import dataclasses
import functools
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.runs.counts import Counts
from pipelines.runs.folder import DataFolder, Manifest
from pipelines.runs.graph import Node, Recipe
from pipelines.stages.fit import FitStage
from pipelines.whatif.whatif import StageResult, WhatIf
from schemas.identity import content_id
from schemas.records import Document
from tests.pipelines.conftest import WORDS
from tests.pipelines.stages.conftest import Dataset, Done
from tests.pipelines.whatif.conftest import by_source_and_language
from transforms.heuristics.kl.token_kl import KlConfig, TokenKlFit
from transforms.tokens.tokenizer import TokenizerConfig

MEASURED = KlConfig(judge="measure", compared_tokens=20, min_documents=20)


def document(n: int) -> Document:
    """Return a text of usual words, or of a few of them again and again; one in five is of a language not judged."""
    dice = random.Random(n)
    words = WORDS.split()
    words = dice.sample(words, dice.choice([2, 5, len(words)]))
    language = "en" if n % 5 else "de"
    return Document(
        id=content_id("kl", str(n)), text=" ".join(dice.choices(words, k=40)), source="web", language=language
    )  # fmt: skip


DOCUMENTS = [document(n) for n in range(90)]


def fitted(config: KlConfig) -> FitStage:
    return FitStage(TokenKlFit.of(config, TokenizerConfig(vocab_size=300)))


def run(folder: Path, config: KlConfig) -> Done:
    return Dataset(folder).documents(fitted(config), DOCUMENTS, 3)


def told(folder: Path, done: Done, before: KlConfig, after: KlConfig) -> StageResult:
    read = DataFolder(str(folder / "0" / "before" / "key"))
    upstream = Manifest(
        stage="before", key="key", version="0", upstream={}, config={}, inputs=[], parts=3, counts=Counts()
    )
    recipes = [Recipe("test", (Node("kl", fitted(config), ("before",)),), {}) for config in (before, after)]
    work = WhatIf([(upstream, read), (done.manifest, done.data)], *recipes)
    work.work_out()
    return work.results["kl"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Done, KlConfig]]:
    """One run for each reading."""
    found = {}
    for judge in ("measure", "limit", "percentile"):
        config = dataclasses.replace(MEASURED, judge=judge, max_excess_bits=1.0, max_percentile=93.0)
        folder = tmp_path_factory.mktemp(judge)
        found[judge] = folder, run(folder, config), config
    return found


@pytest.fixture(scope="module")
def rerun(tmp_path_factory: pytest.TempPathFactory) -> Callable[[KlConfig], Counts]:
    """What a run under other settings counts; one run for each of them."""

    @functools.cache
    def counts(config: KlConfig) -> Counts:
        return run(tmp_path_factory.mktemp("again"), config).manifest.counts

    return counts


@pytest.mark.parametrize("before", ["measure", "limit", "percentile"])
@pytest.mark.parametrize(
    "change",
    [
        {"judge": "measure"},
        {"judge": "limit", "max_excess_bits": 0.5},
        {"judge": "percentile"},  # the limit of the run's own percentile
        {"judge": "percentile", "max_percentile": 90.4},
    ],
    ids=str,
)
def test_the_numbers_are_those_of_a_rerun(
    runs: dict[str, tuple[Path, Done, KlConfig]],
    rerun: Callable[[KlConfig], Counts],
    before: str,
    change: dict[str, Any],
) -> None:
    folder, done, config = runs[before]
    after = dataclasses.replace(config, **change)
    again = rerun(after)
    result = told(folder, done, config, after)
    assert result.undecided == 0
    assert by_source_and_language(result.fates) == by_source_and_language(dict(again.items()))
    assert (again.dropped == {}) is (after.judge == "measure")


def test_a_percentile_that_the_run_did_not_store_is_undecided(runs: dict[str, tuple[Path, Done, KlConfig]]) -> None:
    folder, done, config = runs["measure"]
    after = dataclasses.replace(config, judge="percentile", max_percentile=95.25)
    assert told(folder, done, config, after).undecided == len(DOCUMENTS)
