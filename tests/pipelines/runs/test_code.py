"""The code of a stage: what is in its identity and what is not."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.recipes.common_crawl import CommonCrawlConfig, recipe
from pipelines.runs.code import ROOT, closure, code_identity
from pipelines.stages.local import LocalStage
from schemas.errors import ConfigError
from schemas.settings import overlay
from transforms.heuristics import c4, gopher
from transforms.heuristics.gopher import GopherConfig
from transforms.step import Filter

FILES = {
    "transforms/__init__.py": "",
    "transforms/a.py": "import os, json\nimport transforms.b\nfrom schemas import record as r, other\n",
    "transforms/b.py": "def late():\n    from transforms.deep.c import thing\n",
    "transforms/deep/__init__.py": "from .d import x\n",
    "transforms/deep/c.py": "from .. import e\nfrom . import d\nA = 'pipelines.child:run'\nB = 'see transforms.f'\n",
    "transforms/deep/d.py": "from __future__ import annotations\nimport transforms.a\n",
    "transforms/e.py": "from os import path\nimport numpy\n",
    "transforms/f.py": "",
    "schemas/record.py": "",
    "schemas/alone.py": "import transforms.a\n",
    "pipelines/child.py": "import apache_beam\nimport pipelines.runs.runner\n",
    "pipelines/runs/runner.py": "import tiktoken\n",
}
RULE = """
from helper_of_rules import LIMIT
from transforms.step import Drop

def measure(view) -> int:
    return len(view.text)

def decide(stats, config):
    return Drop("long") if stats > LIMIT else None
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of a user's modules."""
    (tmp_path / "rules_of_mine.py").write_text(RULE)
    (tmp_path / "helper_of_rules.py").write_text("import yaml\nLIMIT = 3\n")
    (tmp_path / "unrelated_module.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in ("rules_of_mine", "helper_of_rules"):
        sys.modules.pop(name, None)


def test_the_closure_holds_what_an_import_leads_to_at_any_place(root: Path) -> None:
    found = closure({"transforms.a": "a step"}, root)
    assert set(found.ours) == set(FILES) - {"transforms/f.py", "schemas/alone.py", "pipelines/runs/runner.py"}
    assert found.distributions == {"numpy", "apache-beam"}  # not tiktoken: a runner only calls stages
    assert set(closure({"transforms.e": "a step"}, root).ours) == {"transforms/__init__.py", "transforms/e.py"}


def stage_of(rules: Path, config: Any = None) -> LocalStage:
    import importlib

    module = importlib.import_module("rules_of_mine")
    return LocalStage("clean", (Filter("mine", module.measure, module.decide, config),))


def test_an_edited_module_of_the_users_changes_the_identity(rules: Path) -> None:
    before = code_identity(stage_of(rules).code)
    assert set(before.user_modules) == {"rules_of_mine", "helper_of_rules"}
    assert "pyyaml" in before.versions
    (rules / "unrelated_module.py").write_text("# edited\n")
    assert code_identity(stage_of(rules).code) == before
    (rules / "helper_of_rules.py").write_text("import yaml\nLIMIT = 4\n")
    assert code_identity(stage_of(rules).code).digest != before.digest


def test_settings_are_not_in_it_and_the_order_of_steps_is() -> None:
    def steps(limit: int) -> list[Filter[Any, Any]]:
        config = GopherConfig(min_words=limit)
        return [
            Filter("gopher", gopher.measure, gopher.decide, config),
            Filter("c4", c4.measure_page, c4.decide_page, c4.C4Config()),
        ]

    one, other = (code_identity(LocalStage("clean", tuple(steps(limit))).code) for limit in (1, 2))
    assert one == other
    turned = code_identity(LocalStage("clean", tuple(steps(1)[::-1])).code)
    assert turned.digest != one.digest


@pytest.mark.parametrize("rule", [lambda view: None, lambda stats, config: None])
def test_a_lambda_is_refused_in_one_line(rule: Any) -> None:
    with pytest.raises(ConfigError, match=r"^Filter mine: a lambda ") as error:
        code_identity(LocalStage("clean", (Filter("mine", rule, gopher.decide, GopherConfig()),)).code)
    assert "\n" not in str(error.value)


def test_every_stage_has_the_code_it_runs_and_the_libraries_that_this_code_imports() -> None:
    model = {"quality": {"model_path": "m.bin", "model_sha256": "0a" * 32}}
    nodes = recipe(overlay(CommonCrawlConfig(), model)).nodes
    found = {node.id: code_identity(node.stage.code) for node in nodes}
    libraries = {name: set(identity.versions) for name, identity in found.items()}
    assert [name for name, some in libraries.items() if "tiktoken" in some] == ["tokenize"]
    assert not any("pyyaml" in some for some in libraries.values())
    assert [name for name, some in libraries.items() if "trafilatura" in some] == ["web/extract"]
    assert [name for name, some in libraries.items() if "fasttext" in some] == ["web/extract", "web/clean"]
    assert [name for name, some in libraries.items() if "datasketch" in some] == ["dedup"]
    assert all({"python", "winnow", "source", "numpy", "pyarrow"} <= some for some in libraries.values())
    assert all(identity.user_modules == {} for identity in found.values())


def test_a_change_of_one_rule_is_a_change_of_the_stages_that_run_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    for package in ("schemas", "storage", "transforms", "classifiers", "pipelines"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("_compiled", "__pycache__"))
    nodes = recipe(CommonCrawlConfig()).nodes
    for changed, wanted in {
        "transforms/heuristics/fineweb.py": {"web/clean"},
        "transforms/mixing/mix.py": {"mix", "shards"},
        "transforms/dedup/minhash.py": {"dedup"},
        "transforms/extraction/texts/write.py": {"web/extract"},
        "pipelines/runs/runner.py": set(),
        "pipelines/recipes/common_crawl.py": set(),
    }.items():
        before = {node.id: code_identity(node.stage.code, root=tmp_path).digest for node in nodes}
        path = tmp_path / changed
        path.write_text(path.read_text() + "# edited\n")
        after = {node.id: code_identity(node.stage.code, root=tmp_path).digest for node in nodes}
        assert {name for name in before if before[name] != after[name]} == wanted, changed
