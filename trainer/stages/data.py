"""Which shards each stage of a run reads: kept in its folder from the first start on, DIR/shards.json.

A dataset grows while a run trains on it. What the stages of the recipe read is frozen when the run begins, by name and
size, as is what they are measured on. A stage that is added later reads, of each source, the shards that no stage has
read, if there are any, and else goes on in the list of the stage before. `unit` is the longest sequence of the recipe
of then: a longer stage that is added does not change those before it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import storage
from schemas.errors import ConfigError, RunError
from schemas.settings import to_plain
from trainer.data.sources import Shards, held_out_shards
from trainer.recipe import Recipe

NAME = "shards.json"
Shard = tuple[str, int]  # name and bytes
Lists = Mapping[str, tuple[Shard, ...]]  # by source


@dataclass(frozen=True)
class StageData:
    """What a stage reads."""

    unit: int  # tokens; its streams are cut into multiples of this
    shards: Lists


NO_SHARDS = StageData(1, {})  # of a stage that reads rows


@dataclass(frozen=True)
class Frozen:
    """What a run's folder says of its shards."""

    stages: Mapping[str, StageData] = field(default_factory=dict)  # by the stage's name
    held_out: Lists = field(default_factory=dict)
    asked: tuple[tuple[str, ...], int] = ((), 0)  # evaluation.held_out and held_out_shards of then


def read_frozen(folder: Path) -> Frozen:
    """Return what a run's folder says; nothing when no run began there. RunError when it cannot be read."""
    path = folder / NAME
    if not path.exists():
        return Frozen()
    try:
        plain = json.loads(path.read_bytes())
        stages = {name: StageData(s["unit"], _lists(s["shards"])) for name, s in plain["stages"].items()}
        return Frozen(stages, _lists(plain["held_out"]), (tuple(plain["asked"][0]), plain["asked"][1]))
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise RunError(f"{path}: not the shards of a run ({error})") from None


def write_frozen(folder: Path, frozen: Frozen) -> None:
    storage.write_atomic(str(folder / NAME), json.dumps(to_plain(frozen), indent=1, sort_keys=True).encode())


def measured(shards: Shards) -> dict[str, tuple[Shard, ...]]:
    """Return name and size of each shard; that is a request a shard where they lie in an object store."""
    return {source: tuple(_facts(path) for path in paths) for source, paths in shards.items()}


def plan_data(recipe: Recipe, present: Lists, frozen: Frozen, keep: int | None = None) -> list[StageData]:
    """Return what each stage reads, given the shards that are there now; `keep`: only so many stages stay frozen."""
    kept = {
        stage.name: frozen.stages[stage.name]
        for number, stage in enumerate(recipe.stages)
        if stage.name in frozen.stages and (keep is None or number < keep)
        if not stage.rows and not frozen.stages[stage.name].unit % stage.seq_len
    }
    if not kept:
        return [NO_SHARDS if stage.rows else StageData(recipe.unit, present) for stage in recipe.stages]
    had = [frozen.held_out, *(data.shards for data in kept.values())]
    known = {(source, shard) for lists in had for source, shards in lists.items() for shard in shards}
    new = {source: tuple(s for s in shards if (source, s) not in known) for source, shards in present.items()}
    found: list[StageData] = []
    last = present
    for stage in recipe.stages:
        if stage.rows:
            found.append(NO_SHARDS)
            continue
        before = last
        old = {source: tuple(s for s in before.get(source, there) if s in there) for source, there in present.items()}
        added = StageData(recipe.unit, {source: new[source] or old[source] for source in present})
        found.append(kept.get(stage.name, added))
        last = found[-1].shards
    return found


def freeze(recipe: Recipe, data: Sequence[StageData], frozen: Frozen, held_out: Shards) -> Frozen:
    """Return what the folder has to say from now on."""
    stages = {stage.name: what for stage, what in zip(recipe.stages, data, strict=True)}
    return Frozen({**frozen.stages, **stages}, measured(held_out), _asked(recipe))


def is_there(data: StageData, present: Lists) -> bool:
    """Return whether all shards of a stage are still there."""
    return all(set(shards) <= set(present.get(source, ())) for source, shards in data.shards.items())


def training_paths(data: StageData, paths: Shards, present: Lists) -> dict[str, list[str]]:
    """Return where a stage's shards are, given all paths and, in the same order, their names and sizes.

    RunError when one is gone or has another size than when the run began.
    """
    found: dict[str, list[str]] = {}
    for source, shards in data.shards.items():
        there: dict[Shard, list[str]] = {}  # folders can hold shards of one name and size
        for shard, path in zip(present.get(source, ()), paths.get(source, ()), strict=True):
            there.setdefault(shard, []).append(path)
        for name, size in shards:
            if not there.get((name, size)):
                raise RunError(
                    f"source {source}: {name} of {size:,} bytes, which this run reads, is gone or has changed;"
                    " give another folder, or --anew to begin the stage with the shards that are there"
                )
            found.setdefault(source, []).append(there[name, size].pop(0))
    return found


def held_out_paths(recipe: Recipe, frozen: Frozen, data: Sequence[StageData], everything: Shards) -> Shards:
    """Return the shards that a run is measured on: those of its beginning, unless the recipe asks for others by now.

    ConfigError when a stage trains on one of them.
    """
    held_out: Shards = held_out_shards(recipe)
    if not held_out and not frozen.held_out:
        return held_out
    if frozen.asked == _asked(recipe):
        wanted = {(source, shard) for source, shards in frozen.held_out.items() for shard in shards}
        there = {(source, _facts(path)): path for source, paths in everything.items() for path in paths}
        there |= {(source, _facts(path)): path for source, paths in held_out.items() for path in paths}
        if wanted <= there.keys():
            held_out = {
                source: [there[source, shard] for shard in shards] for source, shards in frozen.held_out.items()
            }
    trained = {(source, shard) for stage in data for source, shards in stage.shards.items() for shard in shards}
    paths = {path for paths in everything.values() for path in paths}
    for source, found in held_out.items():
        for path in found:
            if path in paths and (source, _facts(path)) in trained:
                raise ConfigError(f"evaluation.held_out: {path} is one that this run trains on")
    return held_out


def _asked(recipe: Recipe) -> tuple[tuple[str, ...], int]:
    return recipe.evaluation.held_out, recipe.evaluation.held_out_shards


def _facts(path: str) -> Shard:
    return path.rpartition("/")[2], storage.size(path)


def _lists(plain: Mapping[str, Sequence[Sequence[object]]]) -> dict[str, tuple[Shard, ...]]:
    return {source: tuple((str(name), int(str(size))) for name, size in shards) for source, shards in plain.items()}
