"""The working state of a run: the model, its optimiser, the data, the ranks, and where things are written."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import torch

from schemas.shards import TokenizerFacts
from trainer.data.corpus import Stream, same_tokenizer
from trainer.data.rows import RowFolder
from trainer.faults.bad_steps import checkpoint_interval_s
from trainer.faults.watchdog import Watchdog
from trainer.loop.checkpoints import CheckpointFolder, Saver, State, load, read_state
from trainer.loop.journal import Journal
from trainer.loop.placement import shard, weights_digest, whole_weights
from trainer.loop.ranks import Ranks
from trainer.model.averages import snapshot_path, write_snapshot
from trainer.model.export import ROPE, check_config, load_weights
from trainer.model.llama import (
    Model,
    draw_weights,
    empty_model,
    empty_reward_model,
    llama_config,
    materialise,
    recompute,
    set_rope,
)
from trainer.model.mean_rows import EMBEDDINGS, rows_to_mean
from trainer.model.optimiser import make_optimiser
from trainer.objectives.objective import CAUSAL
from trainer.recipe import ModelConfig, Recipe, StageConfig

DIGESTED_PARAMETERS = 2 * 10**9  # a larger model is gathered for its digest only at the ends of stages
FIRST_SAVE_S = 1.0  # what a checkpoint is taken to cost before one was written


class Watcher(Protocol):
    """Receives the progress of a run; a console draws it."""

    def stage_started(self, stage: StageConfig, step: int) -> None: ...

    def step_taken(self, event: Mapping[str, Any]) -> None: ...

    def measured(self, event: Mapping[str, Any]) -> None:
        """Receive an `eval` event of the journal."""

    def say(self, line: str) -> None: ...


@dataclass
class Training:
    """One process's share of a run."""

    recipe: Recipe
    folder: Path
    corpora: Mapping[str, Stream]
    ranks: Ranks
    journal: Journal | None  # rank 0's alone
    watcher: Watcher
    watchdog: Watchdog
    known_tokenizer: TokenizerFacts | None = None  # where there are no corpora to tell it
    rows: RowFolder | None = None  # what a stage reads in place of the corpora
    tokenizer: TokenizerFacts = field(init=False)
    kind: str = field(default=CAUSAL, init=False)  # of the model
    shape: ModelConfig = field(init=False)  # of the model: the recipe's, or what a stage made of it
    model: Model = field(init=False)
    optimiser: torch.optim.AdamW = field(init=False)
    checkpoints: CheckpointFolder = field(init=False)
    stop_asked: bool = field(default=False, init=False)  # by a signal
    save_s: float = field(default=FIRST_SAVE_S, init=False)  # what the last checkpoint cost the loop

    def __post_init__(self) -> None:
        """Give the model memory; its weights are drawn by `begin_anew` alone, or read from where they are."""
        self.checkpoints = CheckpointFolder(self.folder / "checkpoints")
        self.tokenizer = self.known_tokenizer or same_tokenizer(list(self.corpora.values()))
        self.shape = self.recipe.model
        self.model = self._make_model()
        self.optimiser = make_optimiser(self.model, self.recipe.adamw)

    def _make_model(self) -> Model:
        local, on_gpu = self.recipe.local, self.ranks.device.type == "cuda"
        attention = local.attention if local.attention != "auto" else "flex_attention" if on_gpu else "sdpa"
        dtype: torch.dtype = getattr(torch, local.computed_in(on_gpu))
        if on_gpu:
            torch.set_float32_matmul_precision("high" if local.tf32 else "highest")
        config = llama_config(self.shape, self.tokenizer, self.recipe.longest, attention)
        model: Model
        if self.kind == CAUSAL:
            model = empty_model(config)
            model.loss_tokens = local.loss_tokens
        else:
            model = empty_reward_model(config)
        if local.checkpoint_activations:
            recompute(model)
        if local.compile:
            for block in model.model.layers:
                block.compile()
        shard(model, self.ranks.mesh, dtype, local.replicas, local.reshard)
        materialise(model, self.ranks.device)
        model.train()
        # Also what is measured between two events of the journal is progress, and can take longer than `stall_s`.
        model.register_forward_pre_hook(lambda *_: self.watchdog.beat())
        return model

    def become(self, kind: str, shape: ModelConfig) -> bool:
        """Make the model one of this kind and shape; return whether it still has the weights that it had."""
        keeps = kind == self.kind
        self.kind, before, self.shape = kind, self.shape, shape
        if not keeps:
            self.model = self._make_model()
            self._renew(draws=False)
        elif shape != before:
            set_rope(self.model, shape)
        return keeps

    def _renew(self, draws: bool) -> None:
        """Give the model an optimiser without moments, and initial weights unless it gets others at once."""
        if draws:
            draw_weights(self.model, self.recipe.seed)
            self._rows_to_mean(self.tokenizer.special_ids)
        self.optimiser = make_optimiser(self.model, self.recipe.adamw)

    def _rows_to_mean(self, ids: Sequence[int]) -> None:
        """Give these tokens the mean row of the others in both embeddings: pre-training never draws on them."""
        for name, parameter in self.model.named_parameters():
            if name in EMBEDDINGS and ids:
                rows_to_mean(parameter, ids)

    def begin_with(self, models: Sequence[Path], foreign: Sequence[Path] = ()) -> None:
        """Give the model the mean of the weights in folders of Hugging Face's layout, and fresh moments.

        A head that they do not have is drawn. Those from elsewhere, `foreign`, have the settings of the model, but what
        `init_differs` names; those of the run's own stages may have another RoPE.
        """
        self._renew(draws=self.kind != CAUSAL)
        for folder in foreign:
            check_config(self.model.config, folder, self.recipe.init_differs)
        load_weights(self.model, models, (*self.recipe.init_differs, *ROPE))

    def micro_sequences(self, seq_len: int) -> int:
        """Return how many sequences go through the model at once."""
        return self.recipe.local.sequences_at_once(seq_len, on_gpu=self.ranks.device.type == "cuda")

    def begin_anew(self) -> None:
        """Give the model the weights that a run begins with, and a new optimiser."""
        self._renew(draws=self.kind != CAUSAL or not self.recipe.init_from)
        if self.recipe.init_from:
            self.load_start(Path(self.recipe.init_from))

    def load_start(self, folder: Path) -> None:
        """Take weights, and moments where there are any, from a checkpoint or a model; not places in the data.

        A run that resumes from its own checkpoints never asks for it: what it began from need not be there any more.
        """
        may_differ = self.recipe.init_differs
        if self.kind != CAUSAL:  # whose moments would be those of another model
            load_weights(self.model, folder.parent / "model" if read_state(folder) else folder, may_differ)
        elif read_state(folder) is not None:
            check_config(self.model.config, folder.parent / "model", may_differ)  # of the end of a stage
            load(folder, self.model, self.optimiser)
        else:
            load_weights(self.model, folder, may_differ)

    def write(self, event: str, **fields: Any) -> None:
        """Write an event to the journal, on rank 0; tells the watchdog that this rank makes progress."""
        self.watchdog.beat()
        if self.journal is not None:
            self.journal.write(event, **fields)

    def newest_of(self, stage_key: str, at_most: int | None = None) -> tuple[Path, State] | None:
        """Return the newest complete checkpoint, up to step `at_most` of the run, if it is of this stage."""
        here = self.checkpoints.newest(self.watcher.say, at_most) if self.ranks.is_first else None
        found = self.ranks.from_first(here)
        return found if found is not None and found[1].stage_key == stage_key else None

    def save(self, saver: Saver, state: State) -> None:
        """Begin to write a checkpoint, and note how long the loop waited for it."""
        began = time.monotonic()
        if sum(parameter.numel() for parameter in self.model.parameters()) <= DIGESTED_PARAMETERS:
            state = replace(state, weights_sha256=self.digest())
        saver.begin(self.checkpoints.path(state.global_step), state)
        self.save_s = time.monotonic() - began

    def make_saver(self) -> Saver:
        """Return what writes the model and the optimiser of now; the journal has a checkpoint once it is complete."""
        return Saver(self.model, self.optimiser, self.ranks, self._saved)

    def _saved(self, state: State) -> None:
        self.write("save", step=state.global_step, paused_s=round(self.save_s, 4))

    def digest(self) -> str:
        """Return the SHA-256 of the weights."""
        return weights_digest(self._beating(whole_weights(self.model)))

    def _beating(self, weights: Iterator[tuple[str, torch.Tensor]]) -> Iterator[tuple[str, torch.Tensor]]:
        for named in weights:
            self.watchdog.beat()
            yield named

    def snapshot(self, folder: Path, step: int) -> None:
        """Keep the weights for the average of a stage."""
        self.watchdog.beat()
        write_snapshot(self.model, snapshot_path(folder, step), self.ranks)
        self.watchdog.beat()

    @property
    def checkpoint_interval_s(self) -> float:
        return checkpoint_interval_s(self.recipe.faults, self.save_s)
