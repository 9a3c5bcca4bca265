"""`winnow ledger`, `show`, `drop-former` and `config`: look at what there is."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.commands.absent import refuse_absent
from pipelines.commands.options import (
    AsJson,
    Changes,
    ConfigFile,
    RecipeOption,
    RunDir,
    RunOption,
    existing,
    maker_of,
    print_json,
    settings_of,
)
from pipelines.commands.screen import print_report
from pipelines.locks.lock import locked
from pipelines.recipes.find import find_recipe, known_recipes
from pipelines.reports import diff, ledger, near, show
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
    if as_json:
        print_json(book)
    else:
        print_report(ledger.draw(book))


def show_command(
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
    dataset = existing(directory, output)
    chains = show.chains_of(dataset, run)
    if diff_id:
        way = diff.diff_of(chains, diff_id)
        if as_json:
            print_json(way.plain)
        else:
            print_report(diff.draw(way), highlight=False)
        return
    if near_limit:
        where = near.Where(stage=stage, language=language, source=source, limit=limit)
        some = near.near(chains, near_limit, where)
        if as_json:
            print_json(some)
        else:
            print_report(near.draw(some), highlight=False)
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
    if as_json:
        print_json(found)
    else:
        print_report(show.draw(found, chars))


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
