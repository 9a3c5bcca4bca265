"""What a ladder, a comparison or a valuation found: fits as JSON, pictures, and a page that says it in words.

DIR/report.md, DIR/fits.json; isoflops.png and law.png, or mixes.png and mix.yaml, or downstream.png.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import storage
from schemas.errors import InputError
from schemas.settings import to_plain
from trainer.scaling.fits.downstream import Downstream, Measured
from trainer.scaling.fits.isoflops import IsoFlops, fit_isoflops
from trainer.scaling.fits.mixes import Comparison, mix_file
from trainer.scaling.fits.powerlaw import Bootstrap, Law, bootstrap, law_of
from trainer.scaling.ladder import LeftOut
from trainer.scaling.plots import draw_downstream, draw_isoflops, draw_law, draw_mixes
from trainer.scaling.points import Interval, Point
from trainer.scaling.valuation import Difference

REPORT, FITS, MIX_FILE = "report.md", "fits.json", "mix.yaml"


def report_ladder(points: Sequence[Point], target: float, directory: Path, left_out: Sequence[LeftOut] = ()) -> str:
    """Fit curves and law, draw them, write and return the page. Without two minima the page says why there is no law.

    InputError when a budget has less than three sizes.
    """
    found = fit_isoflops(points)
    directory.mkdir(parents=True, exist_ok=True)
    draw_isoflops(found, directory / "isoflops.png")
    try:
        law = law_of(found)
    except InputError as error:
        lines, plain = [f"No law: {error}.", ""], None
    else:
        drawn = bootstrap(found, "0")
        draw_law(found, law, target, directory / "law.png")
        lines, plain = _law_lines(law, drawn, target), _law_plain(law, drawn, target)
    minima = {str(m.budget): to_plain(m) for m in found.minima}
    _write_json({"law": plain, "minima": minima, "variance": found.variance, "dof": found.dof}, directory)
    text = "\n".join(["# Scaling law", "", *lines, *_minima_lines(found), *_left_out_lines(left_out), ""])
    return _write(text, directory)


def _law_plain(law: Law, drawn: Bootstrap | None, target: float) -> dict[str, Any]:
    return {
        "alpha": law.alpha, "alpha_interval": to_plain(law.alpha_interval()), "a": law.a,
        "a_interval": to_plain(law.a_interval()), "target": target, "tokens": law.tokens(target),
        "tokens_interval": to_plain(law.tokens_interval(target)), "parameters": law.parameters(target),
        "bootstrap_alpha": to_plain(drawn.alpha_interval()) if drawn else None,
        "bootstrap_tokens": to_plain(drawn.tokens_interval(target)) if drawn else None,
    }  # fmt: skip


def _law_lines(law: Law, drawn: Bootstrap | None, target: float) -> list[str]:
    lines = [
        f"N*(C) = A C^alpha tokens, A = {law.a:.4g}{_said(law.a_interval())}, alpha ="
        f" {law.alpha:.4f}{_said(law.alpha_interval())}.",
        "",
        f"At {target:.3g} FLOPs: {law.tokens(target):.4g} tokens{_said(law.tokens_interval(target))},"
        f" {law.parameters(target):.4g} parameters by C = 6 N D.",
        "",
        f"Intervals: Student's t of the line through {law.line.n} minima ({law.line.dof} degrees of freedom)."
        if law.line.dof
        else "No interval: two budgets leave no degree of freedom.",
    ]
    if drawn is not None:
        lines.append(
            f"Bootstrap of the losses' residuals, {len(drawn.alpha):,} ladders ({drawn.failed} more had no minimum):"
            f" alpha{_said(drawn.alpha_interval())}, tokens{_said(drawn.tokens_interval(target))}."
        )
    return [*lines, "", "![law](law.png)", ""]


def _minima_lines(found: IsoFlops) -> list[str]:
    lines = [
        "| FLOPs | runs | tokens at the minimum | 95% | loss | parameters, C / 6 D |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    minima = {minimum.budget: minimum for minimum in found.minima}
    for curve in found.curves:
        if (minimum := minima.get(curve.budget)) is None:
            lines.append(f"| {curve.budget:.3g} | {len(curve.losses)} | none between the runs | | | |")
            continue
        lines.append(
            f"| {curve.budget:.3g} | {len(curve.losses)} | {minimum.tokens:.4g} | {_said(minimum.interval).strip()} |"
            f" {minimum.loss:.4f} | {minimum.parameters:.4g} |"
        )
    spread = f"{found.variance**0.5:.4f} nats, {found.dof} degrees of freedom" if found.dof else "not known"
    return [*lines, "", f"Scatter of a loss about its curve: {spread}.", "", "![curves](isoflops.png)"]


def _left_out_lines(left_out: Sequence[LeftOut]) -> list[str]:
    return ["", "Left out:", "", *(f"* {run.name}: {run.reason}" for run in left_out)] if left_out else []


def report_mixes(
    points: Sequence[Point], shares: Mapping[str, Mapping[str, float]], comparison: Comparison, directory: Path,
    left_out: Sequence[LeftOut] = (),
) -> str:  # fmt: skip
    """Draw the comparison, write the winner's mix file, write and return the page."""
    directory.mkdir(parents=True, exist_ok=True)
    draw_mixes(points, comparison, directory / "mixes.png")
    storage.write_atomic(str(directory / MIX_FILE), mix_file(shares[comparison.winner.name], comparison).encode())
    lines = ["| mix | shares | expected loss | 95% | above the winner | lowest in |", "|---|---|---:|---:|---:|---:|"]
    for forecast in comparison.forecasts:
        dealt = ", ".join(f"{name} {share:.3g}" for name, share in sorted(shares[forecast.name].items()))
        won = "-" if forecast.win_share is None else f"{forecast.win_share:.0%}"
        lines.append(
            f"| {forecast.name} | {dealt} | {forecast.loss:.4f} | {_said(forecast.interval).strip()} |"
            f" {_said(forecast.behind).strip()} | {won} |"
        )
    plain = [
        {key: value for key, value in to_plain(forecast).items() if key != "line"} for forecast in comparison.forecasts
    ]
    _write_json({"target": comparison.target, "floor": comparison.floor, "mixes": plain}, directory)
    head = f"At {comparison.target:.3g} FLOPs, {comparison.winner.name} is expected to be best; `{MIX_FILE}` holds it."
    return _write(
        "\n".join(["# Data mixes", "", head, "", *lines, "", "![mixes](mixes.png)", *_left_out_lines(left_out), ""]),
        directory,
    )


def report_downstream(models: Sequence[Measured], fits: Downstream, target: float, directory: Path) -> str:
    """Draw both fits, write and return the page."""
    directory.mkdir(parents=True, exist_ok=True)
    draw_downstream(models, fits, target, directory / "downstream.png")
    forecast = fits.forecast(target)
    _write_json({"forecast": to_plain(forecast), "middle": fits.sigmoid.middle, "width": fits.sigmoid.width}, directory)
    lines = [
        "# Downstream", "",
        f"At {target:.3g} FLOPs: {forecast.nll_per_char:.4f} nats a character{_said(forecast.nll_interval)}, accuracy"
        f" {forecast.accuracy:.4f}{_said(forecast.accuracy_interval)}.", "", "![downstream](downstream.png)", "",
    ]  # fmt: skip
    return _write("\n".join(lines), directory)


def report_valuation(source: str, found: Sequence[Difference], directory: Path) -> str:
    """Write and return the page."""
    directory.mkdir(parents=True, exist_ok=True)
    _write_json({"source": source, "differences": to_plain(list(found))}, directory)
    lines = [
        f"# What {source} is worth",
        "",
        "Held-out loss after annealing with it, less that without: below 0 it helps.",
        "",
    ]
    lines += ["| held out | without | difference | 95% over seeds |", "|---|---:|---:|---:|"]
    for one in found:
        lines.append(
            f"| {one.held_out or 'mean'} | {one.without:.4f} | {one.difference:+.4f} | {_said(one.interval).strip()} |"
        )
    return _write("\n".join([*lines, ""]), directory)


def _said(interval: Interval | None) -> str:
    return "" if interval is None else f" ({interval.low:.4g} to {interval.high:.4g})"


def _write(text: str, directory: Path) -> str:
    storage.write_atomic(str(directory / REPORT), text.encode())
    return text


def _write_json(plain: Mapping[str, Any], directory: Path) -> None:
    storage.write_atomic(str(directory / FITS), json.dumps(plain, indent=1, sort_keys=True).encode())
