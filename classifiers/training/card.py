"""The card of a trained classifier: what it learned from, how well it does, by language; Markdown beside the model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from classifiers.evaluation.calibrate import CalibrationReport
from classifiers.training.figures import Figures, ThresholdRow

if TYPE_CHECKING:
    from classifiers.evaluation.measured import ScoredError
    from classifiers.training.student import TrainReport

_KINDS = {"fasttext": "fastText classifier", "transformer": "transformers classifier"}
_SPLITS = {
    "site": "whole sites are held out by a keyed hash of the site",
    "text": "texts are held out by a keyed hash of the text",
}


def card_text(report: TrainReport, name: str, table: str, picture: str = "") -> str:
    """Return the card of the model `name`, trained on `table`; `picture` is the file of its drawings."""
    settings = report.settings
    labels = [
        f"| {label} | {n:,} | {report.n_held_out.get(label, 0):,} |" for label, n in sorted(report.n_train.items())
    ]
    versions = ", ".join(f"{library} {version}" for library, version in report.versions.items())
    lines = [
        f"# {name}",
        "",
        f"A {_KINDS[report.kind]} ({versions}). Its score is the probability of the label "
        f"`{report.positive_label}`. SHA-256: `{report.sha256}`.",
        "",
        f"Trained on `{table}` with `winnow train-classifier`; {_SPLITS[report.split_by]}, {settings['holdout']:.0%} "
        f"of them. Hash of the labelled texts `{report.data_sha256}`, of the code `{report.code_sha256}`.",
        "",
        *markdown_table(("label", "training", "held out"), labels),
        "",
        "Settings: " + _values(settings) + ".",
        *(["", "Found by training: " + _values(report.found) + "."] if report.found else []),
        *(["", f"![ROC, precision and recall, reliability, scores]({picture})"] if picture else []),
        *section("Held-out texts", report.held_out),
        *keep_rates(report.keep_rates),
        *calibration(report.calibration),
    ]
    for test, found in report.tests.items():
        lines += section(f"Test: `{test}`", found)
    lines += errors(report.errors)
    if report.notes:
        lines += ["", "## Notes", "", *(f"* {note}" for note in report.notes)]
    return "\n".join(lines) + "\n"


def section(title: str, by_language: Mapping[str, Figures]) -> list[str]:
    """Return the figures of each language, then each language's precision-recall curve as a table."""
    header = ("language", "texts", "positive", "AUC", "95% interval", "average precision", "95% interval")
    rows = [
        f"| {code} | {one.n:,} | {one.n_positive:,} | {share(one.auc)} | "
        f"{share(one.auc_low)} to {share(one.auc_high)} | {share(one.average_precision)} | "
        f"{share(one.average_precision_low)} to {share(one.average_precision_high)} |"
        for code, one in by_language.items()
    ]
    lines = ["", f"## {title}", "", *markdown_table(header, rows)]
    for code, one in by_language.items():
        if one.curve:
            points = [
                f"| {at.recall:.3f} | {at.precision:.3f} | {at.false_positive_rate:.3f} | {at.threshold:.4f} |"
                for at in one.curve
            ]
            lines += ["", f"### Precision and recall: {code}", ""]
            lines += markdown_table(("recall", "precision", "false positive rate", "threshold"), points)
    return lines


def keep_rates(rows: Sequence[ThresholdRow]) -> list[str]:
    """Return the thresholds that keep a share of the texts."""
    if not rows:
        return []
    found = [f"| {row.kept:.3f} | {row.threshold:.4f} | {share(row.precision)} | {share(row.recall)} |" for row in rows]
    return [
        "", "## Thresholds by share kept", "",
        "The share is that of these texts; another corpus has its own (`winnow whatif`).", "",
        *markdown_table(("kept", "threshold", "precision", "recall"), found),
    ]  # fmt: skip


def calibration(report: CalibrationReport | None) -> list[str]:
    """Return the errors of each calibration and the reliability of the chosen one."""
    if report is None:
        return []
    errors = [
        f"| {method} | {brier:.4f} | {report.calibration_error[method]:.4f} |" for method, brier in report.brier.items()
    ]
    bins = [
        f"| {one.low:.1f} to {one.high:.1f} | {one.n:,} | {one.mean_probability:.3f} | {one.positive_share:.3f} |"
        for one in report.reliability
    ]
    return [
        "", "## Calibration", "",
        f"Chosen: {report.chosen.method}, of the lower Brier score. Every error is out of fold: no text is judged by a "
        "function fitted to it.", "",
        *markdown_table(("method", "Brier score", "expected calibration error"), errors), "",
        *markdown_table(("probability", "texts", "mean probability", "share of positives"), bins),
    ]  # fmt: skip


def errors(found: Sequence[ScoredError]) -> list[str]:
    """Return the worst errors, as a table of quoted texts."""
    rows = [
        f"| {one.label} | {one.score:.4f} | {one.language} | {_quoted(one.site)} | {_quoted(one.text)} |"
        for one in found
    ]
    header = ("label", "score", "language", "site", "text")
    return ["", "## Worst errors", "", *markdown_table(header, rows)] if rows else []


def markdown_table(header: tuple[str, ...], rows: Iterable[str]) -> list[str]:
    return ["| " + " | ".join(header) + " |", "|" + "---|" * len(header), *rows]


def share(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"


def _quoted(text: str) -> str:
    """Return a text as one cell of a table that shows it as it is."""
    shown = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(shown.split()).replace("`", "'").replace("|", "\\|").replace("<", "&lt;")


def _values(settings: Mapping[str, object]) -> str:
    return ", ".join(f"`{key}={value}`" for key, value in settings.items())
