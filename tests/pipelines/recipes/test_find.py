"""Recipes by name, and the one line that a user's own recipe gets where it is wrong."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines.recipes.find import OURS, RecipeMaker, find_recipe, known_recipes, make_recipe
from pipelines.runs.graph import Recipe
from schemas.errors import ConfigError

HEAD = """from dataclasses import dataclass

@dataclass(frozen=True)
class Settings:
    limit: int = 1

"""
MODULE = "the_users_own_recipe"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path / f"{MODULE}.py"
    sys.modules.pop(MODULE, None)


def make(reference: str) -> Recipe:
    maker = find_recipe(reference)
    return make_recipe(maker, maker.settings())


def one_line(reference: str) -> str:
    with pytest.raises(ConfigError) as caught:
        make(reference)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def recipe(c: Settings): raise ValueError('two\\nlines')", f"ValueError: two lines ({MODULE}.py:7)"),
        ("def recipe(c: Settings): return {}['graph']", f"KeyError: 'graph' ({MODULE}.py:7)"),
        ("import sys\ndef recipe(c: Settings): sys.exit(3)", f"SystemExit: 3 ({MODULE}.py:8)"),
        ("def recipe(c: Settings): return 7", "must return a Recipe, not int"),
        ("def recipe(c): return 7", "must take one argument, annotated with a dataclass"),
        ("def recipe(c: 'Setings'): return 7", "NameError: name 'Setings' is not defined"),
        ("def recipe(*, c: int): return 7", "must take one argument, annotated with a dataclass"),
        ("@dataclass\nclass Bare:\n    x: int\ndef recipe(c: Bare): return 7", "settings that all have defaults"),
        ("1 / 0", f"cannot be imported: ZeroDivisionError: division by zero ({MODULE}.py:7)"),
        ("def recipe(:", "cannot be imported: SyntaxError"),
        ("import a_module_nobody_has", "cannot be imported: ModuleNotFoundError"),
        ("import sys; sys.exit('bye')", "cannot be imported: SystemExit: bye"),
        ("other = 1", "has no function recipe"),
    ],
)  # fmt: skip
def test_a_wrong_recipe_is_one_line(module: Path, source: str, said: str) -> None:
    module.write_text(f"{HEAD}{source}\n", "utf-8")
    line = one_line(f"{MODULE}:recipe")
    assert line.startswith(f"recipe {MODULE}:recipe: ")
    assert said in line


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("", f"no such recipe; expected one of {', '.join(sorted(known_recipes()))}, or module:function"),
        ("nothing", "no such recipe"),
        (":recipe", "cannot be imported: ValueError"),
        (".relative:recipe", "cannot be imported: TypeError"),
        ("nowhere:recipe", "cannot be imported: ModuleNotFoundError"),
    ],
)
def test_a_wrong_name_is_one_line(module: Path, reference: str, said: str) -> None:
    assert said in one_line(reference)


@dataclass(frozen=True)
class Settings:
    limit: int = 1


def test_a_recipe_knows_the_settings_it_was_made_from() -> None:
    maker = RecipeMaker("mine", lambda settings: Recipe("mine", (), {}), Settings)
    assert make_recipe(maker, Settings(3)).settings == Settings(3)


def test_ours_have_names() -> None:
    assert next(iter(OURS)) == "common_crawl"
    for name, place in OURS.items():
        assert known_recipes()[name] == place == f"pipelines.recipes.{name}:recipe"
        assert find_recipe(name).doc.startswith(f"The recipe `{name}`: ")
        assert make_recipe(find_recipe(name), find_recipe(name).settings()).name == name
