"""`winnow whatif`: what other settings would do to a run, told from the measures that it stored."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from pipelines.commands.arguments.options import (
    AsJson,
    Changes,
    ConfigFile,
    existing_at,
    maker_of,
    settings_of,
)
from pipelines.commands.look import OneRun
from pipelines.commands.screen import print_report
from pipelines.recipes.find import RecipeMaker, make_recipe
from pipelines.runs.plan import changed_settings
from pipelines.whatif.draw import draw
from pipelines.whatif.report import report
from pipelines.whatif.whatif import WhatIf
from schemas.errors import ConfigError, RunError
from schemas.settings import to_plain


def whatif_command(
    directory: Annotated[str, typer.Argument(help="Folder of a finished run.")],
    changes: Changes = None,
    config: ConfigFile = None,
    samples: Annotated[
        int, typer.Option("--samples", min=0, help="Show so many documents for each rule, drawn by a hash.")
    ] = 2,
    run: OneRun = None,
    as_json: AsJson = False,
) -> None:
    """Tell what would come and go under other settings, from stored measures: no page is read again."""
    if not changes and not config:
        raise ConfigError("what if what? give --set KEY=VALUE, or --config FILE")
    dataset = existing_at(directory)
    if dataset.former:
        raise RunError(f"{directory}: is a former result; whatif works on the present one")
    folders = dataset.runs() if run is None else [dataset.run(run)]
    worked, told = [], dict[str, None]()
    for folder in folders:
        if not folder.finished():
            raise RunError(f"{folder.path}: is not finished; run it to its end first")
        maker = maker_of(folder.recipe())
        own = f"{folder.path}/config.yaml"
        before = _own_settings(maker, own)
        after = settings_of(maker, [own, *(config or [])], changes)
        told.update(dict.fromkeys(changed_settings(to_plain(before), to_plain(after))))
        one = WhatIf(folder.committed(), make_recipe(maker, before), make_recipe(maker, after), samples)
        one.work_out()
        worked.append(one)
    book = report(worked, list(told), samples)
    print_report(book, lambda: draw(book), as_json=as_json)


def _own_settings(maker: RecipeMaker, path: str) -> Any:
    """Return the settings that a run has on record. RunError when this Winnow has no such settings any more."""
    try:
        return settings_of(maker, [path], None)
    except ConfigError as error:
        raise RunError(
            f"{path}: are settings of another Winnow ({error}); run the recipe again with this one"
        ) from None
