"""Recipes in files: TOML, or the JSON that a run keeps of its own."""

from __future__ import annotations

import json
import tomllib

from schemas.errors import ConfigError
from schemas.settings import overlay
from trainer.recipe import Recipe


def read_recipe(text: str, where: str, presets: dict[str, Recipe]) -> Recipe:
    """Return the recipe that a TOML document lays over the preset it names in `preset` (or over the defaults).

    A file that ends with .json is JSON, as the recipe.json that a run keeps.

    A list of stages replaces the preset's. ConfigError names the key, the value and what is allowed.
    """
    kind = "JSON" if where.endswith(".json") else "TOML"
    try:
        plain = json.loads(text) if kind == "JSON" else tomllib.loads(text)
    except ValueError as error:
        raise ConfigError(f"{where}: not valid {kind}: {error}") from None
    name = plain.pop("preset", None)
    if name is not None and name not in presets:
        raise ConfigError(f"{where}: preset: {name!r} is not allowed; must be one of {', '.join(presets)}")
    base = presets[name] if name is not None else Recipe()
    try:
        return overlay(base, plain)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None
