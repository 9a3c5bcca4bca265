"""One run at a time in a folder."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from pipelines.lock import locked
from schemas.errors import RunError


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


def test_a_second_run_is_refused_and_told_who_runs(tmp_path: Path) -> None:
    process, done = held_by_another(tmp_path)
    try:
        with (
            pytest.raises(RunError, match=f"another run is going on here \\(process {process.pid} on "),
            locked(str(tmp_path)),
        ):
            pass
    finally:
        done.set()
        process.join(30)
    with locked(str(tmp_path)):
        pass


def test_the_lock_goes_with_its_process(tmp_path: Path) -> None:
    process, _ = held_by_another(tmp_path)
    os.kill(process.pid, signal.SIGKILL)
    process.join(30)
    with locked(str(tmp_path)):
        pass


def test_the_command_line_refuses_it_too(call: Any, tmp_path: Path, jsonl: Path) -> None:
    with locked(str(tmp_path)):
        said = call("run", "--input", jsonl, "--output", tmp_path)
    assert said.code == 1
    assert (
        said.err
        == f"winnow: {tmp_path}: another run is going on here (process {os.getpid()} on {os.uname().nodename})\n"
    )
    assert [path.name for path in tmp_path.iterdir()] in ([".lock"], [])


def test_a_folder_is_made(tmp_path: Path) -> None:
    with locked(str(tmp_path / "a" / "b")):
        assert (tmp_path / "a" / "b").is_dir()


def test_a_place_where_no_folder_can_be_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(RunError, match="file/run: cannot be written: Not a directory"),
        locked(str(tmp_path / "file" / "run")),
    ):
        pass


def test_object_stores_have_no_lock() -> None:
    with locked("memory://bucket/run"), locked("memory://bucket/run"):
        pass
