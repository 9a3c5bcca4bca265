"""The pictures of a report: ROC, precision and recall, reliability, scores by label; one PNG of four panels.

Needs matplotlib, of the extra `train`. The same scores give the same bytes under one version of it.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from classifiers.evaluation.calibrate import CalibrationReport, ReliabilityBin
from classifiers.training.figures import Flags, Scores, area_under_curve, average_precision

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE, DPI = (9.0, 8.0), 110  # inches, dots an inch
BINS = 20  # of the histogram


def can_draw() -> bool:
    """Return whether matplotlib is here."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        return False
    return True


def draw(series: Mapping[str, tuple[Scores, CalibrationReport | None]], positive: Flags) -> bytes | None:
    """Return the picture of one or more scores of the same texts, by name; None where a kind is missing.

    The two lower panels show the first series.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if positive.all() or not positive.any():
        return None
    figure = Figure(figsize=SIZE)
    FigureCanvasAgg(figure)  # no screen, and nothing global
    (roc, recall), (reliable, histogram) = figure.subplots(2, 2)
    for name, (scores, _) in series.items():
        _draw_curves(roc, recall, name, scores, positive)
    roc.plot([0, 1], [0, 1], color="grey", linewidth=0.6)
    roc.set(xlabel="false positive rate", ylabel="true positive rate", title="ROC")
    recall.axhline(positive.mean(), color="grey", linewidth=0.6)
    recall.set(xlabel="recall", ylabel="precision", title="Precision and recall", ylim=(0, 1.02))
    first, (scores, report) = next(iter(series.items()))
    _draw_reliability(reliable, report)
    edges = np.linspace(min(0.0, scores.min()), max(1.0, scores.max()), BINS + 1)
    histogram.hist([scores[positive], scores[~positive]], edges, label=["positive", "other"], color=["C2", "C3"])
    histogram.set(xlabel="score", ylabel="texts", title=f"Scores: {first}")
    figure.subplots_adjust(0.08, 0.07, 0.98, 0.95, 0.25, 0.3)  # a layout engine would take as long as the rest
    for axes in (roc, recall, reliable, histogram):
        axes.grid(visible=True, alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(frameon=False, fontsize=7)
    with io.BytesIO() as buffer:
        figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
        return buffer.getvalue()


def _draw_curves(roc: Axes, recall: Axes, name: str, scores: Scores, positive: Flags) -> None:
    values, place = np.unique(-scores, return_inverse=True)
    hits = np.cumsum(np.bincount(place[positive], minlength=len(values)))
    others = np.cumsum(np.bincount(place[~positive], minlength=len(values)))
    area, precision = area_under_curve(scores, positive) or 0.0, average_precision(scores, positive) or 0.0
    roc.plot([0, *others / others[-1]], [0, *hits / hits[-1]], label=f"{name}: area {area:.3f}")
    recall.step(hits / hits[-1], hits / (hits + others), where="pre", label=f"{name}: average {precision:.3f}")


def _draw_reliability(axes: Axes, report: CalibrationReport | None) -> None:
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.6)
    axes.set(xlabel="mean probability", ylabel="share of positives", title="Reliability, out of fold")
    if report is None:
        axes.text(0.5, 0.5, "too few texts", ha="center")
        return
    before, after = report.calibration_error["none"], report.calibration_error[report.chosen.method]
    _draw_bins(axes, report.reliability_before, f"scores: error {before:.3f}", "o--", "grey")
    _draw_bins(axes, report.reliability, f"{report.chosen.method}: error {after:.3f}", "o-", "C0")


def _draw_bins(axes: Axes, bins: tuple[ReliabilityBin, ...], label: str, style: str, color: str) -> None:
    axes.plot(
        [one.mean_probability for one in bins], [one.positive_share for one in bins], style, color=color,
        markersize=4, label=label,
    )  # fmt: skip
