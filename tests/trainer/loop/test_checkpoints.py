from __future__ import annotations

import functools
from pathlib import Path

from trainer.faults.bad_steps import kept
from trainer.loop.checkpoints import CheckpointFolder, State, complete
from trainer.recipe import FaultConfig


def _make(folder: CheckpointFolder, step: int, whole: bool) -> None:
    path = folder.path(step)
    path.mkdir(parents=True)
    (path / ".metadata").write_bytes(b"m")
    if whole:
        complete(path, State(step=step))


def _steps(folder: CheckpointFolder) -> list[int]:
    return sorted(int(path.name.removeprefix("step-")) for path in folder.root.iterdir())


def test_one_that_is_being_written_does_not_cost_the_last_whole_one(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path)
    _make(folder, 500, whole=True)
    _make(folder, 501, whole=False)
    folder.prune(lambda steps: steps[-1:])
    assert _steps(folder) == [500, 501]


def test_pruning_leaves_the_newest_and_what_roll_backs_need(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path)
    for step in range(10, 100, 10):
        _make(folder, step, whole=True)
    _make(folder, 100, whole=False)
    folder.prune(functools.partial(kept, FaultConfig(keep=2, spike_back=25)))
    assert _steps(folder) == [10, 40, 70, 80, 90, 100]


def test_the_newest_up_to_a_step(tmp_path: Path) -> None:
    folder, said = CheckpointFolder(tmp_path), list[str]()
    for step, whole in ((10, True), (20, False), (30, True)):
        _make(folder, step, whole)
    found = [folder.newest(said.append, limit) for limit in (None, 30, 29, 10, 9)]
    assert [pair and pair[1].step for pair in found] == [30, 30, 10, 10, None]
    assert said == [f"{folder.path(20)}: torn or unfinished, passed over"]
