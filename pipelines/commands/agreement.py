"""`winnow agreement`: how far teachers, prompts, students and people agree about the same documents."""

from __future__ import annotations

import dataclasses
import posixpath
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.table import Column, Table

import storage
from pipelines.commands.arguments.options import AsJson
from pipelines.commands.screen import print_report
from schemas.errors import ConfigError, InputError
from schemas.identity import content_id

if TYPE_CHECKING:
    from classifiers.teacher.agreement import Agreement, Measured


def agreement_command(
    tables: Annotated[list[str], typer.Argument(help="Folders of `winnow label`, or tables with labels; two or more.")],
    label_column: Annotated[str, typer.Option(help="Column of the label in tables.")] = "label",
    text_column: Annotated[str, typer.Option(help="Column of the text in tables without a column id.")] = "text",
    same: Annotated[
        list[str] | None, typer.Option("--same", help="LABEL=OTHER: take a label for another, as 1=good; repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell how far labels agree beyond chance: kappa of each two, Krippendorff's alpha of all, with intervals."""
    from classifiers.teacher.agreement import agreement

    if len(tables) < 2:
        raise ConfigError("agreement of what? give two tables or more")
    names = _names(tables)
    known = _renamed(same or ())
    judges = {
        name: {one: known.get(label, label) for one, label in _labels(path, label_column, text_column).items()}
        for name, path in zip(names, tables, strict=True)
    }
    found = agreement(judges)
    if not found.documents:
        raise InputError("no document is in two of the tables: they are matched by id, without one by the whole text")
    print_report(dataclasses.asdict(found), lambda: _draw(found), as_json=as_json)


def _names(paths: Sequence[str]) -> list[str]:
    """Return a name for each path: its last part, or all of it where two have the same."""
    short = [posixpath.basename(path.rstrip("/")) for path in paths]
    if len(set(paths)) < len(paths):
        raise ConfigError("agreement: a table is given twice")
    return [name if short.count(name) == 1 else path for name, path in zip(short, paths, strict=True)]


def _renamed(same: Sequence[str]) -> dict[str, str]:
    pairs = [one.partition("=") for one in same]
    wrong = next(
        (one for one, (old, equals, new) in zip(same, pairs, strict=True) if not (old and equals and new)), None
    )
    if wrong is not None:
        raise ConfigError(f"--same {wrong}: expected LABEL=OTHER, as 1=good")
    return {old: new for old, _, new in pairs}


def _labels(path: str, label_column: str, text_column: str) -> dict[str, str]:
    """Return the labels of a table by document id. Raises ConfigError where one document has two."""
    from classifiers.training.labelled_table import read_labelled
    from pipelines.labelling.table import LABELS
    from transforms.sources.tables.columns import column_names

    place = storage.with_home(path)
    file = f"{place}/{LABELS}" if storage.exists(f"{place}/{LABELS}") else place
    has_id = "id" in column_names(file)
    found: dict[str, str] = {}
    for key, label in read_labelled(Path(file), "id" if has_id else text_column, label_column):
        one = key if has_id else content_id(key)
        if found.setdefault(one, label) != label:
            raise ConfigError(f"{file}: a document has the labels {found[one]} and {label}")
    return found


def _draw(found: Agreement) -> RenderableType:
    numbers = ["weighted"] if any(pair.weighted is not None for pair in found.pairs) else []
    pairs = Table("", "", "documents", "equal", *(Column(one, no_wrap=True) for one in ("kappa", *numbers)), box=None)
    for pair in found.pairs:
        weighted = [] if pair.weighted is None else [_shown(pair.weighted)]
        pairs.add_row(pair.a, pair.b, f"{pair.documents:,}", f"{pair.equal:.3f}", _shown(pair.cohen), *weighted)
    kind = "interval" if found.is_interval else "nominal"
    alpha = Table("", "documents", Column("alpha", no_wrap=True), box=None)
    alpha.add_row(f"Krippendorff, {kind}", f"{found.documents:,}", _shown(found.alpha))
    return Group(_by_label(found.judges), pairs, *([alpha] if len(found.judges) > 2 or found.is_interval else []))


def _by_label(judges: Mapping[str, Mapping[str, int]]) -> Table:
    labels = list(dict.fromkeys(label for some in judges.values() for label in some))
    table = Table("label", *judges, box=None)
    for label in sorted(labels):
        table.add_row(label, *(f"{some.get(label, 0):,}" for some in judges.values()))
    return table


def _shown(measured: Measured) -> str:
    if measured.value is None:
        return "not defined"
    interval = "" if measured.low is None else f" ({measured.low:.3f} to {measured.high:.3f})"
    return f"{measured.value:.3f}{interval}"
