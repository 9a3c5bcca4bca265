"""Models, single measures and ensembles of them side by side, on labelled texts that none was trained on.

A series is one score a text: a model's, a column's of the table (`-perplexity`: lower is better), or an ensemble's of
the others. Where a series has no score for a text, the text gets the lowest of the series, and is counted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from classifiers.evaluation.drawings import can_draw, draw
from classifiers.evaluation.ensemble import RULES, combined, quantiles
from classifiers.evaluation.measured import Measured, measured, positive_of
from classifiers.models.fasttext_model import FastTextModel
from classifiers.models.label_scores import SCORED_CHARS, Classifier
from classifiers.models.text_forms import RAW, in_form
from classifiers.models.transformer_files import find_folder, folder_sha256, is_folder_model
from classifiers.training.card import calibration, errors, keep_rates, markdown_table, section, share
from classifiers.training.examples import SITE, Example, digest_of
from classifiers.training.figures import ALL, Scores, auc_difference_interval
from classifiers.training.labelled_table import label_of, number_of, read_columns, text_of, word_of
from classifiers.training.student import FASTTEXT, TRANSFORMER, Beside, placed
from schemas.errors import ConfigError
from schemas.settings import setting, to_plain, validate
from storage.pinned_files import file_sha256

LOWER_IS_BETTER = "-"  # before the name of a column


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig:
    """The table's columns and how the models read its texts."""

    text_column: str = setting("text", "column of the text")
    label_column: str = setting("label", "column of the label: a word or a whole number")
    language_column: str = setting("", "column of the language, by which figures are told apart; '': none")
    site_column: str = setting(SITE, "column of the site; a table may lack `site`; '': none")
    positive_label: str = setting("good", "label of the texts that must score high")
    model_label: str = setting("", "label whose probability is a model's score; '': what its report names")
    error_samples: int = setting(5, "worst errors of each kind that a report quotes", ge=0, le=100)
    batch_tokens: int = setting(0, "tokens of a batch of a transformers model; 0: each text alone", ge=0)
    device: str = setting("cpu", "where a transformers model runs", choices=("cpu", "cuda"))

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, kw_only=True)
class SeriesReport:
    """One score a text, measured."""

    name: str
    kind: str  # fasttext, transformer, column or ensemble
    sha256: str  # of a model
    n_unscored: int
    measured: Measured
    auc_difference: float | None  # from the first series
    auc_difference_low: float | None  # of the 95% interval of paired resamples
    auc_difference_high: float | None


@dataclass(frozen=True, kw_only=True)
class EvaluationReport:
    """All series on one table."""

    table: str
    data_sha256: str
    positive_label: str
    n: int
    n_positive: int
    series: tuple[SeriesReport, ...]
    settings: dict[str, Any]


@dataclass(frozen=True)
class Series:
    """The scores of one series; NaN for a text without one."""

    name: str
    kind: str
    sha256: str
    scores: Scores


def evaluate(
    table: Path, models: Sequence[str], columns: Sequence[str], ensembles: Sequence[str], config: EvaluateConfig
) -> tuple[EvaluationReport, bytes | None]:
    """Return the report and, with matplotlib and both kinds of texts, the picture. Raises ConfigError, one line."""
    wrong = [rule for rule in ensembles if rule not in RULES]
    if wrong:
        raise ConfigError(f"ensemble: {wrong[0]!r} is not allowed; must be one of {', '.join(RULES)}")
    if ensembles and len(models) + len(columns) < 2:
        raise ConfigError("ensemble: needs at least two models or columns")
    examples, values = _read(table, [name.removeprefix(LOWER_IS_BETTER) for name in columns], config)
    positive = positive_of(examples, config.positive_label)
    if not len(positive) or positive.all() or not positive.any():
        found = ", ".join(sorted({one.label for one in examples})) or "none"
        raise ConfigError(f"{table}: needs texts with and without the label {config.positive_label!r}; found: {found}")
    series = [_of_model(path, examples, config) for path in models]
    for name, numbers in zip(columns, values, strict=True):
        sign = -1.0 if name.startswith(LOWER_IS_BETTER) else 1.0
        series.append(Series(name, "column", "", sign * numbers))
    _check_names(series)
    places = [quantiles(one.scores, np.sort(one.scores[~np.isnan(one.scores)])) for one in series] if ensembles else []
    series += [Series(f"ensemble:{rule}", "ensemble", "", combined(places, rule)) for rule in ensembles]
    filled = {one.name: _filled(one) for one in series}
    first = filled[series[0].name]
    reports = []
    for one in series:
        scores = filled[one.name]
        found_difference = None if one is series[0] else auc_difference_interval(scores, first, positive)
        difference, low, high = found_difference or (None, None, None)
        reports.append(
            SeriesReport(
                name=one.name,
                kind=one.kind,
                sha256=one.sha256,
                n_unscored=int(np.isnan(one.scores).sum()),
                measured=measured(scores, examples, config.positive_label, config.error_samples),
                auc_difference=difference,
                auc_difference_low=low,
                auc_difference_high=high,
            )
        )
    report = EvaluationReport(
        table=table.name,
        data_sha256=digest_of(examples),
        positive_label=config.positive_label,
        n=len(examples),
        n_positive=int(positive.sum()),
        series=tuple(reports),
        settings=to_plain(config),
    )
    drawn = {one.name: (filled[one.name], one.measured.calibration) for one in reports}
    return report, draw(drawn, positive) if can_draw() else None


def write_evaluation(report: EvaluationReport, picture: bytes | None, output: Path) -> None:
    """Write report.json, README.md and, where there is one, report.png into the folder `output`."""
    files = {
        "report.json": (json.dumps(to_plain(report), indent=2, ensure_ascii=False) + "\n").encode(),
        "README.md": evaluation_text(report, "report.png" if picture else "").encode(),
        **({"report.png": picture} if picture else {}),
    }
    for name, data in files.items():
        with placed(output / name) as temporary:
            temporary.write_bytes(data)


def evaluation_text(report: EvaluationReport, picture: str) -> str:
    """Return the report as Markdown."""
    rows = [
        f"| {one.name} | {one.kind} | {share(found.auc)} | {share(found.auc_low)} to {share(found.auc_high)} | "
        f"{share(found.average_precision)} | {_difference(one)} | {one.n_unscored:,} |"
        for one in report.series
        for found in [one.measured.by_language[ALL]]
    ]
    header = ("series", "kind", "AUC", "95% interval", "average precision", "AUC over the first", "without score")
    lines = [
        f"# {report.table}", "",
        f"{report.n:,} texts, {report.n_positive:,} of them `{report.positive_label}`. Hash of the labelled texts: "
        f"`{report.data_sha256}`.", "",
        *markdown_table(header, rows),
        *(["", f"![ROC, precision and recall, reliability, scores]({picture})"] if picture else []),
    ]  # fmt: skip
    for one in report.series:
        title = f"{one.name}, SHA-256 `{one.sha256}`" if one.sha256 else one.name
        lines += section(title, one.measured.by_language)
        lines += (
            keep_rates(one.measured.keep_rates) + calibration(one.measured.calibration) + errors(one.measured.errors)
        )
    return "\n".join(lines) + "\n"


def _difference(one: SeriesReport) -> str:
    if one.auc_difference is None:
        return ""
    return f"{one.auc_difference:+.3f} ({one.auc_difference_low:+.3f} to {one.auc_difference_high:+.3f})"


def _read(table: Path, columns: Sequence[str], config: EvaluateConfig) -> tuple[list[Example], list[Scores]]:
    """Return the examples, their texts as they are, and the numbers of each column, NaN where there is none."""
    required = [config.text_column, config.label_column, *filter(None, [config.language_column]), *columns]
    optional = [SITE] if config.site_column == SITE else []
    if config.site_column and not optional:
        required.append(config.site_column)
    examples, values = [], [list[float]() for _ in columns]
    for where, row in read_columns(table, required, optional):
        examples.append(
            Example(
                label_of(row[config.label_column], where),
                text_of(row[config.text_column], where),
                word_of(row[config.language_column], where, "language") if config.language_column else "",
                word_of(row.get(config.site_column), where, "site") if config.site_column else "",
                None,
            )
        )
        for name, found in zip(columns, values, strict=True):
            number = number_of(row[name], where, name)
            found.append(np.nan if number is None else number)
    return examples, [np.array(found, dtype=np.float64) for found in values]


def _of_model(path: str, examples: Sequence[Example], config: EvaluateConfig) -> Series:
    """Return the scores of a model, which reads the texts as its training did."""
    model: Classifier
    if is_folder_model(path):
        # Not at the top: who evaluates fastText models needs no torch.
        from classifiers.models.transformer_model import TransformerModel
        from classifiers.models.transformer_settings import TransformerSettings

        place, kind = find_folder(path), TRANSFORMER
        running = TransformerSettings(device=config.device, batch_tokens=config.batch_tokens, threads=_threads())
        model, sha256 = TransformerModel(place, running), folder_sha256(place)
    else:
        place, kind = Path(path).expanduser(), FASTTEXT
        if not place.is_file():
            raise ConfigError(f"model {path}: no such file or folder")
        model, sha256 = FastTextModel(place), file_sha256(place)
    trained = _settings_of(Beside.of(place, kind).report, sha256)
    label = config.model_label or trained.get("positive_label", config.positive_label)
    if label not in model.labels:
        raise ConfigError(f"model_label: {label!r} is not one of {path}'s: {' '.join(sorted(model.labels))}")
    max_chars, form = trained.get("max_chars", SCORED_CHARS), trained.get("text_form", RAW)
    texts = [in_form(one.text, form, max_chars) for one in examples]
    found = model.predict_batch(texts, len(model.labels), max_chars)
    scores = [dict(one).get(label, 0.0) if one else np.nan for one in found]
    return Series(place.name, kind, sha256, np.array(scores, dtype=np.float64))


def _settings_of(report: Path, sha256: str) -> Mapping[str, Any]:
    """Return the settings of a model's training; none where no report of this very model lies there."""
    try:
        plain = json.loads(report.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(plain, dict) or plain.get("sha256") != sha256:
        return {}
    settings = plain.get("settings")
    return settings if isinstance(settings, dict) else {}


def _threads() -> int:
    import torch

    return torch.get_num_threads()


def _check_names(series: Sequence[Series]) -> None:
    names = [one.name for one in series]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ConfigError(f"two models or columns have the name {twice[0]!r}")


def _filled(one: Series) -> Scores:
    """Return the scores with the lowest for texts that have none. ConfigError when no text has one."""
    missing = np.isnan(one.scores)
    if missing.all():
        raise ConfigError(f"{one.name}: has no score for any text")
    return np.where(missing, one.scores[~missing].min(), one.scores)
