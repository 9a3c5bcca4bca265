"""Recipes by name: Winnow's, those that installed packages declare, and any function of a module.

common_crawl, wikipedia...      a recipe of Winnow
NAME                            an entry point of the group `winnow.recipes`
module:function                 a function from a settings dataclass, its one annotated parameter, to a Recipe
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import importlib.metadata
import inspect
import sys
import traceback
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from typing import Any

from pipelines.runs.graph import Recipe
from schemas.errors import ConfigError, WinnowError

DEFAULT = "common_crawl"
GROUP = "winnow.recipes"
_NAMES = (DEFAULT, "arxiv", "books", "github", "stackexchange", "tables", "wikipedia")
OURS = {name: f"pipelines.recipes.{name}:recipe" for name in _NAMES}


@dataclass(frozen=True)
class RecipeMaker:
    """A recipe before its settings are known."""

    reference: str  # as `--recipe` names it
    make: Callable[[Any], Recipe]
    settings: type

    @property
    def doc(self) -> str:
        """The first line of what its module, or the function itself, says."""
        module = inspect.getdoc(inspect.getmodule(self.make)) or ""
        own = inspect.getdoc(self.make) or module
        return (module if self.reference in OURS else own).split("\n")[0]

    @property
    def presets(self) -> dict[str, Path]:
        """Settings files that come with the recipe, by name: those in the folder `presets` beside its module."""
        folder = Path(inspect.getfile(self.make)).parent / "presets"
        return {file.stem: file for file in sorted(folder.glob("*.yaml"))}

    def preset(self, name: str) -> Path:
        """Return the file of a preset. Raises ConfigError when there is none."""
        if name not in self.presets:
            known = f"expected one of {', '.join(self.presets)}" if self.presets else "there are none"
            raise ConfigError(f"preset {name!r}: recipe {self.reference} has no such preset; {known}")
        return self.presets[name]


def known_recipes() -> dict[str, str]:
    """Return module:function of the recipes that have a name."""
    found = {point.name: point.value for point in importlib.metadata.entry_points(group=GROUP)}
    return {**found, **OURS}


def find_recipe(reference: str) -> RecipeMaker:
    """Return the recipe that `reference` names. ConfigError, in one line, when there is none or it is not one."""
    place = known_recipes().get(reference, reference)
    module_name, colon, function = place.partition(":")
    if not colon:
        known = ", ".join(sorted(known_recipes()))
        raise ConfigError(f"recipe {reference!r}: no such recipe; expected one of {known}, or module:function")
    if reference not in OURS:
        _look_here()
    with _said(f"recipe {reference}: {module_name} cannot be imported"):
        module = importlib.import_module(module_name)
    make = getattr(module, function, None)
    if not callable(make):
        raise ConfigError(f"recipe {reference}: {module_name} has no function {function}")
    with _said(f"recipe {reference}"):
        return RecipeMaker(reference, make, _settings_of(make, reference))


@contextlib.contextmanager
def _said(what: str) -> Iterator[None]:
    """Turn any error that a user's module or recipe raises into one line: it is their code, not a bug in Winnow."""
    try:
        yield
    except WinnowError:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001  see above
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f" ({Path(place.filename).name}:{place.lineno})" if not isinstance(error, ImportError) else ""
        message = " ".join(str(error).split())
        raise ConfigError(f"{what}: {type(error).__name__}: {message}{where}") from None


def _look_here() -> None:
    """Let modules be found in the folder where the command is started, as for any other tool.

    After Winnow's own packages, in worker processes as well: a folder named `schemas` there must not shadow ours.
    """
    for place in (str(Path(__file__).parents[2]), str(Path.cwd())):
        if place not in sys.path:
            sys.path.append(place)


def _settings_of(make: Callable[..., Any], reference: str) -> type:
    parameters = list(inspect.signature(make).parameters)
    hints = typing.get_type_hints(make)
    settings = hints.get(parameters[0]) if len(parameters) == 1 else None
    if settings is None or not is_dataclass(settings) or not _has_defaults(settings):
        raise ConfigError(
            f"recipe {reference}: must take one argument, annotated with a dataclass of settings that all have defaults"
        )
    return typing.cast(type, settings)


def _has_defaults(settings: Any) -> bool:
    missing, fields = dataclasses.MISSING, dataclasses.fields(settings)
    return all(f.default is not missing or f.default_factory is not missing for f in fields if f.init)


def make_recipe(maker: RecipeMaker, settings: Any) -> Recipe:
    """Return the recipe under some settings, by its reference. ConfigError when its function gives anything else."""
    with _said(f"recipe {maker.reference}"):
        made = maker.make(settings)
    if not isinstance(made, Recipe):
        raise ConfigError(f"recipe {maker.reference}: must return a Recipe, not {type(made).__name__}")
    return made if made.settings is not None else dataclasses.replace(made, settings=settings)
