"""What a stage of a run depends on, and where its results are.

DIR/stages/03-context-512/      done.json, checkpoint/ (to go on from), model/ (Hugging Face safetensors)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import storage
from schemas.errors import ConfigError
from schemas.settings import to_plain
from trainer.loop.checkpoints import STATE, State, remove
from trainer.objectives.find import find_objective
from trainer.objectives.objective import CAUSAL
from trainer.recipe import ModelConfig, Recipe, StageConfig
from trainer.stages.data import Shard, StageData
from trainer.stages.graph import folders, model_of, parents
from trainer.stages.inputs import Digest, content_of

AVERAGE = "average"  # in a stage's folder while it is trained: the weights that its result is the mean of
# Of keys, whose first part it is. 2: each source of a block is read forward; 3: orders of fewer than 64 are even;
# 4: all settings of a stage, and the seed of the order of its data. A setting that is added changes every key, and so
# do others here: give it another number, or leave the setting out of the key at its default.
FORMAT = 4


@dataclass(frozen=True)
class StageJob:
    """One stage of a run."""

    number: int
    config: StageConfig
    key: str  # hash of all that its result depends on, the stages before it included
    folder: Path
    data: StageData
    model: ModelConfig = field(default_factory=ModelConfig)
    kind: str = CAUSAL  # of the model
    parents: tuple[StageJob, ...] = ()  # the stages whose weights it begins with
    folders: tuple[Path, ...] = ()  # and the models from elsewhere
    carries: bool = True  # the optimiser's moments from the stage before

    @property
    def is_first(self) -> bool:
        """Whether it begins with what the recipe says of the run's beginning."""
        return not self.parents and not self.folders

    @property
    def models(self) -> list[Path]:
        """The folders of the models whose mean it begins with."""
        return [*(parent.folder / "model" for parent in self.parents), *self.folders]

    def start(self, begin: State, ended: Mapping[int, State]) -> State:
        """Return the state before the stage, given that at the run's beginning and those after the stages before.

        Steps and tokens are the run's, in the order of the list. The place in a source is the furthest of those stages
        that it begins with that read the same shards of it: in others a place says nothing.
        """
        before = ended[self.number - 1] if self.number else begin
        starts: dict[str, int] = dict(begin.starts) if self.is_first else {}
        for parent in self.parents:
            for source, place in ended[parent.number].starts.items():
                if parent.shards_of(source) in (None, self.shards_of(source)):
                    starts[source] = max(place, starts.get(source, 0))
        taken = tuple(ended[number].taken[number] for number in range(self.number))
        return replace(before, taken=taken, starts=starts)

    def begin(self, after: State) -> State:
        """Return the state at the stage's first step, given that before the stage."""
        return replace(after, stage=self.number, stage_key=self.key, step=0)

    def shards_of(self, source: str) -> tuple[Shard, ...] | None:
        """Return the shards that the place in a source refers to: the stage's own, else of the stages on the way to it.

        None when no stage there reads the source: its place is that of the run's beginning.
        """
        if source in self.data.shards:
            return self.data.shards[source]
        return next((found for job in self.parents if (found := job.shards_of(source)) is not None), None)

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


def jobs(recipe: Recipe, data: Sequence[StageData], folder: Path, digest: Digest | None = None) -> list[StageJob]:
    """Return the stages of a run; `data` is what each of them reads of the shards.

    `digest` tells what identifies the contents of a folder of rows, or of a model.
    """
    digest = digest or content_of
    plain: dict[str, Any] = {
        "seed": recipe.seed, "order_seed": recipe.stream_seed, "mix_block": recipe.mix_block,
        "model": to_plain(recipe.model), "adamw": to_plain(recipe.adamw),
    }  # fmt: skip
    root = _hash(plain)
    if recipe.init_from:
        plain["init_from"] = digest(recipe.init_from, False)
    if recipe.data_starts:
        plain["data_starts"] = recipe.data_starts
    first = _hash(plain)
    found: list[StageJob] = []
    for number, (config, what) in enumerate(zip(recipe.stages, data, strict=True)):
        before = tuple(found[parent] for parent in parents(recipe, number))
        others = folders(recipe, number)
        begins: Any = first
        if len(before) == 1 and not others:
            begins = before[0].key
        elif before or others:
            begins = [root, [job.key for job in before], [digest(path, False) for path in others]]
        inputs = {"rows": [digest(path, True) for path in config.rows]} if config.rows else {}
        kind = find_objective(config.objective).kind
        key = f"{FORMAT}-{_hash([begins, {**_keyed(config), **inputs}, to_plain(what)])}"
        found.append(StageJob(
            number, config, key, folder / "stages" / f"{number:02d}-{config.name}", what,
            model=model_of(recipe, number), kind=kind, parents=before, folders=tuple(map(Path, others)),
            carries=_carries(config, kind, before, others, is_first=not (before or others)),
        ))  # fmt: skip
    return found


def _keyed(config: StageConfig) -> dict[str, Any]:
    """Return the settings of a stage that its result depends on; its inputs are in the key by what they hold."""
    left_out = ("begin", "rows") if config.recall.share else ("begin", "rows", "recall")
    return {name: value for name, value in to_plain(config).items() if name not in left_out}


def _carries(
    config: StageConfig, kind: str, before: Sequence[StageJob], others: Sequence[str], is_first: bool
) -> bool:  # fmt: skip
    """Return whether the moments go on. ConfigError where they are asked for and there are none that fit."""
    possible = is_first or (len(before) == 1 and not others and before[0].kind == kind)
    if config.moments == "carried" and not possible:
        raise ConfigError(
            f"stages: {config.name}: moments: carried is not allowed; it begins with several models, with one of"
            " another kind, or with a folder, which has none"
        )
    if before and kind == CAUSAL and any(job.kind != CAUSAL for job in before):
        raise ConfigError(f"stages: {config.name}: begin: a reward model is not allowed; it has no output embedding")
    return possible and config.moments != "fresh"


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


def format_in(path: Path) -> str:
    """Return the format of the keys that a stage's folder or a checkpoint records; before 4 they do not tell it."""
    recorded = [*_keys_in(path), str(_read(path / STATE).get("stage_key", ""))]
    told = {key.partition("-")[0] for key in recorded if "-" in key}
    return min(told, default="3 or before")


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
