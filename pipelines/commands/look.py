"""`winnow ledger`, `show`, `drop-former` and `config`: look at what there is."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.commands.arguments.options import (
    AsJson,
    Changes,
    ConfigFile,
    RecipeOption,
    RunDir,
    RunOption,
    existing,
    maker_of,
    settings_of,
)
from pipelines.commands.endings.absent import refuse_absent
from pipelines.commands.screen import print_report
from pipelines.locks.lock import locked
from pipelines.recipes.find import find_recipe, known_recipes
from pipelines.reports import diff, ledger, near, show
from pipelines.reports.records import chains_of
from pipelines.runs.folder import RunFolder
from pipelines.runs.former import drop_former
from schemas.settings_yaml import to_commented_yaml

OneRun = Annotated[int | None, typer.Option("--run", help="One run of a dataset: 0 is the first, 1 runs/000001.")]


def ledger_command(
    directory: RunDir = None,
    output: RunOption = None,
    run: OneRun = None,
    by: Annotated[str, typer.Option("--by", help="Parted by source, language, or both: --by source,language.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show what became of every record, stage by stage."""
    dataset = existing(directory, output)
    axes = ledger.parse_axes(by)
    book = ledger.dataset_ledger(dataset, axes) if run is None else ledger.ledger(dataset.run(run), axes)
    print_report(book, lambda: ledger.draw(book), as_json=as_json)


_HEEDED = {  # parameters of `show` that the other things it shows take, besides the folder, --run and --json
    "diff_id": frozenset[str](),
    "near_limit": frozenset({"stage", "language", "source", "limit"}),
}
_EVERYWHERE = frozenset({"directory", "output", "run", "as_json"})


def _refuse_unheeded(context: typer.Context) -> None:
    """Raise BadParameter when --diff or --near is given with an option that it does not heed."""
    options = {option.name: option for option in context.command.params}
    for name, heeded in _HEEDED.items():
        if context.params[name]:
            rest = options.keys() - heeded - _EVERYWHERE - {name}
            wrong = next((options[one] for one in sorted(rest) if context.params[one] != options[one].default), None)
            if wrong is not None:
                raise typer.BadParameter(f"{wrong.opts[0]} does not go with {options[name].opts[0]}")


def show_command(
    context: typer.Context,
    directory: RunDir = None,
    output: RunOption = None,
    table: Annotated[
        str,
        typer.Option(help="documents, rejected, failed, dropped: what was measured of rejected ones, or edits."),
    ] = "",
    stage: Annotated[
        str, typer.Option(help="Stage whose table is read; default: the last one for documents, all else.")
    ] = "",
    record_id: Annotated[str, typer.Option("--id", help="Id of a document or record, or how it begins.")] = "",
    reason: Annotated[str, typer.Option(help="Reason of a rejection or cause of a failure.")] = "",
    language: Annotated[str, typer.Option(help="Language code.")] = "",
    source: Annotated[str, typer.Option(help="Name of a source.")] = "",
    url: Annotated[str, typer.Option(help="Part of the address.")] = "",
    sample: Annotated[
        int, typer.Option("--random", min=0, help="Show this many, drawn at random by a hash of id and seed.")
    ] = 0,
    seed: Annotated[str, typer.Option(help="Another seed draws another sample.")] = "0",
    limit: Annotated[int, typer.Option(min=0, help="Show at most this many; 0 means all.")] = 10,
    chars: Annotated[int, typer.Option(min=0, help="Cut texts after this many characters; 0 means whole.")] = 600,
    token: Annotated[str, typer.Option(help="SHARD:ROW:POSITION: where a training token comes from.")] = "",
    diff_id: Annotated[
        str, typer.Option("--diff", help="Id of a document: what each step took out of its text, and why.")
    ] = "",
    near_limit: Annotated[
        str, typer.Option("--near", help="REASON, or STEP.MEASURE=LIMIT: documents just inside and outside of a limit.")
    ] = "",
    run: OneRun = None,
    as_json: AsJson = False,
) -> None:
    """Look at documents, rejected and failed records, or walk back from a training token."""
    if sum(map(bool, (diff_id, near_limit, token))) > 1:
        raise typer.BadParameter("--diff, --near and --token go one at a time")
    _refuse_unheeded(context)
    dataset = existing(directory, output)
    chains = chains_of(dataset, run)
    if diff_id:
        history = diff.diff_of(chains, diff_id)
        print_report(history.plain, lambda: diff.draw(history), as_json=as_json)
        return
    if near_limit:
        where = near.Where(stage=stage, language=language, source=source, limit=limit)
        some = near.near(chains, near_limit, where)
        print_report(some, lambda: near.draw(some), as_json=as_json)
        return
    if token:
        found = [show.trace_token(chains, token)]
    else:
        query = show.Query(
            table=table, stage=stage, record_id=record_id, reason=reason, language=language, source=source, url=url,
            sample=sample, seed=seed, limit=limit,
        )  # fmt: skip
        found = show.find(chains, query)
        if not found:
            refuse_absent(chains, query)
    print_report(found, lambda: show.draw(found, chars), as_json=as_json)


def drop_former_command(directory: RunDir = None, output: RunOption = None) -> None:
    """Remove the result that a folder's last rerun replaced."""
    dataset = existing(directory, output)
    with locked(dataset.path):
        dropped = drop_former(RunFolder(dataset.path))
    typer.echo(f"{dataset.path}: dropped {', '.join(dropped.stages)}, {dropped.size_bytes / 1e6:,.1f} MB")


def config_command(recipe: RecipeOption = None, config: ConfigFile = None, changes: Changes = None) -> None:
    """Print every setting of a recipe with its meaning, limits and value, as YAML."""
    typer.echo(to_commented_yaml(settings_of(maker_of(recipe), config, changes)), nl=False)


def recipes_command() -> None:
    """List the recipes that have a name; any other is given as module:function."""
    for name, place in sorted(known_recipes().items()):
        typer.echo(f"{name:<20} {place:<44} {find_recipe(name).doc}")
