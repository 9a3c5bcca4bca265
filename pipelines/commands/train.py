"""`winnow train-classifier` and `demo-web`: what a run may need beforehand."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import yaml
from typer.core import TyperCommand

from pipelines.commands.options import AsJson, Changes, nested, print_json
from schemas.errors import ConfigError
from schemas.settings import limits_text, overlay, to_plain

if TYPE_CHECKING:
    from classifiers.training.figures import Figures, ThresholdRow
    from classifiers.training.train_fasttext import TrainReport

QUALITY, TOXICITY = "quality", "toxicity"


class TrainCommand(TyperCommand):
    """`train-classifier`, whose help ends with its settings."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write every setting with its meaning, limits and default."""
        from classifiers.training.train_fasttext import TrainConfig

        with formatter.section("Settings, as --set NAME=VALUE"):
            formatter.write_dl(
                (f"{field.name}={getattr(TrainConfig(), field.name)}", _doc_of(field.metadata))
                for field in dataclasses.fields(TrainConfig)
            )


def _doc_of(metadata: Mapping[str, Any]) -> str:
    limits = limits_text(metadata)
    return str(metadata["doc"]) + (f" [{limits}]" if limits else "")


def _shares(row: ThresholdRow) -> str:
    shares = {"precision": row.precision, "recall": row.recall}
    return ", ".join(f"{name} {'unknown' if share is None else f'{share:.3f}'}" for name, share in shares.items())


def train_command(
    table: Annotated[str, typer.Option("--input", "-i", help="Labelled texts: JSONL, CSV, TSV or Parquet.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Model file to write.")],
    changes: Changes = None,
    test: Annotated[list[Path] | None, typer.Option(help="Other labelled texts, scored only; may be repeated.")] = None,
    step: Annotated[str, typer.Option(help="Step of `run` that the config is for: quality or toxicity.")] = QUALITY,
    pin: Annotated[Path | None, typer.Option(help="Write a YAML config that pins the model for `run`.")] = None,
    as_json: AsJson = False,
) -> None:
    """Train a fastText classifier of quality or toxicity; prints the SHA-256 that the config pins."""
    from classifiers.training.train_fasttext import TrainConfig, train_classifier

    output = output.expanduser()
    if output.is_dir():
        raise ConfigError(f"{output}: is a folder; expected the name of the model's file")
    if step not in (QUALITY, TOXICITY):
        raise ConfigError(f"--step: {step!r} is not allowed; must be one of {QUALITY}, {TOXICITY}")
    config = overlay(TrainConfig(), nested(changes))
    tests = [path.expanduser() for path in test or ()]
    report = train_classifier(Path(table).expanduser(), output, config, tests)
    if pin is not None:
        pinned = {step: _pinned(step, output, report)}
        pin.expanduser().write_text(yaml.safe_dump(pinned, sort_keys=False), encoding="utf-8")
    if as_json:
        print_json(to_plain(report))
    else:
        best = report.at_suggested
        typer.echo(f"{output}: sha256 {report.sha256}")
        if best is not None:
            typer.echo(f"held out, at score >= {best.threshold:.3f}: {_shares(best)}")
        for name, by_language in report.tests.items():
            for language, found in by_language.items():
                typer.echo(f"{name}, {language}: {found.n:,} texts, {_area(found)}")
        typer.echo(f"the card is in {output}.md, the whole report in {output}.json")


def _pinned(step: str, output: Path, report: TrainReport) -> dict[str, Any]:
    """Return the settings of the step: the model, and what differs from the defaults of scoring."""
    from classifiers.steps.quality import QualityConfig
    from classifiers.steps.toxicity import ToxicityConfig
    from classifiers.training.figures import ALL

    default = QualityConfig() if step == QUALITY else ToxicityConfig()
    used = {name: report.settings[name] for name in ("positive_label", "text_form", "max_chars")}
    languages = sorted(set(report.held_out) - {ALL}) if step == TOXICITY else []
    return {
        "model_path": str(output.absolute()),
        "model_sha256": report.sha256,
        **{name: value for name, value in used.items() if value != getattr(default, name)},
        **({"languages": languages} if languages else {}),
    }


def _area(found: Figures) -> str:
    if found.auc is None:
        return "AUC unknown"
    return f"AUC {found.auc:.3f} ({found.auc_low:.3f} to {found.auc_high:.3f})"


def demo_web_command(output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write.")]) -> None:
    """Write the small web with known truth that the demo and the tests run on."""
    from demo_web import make_web
    from demo_web.config import write_config

    truth = make_web(output)
    write_config(output)
    typer.echo(f"{output}: {len(truth.records):,} records")
