"""Checkpoints: torch's distributed ones, complete when `state.json` is there.

    DIR/checkpoints/step-000001200/      .metadata, *.distcp (weights and optimiser, sharded), state.json

`state.json` is written last, by an atomic rename, and lists every file with its size. A folder without it, or with a
file missing or of another size, is incomplete after a failure: it is skipped, with a line that says so. All the state
of a run that is not weights or optimiser is a few numbers; the order of the data is a function of them.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.checkpoint.state_dict import get_state_dict, set_state_dict
from torch.distributed.checkpoint.state_dict_loader import load as load_shares
from torch.distributed.checkpoint.state_dict_saver import async_save

import storage
from schemas.errors import RunError
from trainer.loop.placement import weights_digest, whole_weights
from trainer.loop.ranks import Ranks

STATE = "state.json"


@dataclass(frozen=True, kw_only=True)
class State:
    """The state of a run: what is done, and where the data continues."""

    stage: int = 0  # number of the stage that comes next or is under way
    stage_key: str = ""  # what the stage's result depends on; '' between stages
    step: int = 0  # steps of that stage that are done
    taken: tuple[int, ...] = ()  # steps of each stage before
    tokens: int = 0  # trained on since the start
    starts: Mapping[str, int] = field(default_factory=dict)  # position in each source where the stage began
    weights_sha256: str = ""

    @property
    def global_step(self) -> int:
        return sum(self.taken) + self.step

    def to_json(self, files: Mapping[str, int]) -> bytes:
        return json.dumps({**dataclasses.asdict(self), "files": dict(files)}, indent=1, sort_keys=True).encode()

    @staticmethod
    def from_json(data: bytes, where: Path) -> State:
        """Return the state. RunError when it is not one."""
        try:
            plain = json.loads(data)
            plain.pop("files")
            return State(**{**plain, "taken": tuple(plain["taken"])})
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"{where}: not the state of a checkpoint ({error})") from None


class Saver:
    """Writes checkpoints in the background: the loop waits only for the copy of weights and moments to main memory.

    All ranks call `begin` and `finish` together; torch writes each rank's share and then, on rank 0, `.metadata`.
    """

    def __init__(
        self,
        model: nn.Module,
        optimiser: torch.optim.Optimizer,
        ranks: Ranks,
        told: Callable[[State], None] | None = None,
    ) -> None:
        """`told` hears of each checkpoint that is complete, on every rank."""
        self._model, self._optimiser = model, optimiser
        self._is_first, self._group = ranks.is_first, ranks.saving
        self._told = told
        self._writing: tuple[Path, State, Any] | None = None

    def begin(self, folder: Path, state: State) -> None:
        """Start to write a checkpoint, after the one in progress. Its folder is emptied first."""
        self.finish()
        if self._is_first:
            remove(folder)
        if self._group is not None:
            dist.barrier(self._group)  # the first thing that a rank does is to make the folder: not while it is removed
        weights, moments = get_state_dict(self._model, self._optimiser)
        held = {"model": weights, "optimiser": moments}
        self._writing = (folder, state, async_save(held, checkpoint_id=str(folder), process_group=self._group))

    def finish(self) -> None:
        """Wait for the checkpoint in progress and mark it as complete."""
        if self._writing is not None:
            folder, state, future = self._writing
            self._writing = None
            future.result()
            if self._is_first:
                complete(folder, state)
            if self._told is not None:
                self._told(state)

    @property
    def is_writing(self) -> bool:
        """Whether a checkpoint is in progress; the same on all ranks."""
        return self._writing is not None

    @property
    def is_done(self) -> bool:
        """Whether this rank has nothing more to write."""
        return self._writing is None or bool(self._writing[2].done())


def complete(folder: Path, state: State) -> None:
    """Mark a checkpoint as complete, once all ranks have written. Rank 0 calls it."""
    for path in _data_files(folder):
        storage.sync_to_disk(path)
    files = {path.name: path.stat().st_size for path in _data_files(folder)}
    storage.write_atomic(str(folder / STATE), state.to_json(files))


def load(folder: Path, model: nn.Module, optimiser: torch.optim.Optimizer) -> None:
    """Fill weights and optimiser from a checkpoint of any world size.

    RunError when the weights are not those that were saved: sizes alone do not tell a flipped byte. All ranks call it.
    """
    weights, moments = get_state_dict(model, optimiser)
    held: dict[str, Any] = {"model": weights, "optimiser": moments}
    load_shares(held, checkpoint_id=str(folder))
    set_state_dict(model, optimiser, model_state_dict=held["model"], optim_state_dict=held["optimiser"])
    state = read_state(folder)
    if state is not None and state.weights_sha256:
        found = weights_digest(whole_weights(model))
        if found != state.weights_sha256:
            raise RunError(
                f"{folder}: its weights have changed since they were saved (SHA-256 {found}, not"
                f" {state.weights_sha256}); remove this checkpoint to go on from the one before"
            )


def read_state(folder: Path) -> State | None:
    """Return the state of a complete checkpoint; None for an incomplete one."""
    path = folder / STATE
    try:
        data = path.read_bytes()
        files = json.loads(data)["files"]
    except (OSError, ValueError, KeyError):
        return None
    if {found.name: found.stat().st_size for found in _data_files(folder)} != files:
        return None
    return State.from_json(data, path)


class CheckpointFolder:
    """The checkpoints of a run, oldest first."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, global_step: int) -> Path:
        return self.root / f"step-{global_step:09d}"

    def newest(self, tell: Callable[[str], None], at_most: int | None = None) -> tuple[Path, State] | None:
        """Return the newest complete checkpoint, of those up to step `at_most` of the run if that is given.

        Prints which newer ones are skipped because they are not whole.
        """
        for folder in sorted(self._folders(), reverse=True):
            if at_most is not None and _step_of(folder) > at_most:
                continue
            state = read_state(folder)
            if state is not None:
                return folder, state
            tell(f"{folder}: torn or unfinished, passed over")
        return None

    def prune(self, choose: Callable[[Sequence[int]], Collection[int]]) -> None:
        """Remove the whole ones but those whose steps `choose` returns; one in progress does not count as any."""
        whole = {_step_of(folder): folder for folder in self._folders() if (folder / STATE).exists()}
        for step in whole.keys() - set(choose(sorted(whole))):
            remove(whole[step])

    def remove_after(self, global_step: int) -> None:
        """Remove what is newer than a step, and what was never finished."""
        for folder in self._folders():
            if _step_of(folder) > global_step or not (folder / STATE).exists():
                remove(folder)

    def _folders(self) -> list[Path]:
        return [path for path in self.root.glob("step-*") if path.is_dir()] if self.root.exists() else []


def _step_of(folder: Path) -> int:
    return int(folder.name.removeprefix("step-"))


def remove(folder: Path) -> None:
    """Remove a checkpoint, the file that marks it as complete first."""
    (folder / STATE).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def _data_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name != STATE and not path.name.startswith(".tmp"))


def is_torch_checkpoint(folder: Path) -> bool:
    """Return whether torch has written all of a checkpoint there: `.metadata` comes last."""
    return (folder / ".metadata").exists()
