"""Two students score, their scores become bins, the bins are what the mix asks shares of."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from classifiers.steps.by_transformer import quality_step
from classifiers.steps.quality import QualityConfig, QualityStats
from classifiers.steps.quality_bins import QualityBinsConfig, QualityBinsFit, QualityBinStats
from classifiers.training.train_fasttext import TrainConfig, train_classifier
from pipelines.recipes.common_crawl import CommonCrawlConfig, recipe
from pipelines.runs.upstream import Upstream
from pipelines.stages.fit import FitStage
from pipelines.stages.local import LocalStage
from pipelines.stages.mix import MixStage
from pipelines.stages.tokens import TokenizeStage
from schemas.errors import ConfigError, WinnowError
from schemas.identity import content_id
from schemas.records import Document
from schemas.settings import overlay
from tests.classifiers.tiny_roberta import make_student
from transforms.mixing.mix import MixConfig
from transforms.tokens.tokenizer import TokenizerConfig

BINS = QualityBinsConfig(scores=("quality", "quality_second"), n_bins=4, min_documents=10)
MEASURES: dict[str, type] = {"quality": QualityStats, "quality_second": QualityStats}


@pytest.fixture(scope="module")
def configs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, QualityConfig]:
    """The settings of a fastText student and of a transformers student of the same labels."""
    folder = tmp_path_factory.mktemp("students")
    student = make_student(folder)
    small = TrainConfig(dim=8, epoch=10, lr=0.5, bucket=1000, holdout=0.0)
    sha256 = train_classifier(folder / "t.jsonl", folder / "m.bin", small).sha256
    return {
        "quality": QualityConfig(model_path=str(folder / "m.bin"), model_sha256=sha256),
        "quality_second": QualityConfig(model_path=str(student.folder), model_sha256=student.report.sha256),
    }


def documents(n: int) -> list[Document]:
    rng = random.Random(4)
    words = ["theorem", "proof", "lemma", "group", "buy", "pills", "cheap", "offer", "the", "of", "and"]
    texts = [" ".join(rng.choices(words, k=rng.randrange(5, 50))) for _ in range(n)]
    return [Document(id=content_id(text), text=text, source="web", language="en") for text in texts]


def scored(dataset: Any, configs: dict[str, QualityConfig], some: list[Document], parts: int) -> Any:
    steps = tuple(quality_step(config, name) for name, config in configs.items())
    return dataset.documents(LocalStage("score", steps), some, parts)


def after(done: Any, **measures: type) -> Upstream:
    return Upstream(((done.manifest, done.data),), measures=MEASURES | measures)


def by_id(done: Any, *names: str) -> dict[str, Any]:
    return {row["id"]: [row[name] for name in names] for row in done.rows("documents")}


def test_bins_are_the_same_for_any_parts_and_order_and_the_mix_takes_shares_of_them(
    dataset: Callable[..., Any], configs: dict[str, QualityConfig]
) -> None:
    some = documents(120)
    one, other = scored(dataset(), configs, some, 1), scored(dataset(), configs, some[::-1], 3)
    assert by_id(one, *MEASURES) == by_id(other, *MEASURES)
    binned = [dataset().run(FitStage(QualityBinsFit(BINS)), [], after(done)) for done in (one, other)]
    artefacts = [Path(done.data.root, "artefact.bin").read_bytes() for done in binned]
    assert artefacts[0] == artefacts[1]
    rows = by_id(binned[0], "quality_bin", "quality", "text")
    assert rows == by_id(binned[1], "quality_bin", "quality", "text")
    bins = Counter(found["bin"] for found, _, _ in rows.values())
    assert sorted(bins) == [0, 1, 2, 3]
    assert bins[3] > bins[0]  # the maximum of two
    tokens = dataset().run(
        TokenizeStage(TokenizerConfig(vocab_size=300)), [], after(binned[0], quality_bin=QualityBinStats)
    )
    assert {row["id"]: row["quality"] for row in tokens.rows("tokens")} == {
        name: found["bin"] for name, (found, _, _) in rows.items()
    }
    mix = MixConfig(quality_bands=(1, 2, 3), quality_shares={"q0": 0.0, "q3": 0.7}, token_budget=1000)
    mixed = dataset().run(MixStage(mix), [], Upstream(((tokens.manifest, tokens.data),)))
    taken = Counter(rows[row["id"]][0]["bin"] for row in mixed.rows("mixed"))
    assert taken[0] == 0
    assert taken[3] > taken[1] + taken[2]


def test_a_column_that_nobody_stores_is_told(dataset: Callable[..., Any], configs: dict[str, QualityConfig]) -> None:
    done = scored(dataset(), configs, documents(3), 1)
    with pytest.raises(WinnowError, match="quality_bin: no step before it stores the column 'quality_third'"):
        dataset().run(FitStage(QualityBinsFit(QualityBinsConfig(scores=("quality_third",)))), [], after(done))


def test_the_recipe_has_a_column_for_each_classifier_and_a_stage_for_the_bins(
    configs: dict[str, QualityConfig],
) -> None:
    first, second = ({"model_path": one.model_path, "model_sha256": one.model_sha256} for one in configs.values())
    settings = {"quality": first, "quality_more": {"second": second}, "quality_bins": {"scores": list(BINS.scores)}}
    stages = {node.id: node.stage for node in recipe(overlay(CommonCrawlConfig(), settings)).nodes}
    assert [step.name for step in stages["web/clean"].steps][-2:] == ["quality", "quality_second"]
    assert list(stages).index("dedup") < list(stages).index("quality_bin") < list(stages).index("tokenize")
    assert "quality_bin" not in {node.id for node in recipe(CommonCrawlConfig()).nodes}
    for wrong, message in (
        ({"quality_bins": {"scores": ["quality"]}}, "no classifier scores into 'quality'; there are: none"),
        ({"quality_more": {"Two": second}}, "quality_more.Two: expected a name"),
        ({"quality_more": {"two": {}}}, "quality_more.two: expected a name of a-z, 0-9 and _, and a model_path"),
    ):
        with pytest.raises(ConfigError, match=message):
            overlay(CommonCrawlConfig(), json.loads(json.dumps(wrong)))
