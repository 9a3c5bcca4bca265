"""The rule: percentiles of a sample, buckets on both sides of their limits, what is dropped."""

from __future__ import annotations

import importlib.util
import json
import pickle
from collections import Counter

import numpy as np
import pytest

from schemas.errors import ConfigError
from schemas.identity import content_id
from schemas.records import Document
from tests.transforms.heuristics.perplexity.conftest import Trained, sentence
from transforms.heuristics.perplexity.model import EXTRA, Score
from transforms.heuristics.perplexity.perplexity import (
    FilterPerplexity,
    PerplexityConfig,
    PerplexityFit,
    PerplexityStats,
    decide,
    measure,
    percentiles_of,
)
from transforms.step import Draft, Drop

PINNED = {"model_path": "m.zip", "model_sha256": "0" * 64}
BUCKET = PerplexityConfig(judge="bucket", **PINNED)  # type: ignore[arg-type]
GRID = np.array(percentiles_of([float(n) for n in range(1, 101)]))  # percentile p is p


def document(text: str, language: str = "en") -> Document:
    return Document(id=content_id(text), text=text, language=language)


def score(perplexity: float) -> Score:
    return Score(-float(np.log10(perplexity)) * 8, 8)


def run(step: FilterPerplexity, *documents: Document) -> list[Draft]:
    drafts = [Draft(one) for one in documents]
    step.run(drafts, Counter())
    return drafts


def test_percentiles() -> None:
    grid = percentiles_of([3.0, 1.0, 2.0, 4.0])
    assert len(grid) == 1000
    assert [grid[0], grid[249], grid[250], grid[599], grid[999]] == [1.0, 1.0, 2.0, 3.0, 4.0]


@pytest.mark.parametrize(
    ("perplexity", "percentile", "bucket"),
    [
        (0.5, 0.0, "head"), (29.99, 29.0, "head"), (30.0, 30.0, "middle"), (59.99, 59.0, "middle"),
        (60.0, 60.0, "tail"), (1000.0, 100.0, "tail"),
    ],
)  # fmt: skip
def test_both_sides_of_the_buckets(perplexity: float, percentile: float, bucket: str) -> None:
    """CCNet: head < 30th percentile <= middle < 60th percentile <= tail."""
    assert measure(score(perplexity), GRID, BUCKET) == PerplexityStats(
        n_tokens=8, perplexity=perplexity, percentile=percentile, bucket=bucket
    )


def test_what_has_no_percentile_is_in_all() -> None:
    assert measure(None, None, BUCKET) == PerplexityStats(n_tokens=0, perplexity=None, percentile=None, bucket="all")
    assert measure(Score(0.0, 0), GRID, BUCKET).bucket == "all"
    scored = measure(score(9.0), None, BUCKET)
    assert scored == PerplexityStats(n_tokens=8, perplexity=9.0, percentile=None, bucket="all")
    assert decide(scored, BUCKET) is None


@pytest.mark.parametrize(("worst", "limit"), [("head", 30.0), ("middle", 60.0)])
def test_what_is_dropped(worst: str, limit: float) -> None:
    config = PerplexityConfig(judge="bucket", worst_bucket=worst, **PINNED)  # type: ignore[arg-type]
    assert decide(measure(score(limit - 0.01), GRID, config), config) is None
    stats = measure(score(limit), GRID, config)
    assert decide(stats, config) == Drop("high_perplexity", limit, limit, stats.bucket)
    only = PerplexityConfig(judge="measure", worst_bucket=worst, **PINNED)  # type: ignore[arg-type]
    assert decide(stats, only) is None
    fit = PerplexityFit(config)
    assert fit.redecide(stats, document(""), "Latn") == decide(stats, config)
    assert {"judge", "worst_bucket"} == fit.settings.keys() - fit.measured_with


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"judge": "bucket"}, "not allowed without model_path and model_sha256"),
        ({"judge": "measure", "model_path": "m.zip", "model_sha256": "abc"}, "not allowed without model_path and"),
        ({"head_percentile": 70.0}, "head_percentile: 70.0 is not allowed; at most middle_percentile, 60.0"),
        ({"worst_bucket": "tail"}, "worst_bucket: 'tail' is not allowed"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        PerplexityConfig(**settings)  # type: ignore[arg-type]


@pytest.mark.skipif(importlib.util.find_spec("kenlm") is not None, reason="the extra `perplexity` is here")
def test_without_kenlm_a_run_ends_before_it_starts(trained: Trained) -> None:
    with pytest.raises(ConfigError) as error:
        _ = PerplexityFit(trained.config()).resources
    assert str(error.value) == EXTRA


def test_a_step_learned_from_a_sample(trained: Trained) -> None:
    pytest.importorskip("kenlm", reason="needs the extra `perplexity`")
    fit = PerplexityFit(trained.config(judge="bucket", min_documents=20))
    sample = [document(sentence(n)) for n in range(3000, 3030)]
    few = [document("Das 1. Haus."), document("Le chat.", "fr")]
    artefact = fit.fit([*sample, *few])
    assert artefact == fit.fit([*few, *sample[::-1]])  # the set of documents, not their order
    assert {language: one["documents"] for language, one in json.loads(artefact)["languages"].items()} == {"en": 31}
    step = fit.step(artefact)
    usual, odd, german, french, empty = run(
        step, document("The cat sees the dog."), document("dog zzq the. kjw"), document("Das 1. Haus.", "de"),
        document("Le chat.", "fr"), document(" "),
    )  # fmt: skip
    assert usual.drop is None
    assert odd.drop is not None
    assert (odd.drop.reason, odd.drop.limit, odd.drop.detail) == ("high_perplexity", 60.0, "tail")
    assert [one.measures["perplexity"].bucket for one in (german, french, empty)] == ["all"] * 3
    assert german.measures["perplexity"].perplexity > 1
    assert french.measures["perplexity"].perplexity is None
    (there,) = run(pickle.loads(pickle.dumps(step)), document("dog zzq the. kjw"))
    assert there.measures == odd.measures
    assert fit.resources == step.resources == [str(trained.path)]
    with pytest.raises(ConfigError, match="its SHA-256 is"):
        _ = PerplexityFit(trained.config(model_sha256="1" * 64)).resources
