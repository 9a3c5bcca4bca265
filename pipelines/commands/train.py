"""`winnow train-classifier`, `train-perplexity` and `demo-web`: what a run may need beforehand."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import yaml
from typer.core import TyperCommand

import storage
from pipelines.commands.options import AsJson, Changes, nested, print_json
from schemas.errors import ConfigError
from schemas.settings import limits_text, overlay, to_plain

if TYPE_CHECKING:
    from classifiers.training.train_fasttext import ThresholdRow


class SettingsCommand(TyperCommand):
    """A command whose help ends with its settings."""

    def config(self) -> Any:
        """Return the settings with their defaults."""
        raise NotImplementedError

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write every setting with its meaning, limits and default."""
        config = self.config()
        with formatter.section("Settings, as --set NAME=VALUE"):
            formatter.write_dl(
                (f"{field.name}={getattr(config, field.name)}", _doc_of(field.metadata))
                for field in dataclasses.fields(config)
            )


class TrainCommand(SettingsCommand):
    """`train-classifier`."""

    def config(self) -> Any:
        from classifiers.training.train_fasttext import TrainConfig

        return TrainConfig()


class TrainPerplexityCommand(SettingsCommand):
    """`train-perplexity`."""

    def config(self) -> Any:
        from transforms.heuristics.perplexity.train import PerplexityTrainConfig

        return PerplexityTrainConfig()


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
    pin: Annotated[Path | None, typer.Option(help="Write a YAML config that pins the model for `run`.")] = None,
    as_json: AsJson = False,
) -> None:
    """Train the fastText quality classifier; prints the SHA-256 that the config pins."""
    from classifiers.training.train_fasttext import TrainConfig, train_classifier

    output = _model_file(output)
    report = train_classifier(Path(table).expanduser(), output, overlay(TrainConfig(), nested(changes)))
    plain = to_plain(report)
    _write_pin(pin, "quality", output, report.sha256)
    if as_json:
        print_json(plain)
    else:
        best = report.at_suggested
        typer.echo(f"{output}: sha256 {report.sha256}")
        if best is not None:
            typer.echo(f"held out, at score >= {best.threshold:.3f}: {_shares(best)}")
        typer.echo(f"the whole report is in {output}.json")


def train_perplexity_command(
    table: Annotated[str, typer.Option("--input", "-i", help="Clean texts: JSONL, CSV, TSV or Parquet.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Model file to write.")],
    changes: Changes = None,
    pin: Annotated[Path | None, typer.Option(help="Write a YAML config that pins the model for `run`.")] = None,
    as_json: AsJson = False,
) -> None:
    """Train the n-gram models of perplexity, one a language; prints the SHA-256 that the config pins."""
    from classifiers.training.labelled_table import read_labelled
    from transforms.heuristics.perplexity.train import PerplexityTrainConfig, train_perplexity

    output = _model_file(output)
    config = overlay(PerplexityTrainConfig(), nested(changes))
    rows = read_labelled(Path(table).expanduser(), config.text_column, config.language_column)
    data, report = train_perplexity(rows, config)
    storage.write_atomic(str(output), data)
    _write_pin(pin, "perplexity", output, report.sha256)
    if as_json:
        print_json(to_plain(report))
    else:
        typer.echo(f"{output}: sha256 {report.sha256}")
        for row in report.languages:
            ngrams = ", ".join(f"{n:,}" for n in row.ngrams)
            typer.echo(f"{row.language}: {row.texts:,} texts, {row.tokens:,} tokens; n-grams of each order: {ngrams}")


def _model_file(output: Path) -> Path:
    output = output.expanduser()
    if output.is_dir():
        raise ConfigError(f"{output}: is a folder; expected the name of the model's file")
    return output


def _write_pin(pin: Path | None, group: str, output: Path, sha256: str) -> None:
    """Write the config that pins a model, where one is asked for."""
    if pin is not None:
        pinned = {group: {"model_path": str(output.absolute()), "model_sha256": sha256}}
        pin.expanduser().write_text(yaml.safe_dump(pinned, sort_keys=False), encoding="utf-8")


def demo_web_command(output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write.")]) -> None:
    """Write the small web with known truth that the demo and the tests run on."""
    from demo_web import make_web
    from demo_web.config import write_config

    truth = make_web(output)
    write_config(output)
    typer.echo(f"{output}: {len(truth.records):,} records")
