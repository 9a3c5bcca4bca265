"""What a comparison, a benchmark or a valuation found: fits as JSON, pictures, and a page that says it in words.

DIR/report.md, DIR/fits.json; mixes.png and mix.yaml, or downstream.png. A ladder's is in `law_report`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import storage
from schemas.settings import to_plain
from trainer.scaling.fits.downstream import Downstream, Measured
from trainer.scaling.fits.mixes import Comparison, mix_file
from trainer.scaling.fits.settings import orders_beyond
from trainer.scaling.ladder import LeftOut
from trainer.scaling.plots import draw_downstream, draw_mixes
from trainer.scaling.points import Interval
from trainer.scaling.valuation import Difference

REPORT, FITS, MIX_FILE = "report.md", "fits.json", "mix.yaml"


def left_out_lines(left_out: Sequence[LeftOut]) -> list[str]:
    """Return the part of a page on the runs that were not trained."""
    return ["", "Left out:", "", *(f"* {run.name}: {run.reason}" for run in left_out)] if left_out else []


def report_mixes(
    shares: Mapping[str, Mapping[str, float]], comparison: Comparison, directory: Path, left_out: Sequence[LeftOut] = ()
) -> str:
    """Draw the comparison, write the winner's mix file, write and return the page."""
    directory.mkdir(parents=True, exist_ok=True)
    draw_mixes(comparison, directory / "mixes.png")
    storage.write_atomic(str(directory / MIX_FILE), mix_file(shares[comparison.winner.name], comparison).encode())
    lines = ["| mix | shares | expected loss | 95% | above the winner | lowest in |", "|---|---|---:|---:|---:|---:|"]
    for forecast in comparison.forecasts:
        dealt = ", ".join(f"{name} {share:.3g}" for name, share in sorted(shares[forecast.name].items()))
        won = "-" if forecast.win_share is None else f"{forecast.win_share:.0%}"
        lines.append(
            f"| {forecast.name} | {dealt} | {forecast.loss:.4f} | {interval_text(forecast.interval).strip()} |"
            f" {interval_text(forecast.behind).strip()} | {won} |"
        )
    write_json(
        {"target": comparison.target, "floor": comparison.floor,
         "floor_interval": to_plain(comparison.floor_interval), "mixes": to_plain(list(comparison.forecasts))},
        directory,
    )  # fmt: skip
    last = max(flops for runs in comparison.runs.values() for flops, _ in runs)
    head = (
        f"At {comparison.target:.3g} FLOPs, {orders_beyond(comparison.target, last):.1f} orders of magnitude beyond the"
        f" largest budget, {comparison.winner.name} is expected to be best; `{MIX_FILE}` holds it."
        f" Floor of all mixes: {comparison.floor:.4g} nats a token"
        f"{interval_text(comparison.floor_interval) or ', as given'}."
    )
    return write_page(
        "\n".join(["# Data mixes", "", head, "", *lines, "", "![mixes](mixes.png)", *left_out_lines(left_out), ""]),
        directory,
    )


def report_downstream(models: Sequence[Measured], fits: Downstream, target: float, directory: Path) -> str:
    """Draw both fits, write and return the page."""
    directory.mkdir(parents=True, exist_ok=True)
    draw_downstream(models, fits, target, directory / "downstream.png")
    forecast = fits.forecast(target)
    write_json({"forecast": to_plain(forecast), "middle": fits.sigmoid.middle, "width": fits.sigmoid.width}, directory)
    lines = [
        "# Downstream", "",
        f"At {target:.3g} FLOPs: {forecast.nll_per_char:.4f} nats a character{interval_text(forecast.nll_interval)},"
        f" accuracy {forecast.accuracy:.4f}{interval_text(forecast.accuracy_interval)}.", "",
        "![downstream](downstream.png)", "",
    ]  # fmt: skip
    return write_page("\n".join(lines), directory)


def report_valuation(source: str, found: Sequence[Difference], directory: Path) -> str:
    """Write and return the page."""
    directory.mkdir(parents=True, exist_ok=True)
    write_json({"source": source, "differences": to_plain(list(found))}, directory)
    lines = [
        f"# What {source} is worth",
        "",
        "Held-out loss after annealing with it, less that without: below 0 it helps.",
        "",
    ]
    lines += ["| held out | without | difference | 95% over seeds |", "|---|---:|---:|---:|"]
    for one in found:
        lines.append(
            f"| {one.held_out or 'mean'} | {one.without:.4f} | {one.difference:+.4f} |"
            f" {interval_text(one.interval).strip()} |"
        )
    return write_page("\n".join([*lines, ""]), directory)


def interval_text(interval: Interval | None) -> str:
    """Return " (low to high)", nothing where there is no interval."""
    return "" if interval is None else f" ({interval.low:.4g} to {interval.high:.4g})"


def write_page(text: str, directory: Path) -> str:
    storage.write_atomic(str(directory / REPORT), text.encode())
    return text


def write_json(plain: Mapping[str, Any], directory: Path) -> None:
    storage.write_atomic(str(directory / FITS), json.dumps(plain, indent=1, sort_keys=True).encode())
