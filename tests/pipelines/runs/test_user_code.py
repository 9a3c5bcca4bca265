"""A user's modules in the identity of a stage's code: all forms of an import, wheels, and what is not followed."""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.modules import places
from pipelines.runs.code import CALLERS, ROOT, closure, code_identity, is_caller
from pipelines.stages.local import LocalStage
from schemas.errors import ConfigError
from transforms.heuristics import gopher
from transforms.heuristics.gopher import GopherConfig
from transforms.step import Filter

CONFIG = GopherConfig()


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


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    importlib.invalidate_caches()
    places._installed.cache_clear()
    places._version.cache_clear()


def function_of(module: str) -> Any:
    """Return a function that could be imported from a module, were that there."""
    made = types.FunctionType(compile("def work(): ...", "x", "exec").co_consts[0], {}, "work")
    made.__module__, made.__qualname__ = module, "work"
    return made


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
    found = code_identity([LocalStage, rule("mine_rules")])
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


def test_an_edit_of_ours_counts_where_a_users_rule_leads(user: Path) -> None:
    root = user.parent
    write(user, {"mine_rules.py": "import schemas.record"})
    write(root, {"schemas/record.py": ""})
    before = code_identity([rule("mine_rules")], root=root).digest
    (root / "schemas" / "record.py").write_text("# edited")
    assert code_identity([rule("mine_rules")], root=root).digest != before


def test_what_workers_cannot_import_is_refused(user: Path) -> None:
    sys.modules["mine_typed"] = types.ModuleType("mine_typed")  # as one made by exec is
    for module in ("mine_typed", "mine_nowhere"):
        message = f"^Filter mine: work is defined in {module}, which has no file that workers can import$"
        with pytest.raises(ConfigError, match=message):
            code_identity([LocalStage, rule(module)])
    rules = importlib.import_module("mine_rules")
    with pytest.raises(ConfigError, match=r"^Filter mine: a lambda \(in mine_rules\) cannot be imported by workers"):
        code_identity([Filter("mine", rules.measure_all, gopher.decide, CONFIG)])
    assert code_identity([Filter("mine", rules.measure, gopher.decide, CONFIG)])


def test_models_beside_our_modules_count(tmp_path: Path) -> None:
    write(tmp_path, {"transforms/deep/c.py": "", "transforms/deep/model.npz": "weights"})
    before = code_identity([function_of("transforms.deep.c")], root=tmp_path).digest
    write(tmp_path, {"transforms/deep/model.npz": "other weights"})
    assert code_identity([function_of("transforms.deep.c")], root=tmp_path).digest != before


def test_a_rule_that_is_defined_in_a_caller_counts() -> None:
    assert "pipelines/recipes/common_crawl.py" in closure({"pipelines.recipes.common_crawl": ""}).ours


def test_every_caller_is_there() -> None:
    for name in CALLERS:
        path = ROOT / name.replace(".", "/")
        assert path.is_dir() or path.with_suffix(".py").is_file()
