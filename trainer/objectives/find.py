"""Objectives by the names that a recipe gives."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from schemas.errors import ConfigError
from trainer.objectives.next_token import NEXT_TOKEN
from trainer.objectives.objective import Objective
from trainer.objectives.pairwise import PAIRWISE
from trainer.objectives.weighted import WEIGHTED

OBJECTIVES = {"next_token": NEXT_TOKEN, "weighted_next_token": WEIGHTED, "pairwise": PAIRWISE}


def find_objective(name: str) -> Objective:
    """Return one of ours, or that of a `module:attribute`, which may lie in the working directory.

    ConfigError for a name that is neither, and for a module that cannot be read as Python.
    """
    if name in OBJECTIVES:
        return OBJECTIVES[name]
    module, colon, attribute = name.partition(":")
    if not colon or not all(part.isidentifier() for part in (*module.split("."), attribute)):
        known = ", ".join(OBJECTIVES)
        raise ConfigError(f"objective: {name!r} is not allowed; must be one of {known}, or module:attribute")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, SyntaxError) as error:
        raise ConfigError(f"objective: {name}: {error}") from None
    if not isinstance(found, Objective):
        raise ConfigError(f"objective: {name}: is no trainer.objectives.objective.Objective")
    return found
