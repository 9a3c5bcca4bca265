"""Pictures of the fits: loss against size for each budget, the law with its band, mixes, downstream accuracy."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import storage
from trainer.scaling.fits.downstream import Downstream, Measured
from trainer.scaling.fits.isoflops import IsoFlops
from trainer.scaling.fits.mixes import Comparison
from trainer.scaling.fits.powerlaw import Law
from trainer.scaling.fits.surface import SurfaceFit
from trainer.scaling.points import Interval

SIZE, DPI = (7.5, 5.0), 130  # inches, dots an inch
FINE = 200  # places at which a curve is drawn
MARGIN = 0.3  # of ln(tokens), outside the outermost runs


def _figure(panels: int = 1) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(SIZE[0] * panels, SIZE[1]), layout="constrained")
    FigureCanvasAgg(figure)  # no screen, and nothing global
    axes = [figure.add_subplot(1, panels, n + 1) for n in range(panels)]
    for one in axes:
        one.grid(visible=True, which="major", alpha=0.25)
        one.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _save(figure: Figure, path: Path) -> None:
    with io.BytesIO() as buffer:
        figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
        storage.write_atomic(str(path), buffer.getvalue())


def draw_isoflops(found: IsoFlops, path: Path, surface: SurfaceFit | None = None) -> None:
    """Draw the runs, the parabola of each budget, its minimum with the interval of its place, and the surface.

    Runs outside the window of their curve are hollow.
    """
    figure, (axes,) = _figure()
    minima = {minimum.budget: minimum for minimum in found.minima}
    for n, curve in enumerate(found.curves):
        colour = colormaps["viridis"](0.9 * n / max(1, len(found.curves) - 1))
        fine = np.linspace(curve.log_tokens.min() - MARGIN, curve.log_tokens.max() + MARGIN, FINE)
        axes.plot(np.exp(fine), curve.at(fine), color=colour, linewidth=1.3)
        label = f"{curve.budget:.2g} FLOPs" + ("" if curve.is_inside else " (no minimum between the runs)")
        axes.plot(np.exp(curve.log_tokens), curve.losses, "o", color=colour, markersize=5, label=label)
        axes.plot([p.tokens for p in curve.outside], [p.loss for p in curve.outside], "o", color=colour, markersize=5,
                  fillstyle="none")  # fmt: skip
        if surface is not None:
            ends = [*np.exp(curve.log_tokens), *(float(p.tokens) for p in curve.outside)]
            wide = np.geomspace(min(ends), max(ends), FINE)
            heights = [surface.surface.at_budget(curve.budget, tokens) for tokens in wide]
            axes.plot(wide, heights, color=colour, linewidth=0.9, linestyle=":")
        if curve.budget in minima:
            minimum = minima[curve.budget]
            axes.plot(minimum.tokens, minimum.loss, "D", color="crimson", markersize=7, zorder=5)
            _whisker(axes, minimum.interval, minimum.loss, (float(np.exp(fine[0])), float(np.exp(fine[-1]))))
    if minima:
        axes.plot([], [], "D", color="crimson", label="minimum, 95% interval of its place")
    if any(curve.outside for curve in found.curves):
        axes.plot([], [], "o", color="grey", fillstyle="none", label="outside the window of its curve")
    if surface is not None:
        axes.plot([], [], color="grey", linewidth=0.9, linestyle=":", label="surface through all runs")
    axes.set_xscale("log")
    axes.set_xlabel("training tokens")
    axes.set_ylabel("held-out loss (nats a token)")
    axes.set_title("Loss against training tokens at fixed compute")
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize="small")
    _save(figure, path)


def _whisker(axes: Axes, interval: Interval | None, height: float, ends: tuple[float, float]) -> None:
    """Draw an interval along x, cut to the width of its curve."""
    if interval is not None:
        shown = (max(interval.low, ends[0]), min(interval.high, ends[1]))
        axes.plot(shown, (height, height), color="crimson", linewidth=1.2, zorder=4)


def draw_law(found: IsoFlops, law: Law, target: float, path: Path, surface: SurfaceFit | None = None) -> None:
    """Draw the minima, the power law through them and its band, and the surface's optimum, up to the target."""
    figure, (axes,) = _figure()
    for minimum in found.minima:
        axes.plot(minimum.budget, minimum.tokens, "D", color="crimson", markersize=6, zorder=5)
        if minimum.interval is not None:
            ends = [minimum.interval.low, min(minimum.interval.high, 1e30)]
            axes.plot([minimum.budget] * 2, ends, color="crimson", linewidth=1.2, zorder=4)
    first, last = min(m.budget for m in found.minima), max(target, *(m.budget for m in found.minima))
    fine = np.exp(np.linspace(math.log(first), math.log(last), FINE))
    axes.plot(fine, [law.tokens(flops) for flops in fine], color="navy", linewidth=1.5,
              label=f"$N^*(C) = {law.a:.3g}\\, C^{{{law.alpha:.3f}}}$")  # fmt: skip
    bands = [law.tokens_interval(flops) for flops in fine]
    if all(band is not None for band in bands):
        low, high = zip(*((band.low, band.high) for band in bands if band is not None), strict=True)
        axes.fill_between(fine, low, high, color="navy", alpha=0.15, linewidth=0, label="95% interval of the line")
    if surface is not None:
        axes.plot(fine, [surface.surface.tokens(flops) for flops in fine], color="seagreen", linewidth=1.2,
                  linestyle="--", label=f"surface: exponent {surface.surface.exponent:.3f},"
                  f" {surface.surface.tokens(target):.3g} tokens")  # fmt: skip
        if (interval := surface.tokens_interval(target)) is not None:
            axes.plot([target * 1.3] * 2, [interval.low, interval.high], color="seagreen", linewidth=1.5)
    axes.plot(target, law.tokens(target), "*", color="darkorange", markersize=9, zorder=6,
              label=f"{law.tokens(target):.3g} tokens at {target:.2g} FLOPs")  # fmt: skip
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(_law_limits(found, law, target))
    axes.set_xlabel("compute (FLOPs)")
    axes.set_ylabel("compute-optimal training tokens")
    axes.set_title("Compute-optimal training tokens")
    axes.legend(frameon=False, fontsize="small", loc="upper left")
    _save(figure, path)


def _law_limits(found: IsoFlops, law: Law, target: float) -> tuple[float, float]:
    """Return the ends of the y axis: the law and the minima, not all of a band that may span many decades."""
    middle = [minimum.tokens for minimum in found.minima] + [law.tokens(target)]
    return min(middle) / 8, max(middle) * 8


def draw_mixes(comparison: Comparison, path: Path) -> None:
    """Draw the losses of each mix with law and band up to the target, and next to it the expected losses in order."""
    figure, (left, right) = _figure(2)
    for n, forecast in enumerate(comparison.forecasts):
        colour = colormaps["tab10"](n % 10)
        left.plot(*zip(*comparison.runs[forecast.name], strict=True), "o", color=colour, markersize=4)
        places, low, middle, high = comparison.bands[forecast.name]
        left.plot(places, middle, color=colour, linewidth=1.2, label=forecast.name)
        left.fill_between(places, low, high, color=colour, alpha=0.12, linewidth=0)
        if forecast.behind is not None:
            right.plot([forecast.behind.low, forecast.behind.high], [n, n], color=colour, linewidth=1.5)
        right.plot(forecast.loss - comparison.winner.loss, n, "o", color=colour)
    left.axvline(comparison.target, color="grey", linestyle=":", linewidth=1)
    left.set_xscale("log")
    left.set_xlabel("compute (FLOPs)")
    left.set_ylabel("held-out loss (nats a token)")
    left.set_title("Loss of each mix, 95% intervals")
    left.legend(frameon=False, fontsize="small")
    # What is not known of the floor moves all mixes alike: the gaps are what decides between them.
    names = [f"{forecast.name}: {forecast.loss:.3f}" for forecast in comparison.forecasts]
    right.axvline(0.0, color="grey", linestyle=":", linewidth=1)
    right.set_yticks(range(len(names)), names)
    right.invert_yaxis()
    right.set_xlabel("held-out loss above that of the first (nats a token)")
    right.set_title(f"Expected at {comparison.target:.2g} FLOPs, 95% interval of the gap")
    _save(figure, path)


def draw_downstream(models: Sequence[Measured], fits: Downstream, target: float, path: Path) -> None:
    """Draw likelihood against compute, and accuracy against likelihood, each with its fit and the target's place."""
    figure, (left, right) = _figure(2)
    ladder = [model for model in models if model.flops > 0]
    forecast = fits.forecast(target)
    left.plot(
        [m.flops for m in ladder], [m.nll_per_char for m in ladder], "o", color="navy", label="scaling-law models"
    )
    fine = np.exp(np.linspace(math.log(min(m.flops for m in ladder)), math.log(target), FINE))
    left.plot(fine, [fits.line.at(math.log(x)) for x in fine], color="navy", linewidth=1.2)
    left.plot(target, forecast.nll_per_char, "*", color="darkorange", markersize=14, label=f"{target:.2g} FLOPs")
    if (nll := forecast.nll_interval) is not None:
        left.plot([target] * 2, [nll.low, nll.high], color="darkorange", linewidth=1.2, label="95% interval")
    left.set_xscale("log")
    left.set_xlabel("compute (FLOPs)")
    left.set_ylabel("negative log-likelihood of the answer (nats a character)")
    left.legend(frameon=False, fontsize="small")
    for anchor, marker, label in ((False, "o", "scaling-law models"), (True, "s", "anchors")):
        chosen = [m for m in models if (m.flops == 0) == anchor]
        if chosen:
            right.plot([m.nll_per_char for m in chosen], [m.accuracy for m in chosen], marker, label=label)
    values = [m.nll_per_char for m in models] + [forecast.nll_per_char]
    grid = np.linspace(min(values), max(values), FINE)
    right.plot(grid, [fits.sigmoid.at(float(x)) for x in grid], color="grey", linewidth=1.2)
    right.plot(forecast.nll_per_char, forecast.accuracy, "*", color="darkorange", markersize=14,
               label=f"{forecast.accuracy:.3f} at {target:.2g} FLOPs")  # fmt: skip
    if (accuracy := forecast.accuracy_interval) is not None:
        ends = [accuracy.low, accuracy.high]
        right.plot([forecast.nll_per_char] * 2, ends, color="darkorange", linewidth=1.2, label="95% interval")
    right.invert_xaxis()
    right.set_xlabel("negative log-likelihood of the answer (nats a character)")
    right.set_ylabel("accuracy")
    right.legend(frameon=False, fontsize="small")
    _save(figure, path)
