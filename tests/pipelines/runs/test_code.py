"""The digest of a stage's source: what is in it and what is not."""

from __future__ import annotations

import dataclasses
import functools
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

import pytest

from pipelines.recipes.common_crawl import CommonCrawlConfig, recipe
from pipelines.runs.code import ROOT, closure, describe, imports, source_digest
from pipelines.stages.documents import DocumentStage
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
    "transforms/e.py": "from os import path\n",
    "transforms/f.py": "",
    "schemas/record.py": "",
    "schemas/alone.py": "import transforms.a\n",
    "pipelines/child.py": "import apache_beam\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_the_closure_holds_what_an_import_leads_to_at_any_place(root: Path) -> None:
    assert closure({"transforms.a"}, root) == set(FILES) - {"transforms/f.py", "schemas/alone.py"}
    assert closure({"transforms.e"}, root) == {"transforms/__init__.py", "transforms/e.py"}
    assert closure({"transforms.nothing", "os", "", "numpy.random"}, root) == {"transforms/__init__.py"}


def test_imports_of_every_form(root: Path) -> None:
    assert imports(root, "transforms/a.py") == {"transforms/__init__.py", "transforms/b.py", "schemas/record.py"}
    assert imports(root, "transforms/deep/c.py") == {
        "transforms/__init__.py", "transforms/e.py", "transforms/deep/__init__.py", "transforms/deep/d.py",
        "pipelines/child.py",
    }  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Fake:
    """A stage whose one function is in a package of ours."""

    settings: Any = 1
    work: Any = None
    calls: Counter[str] = dataclasses.field(default_factory=Counter, compare=False)
    name: ClassVar[str] = "fake"


def in_module(name: str) -> Any:
    def work() -> None: ...

    work.__module__ = name
    return work


def test_a_change_of_what_a_stage_leads_to_changes_its_digest(root: Path) -> None:
    stage, other = Fake(work=in_module("transforms.deep.c")), Fake(work=in_module("transforms.e"))
    before = source_digest(stage, root), source_digest(other, root)
    (root / "schemas" / "record.py").write_text("# changed\n")
    assert source_digest(stage, root) != before[0]
    assert source_digest(other, root) == before[1]


def test_settings_and_fields_that_are_not_compared_are_not_in_it() -> None:
    stage = Fake(work=len)
    assert source_digest(dataclasses.replace(stage, settings=2)) == source_digest(stage)
    stage.calls["run"] += 1
    assert source_digest(stage) == source_digest(Fake(work=len))
    assert source_digest(dataclasses.replace(stage, work=min)) != source_digest(stage)


def test_what_a_value_is_made_of() -> None:
    modules: set[str] = set()
    config = GopherConfig()
    step = Filter("gopher", config.measure, gopher.decide, config)
    kind, fields = describe(step, modules)
    assert kind == "transforms.step.Filter"
    assert fields["measure"][1] == "measure"
    assert fields["decide"] == "transforms.heuristics.gopher.decide"
    assert {"transforms.step", "transforms.heuristics.gopher"} <= modules
    assert describe(functools.partial(max, 3), set())[1] == ["builtins.max"]
    assert describe({"b": {2, 1}, "a": (1.5, None)}, set()) == {"b": ["1", "2"], "a": [1.5, None]}


def test_the_order_of_steps_counts() -> None:
    steps = [
        Filter("gopher", GopherConfig().measure, gopher.decide, GopherConfig()),
        Filter("c4", c4.measure_page, c4.decide_page, c4.C4Config()),
    ]
    stages = [DocumentStage("clean", settings=1, steps=tuple(order)) for order in (steps, steps[::-1], steps[:1])]
    assert len({source_digest(stage) for stage in stages}) == 3


def files_of(config: CommonCrawlConfig) -> dict[str, set[str]]:
    found = {}
    for stage in recipe(config).stages:
        modules: set[str] = set()
        describe([getattr(stage, f.name) for f in dataclasses.fields(stage) if f.name != "settings"], modules)  # type: ignore[arg-type]
        found[stage.name] = closure(modules | {type(stage).__module__})
    return found


def test_the_stages_of_the_recipe_have_the_source_they_run() -> None:
    model = {"quality": {"model_path": "m.bin", "model_sha256": "0a" * 32}}
    files = files_of(overlay(CommonCrawlConfig(), model))
    wanted = {
        "index": {
            "transforms/dedup/urls.py",
            "transforms/safety/blocklist.py",
            "transforms/dedup/keep_best.py",
            "transforms/sources/web/warc.py",
        },
        "extract": {
            "transforms/extraction/extract.py",
            "transforms/guard.py",
            "classifiers/steps/language.py",
            "transforms/sources/web/warc.py",
        },
        "clean": {
            "transforms/safety/pii.py",
            "transforms/heuristics/gopher.py",
            "transforms/heuristics/c4.py",
            "transforms/safety/dirty_words.py",
        },
        "dedup": {"transforms/dedup/minhash.py", "transforms/dedup/components.py", "transforms/dedup/near_copies.py"},
        "lines": {"transforms/dedup/frequent_lines.py", "transforms/heuristics/c4.py"},
        "score": {"classifiers/steps/quality.py", "classifiers/models/fasttext_model.py"},
        "tokenize": {"transforms/tokens/tokenizer.py"},
        "mix": {"transforms/mixing/mix.py"},
        "shards": {"transforms/tokens/shards.py", "schemas/shards.py"},
    }
    assert set(files) == set(wanted)
    for name, some in wanted.items():
        assert some <= files[name], name
        assert {"storage/files.py", "pipelines/runs/folder.py", "pipelines/runs/stage.py"} <= files[name]
        others = {
            "pipelines/recipes/common_crawl.py",
            "pipelines/runs/runner.py",
            "pipelines/engines/engine.py",
            "pipelines/cli.py",
        }
        assert not others & files[name], name
    for name in ("index", "extract", "clean", "dedup", "lines", "score"):
        assert (
            not {"transforms/mixing/mix.py", "transforms/tokens/tokenizer.py", "transforms/tokens/shards.py"}
            & files[name]
        ), name


def test_an_opened_step_is_the_same_step(tmp_path: Path) -> None:
    (tmp_path / "en").write_text("darn\n")
    given = overlay(CommonCrawlConfig(), {"clean": {"dirty_words": {"directory": str(tmp_path)}}})
    (stage,) = [stage for stage in recipe(given).stages if stage.name == "clean"]
    before = source_digest(stage)
    stage.prepare()
    assert source_digest(stage) == before


def test_every_module_of_ours_can_be_read() -> None:
    for package in ("schemas", "transforms", "classifiers", "pipelines"):
        for path in (ROOT / package).rglob("*.py"):
            imports(ROOT, str(path.relative_to(ROOT)))
