"""Recipes by name: ours, those that installed packages declare, and any function of a module.

common_crawl                    one of ours
NAME                            an entry point of the group `winnow.recipes`
module:function                 a function from a settings dataclass, its one annotated parameter, to a Recipe
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.metadata
import inspect
import sys
import typing
from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from typing import Any

from pipelines.runs.graph import Recipe
from schemas.errors import ConfigError

DEFAULT = "common_crawl"
GROUP = "winnow.recipes"
OURS = {DEFAULT: "pipelines.recipes.common_crawl:recipe"}


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
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise ConfigError(f"recipe {reference}: {module_name} cannot be imported: {error}") from None
    make = getattr(module, function, None)
    if not callable(make):
        raise ConfigError(f"recipe {reference}: {module_name} has no function {function}")
    return RecipeMaker(reference, make, _settings_of(make, reference))


def _look_here() -> None:
    """Let modules be found in the folder where the command is started, as for any other tool.

    Behind our own packages, in worker processes as well: a folder named `schemas` there is not ours.
    """
    for place in (str(Path(__file__).parents[2]), str(Path.cwd())):
        if place not in sys.path:
            sys.path.append(place)


def _settings_of(make: Callable[..., Any], reference: str) -> type:
    parameters = list(inspect.signature(make).parameters)
    hints = typing.get_type_hints(make)
    settings = hints.get(parameters[0]) if len(parameters) == 1 else None
    if settings is None or not is_dataclass(settings):
        raise ConfigError(f"recipe {reference}: must take one argument, annotated with a dataclass of settings")
    return typing.cast(type, settings)


def make_recipe(maker: RecipeMaker, settings: Any) -> Recipe:
    """Return the recipe under some settings, by its reference. ConfigError when its function gives anything else."""
    made = maker.make(settings)
    if not isinstance(made, Recipe):
        raise ConfigError(f"recipe {maker.reference}: must return a Recipe, not {type(made).__name__}")
    return made if made.settings is not None else dataclasses.replace(made, settings=settings)
