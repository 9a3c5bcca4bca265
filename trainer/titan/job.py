"""The job file of a torchtitan stage: all that the loader, the learning rate and the model need."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import storage
from schemas.errors import ConfigError, RunError
from schemas.settings import overlay, to_plain
from schemas.shards import TokenizerFacts
from trainer.data.batches import Feed
from trainer.data.corpus import same_tokenizer
from trainer.data.sources import open_streams, training_shards
from trainer.loop.checkpoints import State
from trainer.loop.loop import make_mixture
from trainer.loop.schedule import learning_rate
from trainer.recipe import Recipe, StageConfig

JOB_VARIABLE = "WINNOW_TITAN_JOB"  # names the file of the job to the processes that train it
FILE = "job.json"
CHECKPOINTS = "checkpoint"  # under the folder of the job, as torchtitan names it


@dataclass(frozen=True, kw_only=True)
class TitanJob:
    """One stage, as torchtitan is to train it."""

    key: str = ""  # of the stage: what its result depends on
    recipe: Recipe
    number: int  # of the stage in the recipe
    steps: int
    taken: tuple[int, ...]  # steps of each stage before
    starts: dict[str, int] = field(default_factory=dict)  # position in each source where the stage begins
    shards: dict[str, list[str]] = field(default_factory=dict)  # paths by source; none: all of the recipe's data
    held_out: dict[str, list[str]] = field(default_factory=dict)  # left out of training; none: what the recipe names
    unit: int = 0  # of the streams; 0: the longest sequence of the recipe
    load_from: str = ""  # checkpoint of torchtitan's with weights and moments; empty: initial weights
    keep_all: bool = False  # checkpoints, for an average
    checkpoint_steps: int = 500
    folder: str = ""

    @property
    def stage(self) -> StageConfig:
        return self.recipe.stages[self.number]

    @property
    def local_batch(self) -> int:
        """Sequences of a data rank that go through the model before gradients are added up.

        A pipeline is given all of them at once, and cuts them itself.
        """
        titan = self.recipe.titan
        if self.stage.batch_sequences % (titan.data_ranks * titan.micro_sequences):
            raise ConfigError(
                f"stages: {self.stage.name}: a batch of {self.stage.batch_sequences} sequences cannot be cut into"
                f" micro-batches of {titan.micro_sequences} for {titan.data_ranks} data ranks (titan.micro_sequences)"
            )
        return self.stage.batch_sequences // titan.data_ranks if titan.pipeline > 1 else titan.micro_sequences

    def rate(self, step: int) -> float:
        """Return the learning rate at a step of the stage, the first being 0."""
        return learning_rate(self.recipe.stages, self.taken, step)

    def open_data(self) -> tuple[Feed, TokenizerFacts]:
        """Return the batches of the stage, and the tokenizer of its shards."""
        shards = self.shards or training_shards(self.recipe)
        streams = open_streams(self.recipe, shards, self.unit, self.held_out or None)
        begin = State(stage=self.number, taken=self.taken, starts=self.starts)
        return make_mixture(self.recipe, streams, self.stage, begin), same_tokenizer(list(streams.values()))

    def write(self) -> Path:
        path = Path(self.folder) / FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        storage.write_atomic(str(path), json.dumps(to_plain(self), indent=1, sort_keys=True).encode())
        return path


def read_job(path: str) -> TitanJob:
    """Return the job of a file. RunError when it is not one."""
    try:
        plain = json.loads(Path(path).read_bytes())
        recipe = overlay(Recipe(), plain.pop("recipe"))
        return TitanJob(**{**plain, "taken": tuple(plain["taken"]), "recipe": recipe})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path}: not a job of the titan runner ({error})") from None
