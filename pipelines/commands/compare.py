"""`winnow compare`: what came and went between two runs over the same inputs."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.commands.arguments.options import AsJson, existing_at
from pipelines.commands.screen import print_report
from pipelines.reports.compare import compare
from pipelines.reports.compare_draw import draw


def compare_command(
    run_a: Annotated[str, typer.Argument(help="Folder of a run; FOLDER@former is the result that its rerun replaced.")],
    run_b: Annotated[str, typer.Argument(help="Folder of another run over the same inputs.")],
    samples: Annotated[
        int, typer.Option("--samples", min=0, help="Show so many documents for each reason, drawn by a hash.")
    ] = 2,
    as_json: AsJson = False,
) -> None:
    """Compare two runs: documents kept in both, in one alone and why, and how the texts in both differ."""
    book = compare(existing_at(run_a), existing_at(run_b), samples)
    print_report(book, lambda: draw(book), as_json=as_json)
