"""`winnow-train` as a user starts it: killed, shared between ranks, held up, and given what it cannot use."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from schemas.settings import to_plain
from tests.trainer.small import lineage, recipe_of, stage, write_shards
from trainer.commands.status import newest_weights, status
from trainer.loop.journal import read_journal
from trainer.recipe import FaultConfig, Recipe, ScheduleConfig

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 600.0
STEPS = 40
TORN = "torn or unfinished, passed over"


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    return {**kept, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "COLUMNS": "200"}


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "trainer.command", *map(str, words)]


def winnow_train(*words: object, code: int = 0) -> str:
    """Run the command to its end; return what it printed, and see to it that no stack is traced."""
    done = subprocess.run(command(*words), capture_output=True, text=True, env=environment(), timeout=LIMIT_S)
    assert done.returncode == code, f"{words}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    return done.stdout + done.stderr


@contextlib.contextmanager
def running(*words: object) -> Iterator[subprocess.Popen[str]]:
    """Start the command in a group of its own; nothing of it is left at the end."""
    process = subprocess.Popen(
        command(*words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment(),
        start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + LIMIT_S
    while not condition():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < end, "the moment to strike never came"
        time.sleep(0.01)


def steps_of(folder: Path) -> list[dict[str, Any]]:
    return [event for event in read_journal(folder) if event["event"] == "step"]


def toml_of(recipe: Recipe, path: Path) -> Path:
    """Write a recipe as a user would: JSON values are TOML values, section by section."""
    plain = to_plain(recipe)
    lines: list[str] = []
    _write(plain, "", lines)
    path.write_text("\n".join(lines) + "\n")
    return path


def _write(plain: dict[str, Any], prefix: str, lines: list[str]) -> None:
    for name, value in plain.items():
        if value is not None and not isinstance(value, dict) and not _is_tables(value):  # TOML has no null
            lines.append(f"{name} = {_value(value)}")
    for name, value in plain.items():
        if isinstance(value, dict):
            lines.append(f"[{prefix}{name}]")
            _write(value, f"{prefix}{name}.", lines)
        elif _is_tables(value):
            for item in value:
                lines.append(f"[[{prefix}{name}]]")
                _write(item, f"{prefix}{name}.", lines)


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _value(value: object) -> str:
    return repr(value).lower() if isinstance(value, bool) else json.dumps(value)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    data = write_shards(tmp_path_factory.mktemp("shards"))
    linear = ScheduleConfig(kind="linear", floor=0.0)
    return recipe_of(
        data, stage("short", STEPS, sequences=6), stage("anneal", 12, seq_len=32, schedule=linear, average=True),
        faults=FaultConfig(checkpoint_s=0.05, stall_s=60.0),
    )  # fmt: skip


@pytest.fixture(scope="module")
def recipe_file(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toml_of(recipe, tmp_path_factory.mktemp("recipe") / "small.toml")


@pytest.fixture(scope="module")
def undisturbed(recipe_file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("undisturbed")
    return folder, winnow_train("run", recipe_file, "--output", folder)


def weights(folder: Path) -> str:
    return str(status(folder)["weights"]["sha256"])


def test_what_a_run_leaves_behind(undisturbed: tuple[Path, str], tmp_path: Path) -> None:
    folder, printed = undisturbed
    assert f"{folder}: done, {40 * 96 + 12 * 128:,} tokens, weights {weights(folder)}" in printed
    for word in ("loss ", "tokens/s", "MFU ", " left"):
        assert word in printed
    assert (folder / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert list((folder / "tensorboard").glob("events.out.tfevents.*"))
    told = json.loads(winnow_train("status", folder, "--json"))
    assert (told["finished"], told["step"], told["stages_done"]) == (True, STEPS + 12, ["short", "anneal"])
    assert "small: finished, step 52" in winnow_train("status", folder)
    winnow_train("export", folder, "--to", tmp_path / "hf")
    assert {"config.json", "model.safetensors"} <= {path.name for path in (tmp_path / "hf").iterdir()}
    assert "not empty; give a new folder" in winnow_train("export", folder, "--to", tmp_path / "hf", code=1)


def test_killed_at_random_steps_a_run_ends_with_the_same_bits(
    recipe_file: Path, undisturbed: tuple[Path, str], tmp_path: Path
) -> None:
    draw = random.Random(20261121)
    marks = sorted(draw.sample(range(2, STEPS + 10), 3))
    for mark in marks:
        with running("run", recipe_file, "--output", tmp_path) as process:
            wait_for(lambda mark=mark: any(event["step"] >= mark for event in steps_of(tmp_path)), process)
            os.killpg(process.pid, signal.SIGKILL)
    last = winnow_train("run", recipe_file, "--output", tmp_path)
    assert weights(tmp_path) == weights(undisturbed[0]), (marks, last)
    losses = [{n: event["loss"] for n, event in lineage(read_journal(f)).items()} for f in (tmp_path, undisturbed[0])]
    assert losses[0] == losses[1]
    assert sum(event["event"] == "start" for event in read_journal(tmp_path)) >= 4


def test_two_ranks_train_as_one_and_any_number_goes_on(
    recipe: Recipe, recipe_file: Path, undisturbed: tuple[Path, str], tmp_path: Path
) -> None:
    """Saved on two ranks, taken up by one and by three; a batch of six sequences is shared by all of them."""
    expected = [event["loss"] for event in steps_of(undisturbed[0])]
    two = tmp_path / "two"
    with running("run", recipe_file, "--output", two, "--ranks", 2) as process:
        wait_for(lambda: any(event["step"] >= 12 for event in steps_of(two)), process)
        os.kill(process.pid, signal.SIGTERM)
        printed = process.communicate(timeout=LIMIT_S)[0]
    assert process.returncode == 128 + signal.SIGTERM, printed
    assert "stopped and saved" in printed
    saved = status(two)["weights"]["step"]
    assert saved >= 12
    for ranks in (1, 3):
        folder = tmp_path / f"then-{ranks}"
        subprocess.run(["cp", "-r", two, folder], check=True)
        winnow_train("run", recipe_file, "--output", folder, "--ranks", ranks)
        steps = lineage(read_journal(folder))
        assert [steps[n]["loss"] for n in sorted(steps)] == pytest.approx(expected, abs=1e-5)
        starts = [event for event in read_journal(folder) if event["event"] == "start"]
        assert [(event["world"], event["step"]) for event in starts][:2] == [(2, 0), (ranks, saved)]
        model, other = (load_file(f / "stages/01-anneal/model/model.safetensors") for f in (folder, undisturbed[0]))
        assert all(torch.allclose(model[name], other[name], atol=1e-4) for name in other)


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def ranks_of(process: subprocess.Popen[str]) -> list[int]:
    found = {}
    for pid in children(process.pid):
        words = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        ranks = [word for word in words if word.startswith(b"RANK=")]
        if ranks:
            found[int(ranks[0].removeprefix(b"RANK="))] = pid
    return [found[rank] for rank in sorted(found)]


@pytest.mark.slow  # torchrun waits 30 s before it kills a stopped process
def test_a_rank_that_stops_ends_the_run_with_a_line(recipe: Recipe, tmp_path: Path) -> None:
    faults = FaultConfig(checkpoint_s=1.0, stall_s=6.0, max_restarts=0)
    stalling = dataclasses.replace(recipe, stages=(stage("a", 100_000, sequences=6),), faults=faults)
    path = toml_of(stalling, tmp_path / "stalling.toml")
    run = tmp_path / "run"
    with running("run", path, "--output", run, "--ranks", 2) as process:
        wait_for(lambda: len(steps_of(run)) > 5 and newest_weights(run) is not None, process)
        os.kill(ranks_of(process)[1], signal.SIGSTOP)
        printed = process.communicate(timeout=LIMIT_S)[0]
    assert process.returncode == 1
    assert "winnow-train: rank 0: nothing for " in printed
    assert "; no answer from rank 1 in 6 s" in printed
    assert "winnow-train: 2 ranks: rank 0 failed first, exit code 75" in printed
    assert status(run)["weights"]["step"] > 0
