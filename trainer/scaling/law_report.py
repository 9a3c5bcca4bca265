"""What a ladder found: curves and law, the surface beside them, how far they are carried, and a page of it in words.

DIR/report.md, DIR/fits.json, isoflops.png and law.png.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from schemas.errors import InputError
from schemas.settings import to_plain
from trainer.scaling.fits.isoflops import LEAST_SIZES, IsoFlops, fit_isoflops
from trainer.scaling.fits.powerlaw import Bootstrap, Law, bootstrap, law_of
from trainer.scaling.fits.settings import FitConfig, orders_beyond, too_far
from trainer.scaling.fits.surface import SurfaceFit, fit_surface
from trainer.scaling.ladder import LeftOut
from trainer.scaling.plots import draw_isoflops, draw_law
from trainer.scaling.points import Interval, Point
from trainer.scaling.report import interval_text, left_out_lines, write_json, write_page

T = TypeVar("T")


def report_ladder(
    points: Sequence[Point], target: float, directory: Path, left_out: Sequence[LeftOut] = (),
    config: FitConfig | None = None,
) -> str:  # fmt: skip
    """Fit curves, law and surface, draw them, write and return the page.

    Without two minima the page says why there is no law; at a target that lies too far it gives no figure. InputError
    when a budget has less than three sizes.
    """
    config = config or FitConfig()
    found = fit_isoflops(points, config.window)
    surface = _or_why(lambda: fit_surface(points, config.huber))
    law = _or_why(lambda: law_of(found))
    last = found.curves[-1].budget
    far = too_far(target, last, config.max_orders)
    reached = last * 10**config.max_orders if far else target
    opinion = None if isinstance(surface, str) else surface
    directory.mkdir(parents=True, exist_ok=True)
    draw_isoflops(found, directory / "isoflops.png", opinion)
    lines = ["# Scaling law", ""]
    if isinstance(law, str):
        lines += [f"No law: {law}.", ""]
        plain = None
    else:
        drawn = bootstrap(found, "0")
        draw_law(found, law, reached, directory / "law.png", opinion)
        lines += [*_law_lines(law, drawn), *_target_lines(found, law, opinion, target, far), "![law](law.png)", ""]
        plain = _law_plain(law, drawn, target, far)
    lines += [f"No surface: {surface}.", ""] if isinstance(surface, str) else _surface_lines(surface)
    minima = {str(m.budget): to_plain(m) for m in found.minima}
    write_json(
        {"law": plain, "surface": opinion and _surface_plain(opinion, target, far), "minima": minima,
         "variance": found.variance, "dof": found.dof, "settings": to_plain(config), "too_far": far},
        directory,
    )  # fmt: skip
    return write_page("\n".join([*lines, *_minima_lines(found, config), *left_out_lines(left_out), ""]), directory)


def _or_why(fit: Callable[[], T]) -> T | str:
    """Return a fit, or why there is none."""
    try:
        return fit()
    except InputError as error:
        return str(error)


def _law_plain(law: Law, drawn: Bootstrap | None, target: float, far: str | None) -> dict[str, Any]:
    plain = {
        "alpha": law.alpha, "alpha_interval": to_plain(law.alpha_interval()), "a": law.a,
        "a_interval": to_plain(law.a_interval()), "target": target,
        "bootstrap_alpha": to_plain(drawn.alpha_interval()) if drawn else None,
    }  # fmt: skip
    if far is not None:
        return plain
    return plain | {
        "tokens": law.tokens(target), "tokens_interval": to_plain(law.tokens_interval(target)),
        "parameters": law.parameters(target),
        "bootstrap_tokens": to_plain(drawn.tokens_interval(target)) if drawn else None,
    }  # fmt: skip


def _surface_plain(fit: SurfaceFit, target: float, far: str | None) -> dict[str, Any]:
    plain = {
        **to_plain(fit.surface), "exponent": fit.surface.exponent,
        "exponent_interval": to_plain(fit.exponent_interval()), "scatter": fit.scatter, "dof": fit.dof,
    }  # fmt: skip
    if far is not None:
        return plain
    interval = to_plain(fit.tokens_interval(target))
    return plain | {"tokens": fit.surface.tokens(target), "tokens_interval": interval}


def _law_lines(law: Law, drawn: Bootstrap | None) -> list[str]:
    lines = [
        f"N*(C) = A C^alpha tokens, A = {law.a:.4g}{interval_text(law.a_interval())}, alpha ="
        f" {law.alpha:.4f}{interval_text(law.alpha_interval())}.",
        "",
        f"Intervals: Student's t of the line through {law.line.n} minima ({law.line.dof} degrees of freedom)."
        if law.line.dof
        else "No interval: two budgets leave no degree of freedom.",
    ]
    if drawn is not None:
        lines.append(
            f"Bootstrap of the losses' residuals, {len(drawn.alpha):,} ladders ({drawn.failed} more had no minimum):"
            f" alpha{interval_text(drawn.alpha_interval())}."
        )
    return [*lines, ""]


def _target_lines(
    found: IsoFlops, law: Law, surface: SurfaceFit | None, target: float, far: str | None
) -> list[str]:  # fmt: skip
    if far is not None:
        return [f"No figure at the target: {far}.", ""]
    first, last = found.minima[0].budget, found.minima[-1].budget
    interval = law.tokens_interval(target)
    lines = [
        f"At {target:.3g} FLOPs: {law.tokens(target):.4g} tokens{interval_text(interval)},"
        f" {law.parameters(target):.4g} parameters by C = 6 N D. That is {orders_beyond(target, last):.1f} orders of"
        f" magnitude beyond the largest budget with a minimum; the minima span {orders_beyond(last, first):.1f}."
    ]
    if surface is not None:
        other = surface.tokens_interval(target)
        lines.append(
            f"The surface says {surface.surface.tokens(target):.4g} tokens{interval_text(other)}"
            f"{agreement(interval, other)}."
        )
    return [*lines, ""]


def agreement(one: Interval | None, other: Interval | None) -> str:
    """Return whether two opinions can both be right, as a clause; nothing where one has no interval."""
    if one is None or other is None:
        return ""
    if one.low <= other.high and other.low <= one.high:
        return "; the intervals overlap"
    return "; the intervals do not overlap, so one form or both are wrong: trust neither so far out"


def _surface_lines(fit: SurfaceFit) -> list[str]:
    found = fit.surface
    return [
        f"Second opinion, from all {fit.dof + len(fit.centred)} runs at once: loss = {found.e:.4g} + {found.a:.4g} /"
        f" N^{found.alpha:.4f} + {found.b:.4g} / D^{found.beta:.4f} with N = C / 6 D, whose compute-optimal tokens grow"
        f" as C^{found.exponent:.4f}{interval_text(fit.exponent_interval())}. Scatter of ln(loss): {fit.scatter:.2g}.",
        "",
    ]


def _minima_lines(found: IsoFlops, config: FitConfig) -> list[str]:
    lines = [
        "| FLOPs | runs | outside the window | tokens at the minimum | 95% | loss | parameters, C / 6 D |",
        "|---:|---:|---:|---:|---:|---:|---:|",
    ]
    minima = {minimum.budget: minimum for minimum in found.minima}
    for curve in found.curves:
        counts = f"| {curve.budget:.3g} | {len(curve.losses)} | {len(curve.outside)} |"
        if (minimum := minima.get(curve.budget)) is None:
            lines.append(f"{counts} none between the runs | | | |")
            continue
        lines.append(
            f"{counts} {minimum.tokens:.4g} | {interval_text(minimum.interval).strip()} | {minimum.loss:.4f} |"
            f" {minimum.parameters:.4g} |"
        )
    spread = f"{found.variance**0.5:.4f} nats, {found.dof} degrees of freedom" if found.dof else "not known"
    about = (
        f"A curve is fitted to the runs within a factor of {config.window:g} of the tokens at its minimum (`window`),"
        f" at least {LEAST_SIZES} sizes. Scatter of a loss about its curve: {spread}."
    )
    return [*lines, "", about, *_outside_lines(found), "", "![curves](isoflops.png)"]


def _outside_lines(found: IsoFlops) -> list[str]:
    runs = [run for curve in found.curves for run in curve.outside]
    if not runs:
        return []
    named = ", ".join(run.name or f"{run.budget:.3g} with {run.tokens:.3g} tokens" for run in runs)
    return ["", f"Outside the window: {named}."]
