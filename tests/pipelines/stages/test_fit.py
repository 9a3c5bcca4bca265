"""A fit and its step as a stage: one artefact for a dataset, the same for any parts and order."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.stages.fit import FitStage
from schemas.errors import ConfigError
from schemas.identity import content_id
from schemas.records import Document
from transforms.heuristics.kl.token_kl import KlConfig, TokenKlFit
from transforms.heuristics.perplexity.perplexity import PerplexityConfig, PerplexityFit
from transforms.heuristics.perplexity.train import PerplexityTrainConfig, train_perplexity
from transforms.tokens.tokenizer import TokenizerConfig

CONFIG = KlConfig(judge="limit", max_excess_bits=1.0, compared_tokens=20, min_documents=20)
TOKENIZER = TokenizerConfig(vocab_size=300)
WORDS = [
    "the",
    "cat",
    "and",
    "a",
    "dog",
    "were",
    "on",
    "mat",
    "with",
    "an",
    "old",
    "red",
    "ball",
    "that",
    "they",
    "had",
]
TEXTS = [" ".join(random.Random(n).choices(WORDS, k=30 + n)) for n in range(60)]
SPAM = "zyx qqq jkw vvv zzx qjx kwq xzv jjq wwx zqk xvj " * 3


def documents(texts: list[str]) -> list[Document]:
    return [Document(id=content_id(text), text=text, source="web", language="en") for text in texts]


def stage(**changes: Any) -> FitStage:
    return FitStage(TokenKlFit.of(dataclasses.replace(CONFIG, **changes), TOKENIZER))


def artefact(done: Any) -> bytes:
    return Path(done.data.root, "artefact.bin").read_bytes()


def test_the_same_for_any_parts_and_order(dataset: Callable[..., Any]) -> None:
    texts = [*TEXTS, SPAM]
    one = dataset().documents(stage(), documents(texts))
    other = dataset().documents(stage(), documents(texts[::-1]), parts=3)
    assert artefact(one) == artefact(other)
    rows = [{row["id"]: row["kl"] for row in done.rows("documents")} for done in (one, other)]
    assert rows[0] == rows[1]
    assert len(rows[0]) == len(TEXTS)
    assert one.dropped == other.dropped == [("outlier_tokens", content_id(SPAM), "")]


def test_what_is_dropped_has_its_measures_and_its_limit(dataset: Callable[..., Any]) -> None:
    done = dataset().documents(stage(), documents([*TEXTS, SPAM]))
    (rejected,), (dropped,) = done.rows("rejected"), done.rows("dropped")
    assert rejected["limit"] == 1.0
    assert rejected["value"] == dropped["kl"]["excess_bits"] > 1.0


def test_a_later_run_is_judged_by_the_first_runs_reference(dataset: Callable[..., Any]) -> None:
    some = dataset()
    first = some.documents(stage(), documents(TEXTS))
    later = some.documents(stage(), documents([SPAM, "the cat and a dog were on the mat " * 4]))
    assert artefact(later) == artefact(first)
    assert [reason for reason, _, _ in later.dropped] == ["outlier_tokens"]
    with pytest.raises(ConfigError, match=r"kl.smoothing: 2.0 is not allowed; it is 0.5"):
        some.documents(stage(smoothing=2.0), documents(TEXTS))


def test_a_tokenizer_that_is_none_is_told_before_any_stage_runs(tmp_path: Path) -> None:
    (tmp_path / "own.json").write_bytes(b"{}")
    with pytest.raises(ConfigError, match=r"own\.json: .*not a tokenizer\.json"):
        stage(tokenizer_path=str(tmp_path / "own.json")).prepare()
    stage().prepare()  # one that is trained


def test_percentiles_of_perplexity_are_the_same_for_any_parts_and_order(
    dataset: Callable[..., Any], tmp_path: Path
) -> None:
    pytest.importorskip("kenlm", reason="needs the extra `perplexity`")
    data, report = train_perplexity(((text, "en") for text in TEXTS), PerplexityTrainConfig(vocab_size=300, order=3))
    (tmp_path / "ngrams.zip").write_bytes(data)
    config = PerplexityConfig(
        judge="bucket", model_path=str(tmp_path / "ngrams.zip"), model_sha256=report.sha256, min_documents=20
    )
    texts = [" ".join(random.Random(n).choices(WORDS, k=30 + n)) for n in range(100, 140)]
    one = dataset().documents(FitStage(PerplexityFit(config)), documents([*texts, SPAM]))
    other = dataset().documents(FitStage(PerplexityFit(config)), documents([SPAM, *texts[::-1]]), parts=3)
    assert artefact(one) == artefact(other)
    rows = [{row["id"]: row["perplexity"] for row in done.rows("documents")} for done in (one, other)]
    assert rows[0] == rows[1]
    assert {row["bucket"] for row in rows[0].values()} == {"head", "middle"}
    assert sorted(one.dropped) == sorted(other.dropped)
    assert ("high_perplexity", content_id(SPAM), "tail") in one.dropped
    assert len(one.dropped) == 17  # 41 documents: from the 25th on they reach the 60th percentile
