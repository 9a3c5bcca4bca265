"""`winnow evaluate-classifier`: models, single measures and ensembles of them on labelled texts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.commands.arguments.options import AsJson, Changes, nested, print_json
from schemas.errors import ConfigError
from schemas.settings import overlay, to_plain


def evaluate_config() -> Any:
    """Return the defaults of `evaluate-classifier`."""
    from classifiers.evaluation.evaluate import EvaluateConfig

    return EvaluateConfig()


def evaluate_command(
    table: Annotated[Path, typer.Option("--input", "-i", help="Labelled texts: JSONL, CSV, TSV or Parquet.")],
    models: Annotated[
        list[str] | None, typer.Argument(help="fastText files, transformers folders, hf://OWNER/NAME@COMMIT.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(help="Column of the table taken as a score; --column=-NAME: lower is better. May be repeated."),
    ] = None,
    ensemble: Annotated[
        list[str] | None, typer.Option(help="Also the max or the mean of all scores' quantiles. May be repeated.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder for report and picture.")] = None,
    changes: Changes = None,
    as_json: AsJson = False,
) -> None:
    """Measure classifiers, columns and ensembles side by side on labelled texts; the first is what others are
    compared with."""
    from classifiers.evaluation.evaluate import evaluate, write_evaluation
    from classifiers.training.figures import ALL

    if not models and not column:
        raise ConfigError("nothing to measure: expected a model or --column")
    config = overlay(evaluate_config(), nested(changes))
    report, picture = evaluate(table.expanduser(), models or (), column or (), ensemble or (), config)
    if output is not None:
        write_evaluation(report, picture, output.expanduser())
    if as_json:
        print_json(to_plain(report))
        return
    typer.echo(f"{report.table}: {report.n:,} texts, {report.n_positive:,} {report.positive_label}")
    for one in report.series:
        found = one.measured.by_language[ALL]
        line = f"{one.name}: AUC {found.auc:.3f} ({found.auc_low:.3f} to {found.auc_high:.3f})"
        if one.auc_difference is not None:
            line += (
                f", {one.auc_difference:+.3f} ({one.auc_difference_low:+.3f} to {one.auc_difference_high:+.3f}) "
                f"over {report.series[0].name}"
            )
        typer.echo(line)
    if output is not None:
        typer.echo(f"the report is in {output}/README.md, for programs in {output}/report.json")
