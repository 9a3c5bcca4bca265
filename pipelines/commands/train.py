"""`winnow train-classifier` and `train-perplexity`: models that a run may need beforehand."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import yaml
from typer.core import TyperCommand

import storage
from pipelines.commands.arguments.options import AsJson, Changes, nested, print_json
from schemas.errors import ConfigError
from schemas.settings import limits_text, overlay, to_plain

if TYPE_CHECKING:
    from classifiers.training.figures import Figures, ThresholdRow
    from classifiers.training.student import TrainReport

QUALITY, TOXICITY = "quality", "toxicity"
FASTTEXT, TRANSFORMER = "fasttext", "transformer"


def command_of(*configs: Callable[[], Any], titles: Sequence[str] = ("",)) -> type[TyperCommand]:
    """Return the kind of a command whose help ends with its settings, of which `configs` give the defaults.

    Of several kinds of settings each has a title; what it shares with the first, default and all, is not repeated.
    """

    class SettingsCommand(TyperCommand):
        """A command that has settings."""

        def format_epilog(self, ctx: Any, formatter: Any) -> None:
            """Write every setting with its meaning, limits and default."""
            known: set[tuple[str, str]] = set()
            for config, title in zip(configs, titles, strict=True):
                rows = [row for row in _settings(config(), "") if row not in known]
                with formatter.section(f"Settings{title}, as --set NAME=VALUE"):
                    formatter.write_dl(rows)
                known.update(rows)

    return SettingsCommand


def _settings(config: Any, where: str) -> Iterator[tuple[str, str]]:
    """Yield name and default of each setting, groups included, and its meaning."""
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            yield from _settings(value, f"{where}{field.name}.")
        else:
            yield f"{where}{field.name}={value}", _doc_of(field.metadata)


def classifier_config() -> Any:
    """Return the defaults of `train-classifier`."""
    from classifiers.training.train_fasttext import TrainConfig

    return TrainConfig()


def transformer_config() -> Any:
    """Return the defaults of `train-classifier --kind transformer`."""
    from classifiers.training.train_transformer import TransformerTrainConfig

    return TransformerTrainConfig()


def perplexity_config() -> Any:
    """Return the defaults of `train-perplexity`."""
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
    output: Annotated[Path, typer.Option("--output", "-o", help="Model file, or folder of a transformer, to write.")],
    changes: Changes = None,
    kind: Annotated[str, typer.Option(help="fasttext, or transformer: DistilRoBERTa's class, extra `models`.")] = (
        FASTTEXT
    ),
    test: Annotated[list[Path] | None, typer.Option(help="Other labelled texts, scored only; may be repeated.")] = None,
    step: Annotated[str, typer.Option(help="Step of `run` that the config is for: quality or toxicity.")] = QUALITY,
    pin: Annotated[Path | None, typer.Option(help="Write a YAML config that pins the model for `run`.")] = None,
    as_json: AsJson = False,
) -> None:
    """Train a student: a classifier of quality or toxicity; prints the SHA-256 that the config pins."""
    if kind not in (FASTTEXT, TRANSFORMER):
        raise ConfigError(f"--kind: {kind!r} is not allowed; must be one of {FASTTEXT}, {TRANSFORMER}")
    if step not in (QUALITY, TOXICITY):
        raise ConfigError(f"--step: {step!r} is not allowed; must be one of {QUALITY}, {TOXICITY}")
    from classifiers.training.student import Beside

    tests = [path.expanduser() for path in test or ()]
    if kind == TRANSFORMER:
        from classifiers.training.train_transformer import train_transformer

        output = _model_folder(output)
        report = train_transformer(
            Path(table).expanduser(), output, overlay(transformer_config(), nested(changes)), tests
        )
    else:
        from classifiers.training.train_fasttext import train_classifier

        output = _model_file(output)
        report = train_classifier(
            Path(table).expanduser(), output, overlay(classifier_config(), nested(changes)), tests
        )
    _write_pin(pin, step, _pinned(step, output, report))
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
        places = Beside.of(output, kind)
        typer.echo(f"the card is in {places.card}, the whole report in {places.report}")


def _pinned(step: str, output: Path, report: TrainReport) -> dict[str, Any]:
    """Return the settings of the step: the model, and what differs from the defaults of scoring."""
    from classifiers.steps.quality import QualityConfig
    from classifiers.steps.toxicity import ToxicityConfig
    from classifiers.training.figures import ALL

    default = QualityConfig() if step == QUALITY else ToxicityConfig()
    used = {name: report.settings[name] for name in ("positive_label", "text_form", "max_chars")}
    if step == QUALITY and report.calibration is not None:
        used["calibration"] = to_plain(report.calibration.chosen)
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


def train_perplexity_command(
    table: Annotated[str, typer.Option("--input", "-i", help="Clean texts: JSONL, CSV, TSV or Parquet.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Model file to write.")],
    changes: Changes = None,
    pin: Annotated[Path | None, typer.Option(help="Write a YAML config that pins the model for `run`.")] = None,
    as_json: AsJson = False,
) -> None:
    """Train the n-gram models of perplexity, one a language; prints the SHA-256 that the config pins."""
    from classifiers.training.labelled_table import read_labelled
    from transforms.heuristics.perplexity.train import train_perplexity

    output = _model_file(output)
    config = overlay(perplexity_config(), nested(changes))
    rows = read_labelled(Path(table).expanduser(), config.text_column, config.language_column)
    data, report = train_perplexity(rows, config)
    storage.write_atomic(str(output), data)
    _write_pin(pin, "perplexity", {"model_path": str(output.absolute()), "model_sha256": report.sha256})
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


def _model_folder(output: Path) -> Path:
    """Return where the folder of a model goes: nowhere, to an empty folder, or in place of another model."""
    output = output.expanduser()
    if output.exists() and not (output.is_dir() and ((output / "config.json").is_file() or not any(output.iterdir()))):
        raise ConfigError(f"{output}: exists and is no folder of a transformers model; expected a new name")
    return output


def _write_pin(pin: Path | None, group: str, settings: Mapping[str, Any]) -> None:
    """Write the config that pins a model, where one is asked for."""
    if pin is not None:
        pin.expanduser().write_text(yaml.safe_dump({group: dict(settings)}, sort_keys=False), encoding="utf-8")
