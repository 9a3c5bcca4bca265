"""`winnow run` and `winnow plan`: the whole run of a folder, or with `--new` a dataset's next one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

import storage
from pipelines.commands.arguments.inputs import inputs_of, refuse_outputs
from pipelines.commands.arguments.options import (
    AsJson,
    Changes,
    ConfigFile,
    Inputs,
    MaxInputs,
    New,
    Output,
    RecipeOption,
    SkipUnreadable,
    absolute,
    log_path,
    maker_of,
    print_json,
    settings_of,
)
from pipelines.commands.endings.empty import refuse_empty, refuse_untrained
from pipelines.commands.endings.ending import Ending
from pipelines.commands.screen import show
from pipelines.engines.dataflow import check_dataflow
from pipelines.engines.engine import Engine
from pipelines.locks.lock import locked
from pipelines.recipes.find import RecipeMaker, make_recipe
from pipelines.reports import ledger
from pipelines.reports.progress import Progress
from pipelines.runs.dataset import Dataset, SourceFile, describe, refuse_later_run
from pipelines.runs.folder import ADVICE, RunFolder
from pipelines.runs.graph import Recipe
from pipelines.runs.plan import VERSION, PlannedStage, plan
from pipelines.runs.runner import refuse_foreign_inputs, run
from pipelines.runs.stage import Earlier
from schemas.errors import InputError, RunError
from schemas.settings_yaml import to_commented_yaml
from storage.listing.inputs import Unreadable

SHOWN_INPUTS = 20
Archives = list[dict[str, Any]]


def run_command(
    context: typer.Context,
    inputs: Inputs,
    output: Output,
    recipe: RecipeOption = None,
    config: ConfigFile = None,
    changes: Changes = None,
    new: New = False,
    max_inputs: MaxInputs = None,
    skip_unreadable: SkipUnreadable = False,
    metrics: Annotated[
        str | None, typer.Option("--metrics", help="File for Prometheus, replaced at every end of the run (*.prom).")
    ] = None,
    notify: Annotated[
        str | None, typer.Option("--notify", help="Command or https:// hook, notified of every end of the run.")
    ] = None,
) -> None:
    """Curate archives into token shards. Beam's own options follow, after `--` if need be."""
    _check_words(new, max_inputs)
    ending = Ending("run", absolute(output), metrics, notify)
    ending.check()
    with ending:
        refuse_later_run(ending.output)
        maker = maker_of(recipe, ending.output)
        made = make_recipe(maker, settings_of(maker, config, changes))
        unreadable = Unreadable(skip_unreadable)
        engine = Engine(context.obj or [], log_path(ending.output), ending.output)
        files = inputs_of(inputs, made, unreadable, ending.output)
        refuse_outputs(files)
        archives = [] if new else describe(files, unreadable)
        unreadable.check_some_left(files if new else archives)
        check_dataflow(context.obj or [], [ending.output, *(file.path for file in files), *resources_of(made)])
        job = Job(maker, made, Dataset(ending.output), engine, Console(soft_wrap=True), ending, unreadable)
        with locked(ending.output):
            if new:
                job.run_new(files, max_inputs or 0)
            else:
                job.run_whole(archives)


def resources_of(recipe: Recipe) -> list[str]:
    """Return the files from outside that the stages need: models and lists."""
    return [path for node in recipe.nodes for path in node.stage.resources]


def _check_words(new: bool, max_inputs: int | None) -> None:
    if max_inputs is not None and not new:
        raise typer.BadParameter("--max-inputs goes with --new")


@dataclass(frozen=True)
class Job:
    """What one line of `winnow run` asks for."""

    maker: RecipeMaker
    recipe: Recipe
    dataset: Dataset
    engine: Engine
    console: Console
    ending: Ending
    unreadable: Unreadable = field(default_factory=Unreadable)

    def run_whole(self, archives: Archives) -> None:
        """Run the folder itself, over exactly these inputs."""
        folder = RunFolder(self.dataset.path)
        folder.open(self.maker.reference, VERSION, self._stages())
        refuse_redone(self.dataset, self.recipe, archives)
        known = folder.inputs() or [] if _is_finished(folder) else []
        refuse_foreign_inputs(self.recipe, archives, folder)
        self._run(folder, archives, {}, sum(1 for entry in archives if entry not in known))

    def _stages(self) -> list[str]:
        return [node.id for node in self.recipe.nodes]

    def run_new(self, files: Sequence[SourceFile], limit: int) -> None:
        """Finish the run that was begun, if there is one; then run what no run has read, if there is anything."""
        dataset = self.dataset
        dataset.check_usable(self.maker.reference, VERSION)
        unfinished = dataset.unfinished()
        if unfinished is not None:
            self._run_newest(unfinished, begun_inputs(unfinished, self.unreadable))
        new = dataset.new_inputs(files, limit, self.unreadable)
        if new:
            refuse_untrained(dataset)
            self._run_newest(dataset.next(), new)
        elif unfinished is None:
            self._say(nothing_new(files, self.unreadable))
        else:  # otherwise report the finished run
            self.console.print(escape(nothing_new(files, self.unreadable)), highlight=False)

    def _run_newest(self, folder: RunFolder, archives: Archives) -> None:
        number = self.dataset.number(folder)
        earlier = self.dataset.earlier(folder) if number else {}
        advice = "finish it with that Winnow, or remove it" if number else ADVICE
        folder.open(self.maker.reference, VERSION, self._stages(), advice)
        self._run(folder, archives, earlier, len(archives))

    def _run(self, folder: RunFolder, archives: Archives, earlier: Earlier, n_new: int) -> None:
        started = time.monotonic()
        self.ending.run = folder.path
        self.ending.new_inputs += n_new
        folder.record(archives, to_commented_yaml(self.recipe.settings), self.unreadable.entries())
        with Progress(self.console) as progress:
            skip = self.unreadable.skip
            manifests = run(self.recipe, archives, folder, self.engine, progress, earlier, skip_unreadable=skip)
        show(self.console, ledger.draw(ledger.ledger(folder)))
        refuse_empty(self.recipe, folder, manifests)
        left_out = f"; inputs left out: {len(self.unreadable.found):,}" if self.unreadable.found else ""
        self._say(f"{folder.path}: done in {time.monotonic() - started:.1f} s{left_out}")

    def _say(self, line: str) -> None:
        self.ending.message = line
        self.console.print(escape(line), highlight=False)


def begun_inputs(run: RunFolder, unreadable: Unreadable) -> Archives:
    """Return the inputs that an unfinished run was begun with, as they are now.

    InputError when one has vanished and may not be left out.
    """
    try:
        return describe([SourceFile(entry["source"], entry["path"]) for entry in run.inputs() or []], unreadable)
    except InputError as error:
        raise InputError(
            f"{error}; {run.path} is not finished and needs it: bring it back, or remove that run"
        ) from None


def nothing_new(files: Sequence[SourceFile], unreadable: Unreadable) -> str:
    """Return the message for when there is nothing to do."""
    left_out = [file for file in files if file.path in unreadable.found]
    if not left_out:
        return f"nothing new: {len(files):,} inputs are all in committed runs"
    committed = len(files) - len(left_out)
    return f"nothing new: {committed:,} inputs are in committed runs, {len(left_out):,} cannot be read"


def _is_finished(folder: RunFolder) -> bool:
    return storage.exists(f"{folder.path}/winnow.json") and folder.finished()


def refuse_redone(dataset: Dataset, recipe: Recipe, archives: Archives) -> None:
    """Raise RunError when a first run that later ones build on would not stay as it is."""
    later = dataset.runs()[1:]
    if not later:
        return
    folder = RunFolder(dataset.path)
    redone = next((step for step in plan(recipe, archives, folder) if not step.skip), None)
    if redone is not None:
        raise RunError(
            f"{dataset.path}: later runs ({len(later)}) build on this one, but its stage {redone.id} would be"
            f" redone ({redone.why}); add to the dataset with --new, or give a new folder"
        )


def plan_command(
    inputs: Inputs,
    output: Output,
    recipe: RecipeOption = None,
    config: ConfigFile = None,
    changes: Changes = None,
    new: New = False,
    max_inputs: MaxInputs = None,
    skip_unreadable: SkipUnreadable = False,
    as_json: AsJson = False,
) -> None:
    """Say what `run` would do: inputs, stages, and why a stage is or is not redone."""
    _check_words(new, max_inputs)
    dataset = Dataset(absolute(output))
    refuse_later_run(dataset.path)
    maker = maker_of(recipe, dataset.path)
    made = make_recipe(maker, settings_of(maker, config, changes))
    unreadable = Unreadable(skip_unreadable)
    files = inputs_of(inputs, made, unreadable, dataset.path)
    refuse_outputs(files)
    dataset.check_usable(maker.reference, VERSION)
    if new:
        planned = _plan_new(made, dataset, files, max_inputs or 0, unreadable)
    else:
        planned = _plan_whole(made, dataset, files, unreadable)
    if as_json:
        print_json(planned.plain)
    else:
        _draw_plan(planned)


@dataclass(frozen=True)
class _Plan:
    """What a run would do."""

    archives: Archives
    stages: list[PlannedStage]
    facts: dict[str, Any]  # of a dataset: which run, and how many inputs are new
    line: str = ""

    @property
    def plain(self) -> dict[str, Any]:
        return {
            **self.facts,
            "inputs": [{"path": entry["path"], "size": entry["size"]} for entry in self.archives],
            "stages": [
                {"name": step.id, "run": not step.skip, "why": step.why, "key": step.key} for step in self.stages
            ],
        }


def _plan_whole(recipe: Recipe, dataset: Dataset, files: Sequence[SourceFile], unreadable: Unreadable) -> _Plan:
    archives = describe(files, unreadable)
    unreadable.check_some_left(archives)
    folder = RunFolder(dataset.path)
    refuse_foreign_inputs(recipe, archives, folder)
    refuse_redone(dataset, recipe, archives)
    return _Plan(
        archives, plan(recipe, archives, folder), {"former": ledger.plain_former(folder), **_left_out(unreadable)}
    )


def _left_out(unreadable: Unreadable) -> dict[str, Any]:
    return {"skipped_inputs": unreadable.entries()} if unreadable.found else {}


def _plan_new(
    recipe: Recipe, dataset: Dataset, files: Sequence[SourceFile], limit: int, unreadable: Unreadable
) -> _Plan:
    unfinished = dataset.unfinished()
    new = dataset.new_inputs(files, limit, unreadable)
    archives = begun_inputs(unfinished, unreadable) if unfinished else new
    facts = {"run": "", "unfinished": unfinished is not None, "new_inputs": len(new), **_left_out(unreadable)}
    if not archives:
        return _Plan([], [], facts, nothing_new(files, unreadable))
    folder = unfinished or dataset.next()
    what = f"not finished; then a run over {len(new):,} new inputs" if unfinished else "the next run"
    stages = plan(recipe, archives, folder, dataset.earlier(folder))
    return _Plan(archives, stages, {**facts, "run": folder.path}, f"{folder.path}: {what}")


def _draw_plan(planned: _Plan) -> None:
    console = Console(soft_wrap=True)
    archives = planned.archives
    if planned.line:
        console.print(escape(planned.line), highlight=False)
    if not planned.stages:
        return
    for entry in archives[:SHOWN_INPUTS]:
        console.print(f"{entry['size']:>15,} bytes  {escape(entry['path'])}", highlight=False)
    if len(archives) > SHOWN_INPUTS:
        console.print(f"... and {len(archives) - SHOWN_INPUTS:,} more", highlight=False)
    console.print(f"{sum(entry['size'] for entry in archives):>15,} bytes in {len(archives):,} inputs", highlight=False)
    if planned.facts.get("skipped_inputs"):
        console.print(escape(ledger.skipped_lines(planned.facts["skipped_inputs"])), highlight=False)
    table = Table(box=None, pad_edge=False)
    for name in ("stage", "", "why"):
        table.add_column(name)
    for step in planned.stages:
        table.add_row(step.id, "skip" if step.skip else "run", escape(step.why))
    show(console, table)
    if planned.facts.get("former"):
        console.print(escape(ledger.former_line(planned.facts["former"])), highlight=False)
