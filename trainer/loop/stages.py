"""What a stage of a run depends on, and where its results are.

DIR/stages/03-context-512/      done.json, checkpoint/ (to go on from), model/ (Hugging Face safetensors)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import storage
from schemas.settings import to_plain
from trainer.loop.checkpoints import STATE, State, remove
from trainer.loop.stage_data import StageData
from trainer.model.export import weights_sha256
from trainer.recipe import Recipe, StageConfig

FORMAT = 3  # of keys; 2: each source of a block is read forward; 3: orders of fewer than 64 are even


@dataclass(frozen=True)
class StageJob:
    """One stage of a run."""

    number: int
    config: StageConfig
    key: str  # hash of all that its result depends on, the stages before it included
    folder: Path
    data: StageData
    fresh: frozenset[str] = frozenset()  # sources of which it reads other shards than the stage before

    def begin(self, after: State) -> State:
        """Return the state at the stage's first step, given that after the stage before."""
        starts = {source: place for source, place in after.starts.items() if source not in self.fresh}
        return replace(after, stage=self.number, stage_key=self.key, step=0, starts=starts)

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint"

    @property
    def done(self) -> Path:
        return self.folder / "done.json"

    def finished(self) -> State | None:
        """Return the run's state after the stage; None when it is not done, or was done by another recipe."""
        try:
            plain = json.loads(self.done.read_bytes())
        except (OSError, ValueError):
            return None
        if plain.get("key") != self.key:
            return None
        return State.from_json(json.dumps({**plain["state"], "files": {}}).encode(), self.done)

    def finish(self, state: State) -> None:
        """Mark the stage as done."""
        plain = {"key": self.key, "state": to_plain(state)}
        storage.write_atomic(str(self.done), json.dumps(plain, indent=1, sort_keys=True).encode())


class Runner(Protocol):
    """What trains a stage: the local loop, or torchtitan. Runners are interchangeable by the stage, not by the step."""

    def run(self, job: StageJob, start: State) -> State:
        """Train a stage from where `start` says, write its checkpoint, and return the run's state after it."""


def jobs(recipe: Recipe, data: Sequence[StageData], folder: Path) -> list[StageJob]:
    """Return the stages of a run; `data` is what each of them reads."""
    plain: dict[str, Any] = {
        "format": FORMAT, "seed": recipe.seed, "model": to_plain(recipe.model), "adamw": to_plain(recipe.adamw),
        "mix_block": recipe.mix_block,
    }  # fmt: skip
    if recipe.init_from:
        plain["init_from"] = weights_sha256(Path(recipe.init_from))
    if recipe.order_seed >= 0 or recipe.data_starts:
        plain["place"] = [recipe.order_seed, recipe.data_starts]
    upstream = _hash(plain)
    found = []
    for number, (config, what) in enumerate(zip(recipe.stages, data, strict=True)):
        upstream = _hash([upstream, to_plain(config), to_plain(what)])
        before = data[number - 1].shards if number else what.shards
        fresh = frozenset(source for source, shards in what.shards.items() if before.get(source) != shards)
        where = folder / "stages" / f"{number:02d}-{config.name}"
        found.append(StageJob(number, config, upstream, where, what, fresh))
    return found


def made_by_others(planned: Sequence[StageJob], folder: Path) -> list[tuple[int, Path]]:
    """Return what the folder of a run holds that none of its stages made: the stage's number, and where it is."""
    keys, own = {job.key for job in planned}, {job.folder: job.key for job in planned}
    stages = sorted(folder.glob("stages/*"))
    found = [(int(path.name.partition("-")[0]), path) for path in stages if _keys_in(path) - {own.get(path, "")}]
    for path in sorted(folder.glob(f"checkpoints/step-*/{STATE}")):
        state = _read(path)
        if state.get("stage_key", "") not in {*keys, ""}:  # without one it is torn
            found.append((int(state.get("stage", 0)), path.parent))
    return found


def remove_made(path: Path) -> None:
    """Remove a stage's folder or a checkpoint, what marks it as complete first."""
    (path / "done.json").unlink(missing_ok=True)
    remove(path / "checkpoint")
    remove(path)


def _keys_in(path: Path) -> set[str]:
    """Return the keys that a stage's folder records: of its result, and of its job for another runner."""
    plain = [_read(marker) for marker in (path / "done.json", *sorted(path.glob("*/job.json")))]
    return {str(found["key"]) for found in plain if "key" in found}


def _read(path: Path) -> dict[str, Any]:
    try:
        plain = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}  # unfinished: nothing that another run could need
    return plain if isinstance(plain, dict) else {}


def _hash(plain: Any) -> str:
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
