"""The commands `winnow-train scaling plan | run | fit | downstream | mixes | value`.

Each subject is a TOML file of settings (`LadderConfig`, `MixesConfig`, `ValuationConfig`); what is trained already is
skipped, and a command that was stopped resumes when it is run again. What takes seconds to import (torch, scipy,
matplotlib) is imported by the command that needs it.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from schemas.errors import ConfigError, InputError
from schemas.settings import overlay
from trainer.recipe import Recipe
from trainer.scaling.fits.settings import FitConfig, too_far
from trainer.scaling.points import FLAGSHIP_FLOPS, Point, read_points, write_points

if TYPE_CHECKING:
    from trainer.scaling.ladder import Cell, LadderConfig, LeftOut

app = typer.Typer(
    add_completion=False, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False,
    help="What small runs say of large ones, of data mixes, and of a new source.",
)  # fmt: skip
T = TypeVar("T")

LadderArg = Annotated[str, typer.Argument(help="A TOML file, or the name of a ladder.")]
FileArg = Annotated[str, typer.Argument(help="A TOML file.")]
TableArg = Annotated[Path, typer.Argument(help="Table of runs, JSON lines.")]
Output = Annotated[Path, typer.Option("--output", "-o", help="Folder of runs and report.")]
Data = Annotated[list[str] | None, typer.Option("--data", help="Output of Winnow, or folder of shards.")]
HeldOut = Annotated[list[str] | None, typer.Option("--held-out", help="Folder of shards that are never trained on.")]
Only = Annotated[list[str] | None, typer.Option("--only", help="Train this run alone, and report nothing.")]
Target = Annotated[float, typer.Option(min=1.0, help="FLOPs that the law is extrapolated to.")]
Window = Annotated[float, typer.Option(help="Factor of tokens about a minimum within which runs are fitted.")]
MaxOrders = Annotated[float, typer.Option(min=0.0, help="Orders of magnitude beyond the largest budget at most.")]


@app.command("plan")
def plan_command(ladder: LadderArg, data: Data = None, held_out: HeldOut = None) -> None:
    """Show which runs a ladder is made of, and which are left out."""
    config = _ladder(ladder, data, held_out)
    cells, left_out = _ladder_cells(config)
    table = Table(box=None, pad_edge=False)
    for name in ("run", "parameters", "tokens", "steps", "batch", "peak rate", "FLOPs"):
        table.add_column(name, justify="left" if name == "run" else "right")
    for cell in cells:
        table.add_row(cell.name, f"{cell.parameters:,}", f"{cell.tokens:,}", f"{cell.stage.steps:,}",
                      f"{cell.stage.batch_tokens:,}", f"{cell.stage.schedule.peak:.2e}",
                      f"{cell.flops:.3g}")  # fmt: skip
    console = Console(soft_wrap=True)
    console.print(table)
    for run in left_out:
        console.print(f"left out: {run.name}: {run.reason}", highlight=False)
    console.print(f"{len(cells)} runs, {sum(cell.flops for cell in cells):.3g} FLOPs", highlight=False)


@app.command("run")
def run_command(
    ladder: LadderArg, output: Output, data: Data = None, held_out: HeldOut = None, only: Only = None,
    target: Target = FLAGSHIP_FLOPS,
) -> None:  # fmt: skip
    """Train the runs of a ladder that are not done, and fit the law."""
    from trainer.scaling.law_report import report_ladder

    config = _ladder(ladder, data, held_out)
    cells, left_out = _ladder_cells(config)
    points = _train(cells, output, only)
    if points:
        typer.echo(report_ladder(points, target, output, left_out, config.fit))


@app.command("fit")
def fit_command(
    table: TableArg, output: Output, target: Target = FLAGSHIP_FLOPS, window: Window = FitConfig.window,
    max_orders: MaxOrders = FitConfig.max_orders,
) -> None:  # fmt: skip
    """Fit the law to a table of runs, wherever they were trained: budget, tokens and loss of each."""
    from trainer.scaling.law_report import report_ladder

    config = FitConfig(window=window, max_orders=max_orders)
    typer.echo(report_ladder(read_points(table), target, output, config=config))


@app.command("downstream")
def downstream_command(
    table: TableArg,
    output: Output,
    chance: Annotated[float, typer.Option(min=0.0, max=1.0, help="Accuracy of guessing.")],
    ceiling: Annotated[float, typer.Option(min=0.0, max=1.0, help="Accuracy of the best possible model.")] = 1.0,
    target: Target = FLAGSHIP_FLOPS,
    max_orders: MaxOrders = FitConfig.max_orders,
) -> None:
    """Forecast a benchmark from a table of models: flops (0 for an anchor), nll_per_char, accuracy."""
    from trainer.scaling.fits.downstream import fit_downstream, read_measured
    from trainer.scaling.report import report_downstream

    models = read_measured(table)
    fits = fit_downstream(models, chance, ceiling)
    if far := too_far(target, max(model.flops for model in models), max_orders):
        raise ConfigError(f"--target: {far}")
    typer.echo(report_downstream(models, fits, target, output))


@app.command("mixes")
def mixes_command(
    mixes: FileArg, output: Output, data: Data = None, held_out: HeldOut = None, only: Only = None
) -> None:
    """Train small models on each mix, and write the mix file of the one that is expected to be best."""
    from trainer.scaling.fits.mixes import MixesConfig, compare, mix_cells
    from trainer.scaling.report import report_mixes
    from trainer.scaling.runs import facts_of

    config = _read(mixes, MixesConfig())
    ladder = dataclasses.replace(config.ladder, recipe=_with(config.ladder.recipe, data, held_out))
    config = dataclasses.replace(config, ladder=ladder)
    facts = facts_of(ladder.recipe, ladder.seq_len)
    cells, left_out, shares = mix_cells(config, facts.vocab_size, facts.epoch_tokens)
    points = _train(cells, output, only)
    if points:
        seed = str(ladder.recipe.seed)
        comparison = compare(points, config.target, config.floor, seed, max_orders=config.max_orders)
        typer.echo(report_mixes(shares, comparison, output, left_out))


@app.command("value")
def value_command(
    valuation: FileArg, output: Output, data: Data = None, held_out: HeldOut = None, only: Only = None
) -> None:
    """Anneal a half-trained model with and without a new source, and report what it is worth."""
    from trainer.scaling.report import report_valuation
    from trainer.scaling.runs import facts_of
    from trainer.scaling.valuation import ValuationConfig, differences, valuation_cells

    config = _read(valuation, ValuationConfig())
    config = dataclasses.replace(config, recipe=_with(config.recipe, data, held_out))
    facts = facts_of(config.recipe, config.seq_len)
    points = _train(valuation_cells(config, facts.vocab_size, facts.epoch_tokens), output, only)
    if points:
        typer.echo(report_valuation(config.source, differences(points), output))


def _ladder(name: str, data: Sequence[str] | None, held_out: Sequence[str] | None) -> LadderConfig:
    from trainer.scaling.ladder import LadderConfig
    from trainer.scaling.presets import LADDERS

    config = LADDERS[name] if name in LADDERS else _read(name, LadderConfig(), f"a ladder ({', '.join(LADDERS)}) nor ")
    return dataclasses.replace(config, recipe=_with(config.recipe, data, held_out))


def _ladder_cells(config: LadderConfig) -> tuple[list[Cell], list[LeftOut]]:
    from trainer.scaling.ladder import make_cells
    from trainer.scaling.runs import facts_of

    facts = facts_of(config.recipe, config.seq_len)
    return make_cells(config, facts.vocab_size, facts.epoch_tokens)


def _with(recipe: Recipe, data: Sequence[str] | None, held_out: Sequence[str] | None) -> Recipe:
    if data:
        recipe = dataclasses.replace(recipe, data=tuple(data))
    if held_out:
        recipe = dataclasses.replace(
            recipe, evaluation=dataclasses.replace(recipe.evaluation, held_out=tuple(held_out))
        )
    return recipe


def _read(path: str, default: T, neither: str = "") -> T:
    """Return the settings of a TOML file over `default`. ConfigError in one line."""
    try:
        return overlay(default, tomllib.loads(Path(path).read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {f'neither {neither}' if neither else ''}a file that can be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _train(cells: Sequence[Cell], output: Path, only: Sequence[str] | None) -> list[Point]:
    """Train what is not done; return the points of all runs, on the first rank and when all were asked for."""
    from trainer.commands.terminal import is_first_rank, watching
    from trainer.scaling.runs import POINTS, is_done, point_of, select, train

    console = Console(soft_wrap=True)
    chosen = select(cells, only or ())
    for number, cell in enumerate(chosen, 1):
        if is_done(cell, output):
            continue
        if is_first_rank():
            console.print(f"{cell.name}: run {number} of {len(chosen)}, {cell.flops:.3g} FLOPs", highlight=False)
        with watching(console, cell.recipe) as watcher:
            train(cell, output, watcher)
    if only or not is_first_rank():
        return []
    points = [point_of(cell, output) for cell in cells]
    write_points(points, output / POINTS)
    return points
