"""Killed at any instant and started again: the same final bytes, nothing committed redone, nobody left over."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.chaos.harness import STAGES, Running, Web, assert_balanced, assert_one_line, commits, half_written, shards

TWO_WORKERS = ("--", "--direct_num_workers", "2", "--direct_running_mode", "multi_processing")


def _check_wreck(running: Running, output: Path) -> dict[str, tuple[bytes, int]]:
    """Check what a killed run left, and return what it had committed."""
    assert running.orphans() == []
    assert list(half_written(output)) == []
    return commits(output)


def _finish(web: Web, output: Path, undisturbed: Path, done: dict[str, tuple[bytes, int]], *more: str) -> None:
    """Start again and check the end."""
    ended = web.run(output, *more)
    assert ended.code == 0, ended.err
    after = commits(output)
    assert {stage: after[stage] for stage in done} == done, "a finished stage was done again"
    assert shards(output) == shards(undisturbed)
    assert_balanced(output)


def _wall_s(undisturbed: Path, stage: str) -> float:
    return float(json.loads((undisturbed / stage / "manifest.json").read_text())["wall_s"])


@pytest.mark.parametrize("seed", range(8))
def test_killed_at_a_random_instant(web: Web, undisturbed: Path, tmp_path: Path, seed: int) -> None:
    draw, output = random.Random(seed), tmp_path / "run"
    more = TWO_WORKERS if seed == 7 else ()
    start_s = 4.0 if more else 0.5  # of a stage that starts worker processes
    length_s = 1.5 + sum(max(start_s, _wall_s(undisturbed, stage)) for stage in STAGES)
    done: dict[str, tuple[bytes, int]] = {}
    for _ in range(2):  # hurt the second start too, somewhere else
        running = web.start(output, *more)
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.process.wait(draw.uniform(0, length_s))
        running.signal_group(signal.SIGKILL)
        running.wait()
        done = {**done, **_check_wreck(running, output)}
    _finish(web, output, undisturbed, done, *more)


@pytest.mark.parametrize("strike", ["begun", "half", "committed"])
def test_killed_in_the_window_of_each_stage(web: Web, undisturbed: Path, tmp_path: Path, strike: str) -> None:
    output = tmp_path / "run"
    done: dict[str, tuple[bytes, int]] = {}
    for stage in STAGES:
        running = web.start(output)
        signed = output / stage / "manifest.json" if strike == "committed" else output / stage
        assert running.until(signed.exists), f"{stage} never came"
        if strike == "half":
            time.sleep(_wall_s(undisturbed, stage) / 2)
        running.signal_group(signal.SIGKILL)
        running.wait()
        now = _check_wreck(running, output)
        assert {name: now[name] for name in done} == done
        done = now
    _finish(web, output, undisturbed, done)


@pytest.mark.parametrize("more", [(), TWO_WORKERS], ids=["one worker", "two workers"])
def test_children_end_with_a_killed_leader(web: Web, undisturbed: Path, tmp_path: Path, more: tuple[str, ...]) -> None:
    output = tmp_path / "run"
    running = web.start(output, *more)
    assert running.until(lambda: bool(running.processes("transforms.guard")))
    time.sleep(0.3)
    os.kill(running.process.pid, signal.SIGKILL)
    running.wait()
    _finish(web, output, undisturbed, _check_wreck(running, output))


def test_killed_worker_is_one_line(web: Web, undisturbed: Path, tmp_path: Path) -> None:
    output = tmp_path / "run"
    running = web.start(output, *TWO_WORKERS)
    assert running.until(lambda: (output / "web" / "extract").exists() and bool(running.processes("transforms.guard")))
    os.kill(running.processes("sdk_worker_main")[-1], signal.SIGKILL)
    assert_one_line(running.wait(60), "stage web/extract", "a worker process died")
    _finish(web, output, undisturbed, _check_wreck(running, output))


def test_killed_guard_child_costs_one_record(web: Web, undisturbed: Path, tmp_path: Path) -> None:
    output = tmp_path / "run"
    running = web.start(output)
    assert running.until(lambda: bool(running.processes("transforms.guard")))
    time.sleep(0.5)
    os.kill(running.processes("transforms.guard")[0], signal.SIGKILL)
    ended = running.wait()
    assert ended.code == 0, ended.err
    assert_balanced(output)
    counts = json.loads((output / "web" / "extract" / "manifest.json").read_text())["counts"]
    fates = zip(counts["fates"], counts["numbers"], strict=True)
    failed = {why: n for (_, _, fate, why), n in fates if fate == "failed"}
    assert failed in ({}, {"extraction_crash": 1})  # {}: it was killed between two pages, and another took its place
    assert running.orphans() == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize(
    ("stage", "whole_group"),
    [("web/index", True), ("web/extract", False), ("web/extract", True), ("dedup", True), ("shards", False)],
)
def test_asked_to_stop(
    web: Web, undisturbed: Path, tmp_path: Path, number: int, code: int, stage: str, whole_group: bool
) -> None:
    output = tmp_path / "run"
    running = web.start(output)
    assert running.until((output / stage).exists)
    time.sleep(_wall_s(undisturbed, stage) / 4)
    running.signal_group(number) if whole_group else os.kill(running.process.pid, number)
    ended = running.wait(30)
    assert ended.code == code, ended.err
    assert len(ended.error_lines) == 1, ended.err
    assert "run the same command again" in ended.err
    _finish(web, output, undisturbed, _check_wreck(running, output))


def test_asked_to_stop_with_two_workers(web: Web, undisturbed: Path, tmp_path: Path) -> None:
    output = tmp_path / "run"
    running = web.start(output, *TWO_WORKERS)
    assert running.until(lambda: (output / "web" / "extract").exists() and bool(running.processes("transforms.guard")))
    running.signal_group(signal.SIGINT)
    ended = running.wait(30)
    assert (ended.code, len(ended.error_lines)) == (130, 1), ended.err
    _finish(web, output, undisturbed, _check_wreck(running, output))
