"""The card of a trained classifier: what it learned from, how well it does, by language; Markdown beside the model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from classifiers.training.figures import Figures

if TYPE_CHECKING:
    from classifiers.training.train_fasttext import TrainReport


def card_text(report: TrainReport, name: str, table: str) -> str:
    """Return the card of the model `name`, trained on `table`."""
    settings = report.settings
    labels = [
        f"| {label} | {n:,} | {report.n_held_out.get(label, 0):,} |" for label, n in sorted(report.n_train.items())
    ]
    lines = [
        f"# {name}",
        "",
        f"A fastText classifier (fastText {report.fasttext_version}). Its score is the probability of the label "
        f"`{report.positive_label}`. SHA-256 of the file: `{report.sha256}`.",
        "",
        f"Trained on `{table}` with `winnow train-classifier`; texts are held out by a keyed hash, "
        f"{settings['holdout']:.0%} of them.",
        "",
        *_table(("label", "training", "held out"), labels),
        "",
        "Settings: " + ", ".join(f"`{key}={value}`" for key, value in settings.items()) + ".",
        *_section("Held-out texts", report.held_out),
    ]
    for test, found in report.tests.items():
        lines += _section(f"Test: `{test}`", found)
    if report.notes:
        lines += ["", "## Notes", "", *(f"* {note}" for note in report.notes)]
    return "\n".join(lines) + "\n"


def _section(title: str, by_language: Mapping[str, Figures]) -> list[str]:
    """Return the figures of each language, then each language's precision-recall curve as a table."""
    header = ("language", "texts", "positive", "AUC", "95% interval", "average precision")
    rows = [
        f"| {code} | {one.n:,} | {one.n_positive:,} | {_share(one.auc)} | "
        f"{_share(one.auc_low)} to {_share(one.auc_high)} | {_share(one.average_precision)} |"
        for code, one in by_language.items()
    ]
    lines = ["", f"## {title}", "", *_table(header, rows)]
    for code, one in by_language.items():
        if one.curve:
            points = [
                f"| {at.recall:.3f} | {at.precision:.3f} | {at.false_positive_rate:.3f} | {at.threshold:.4f} |"
                for at in one.curve
            ]
            lines += ["", f"### Precision and recall: {code}", ""]
            lines += _table(("recall", "precision", "false positive rate", "threshold"), points)
    return lines


def _table(header: tuple[str, ...], rows: Iterable[str]) -> list[str]:
    return ["| " + " | ".join(header) + " |", "|" + "---|" * len(header), *rows]


def _share(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"
