"""Figures on TensorBoard and at Weights & Biases: those of steps and of measurements, in both."""

from __future__ import annotations

import io
import json
import sys
import types
from pathlib import Path

import pytest
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from schemas.errors import ConfigError
from tests.trainer.small import recipe_of, stage, write_shards
from trainer.commands.boards import WANDB_ID, open_boards
from trainer.commands.progress import ConsoleWatcher
from trainer.loop.run import run
from trainer.recipe import EvalConfig, Recipe, TrackingConfig

RECORDER = """
import json
class Run:
    def __init__(self, **given):
        self.file = open(given["dir"] + "/wandb/calls.jsonl", "a")
        self.put("init", {**given, "config": bool(given["config"])})
    def put(self, name, what):
        self.file.write(json.dumps([name, what]) + "\\n")
    def define_metric(self, name, step_metric=None):
        self.put("define", [name, step_metric])
    def log(self, figures):
        self.put("log", figures)
    def finish(self):
        self.file.close()
init = lambda **given: Run(**given)
"""


def tracked(tmp_path: Path) -> Recipe:
    data = write_shards(tmp_path / "shards", documents=60)
    return recipe_of(
        data, stage("a", 3), tracking=TrackingConfig(wandb_project="small", wandb_mode="offline"),
        evaluation=EvalConfig(held_out_shards=1, tokens=256, needle_depths=2, needles=1),
    )  # fmt: skip


def watched(recipe: Recipe, folder: Path) -> None:
    watcher = ConsoleWatcher(Console(file=io.StringIO()), recipe, 64, None, folder)
    run(recipe, folder, watcher)
    watcher.close()


def test_both_boards_get_steps_and_measurements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other side of Weights & Biases' interface is a file here; its own is in the next test."""
    recorder = types.ModuleType("wandb")
    exec(RECORDER, recorder.__dict__)  # noqa: S102
    monkeypatch.setitem(sys.modules, "wandb", recorder)
    recipe, folder = tracked(tmp_path), tmp_path / "run"
    watched(recipe, folder)
    calls = [json.loads(line) for line in (folder / "wandb" / "calls.jsonl").read_text().splitlines()]
    given = calls[0][1]
    assert (given["project"], given["mode"], given["resume"]) == ("small", "offline", "allow")
    assert given["id"] == (folder / WANDB_ID).read_text()
    logged = [figures for name, figures in calls if name == "log"]
    assert [figures["step"] for figures in logged] == [0, 1, 2, 3]
    board = EventAccumulator(str(folder / "tensorboard"))
    board.Reload()
    for figures in logged:
        for name in figures.keys() - {"step"}:
            assert (figures["step"], pytest.approx(figures[name])) in [(e.step, e.value) for e in board.Scalars(name)]
    assert {"eval/short_loss/a", "eval/loss/a", "eval/needle"} <= logged[-1].keys()


def test_weights_and_biases_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wandb = pytest.importorskip("wandb", reason="the extra `wandb` is not installed")
    for name in ("WANDB_CONSOLE", "WANDB_SILENT"):
        monkeypatch.setenv(name, "off" if name == "WANDB_CONSOLE" else "true")
    recipe, folder = tracked(tmp_path), tmp_path / "run"
    watched(recipe, folder)
    wandb.teardown()  # its own process writes the file
    files = list((folder / "wandb").glob("offline-run-*/*.wandb"))
    assert len(files) == 1
    data = files[0].read_bytes()
    assert all(name in data for name in (b"eval/short_loss/a", b"norm", b"eval/needle"))


def test_without_the_package_it_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    recipe = recipe_of("x", stage("a", 1), tracking=TrackingConfig(wandb_project="small"))
    with pytest.raises(ConfigError, match=r"tracking\.wandb_project: the package wandb is not installed"):
        open_boards(recipe, tmp_path)


def test_a_run_may_be_without_boards(tmp_path: Path) -> None:
    assert open_boards(recipe_of("x", tracking=TrackingConfig(tensorboard=False)), tmp_path) == []
