"""Checkpoints: torch's distributed ones, complete when `state.json` is there.

    DIR/checkpoints/step-000001200/      .metadata, *.distcp (weights and optimiser, sharded), state.json

`state.json` is written last, by an atomic rename, and lists every file with its size and SHA-256. A folder without it,
or with a file missing or of another size, is incomplete after a failure: it is skipped, with a line that says so. Of a
file of weights or moments whose bytes have changed, loading says so. All the state of a run that is not weights or
optimiser is a few numbers; the order of the data is a function of them.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
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
from storage.pinned_files import file_sha256
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

    def to_json(self, files: Mapping[str, int], digests: Mapping[str, str]) -> bytes:
        """Return the text of state.json, given size and SHA-256 of each file."""
        plain = {**dataclasses.asdict(self), "files": dict(files), "sha256": dict(digests)}
        return json.dumps(plain, indent=1, sort_keys=True).encode()

    @staticmethod
    def from_json(data: bytes, where: Path) -> State:
        """Return the state. RunError when it is not one."""
        try:
            plain = json.loads(data)
            plain.pop("files")
            plain.pop("sha256", None)  # of each file; older checkpoints have none
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
        self._is_first, self._rank, self._group = ranks.is_first, ranks.rank, ranks.saving
        self._told = told
        self._writing: tuple[Path, State, Future[dict[str, str]]] | None = None

    def begin(self, folder: Path, state: State) -> None:
        """Start to write a checkpoint, after the one in progress. Its folder is emptied first."""
        self.finish()
        if self._is_first:
            remove(folder)
        if self._group is not None:
            dist.barrier(self._group)  # the first thing that a rank does is to make the folder: not while it is removed
        weights, moments = get_state_dict(self._model, self._optimiser)
        held = {"model": weights, "optimiser": moments}
        saving = async_save(held, checkpoint_id=str(folder), process_group=self._group)
        pool = ThreadPoolExecutor(1, "digest")
        self._writing = (folder, state, pool.submit(_digests_once_written, saving, folder, self._rank))
        pool.shutdown(wait=False)  # ends with its only task

    def finish(self) -> None:
        """Wait for the checkpoint in progress and mark it as complete."""
        if self._writing is not None:
            folder, state, future = self._writing
            self._writing = None
            digests = self._of_all_ranks(future.result())
            if self._is_first:
                complete(folder, state, digests)
            if self._told is not None:
                self._told(state)

    def _of_all_ranks(self, digests: dict[str, str]) -> dict[str, str]:
        if self._group is None:
            return digests
        found: list[dict[str, str]] = [{} for _ in range(dist.get_world_size(self._group))]
        dist.all_gather_object(found, digests, self._group)
        return {name: digest for of_rank in found for name, digest in of_rank.items()}

    @property
    def is_writing(self) -> bool:
        """Whether a checkpoint is in progress; the same on all ranks."""
        return self._writing is not None

    @property
    def is_done(self) -> bool:
        """Whether this rank has nothing more to write."""
        return self._writing is None or bool(self._writing[2].done())


def _digests_once_written(saving: Any, folder: Path, rank: int) -> dict[str, str]:
    """Return the SHA-256 of the files that a rank has written, as soon as all have; rank 0's are the others' too."""
    saving.result()
    own = [path for path in _data_files(folder) if path.name.startswith(f"__{rank}_")]
    if rank == 0:
        own += [path for path in _data_files(folder) if not path.name.startswith("__")]
    return {path.name: file_sha256(path) for path in own}


def complete(folder: Path, state: State, digests: Mapping[str, str] | None = None) -> None:
    """Mark a checkpoint as complete, once all ranks have written. Rank 0 calls it.

    `digests` are the SHA-256 of the files; they are found here if none are given.
    """
    paths = _data_files(folder)
    for path in paths:
        storage.sync_to_disk(path)
    if digests is None:
        digests = {path.name: file_sha256(path) for path in paths}
    storage.write_atomic(
        str(folder / STATE), state.to_json({path.name: path.stat().st_size for path in paths}, digests)
    )


def load(folder: Path, model: nn.Module, optimiser: torch.optim.Optimizer) -> None:
    """Fill weights and optimiser from a checkpoint of any world size.

    RunError when they are not those that were saved: sizes alone do not tell a flipped byte. All ranks call it; each
    reads its part of the files for that.
    """
    _check_files(folder)
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


def _check_files(folder: Path) -> None:
    """Raise a RunError on all ranks when a file of a checkpoint has another SHA-256 than its state.json says."""
    try:
        wanted = dict(json.loads((folder / STATE).read_bytes()).get("sha256", {}))
    except (OSError, ValueError, AttributeError, TypeError):
        return  # none that says it
    rank, world = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    changed = [name for name in sorted(wanted)[rank::world] if file_sha256(folder / name) != wanted[name]]
    found = [changed]
    if world > 1:
        found = [[] for _ in range(world)]
        dist.all_gather_object(found, changed)
    names = sorted(name for of_rank in found for name in of_rank)
    if names:
        raise RunError(
            f"{folder}: files have changed since they were saved ({', '.join(names)}); remove this checkpoint to go on"
            " from the one before"
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
