"""One run at a time in a folder on a disk; leases in object stores are in test_lease.py."""

from __future__ import annotations

import dataclasses
import errno
import fcntl
import json
import multiprocessing
import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from pipelines.locks import lock
from pipelines.locks.holder import Holder
from pipelines.locks.lock import locked
from schemas.errors import LockHeldError, RunError

HELD = r"another run is going on here \(process {pid} on {host} since \d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ\)"


def hold(folder: str, ready: Any, done: Any) -> None:
    with locked(folder):
        ready.set()
        done.wait(30)


def held_by_another(folder: Path) -> tuple[Any, Any]:
    """Start a process that holds the folder; return it and the event that ends it."""
    spawn = multiprocessing.get_context("spawn")
    ready, done = spawn.Event(), spawn.Event()
    process = spawn.Process(target=hold, args=(str(folder), ready, done))
    process.start()
    assert ready.wait(30)
    return process, done


def take(folder: Path) -> None:
    with locked(str(folder)):
        pass


def test_a_second_run_is_refused_and_told_who_runs(tmp_path: Path) -> None:
    process, done = held_by_another(tmp_path)
    try:
        with pytest.raises(LockHeldError, match=HELD.format(pid=process.pid, host=re.escape(os.uname().nodename))):
            take(tmp_path)
    finally:
        done.set()
        process.join(30)
    take(tmp_path)


def test_the_lock_goes_with_its_process(tmp_path: Path) -> None:
    process, _ = held_by_another(tmp_path)
    os.kill(process.pid, signal.SIGKILL)
    process.join(30)
    take(tmp_path)


def test_a_holder_on_another_host_of_a_shared_disk_is_named(tmp_path: Path) -> None:
    other = dataclasses.replace(Holder.us(), pid=7, host="node-7", machine="another", since="2026-01-02T03:04:05Z")
    with (tmp_path / ".lock").open("w+") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        handle.write(json.dumps(other.to_plain()))
        handle.flush()
        with pytest.raises(LockHeldError, match=r"\(process 7 on node-7 since 2026-01-02T03:04:05Z\)"):
            take(tmp_path)


@pytest.mark.parametrize("left", ["", "{", "[1]", '{"pid": "x"}', "dead"])
def test_the_name_of_a_dead_holder_is_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: str) -> None:
    monkeypatch.setattr(lock, "_SETTLE_S", 0.05)
    dead = dataclasses.replace(Holder.us(), started="before")  # a process with our number, which was another one
    with (tmp_path / ".lock").open("w+") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        handle.write(json.dumps(dead.to_plain()) if left == "dead" else left)
        handle.flush()
        with pytest.raises(LockHeldError, match=r"\(unknown process\)"):
            take(tmp_path)


def test_a_lock_that_its_holder_removed_is_not_taken_for_the_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, seen = fcntl.flock, []

    def flock(handle: Any, how: int) -> None:
        real(handle, how)
        if not seen:  # the holder we waited for removed the file between our opening it and getting the lock
            (tmp_path / ".lock").unlink()
        seen.append(how)

    monkeypatch.setattr(fcntl, "flock", flock)
    with locked(str(tmp_path)):
        assert len(seen) == 2
        assert Holder.parse(json.loads((tmp_path / ".lock").read_text())).pid == os.getpid()  # type: ignore[union-attr]


def test_a_disk_that_knows_no_locks_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_handle: Any, _how: int) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(RunError, match="cannot be locked: Function not implemented"):
        take(tmp_path)


def test_a_folder_is_made(tmp_path: Path) -> None:
    with locked(str(tmp_path / "a" / "b")):
        assert (tmp_path / "a" / "b").is_dir()


def test_a_folder_of_somebody_else_is_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "letter").touch()
    take(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter"]


def test_a_place_where_no_folder_can_be_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="file/run: cannot be written: Not a directory"):
        take(tmp_path / "file" / "run")


def test_who_is_dead() -> None:
    us = Holder.us()
    assert not us.is_dead
    assert dataclasses.replace(us, started="0").is_dead  # our number, another process
    assert dataclasses.replace(us, pid=2**22 + 1).is_dead  # above the kernel's largest number
    assert not dataclasses.replace(us, pid=2**22 + 1, machine="another").is_dead  # who can tell
    assert not dataclasses.replace(us, pid=2**22 + 1, machine="").is_dead
    assert Holder.parse(json.loads(json.dumps(us.to_plain()))) == us
    assert Holder.parse({"pid": 1}) is None
    assert Holder.parse([]) is None


def test_the_command_line_leaves_with_a_code_of_its_own(call: Any, tmp_path: Path, jsonl: Path) -> None:
    with locked(str(tmp_path)):
        said = call("run", "--input", jsonl, "--output", tmp_path)
    assert said.code == 3
    assert re.fullmatch(
        f"winnow: {tmp_path}: {HELD.format(pid=os.getpid(), host=re.escape(os.uname().nodename))}\n", said.err
    )
    assert [path.name for path in tmp_path.iterdir()] in ([".lock"], [])
