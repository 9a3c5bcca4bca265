"""The result of one run of a ladder, and tables of them as JSON lines."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import storage
from schemas.errors import ConfigError
from schemas.settings import overlay, setting, to_plain, validate
from storage import json_lines

T = TypeVar("T")
FLAGSHIP_FLOPS = 3.8e25  # L3: the budget of the 405B model, to which its laws are carried


@dataclass(frozen=True, kw_only=True)
class Point:
    """One finished run. A table made elsewhere needs `budget`, `tokens` and `loss` alone."""

    name: str = setting("", "of the run")
    mix: str = setting("", "name of the data mix")
    rung: str = setting("", "name of the model's shape")
    seed: int = setting(0, "of weights and order", ge=0)
    budget: float = setting(1.0, "operations of training that were planned: runs of one budget make one curve", gt=0)
    flops: float = setting(0.0, "training FLOPs spent; 0: unknown", ge=0)
    parameters: int = setting(0, "weights, embeddings included; 0: unknown", ge=0)
    tokens: int = setting(1, "tokens trained on", ge=1)
    loss: float = setting(0.0, "held-out loss, nats a token")
    losses: dict[str, float] = setting({}, "the same for each held-out source")

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True)
class Interval:
    """A confidence interval."""

    low: float
    high: float
    level: float


def read_points(path: Path) -> list[Point]:
    """Return the points of a table. InputError when it cannot be read, ConfigError naming the line that is wrong."""
    return read_table(path, Point(), ("budget", "tokens", "loss"))


def read_table(path: Path, default: T, required: tuple[str, ...]) -> list[T]:
    """Return the rows of a table of JSON lines as settings laid over `default`; empty lines are none.

    InputError when it cannot be read, ConfigError naming the line that is wrong.
    """
    rows = json_lines.read_objects(path)
    return [_settings(row, default, required, f"{path}: line {number}") for number, row in rows]


def _settings(row: dict[str, Any], default: T, required: tuple[str, ...], where: str) -> T:
    for name in required:
        if name not in row:
            raise ConfigError(f"{where}: {name} is missing")
    try:
        return overlay(default, row)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None


def write_points(points: Iterable[Point], path: Path) -> None:
    """Write a table, sorted by mix, budget, tokens and name; atomically."""
    ordered = sorted(points, key=lambda p: (p.mix, p.budget, p.tokens, p.name))
    text = "".join(json.dumps(to_plain(point), sort_keys=True) + "\n" for point in ordered)
    storage.write_atomic(str(path), text.encode())


def mean_loss(losses: dict[str, float], weights: dict[str, float]) -> float:
    """Return the mean over held-out sources by `weights`; without any, all weigh the same (ours: L3 does not say).

    ConfigError for a weight of a source that is not held out, or none above 0.
    """
    unknown = sorted(weights.keys() - losses.keys())
    if unknown:
        raise ConfigError(f"weights.{unknown[0]}: no such held-out source; allowed: {', '.join(sorted(losses))}")
    used = weights or dict.fromkeys(losses, 1.0)
    total = math.fsum(used.values())
    if total <= 0:
        raise ConfigError("weights: none is above 0")
    return math.fsum(weight * losses[name] for name, weight in used.items()) / total
