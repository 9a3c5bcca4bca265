"""The picture of a run, from its journal: loss above, learning rate below, lines between stages."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import storage
from schemas.errors import RunError
from trainer.loop.journal import History, read_events, read_journal

CURVES = "curves.png"
SIZE, DPI = (9.0, 6.0), 130  # inches, dots an inch
SMOOTHED = 40  # the line is a mean over this part of the run


def draw_curves(folder: Path) -> Path:
    """Draw the run of a folder into its `curves.png` and return the path. RunError when its journal has no step."""
    history = History(read_events(folder, only=("start", "rollback", "step")))
    if not history.steps:
        raise RunError(f"{folder}: no steps in its journal to draw")
    figure = Figure(figsize=SIZE, layout="constrained")
    FigureCanvasAgg(figure)  # no screen, and nothing global
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    _draw_loss(above, history, read_journal(folder, only=("eval",)))
    below.plot(history.steps, history.columns["rate"], color="tab:green")
    below.set(ylabel="learning rate", xlabel="step")
    below.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
    for axes in (above, below):
        axes.grid(visible=True, alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    path = folder / CURVES
    with io.BytesIO() as buffer:
        figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
        storage.write_atomic(str(path), buffer.getvalue())
    return path


def _draw_loss(axes: Axes, history: History, evals: Sequence[Mapping[str, Any]]) -> None:
    numbers, losses, stages = (np.array(x) for x in (history.steps, history.columns["loss"], history.stages))
    axes.plot(numbers, losses, color="tab:blue", alpha=0.3, linewidth=0.8)
    axes.plot(numbers, smooth(losses, max(1, len(losses) // SMOOTHED)), color="tab:blue", label="trained on")
    for number, source in enumerate(sorted({name for event in evals for name in event["short_loss"]}), 1):
        measured = [(event["step"], event["short_loss"][source]) for event in evals if source in event["short_loss"]]
        axes.plot(*zip(*measured, strict=True), "o--", color=f"C{number}", markersize=5, label=f"held out, {source}")
    for at in np.flatnonzero(np.diff(stages, prepend=-1)):
        axes.axvline(numbers[at], color="grey", linewidth=0.6)
        axes.annotate(history.names[stages[at]], (numbers[at], 0), (3, 3), xycoords=("data", "axes fraction"),
                      textcoords="offset points", rotation=90, va="bottom", fontsize=7, color="grey")  # fmt: skip
    axes.set(ylabel="loss (nats a token)")
    axes.legend(loc="upper right", frameon=False)


def smooth(values: npt.NDArray[np.float64], window: int) -> npt.NDArray[np.float64]:
    """Return the mean of each value and those up to `window` - 1 before it."""
    sums = np.cumsum(np.concatenate(([0.0], values)))
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(0, ends - window)
    means: npt.NDArray[np.float64] = (sums[ends] - sums[starts]) / (ends - starts)
    return means
