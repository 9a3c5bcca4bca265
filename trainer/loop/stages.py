"""What a stage of a run depends on, and where its results are.

DIR/stages/03-context-512/      done.json, checkpoint/ (to go on from), model/ (Hugging Face safetensors)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import storage
from schemas.settings import to_plain
from trainer.loop.checkpoints import State
from trainer.model.export import weights_sha256
from trainer.recipe import Recipe, StageConfig

FORMAT = 1


@dataclass(frozen=True)
class StageJob:
    """One stage of a run."""

    number: int
    config: StageConfig
    key: str  # hash of all that its result depends on, the stages before it included
    folder: Path

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


def jobs(recipe: Recipe, data: Mapping[str, Sequence[tuple[str, int]]], folder: Path) -> list[StageJob]:
    """Return the stages of a run; `data` is the name and size of each shard of each source."""
    plain: dict[str, Any] = {
        "format": FORMAT, "seed": recipe.seed, "model": to_plain(recipe.model), "adamw": to_plain(recipe.adamw),
        "unit": recipe.unit, "mix_block": recipe.mix_block, "data": to_plain(data),
    }  # fmt: skip
    if recipe.init_from:
        plain["init_from"] = weights_sha256(Path(recipe.init_from))
    if recipe.order_seed >= 0 or recipe.data_starts:
        plain["place"] = [recipe.order_seed, recipe.data_starts]
    upstream = _hash(plain)
    found = []
    for number, config in enumerate(recipe.stages):
        upstream = _hash([upstream, to_plain(config)])
        found.append(StageJob(number, config, upstream, folder / "stages" / f"{number:02d}-{config.name}"))
    return found


def _hash(plain: Any) -> str:
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
