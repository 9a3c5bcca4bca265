"""The command line: `winnow-train plan | run | status | eval | sample | plot | export | scaling`.

Errors that we raise on purpose are one line on stderr and exit code 1; wrong usage is exit code 2; a run that was asked
to stop and has saved leaves with 143.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from schemas.distribution import version as winnow_version
from schemas.errors import ConfigError, WinnowError
from trainer.command import STOPPED
from trainer.commands.status import status
from trainer.evaluate.cli import AsJson, RunDir, eval_command, plot_command, sample_command
from trainer.presets import PRESETS
from trainer.recipe import Recipe
from trainer.recipe_file import read_recipe
from trainer.scaling.cli import app as scaling_app

if TYPE_CHECKING:
    from trainer.commands.plan import Machine, Plan

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)
app.command("eval")(eval_command)
app.command("sample")(sample_command)
app.command("plot")(plot_command)
app.add_typer(scaling_app, name="scaling")

RecipeArg = Annotated[str, typer.Argument(help="A TOML file, the recipe.json of a run, or the name of a preset.")]
Data = Annotated[list[str] | None, typer.Option("--data", help="Output of Winnow, or folder of shards.")]


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"winnow-train {winnow_version()}")
        raise typer.Exit


@app.callback()
def winnow_train(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and exit.")
    ] = False,
) -> None:
    """Train a model on the shards of `winnow`."""


@app.command("plan")
def plan_command(
    recipe: RecipeArg,
    data: Data = None,
    gpus: Annotated[int, typer.Option(min=1, help="GPUs of the run.")] = 8,
    peak_tflops: Annotated[float, typer.Option(help="Peak of one, in bfloat16, dense.")] = 989.0,
    mfu: Annotated[float, typer.Option(help="Share of it that is reached (L3: 0.38 to 0.43).")] = 0.40,
    cpu: Annotated[bool, typer.Option("--cpu", help="The ranks are processes on CPUs, not GPUs.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what a recipe needs: tokens, steps, operations, memory, hours, epochs of each source."""
    from trainer.commands.plan import Machine, plan

    loaded = _load(recipe, data)
    vocab_size, tokens = _facts(loaded)
    found = plan(loaded, loaded.model.vocab_size or vocab_size, tokens, Machine(gpus, peak_tflops, mfu, not cpu))
    for line in _absent(loaded):
        typer.echo(f"warning: {line}", err=True)
    if as_json:
        _print_json(_plan_plain(found))
        return
    table = Table(box=None, pad_edge=False)
    for name in ("stage", "steps", "tokens", "length", "batch", "FLOPs", "hours"):
        table.add_column(name, justify="left" if name == "stage" else "right")
    for stage in found.stages:
        table.add_row(stage.name, f"{stage.steps:,}", f"{stage.tokens:,}", f"{stage.seq_len:,}",
                      f"{stage.batch_tokens:,}", f"{stage.flops:.2e}", f"{stage.hours:,.1f}")  # fmt: skip
    console = Console(soft_wrap=True)
    console.print(table)
    console.print(
        f"{found.parameters:,} parameters, {found.tokens:,} tokens, {found.flops:.2e} FLOPs, {found.hours:,.1f} hours"
        f" on {gpus:,} GPUs at {mfu:.0%} of {peak_tflops:,.0f} TFLOPs, {found.gpu_bytes / 2**30:,.1f} GiB each",
        highlight=False,
    )
    if found.memory:
        parts = ", ".join(f"{name} {size / 2**30:,.1f}" for name, size in dataclasses.asdict(found.memory).items())
        console.print(f"GiB of a rank at its peak: {parts}", highlight=False)
    for source, epochs in found.epochs.items():
        console.print(f"{source}: {epochs:.2f} epochs", highlight=False)


@app.command("run")
def run_command(
    recipe: RecipeArg,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the run.")],
    data: Data = None,
    ranks: Annotated[int, typer.Option(min=1, help="Processes on this machine; torchrun starts them.")] = 1,
    peak_tflops: Annotated[float, typer.Option(help="Peak of a rank, for MFU; 0: found out.")] = 0.0,
    anew: Annotated[
        bool, typer.Option("--anew", help="Remove what another recipe or other shards left there.")
    ] = False,
) -> None:
    """Train a recipe, or resume it."""
    loaded = _load(recipe, data)
    vocab_size, _ = _facts(loaded)
    if ranks > 1 and "WORLD_SIZE" not in os.environ:
        from trainer.commands.launch import start_ranks

        raise SystemExit(start_ranks(ranks, loaded.faults.max_restarts, sys.argv[1:]))
    from trainer.commands.terminal import is_first_rank, watching
    from trainer.loop.run import run

    console = Console(soft_wrap=True)
    machine = _machine(loaded, peak_tflops) if is_first_rank() else None
    with watching(console, loaded, vocab_size, machine, output) as watcher:
        state = run(loaded, output, watcher, anew)
    if is_first_rank():
        from trainer.commands.curves import draw_curves

        console.print(f"{output}: done, {state.tokens:,} tokens, weights {state.weights_sha256}", highlight=False)
        console.print(f"loss and learning rate: {draw_curves(output)}", highlight=False)


def _machine(recipe: Recipe, given: float) -> Machine | None:
    """Return the peak FLOP/s that MFU refers to; None for an unknown GPU."""
    import torch

    from trainer.commands.plan import Machine
    from trainer.model.peaks import peak_tflops

    if recipe.local.threads:
        torch.set_num_threads(recipe.local.threads)
    peak = given or peak_tflops()
    return Machine(int(os.environ.get("WORLD_SIZE", "1")), peak) if peak else None


@app.command("status")
def status_command(directory: RunDir, as_json: AsJson = False) -> None:
    """Show the state of a run: stage, step, loss, tokens, goodput, SHA-256 of the newest weights."""
    found = status(directory)
    if as_json:
        _print_json(found)
        return
    console = Console(soft_wrap=True)
    loss = "-" if found["loss"] is None else f"{found['loss']:.4f}"
    state = "finished" if found["finished"] else f"stage {found['stage']}"
    console.print(f"{found['name']}: {state}, step {found['step']:,}, loss {loss}, {found['tokens']:,} tokens")
    if found["metrics"]:
        words = [f"{name} {value:.4g}" for name, value in found["metrics"].items()]
        console.print(f"of the last steps: {', '.join(words)}", highlight=False)
    time = found["time"]
    console.print(
        f"time: {time['effective']:.1%} effective, {time['lost']:.1%} lost, {time['saving']:.1%} saving,"
        f" {time['other']:.1%} else, of {time['elapsed_s']:,.0f} s",
        highlight=False,
    )
    if found["weights"]:
        console.print(f"weights of step {found['weights']['step']:,}: {found['weights']['sha256']}", highlight=False)


@app.command("export")
def export_command(
    directory: RunDir, to: Annotated[Path, typer.Option(help="Folder to write, in Hugging Face's layout.")]
) -> None:
    """Copy the weights at the end of the last finished stage as a Hugging Face model, with its tokenizer."""
    import shutil

    from trainer.evaluate.finished import newest_stage

    stage = newest_stage(directory, causal=False)  # a reward model is exported as one
    if to.exists() and any(to.iterdir()):
        raise ConfigError(f"{to}: not empty; give a new folder")
    shutil.copytree(stage / "model", to, dirs_exist_ok=True)
    typer.echo(f"{to}: the model after {stage.name}, {_export_tokenizer(directory, to)}")


def _export_tokenizer(directory: Path, to: Path) -> str:
    """Save the shards' tokenizer with a model, where it can be found; return what was done."""
    from trainer.evaluate.finished import read_saved_recipe, run_tokenizer
    from trainer.evaluate.words import open_words

    recipe = read_saved_recipe(directory)
    try:
        words = open_words(recipe, run_tokenizer(directory, recipe), directory)
    except WinnowError as error:
        return f"without a tokenizer ({error})"
    words.write(to, recipe.longest)
    return "with its tokenizer"


def _load(recipe: str, data: list[str] | None) -> Recipe:
    if recipe in PRESETS:
        loaded = PRESETS[recipe]
    else:
        try:
            text = Path(recipe).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            known = ", ".join(PRESETS)
            raise ConfigError(f"{recipe}: neither a preset ({known}) nor a file that can be read: {error}") from None
        loaded = read_recipe(text, recipe, PRESETS)
    return dataclasses.replace(loaded, data=tuple(data)) if data else loaded


def _facts(recipe: Recipe) -> tuple[int, dict[str, int]]:
    """Return the size of the vocabulary and the tokens of an epoch of each source."""
    from trainer.data.rows import row_files, tokenizer_of
    from trainer.data.sources import open_streams, training_shards

    if not recipe.data:
        rows = [path for stage in recipe.stages for path in row_files(stage.rows)[:1]]
        return (tokenizer_of(rows[0]).vocab_size if rows else recipe.model.vocab_size), {}
    corpora = open_streams(recipe, training_shards(recipe))
    vocab_size = next(iter(corpora.values())).tokenizer.vocab_size
    return vocab_size, {source: corpus.epoch_tokens for source, corpus in corpora.items()}


def _absent(recipe: Recipe) -> list[str]:
    """Return a line for each model to begin with that is not on this machine: a plan needs none, a run does."""
    from trainer.stages.graph import folders

    wanted = [("init_from", recipe.init_from)] if recipe.init_from else []
    wanted += [(f"stages: {stage.name}: begin", name) for number, stage in enumerate(recipe.stages)
               for name in folders(recipe, number)]  # fmt: skip
    return [f"{what}: {name}: neither a stage nor a folder here" for what, name in wanted if not Path(name).is_dir()]


def _plan_plain(found: Plan) -> dict[str, Any]:
    totals = {name: getattr(found, name) for name in ("parameters", "tokens", "flops", "hours", "gpu_bytes", "epochs")}
    totals["memory"] = dataclasses.asdict(found.memory) if found.memory else None
    return {**totals, "stages": [dataclasses.asdict(stage) for stage in found.stages]}


def _print_json(plain: Any) -> None:
    typer.echo(json.dumps(plain, indent=1, ensure_ascii=False, default=str))


def main(argv: list[str] | None = None) -> None:
    """Entry point of the `winnow-train` command."""
    try:
        code = app(sys.argv[1:] if argv is None else argv, prog_name="winnow-train", standalone_mode=False)
    except WinnowError as error:
        typer.echo(f"winnow-train: {error}", err=True)
        raise SystemExit(1) from None
    except OSError as error:
        where = os.fsdecode(error.filename) if error.filename else "a file"
        typer.echo(f"winnow-train: {where}: {error.strerror or error}", err=True)
        raise SystemExit(1) from None
    except typer.TyperException as error:
        text = error.format_message()
        typer.echo(text if text.startswith("Usage: ") else f"winnow-train: {text}", err=True)
        raise SystemExit(error.exit_code) from None
    if code == STOPPED:  # how typer tells of Ctrl-C
        typer.echo("winnow-train: stopped", err=True)
    raise SystemExit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
