"""Runs of the report's ladder whose losses lie on a surface that is known, plus normal noise."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from trainer.recipe import EvalConfig
from trainer.scaling.fits.surface import Surface
from trainer.scaling.ladder import Cell, make_cells
from trainer.scaling.points import Point
from trainer.scaling.presets import LADDERS

VOCABULARY = 128_256


@functools.cache
def letter_cells() -> list[Cell]:
    ladder = LADDERS["letter"]
    recipe = dataclasses.replace(ladder.recipe, evaluation=EvalConfig(held_out=("h",)))
    return make_cells(dataclasses.replace(ladder, recipe=recipe), VOCABULARY, {"web": 10**15})[0]


def letter_runs(surface: Surface, noise: float = 0.0, seed: int = 0) -> list[Point]:
    """Return the runs of the ladder; `noise` in nats a token, drawn by `seed`."""
    drawn = np.random.default_rng(seed)
    return [
        Point(
            name=cell.name, budget=cell.budget, flops=cell.flops, tokens=cell.tokens,
            loss=surface.at_budget(cell.flops, cell.tokens) + noise * drawn.standard_normal(),
        )
        for cell in letter_cells()
    ]  # fmt: skip
