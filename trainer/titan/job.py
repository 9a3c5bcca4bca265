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
from trainer.loop.checkpoints import State, is_torch_checkpoint
from trainer.loop.loop import make_mixture
from trainer.loop.schedule import learning_rate
from trainer.model.loss import chunk_tokens
from trainer.recipe import Recipe, StageConfig

JOB_VARIABLE = "WINNOW_TITAN_JOB"  # names the file of the job to the processes that train it
FILE = "job.json"
CHECKPOINTS = "checkpoint"  # under the folder of the job, as torchtitan names it
START, EVENTS = "start", "events"  # there as well: what it starts from, and events for the run's journal


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
    ends: dict[str, int] = field(default_factory=dict)  # position in each source after the stage
    tokens: int = 0  # that the run was trained on before the stage
    begins_with: str = ""  # checkpoint of the local runner's, or Hugging Face model; empty: initial weights
    load_from: str = ""  # the same as a checkpoint of torchtitan's, with moments; empty: torchtitan draws the weights
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

    def loss_chunks(self, vocabulary: int) -> int:
        """Return into how many pieces a sequence is cut for the loss: a power of two that divides a rank's share of it.

        A piece has the logits that the local runner allows for (`local.loss_tokens`); a tensor-parallel rank has its
        part of each token's.
        """
        titan = self.recipe.titan
        share = self.stage.seq_len // titan.context
        room = chunk_tokens(self.recipe.local.loss_tokens, -(-vocabulary // titan.tensor))
        chunks = 1
        while titan.micro_sequences * share // chunks > room and share % (2 * chunks) == 0:
            chunks *= 2
        return chunks

    @property
    def trained(self) -> int:
        """The step of torchtitan's newest whole checkpoint of this stage; 0 when there is none."""
        folders = (Path(self.folder) / CHECKPOINTS).glob("step-*")
        return max((int(path.name.removeprefix("step-")) for path in folders if is_torch_checkpoint(path)), default=0)

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
