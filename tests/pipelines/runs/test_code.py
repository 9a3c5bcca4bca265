"""The code of a stage in its key: what is in it and what is not."""

from __future__ import annotations

import dataclasses
import importlib
import sys
import time
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from pipelines.modules import places
from pipelines.modules.parts import describe_parts
from pipelines.recipes.common_crawl import CommonCrawlConfig, recipe
from pipelines.runs.code import CALLERS, ROOT, closure, code_identity, is_caller, source_digest
from pipelines.runs.stage import Stage
from pipelines.stages.documents import DocumentStage
from schemas.errors import ConfigError
from schemas.settings import overlay
from transforms.heuristics import c4, gopher
from transforms.heuristics.gopher import GopherConfig
from transforms.step import Filter

OURS = {
    "transforms/__init__.py": "",
    "transforms/a.py": "import os, json\nimport transforms.b\nfrom schemas import record as r, other\n",
    "transforms/b.py": "def late():\n    from transforms.deep.c import thing\n",
    "transforms/deep/__init__.py": "from .d import x\n",
    "transforms/deep/model.npz": "weights",
    "transforms/deep/c.py": "from .. import e\nfrom . import d\nA = 'pipelines.child:run'\nB = 'see transforms.f'\n",
    "transforms/deep/d.py": "from __future__ import annotations\nimport transforms.a\n",
    "transforms/e.py": "from os import path\n",
    "transforms/f.py": "",
    "schemas/record.py": "import numpy\n",
    "schemas/alone.py": "import transforms.a\n",
    "pipelines/child.py": "import apache_beam\nfrom pipelines.runs import runner\n",
    "pipelines/runs/runner.py": "import pipelines.stages.all",
    "pipelines/stages/all.py": "",
}
CONFIG = GopherConfig()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path, OURS)
    return tmp_path


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    importlib.invalidate_caches()
    places._installed.cache_clear()
    places._version.cache_clear()


def test_the_closure_of_ours_holds_what_an_import_leads_to_at_any_place(root: Path) -> None:
    found = closure({"transforms.a": ""}, root)
    not_led_to = {"transforms/f.py", "schemas/alone.py", "pipelines/runs/runner.py", "pipelines/stages/all.py"}
    assert set(found.ours) == set(OURS) - not_led_to
    assert found.distributions == {"numpy", "apache-beam"}
    assert set(closure({"transforms.e": ""}, root).ours) == {"transforms/__init__.py", "transforms/e.py"}
    assert set(closure({"transforms.nothing": "", "os": ""}, root).ours) == {"transforms/__init__.py"}
    assert "pipelines/runs/runner.py" in closure({"pipelines.runs.runner": ""}, root).ours  # where a rule is defined


@dataclasses.dataclass(frozen=True)
class Fake:
    """A stage with one function."""

    work: Any
    settings: Any = 1
    name: ClassVar[str] = "fake"


def function_of(module: str) -> Any:
    """Return a function that could be imported from a module, were that there."""
    made = types.FunctionType(compile("def work(): ...", "x", "exec").co_consts[0], {}, "work")
    made.__module__, made.__qualname__ = module, "work"
    return made


def test_a_change_of_what_a_stage_leads_to_changes_its_digest(root: Path) -> None:
    part, other = function_of("transforms.deep.c"), function_of("transforms.e")

    def digests() -> tuple[str, str]:
        return code_identity([part], root=root).digest, code_identity([other], root=root).digest

    first = digests()
    for name in ("schemas/record.py", "transforms/deep/model.npz"):
        before = digests()
        (root / name).write_text("# changed\n")
        assert digests()[0] != before[0]
    assert digests()[1] == first[1]


def test_settings_are_not_in_it() -> None:
    assert source_digest(Fake(len, settings=2)) == source_digest(Fake(len)) != source_digest(Fake(min))


def test_the_order_of_steps_counts() -> None:
    steps = [
        Filter("gopher", CONFIG.measure, gopher.decide, CONFIG),
        Filter("c4", c4.measure_page, c4.decide_page, c4.C4Config()),
    ]
    orders = [steps, steps[::-1], steps[:1]]
    assert len({code_identity([DocumentStage, *order]).digest for order in orders}) == 3
    assert len({source_digest(DocumentStage("clean", settings=1, steps=tuple(order))) for order in orders}) == 3


# ---- the user's modules


RULES = """
import re
import typing
import numpy
from mine_pack.words import *
from mine_spread.inner import late
if typing.TYPE_CHECKING:
    import mine_types

def measure(view): ...
measure_all = lambda view: view
"""
USERS = {
    "mine_rules.py": RULES,
    "mine_types.py": "",
    "mine_pack/__init__.py": "from . import words",
    "mine_pack/words.py": "import mine_pack.deep.circle as circle\nGUARD = 'mine_named:run'\n",
    "mine_pack/deep/__init__.py": "",
    "mine_pack/deep/circle.py": "import mine_rules\nfrom .. import words\ndef f(): import mine_wheel.part, no_such\n",
    "mine_pack/unused.py": "",
    "mine_spread/inner/late.py": "def f():\n    import transforms.heuristics.c4",
    "mine_named.py": "",
    "mine_recipe.py": "from pipelines.recipes.common_crawl import recipe\nimport pipelines.cli\ndef measure(view): ...",
}
LED_TO = {
    "mine_rules", "mine_pack", "mine_pack.words", "mine_pack.deep", "mine_pack.deep.circle", "mine_spread.inner.late",
    "mine_named",
}  # fmt: skip


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user's `src` folder on sys.path, and a wheel."""
    site = tmp_path / "site-packages"
    info = {"METADATA": "Name: Mine.Wheel\nVersion: 3.0\n", "RECORD": "mine_wheel/part.py,sha256=1,1\n"}
    write(
        site,
        {"mine_wheel/part.py": "import mine_types", **{f"mine_wheel-3.0.dist-info/{k}": v for k, v in info.items()}},
    )
    write(tmp_path / "src", USERS)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.syspath_prepend(str(tmp_path / "src"))
    before = set(sys.modules)
    yield tmp_path / "src"
    for name in set(sys.modules) - before:
        if name.startswith("mine_"):
            del sys.modules[name]


def rule(module: str) -> Filter[Any, Any]:
    return Filter("mine", function_of(module), gopher.decide, CONFIG)


def test_the_users_modules_are_all_that_a_rule_leads_to(user: Path) -> None:
    found = code_identity([DocumentStage, rule("mine_rules")])
    assert set(found.user_modules) == LED_TO | {"distribution mine-wheel"}
    assert found.user_modules["mine_pack.words"] == places.state_of("mine_pack.words")
    assert found.user_modules["distribution mine-wheel"] == found.versions["mine-wheel"]
    assert found.versions["mine-wheel"].startswith("3.0 (")
    assert found.versions["source"] == found.digest
    assert {"python", "winnow", "numpy", "apache-beam"} <= set(found.versions)
    assert not [name for name in sys.modules if name.startswith("mine_")]
    ours = closure({"mine_rules": ""}).ours
    assert "transforms/heuristics/c4.py" in ours


def test_an_edit_counts_where_a_rule_leads(user: Path) -> None:
    before = code_identity([rule("mine_rules")])
    for name in ("mine_types.py", "mine_pack/unused.py", "mine_recipe.py"):
        (user / name).write_text("# edited\n")
    assert code_identity([rule("mine_rules")]) == before
    for name in ("mine_named.py", "mine_spread/inner/late.py", "mine_pack/deep/circle.py"):
        last = code_identity([rule("mine_rules")])
        (user / name).write_text((user / name).read_text() + "# edited\n")
        assert code_identity([rule("mine_rules")]).digest != last.digest


def test_another_build_of_a_wheel_counts(user: Path) -> None:
    before = code_identity([rule("mine_rules")])
    record = user.parent / "site-packages" / "mine_wheel-3.0.dist-info" / "RECORD"
    write(record.parent, {"RECORD": "mine_wheel/part.py,sha256=2,1\n"})
    after = code_identity([rule("mine_rules")])
    assert after.versions["mine-wheel"] != before.versions["mine-wheel"]
    assert after.digest == before.digest


def test_a_file_with_a_recipe_and_a_rule_does_not_bring_in_what_runs_stages(user: Path) -> None:
    found = closure({"mine_recipe": ""})
    assert set(found.user) == {"mine_recipe"}
    assert found.ours == {}
    names = ("pipelines.recipes.common_crawl", "pipelines.runs.runner", "pipelines.engines.engine", "pipelines.cli")
    assert all(is_caller(name) for name in names)
    assert not any(is_caller(name) for name in ("pipelines", "pipelines.runs", "pipelines.runs.stage", "pipelines.cl"))


def test_an_edit_of_anything_that_is_led_to_in_ours_counts_for_the_user(user: Path, root: Path) -> None:
    write(user, {"mine_rules.py": "import schemas.record"})
    before = code_identity([rule("mine_rules")], root=root).digest
    (root / "schemas" / "record.py").write_text("# edited")
    assert code_identity([rule("mine_rules")], root=root).digest != before


def test_what_workers_cannot_import_is_refused(user: Path) -> None:
    sys.modules["mine_typed"] = types.ModuleType("mine_typed")  # as one made by exec is
    for module in ("mine_typed", "mine_nowhere"):
        message = f"^Filter mine: work is defined in {module}, which has no file that workers can import$"
        with pytest.raises(ConfigError, match=message):
            code_identity([DocumentStage, rule(module)])
    rules = importlib.import_module("mine_rules")
    with pytest.raises(ConfigError, match=r"^Filter mine: a lambda \(in mine_rules\) cannot be imported by workers"):
        code_identity([Filter("mine", rules.measure_all, gopher.decide, CONFIG)])
    assert code_identity([Filter("mine", rules.measure, gopher.decide, CONFIG)])


# ---- the recipe


@pytest.fixture(scope="module")
def stages() -> tuple[Stage, ...]:
    model = {"quality": {"model_path": "m.bin", "model_sha256": "0a" * 32}}
    return recipe(overlay(CommonCrawlConfig(), model)).stages


def test_the_stages_of_the_recipe_have_the_code_they_run(stages: tuple[Stage, ...]) -> None:
    files = {stage.name: set(closure(describe_parts([stage], (), CALLERS).modules).ours) for stage in stages}
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
            "transforms/extraction/choice/model.npz",
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
        assert not [path for path in files[name] if is_caller(path.removesuffix(".py").replace("/", "."))], name
    for name in ("index", "extract", "clean", "dedup", "lines", "score"):
        assert (
            not {"transforms/mixing/mix.py", "transforms/tokens/tokenizer.py", "transforms/tokens/shards.py"}
            & files[name]
        ), name


def test_a_stage_has_the_versions_of_what_its_own_code_imports(stages: tuple[Stage, ...]) -> None:
    versions = {stage.name: set(code_identity([stage]).versions) for stage in stages}
    everywhere = {"python", "winnow", "source", "apache-beam", "fsspec", "numpy", "pyarrow", "pyyaml"}
    assert versions["clean"] == versions["lines"] == everywhere
    assert versions["dedup"] == everywhere | {"datasketch"}
    assert versions["score"] == everywhere | {"fasttext"}
    assert versions["tokenize"] == everywhere | {"tiktoken", "tokenizers"}
    assert {"trafilatura", "resiliparse", "selectolax", "lxml", "ftfy", "fasttext", "isal"} <= versions["extract"]
    assert not {"tiktoken", "datasketch", "typer", "rich"} & (versions["extract"] | versions["index"])
    assert not any(code_identity([stage]).user_modules for stage in stages)


def test_an_opened_step_is_the_same_step(tmp_path: Path) -> None:
    (tmp_path / "en").write_text("darn\n")
    given = overlay(CommonCrawlConfig(), {"clean": {"dirty_words": {"directory": str(tmp_path)}}})
    (stage,) = [stage for stage in recipe(given).stages if stage.name == "clean"]
    before = source_digest(stage)
    stage.prepare()
    assert source_digest(stage) == before


def test_all_stages_cost_little_once_files_are_known(stages: tuple[Stage, ...]) -> None:
    started = time.process_time()
    for stage in stages:
        code_identity([stage])
    assert time.process_time() - started < 1.0  # 0.19 s the first time, 0.03 s later


def test_a_caller_is_there() -> None:
    for name in CALLERS:
        path = ROOT / name.replace(".", "/")
        assert path.is_dir() or path.with_suffix(".py").is_file()
