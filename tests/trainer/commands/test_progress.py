from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from schemas.errors import RunError
from tests.trainer.small import MODEL, recipe_of, stage
from trainer.commands.curves import draw_curves, smooth
from trainer.commands.plan import Machine
from trainer.commands.progress import ConsoleWatcher
from trainer.loop.journal import Journal
from trainer.model.llama import flops_per_token
from trainer.model.peaks import peak_tflops

EVENT = {
    "step": 9, "stage": "a", "loss": 2.5, "norm": 0.75, "rate": 3e-4, "tokens": 64, "applied": True, "s": 0.5,
    "waited_s": 0.0,
}  # fmt: skip


def test_the_line_tells_loss_speed_mfu_and_what_is_left(tmp_path: Path) -> None:
    recipe = recipe_of("x", stage("a", 20), stage("b", 5, seq_len=32))
    printed = io.StringIO()
    machine = Machine(gpus=2, peak_tflops=1e-5)
    watcher = ConsoleWatcher(Console(file=printed, width=200), recipe, 64, machine, tmp_path)
    watcher.stage_started(recipe.stages[0], 9)
    watcher.step_taken(EVENT)
    watcher.close()
    first, line = printed.getvalue().splitlines()
    assert first == "a: 20 steps of 64 tokens, 16 a sequence from step 9"
    mfu = 128 * flops_per_token(MODEL, 64, 16) / 2e7
    left = (10 * 64 + 5 * 128) / 128
    assert line == (
        f"a 10  loss 2.5000  norm 0.75  rate 3.00e-04  128 tokens/s  MFU {mfu:.1%}  0:00:{round(left):02d} left"
    )
    board = EventAccumulator(str(tmp_path / "tensorboard"))
    board.Reload()
    assert {name: board.Scalars(name)[0].value for name in ("loss", "norm", "rate")} == pytest.approx(
        {"loss": 2.5, "norm": 0.75, "rate": 3e-4}
    )
    assert board.Scalars("loss")[0].step == 9


def test_curves_are_drawn_of_what_is_not_finite_too(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no steps in its journal to draw"):
        draw_curves(tmp_path)
    journal = Journal(tmp_path)
    for n, loss in enumerate((3.0, math.nan, 2.0)):
        journal.write("step", **{**EVENT, "step": n, "loss": loss})
    journal.write("eval", step=2, short_loss={"held": 2.1})
    journal.close()
    assert draw_curves(tmp_path).read_bytes().startswith(b"\x89PNG")


def test_smoothing_is_a_mean_of_the_last_few() -> None:
    assert smooth(np.array([1.0, 2.0, 6.0, 4.0]), 2).tolist() == [1.0, 1.5, 4.0, 5.0]
    assert smooth(np.array([1.0, 2.0, 6.0]), 9).tolist() == [1.0, 1.5, 3.0]


def test_a_cpu_has_a_peak() -> None:
    assert 1e-4 < peak_tflops() < 1e3
