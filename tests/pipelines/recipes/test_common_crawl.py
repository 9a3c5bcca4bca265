"""The stages of the recipe, as its settings ask for them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from pipelines.recipes.common_crawl import CommonCrawlConfig, recipe, surveys_of
from schemas.errors import ConfigError
from schemas.settings import overlay

DEFAULT = ["web/index", "web/extract", "web/clean", "dedup", "tokenize", "mix", "shards"]


@pytest.mark.parametrize(
    ("changes", "stages"),
    [
        ({}, DEFAULT),
        ({"kl": {"judge": "measure"}}, [*DEFAULT[:4], "kl", *DEFAULT[4:]]),  # what is left of copies, before its tokens
        ({"kl": {"judge": "measure"}, "redpajama": True}, [*DEFAULT[:4], "kl", "signals", *DEFAULT[4:]]),
    ],
)
def test_stages(changes: dict[str, Any], stages: list[str]) -> None:
    made = recipe(overlay(CommonCrawlConfig(), changes))
    assert [node.id for node in made.nodes] == stages


def test_perplexity_is_measured_before_the_reference_of_kl_is_learned(tmp_path: Path) -> None:
    pytest.importorskip("kenlm", reason="needs the extra `perplexity`")
    (tmp_path / "model.zip").write_bytes(b"model")
    pinned = {"model_path": str(tmp_path / "model.zip"), "model_sha256": hashlib.sha256(b"model").hexdigest()}
    changes = {"kl": {"judge": "measure"}, "perplexity": {"judge": "measure", **pinned}}
    made = recipe(overlay(CommonCrawlConfig(), changes))
    assert [node.id for node in made.nodes] == [*DEFAULT[:4], "perplexity", "kl", *DEFAULT[4:]]


def test_tokens_are_compared_by_the_tokenizer_of_the_run() -> None:
    config = overlay(CommonCrawlConfig(), {"kl": {"judge": "limit"}, "tokenizer": {"path": "/a/tokenizer.json"}})
    (stage,) = [node.stage for node in recipe(config).nodes if node.id == "kl"]
    assert stage.settings["kl"]["tokenizer"]["path"] == "/a/tokenizer.json"
    assert stage.settings["kl"]["max_excess_bits"] == 2.0


def test_toxicity_is_scored_where_there_is_a_model() -> None:
    model = {"model_path": "m.bin", "model_sha256": "0a" * 32, "max_score": 0.9}
    names = {}
    for name, changes in {"off": {}, "on": {"toxicity": model, "toxicity_sites": True}}.items():
        config = overlay(CommonCrawlConfig(), changes)
        (clean,) = [node.stage for node in recipe(config).nodes if node.id == "web/clean"]
        names[name] = [step.name for step in clean.steps][-1], surveys_of(config)[0].name
    assert names["on"] == ("toxicity", "toxicity_sites")
    assert "toxicity" not in names["off"]
    assert "toxicity_sites" not in names["off"]
    with pytest.raises(ConfigError, match=r"toxicity_sites: is not allowed without toxicity\.model_path"):
        overlay(CommonCrawlConfig(), {"toxicity_sites": True})
