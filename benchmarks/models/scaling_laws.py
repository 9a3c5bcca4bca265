"""How often the intervals of scaling laws hold a truth that is known, and how far off the figures are.

    .venv/bin/python -m benchmarks.models.scaling_laws [--trials 400] [--noise 0.002,0.005] [--parametric 200]

Ladders: the runs of `letter`, with losses on the published surfaces (Hoffmann, Besiroglu) plus normal noise of so many
nats; law and surface are fitted as `winnow-train scaling fit` does. Mixes: two of them, three to five budgets, on the
optima of Hoffmann's surface with the part above the floor of 1.69 nats changed by a random factor each; compared a
hundred times beyond the largest budget. A share of 400 trials is known to a point (95%: two). Prints tables, then one
JSON line.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.machine import facts
from tests.trainer.scaling.surfaces import letter_runs
from trainer.scaling.fits.isoflops import fit_isoflops
from trainer.scaling.fits.mixes import compare
from trainer.scaling.fits.powerlaw import law_of
from trainer.scaling.fits.surface import BESIROGLU, HOFFMANN, Surface, fit_surface
from trainer.scaling.points import FLAGSHIP_FLOPS, Interval, Point

SURFACES = {"Hoffmann": HOFFMANN, "Besiroglu": BESIROGLU}
# Budgets, seeds, noise in nats, and the standard deviation of ln(part above the floor) between mixes.
MIXES: dict[str, tuple[tuple[float, ...], int, float, float]] = {
    "4 budgets, a factor of 10": ((6e18, 1e19, 3e19, 6e19), 1, 0.005, 0.05),
    "the same, three seeds": ((6e18, 1e19, 3e19, 6e19), 3, 0.005, 0.05),
    "3 budgets, a factor of 100, three seeds": ((6e18, 6e19, 6e20), 3, 0.005, 0.05),
    "5 budgets, a factor of 170": ((6e18, 3e19, 1e20, 3e20, 1e21), 1, 0.01, 0.05),
    "4 budgets, mixes hardly differ": ((6e18, 1e19, 3e19, 6e19), 1, 0.005, 0.005),
}


def ladders(surface: Surface, noise: float, trials: int, parametric: int) -> dict[str, float]:
    """Return how the law and the surface of so many ladders compare with the truth."""
    truth, rows, others = surface.tokens(FLAGSHIP_FLOPS), [], []
    for trial in range(trials if noise else 1):
        runs = letter_runs(surface, noise, trial)
        law = law_of(fit_isoflops(runs))
        rows.append(
            _row(law.alpha, law.alpha_interval(), law.tokens(FLAGSHIP_FLOPS), law.tokens_interval(FLAGSHIP_FLOPS),
                 surface.exponent, truth)
        )  # fmt: skip
        if trial < parametric:
            fit = fit_surface(runs)
            others.append(
                _row(fit.surface.exponent, fit.exponent_interval(), fit.surface.tokens(FLAGSHIP_FLOPS),
                     fit.tokens_interval(FLAGSHIP_FLOPS), surface.exponent, truth)
            )  # fmt: skip
    return {"noise": noise, **_summary(rows, "law"), **_summary(others, "surface")}


def _row(
    exponent: float, of_exponent: Interval | None, tokens: float, of_tokens: Interval | None, true_exponent: float,
    true_tokens: float,
) -> tuple[float, ...]:  # fmt: skip
    half = math.log(of_tokens.high / of_tokens.low) / 2 if of_tokens else math.inf
    return (
        exponent - true_exponent, float(_holds(of_exponent, true_exponent)), math.log(tokens / true_tokens),
        float(_holds(of_tokens, true_tokens)), half,
    )  # fmt: skip


def _holds(interval: Interval | None, value: float) -> bool:
    return interval is not None and interval.low <= value <= interval.high


def _summary(rows: Sequence[tuple[float, ...]], name: str) -> dict[str, float]:
    table = np.array(rows)
    return {
        f"{name}_alpha_off": float(np.median(table[:, 0])), f"{name}_alpha_held": float(table[:, 1].mean()),
        f"{name}_tokens_off": float(np.expm1(np.median(table[:, 2]))), f"{name}_tokens_sd": float(table[:, 2].std()),
        f"{name}_tokens_held": float(table[:, 3].mean()), f"{name}_tokens_half": float(np.median(table[:, 4])),
    }  # fmt: skip


def mixes(budgets: Sequence[float], seeds: int, noise: float, spread: float, trials: int) -> dict[str, float]:
    """Return how often intervals hold and the expected winner is the better mix, and how often they say so."""
    drawn, target, rows = np.random.default_rng(0), 100 * max(budgets), []
    above = HOFFMANN.at_budget(6e18, HOFFMANN.tokens(6e18)) - HOFFMANN.e
    power = HOFFMANN.alpha * HOFFMANN.beta / (HOFFMANN.alpha + HOFFMANN.beta)
    for trial in range(trials):
        scales = {mix: above * math.exp(drawn.normal(0, spread)) for mix in "ab"}
        truth = {
            mix: {c: HOFFMANN.e + scale * (c / 6e18) ** -power for c in (*budgets, target)}
            for mix, scale in scales.items()
        }
        runs = [
            Point(mix=mix, budget=c, seed=seed, tokens=1, loss=truth[mix][c] + noise * drawn.standard_normal())
            for mix in "ab" for c in budgets for seed in range(seeds)
        ]  # fmt: skip
        first, second = compare(runs, key=str(trial)).forecasts
        gap = truth[second.name][target] - truth[first.name][target]
        held = np.mean([_holds(one.interval, truth[one.name][target]) for one in (first, second)])
        rows.append((held, _holds(second.behind, gap), first.win_share or 0.0, gap > 0))
    table = np.array(rows, float)
    sure = table[:, 2] > 0.9
    return {
        "loss_held": float(table[:, 0].mean()), "gap_held": float(table[:, 1].mean()),
        "said": float(table[:, 2].mean()), "won": float(table[:, 3].mean()), "sure": float(sure.mean()),
        "sure_said": float(table[sure, 2].mean()), "sure_won": float(table[sure, 3].mean()),
        "unsure_said": float(table[~sure, 2].mean()), "unsure_won": float(table[~sure, 3].mean()),
    }  # fmt: skip


def main() -> None:
    """Run the trials and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--trials", type=int, default=400)
    parser.add_argument("--parametric", type=int, default=200, help="of them with the surface, which takes .2 s each")
    parser.add_argument("--noise", default="0,0.002,0.005,0.01,0.019", help="nats, with commas")
    chosen = parser.parse_args()
    found: dict[str, Any] = {"trials": chosen.trials, "parametric": chosen.parametric}
    for name, surface in SURFACES.items():
        for noise in map(float, chosen.noise.split(",")):
            result = ladders(surface, noise, chosen.trials, chosen.parametric)
            found[f"{name} {noise:g}"] = result
            _print(f"{name}, noise {noise:g}", result)
    for name, setting in MIXES.items():
        found[name] = mixes(*setting, chosen.trials)
        _print(name, found[name])
    print(json.dumps({**found, **facts()}))


def _print(name: str, result: dict[str, float]) -> None:
    print(f"{name}: " + ", ".join(f"{key} {value:.4f}" for key, value in result.items()), flush=True)


if __name__ == "__main__":
    main()
