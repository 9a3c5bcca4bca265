"""What every kind of student leaves: a report for programs, a card for people, a picture, next to the model."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from classifiers.evaluation.calibrate import CalibrationReport
from classifiers.evaluation.drawings import can_draw, draw
from classifiers.evaluation.measured import Measured, ScoredError, measured, positive_of
from classifiers.training.card import card_text
from classifiers.training.examples import (
    BY_SITE,
    BY_TEXT,
    Clean,
    Example,
    Split,
    TableConfig,
    count_labels,
    digest_of,
    read_examples,
    without_texts_of,
)
from classifiers.training.figures import Figures, Scores, ThresholdRow, area_under_curve, figures_by_language
from schemas.errors import ConfigError
from schemas.settings import to_plain

FASTTEXT, TRANSFORMER = "fasttext", "transformer"
MIN_HELD_OUT = 30  # of a label; below, the measured figures say little
MAX_IMBALANCE = 10.0  # most frequent label to least frequent
PACKAGE = Path(__file__).parents[1]

Scorer = Callable[[Sequence[Example]], Scores]  # probabilities of the positive label, 0 for a text it cannot score


@dataclass(frozen=True, kw_only=True)
class TrainReport:
    """What was trained, and its figures on the held-out texts."""

    kind: str  # fasttext or transformer
    sha256: str  # of the model: goes into the settings that use it
    positive_label: str
    data_sha256: str  # of the labelled texts, in any order
    code_sha256: str  # of the code of this package
    split_by: str  # site or text
    n_train: dict[str, int]  # texts, by label
    n_held_out: dict[str, int]
    n_empty: int  # texts without a word, left out
    n_shared: int  # texts that a held-out site has, too, left out of training
    n_uncertain: int  # texts that the teacher was not sure of, left out of training
    auc: float | None  # chance that a positive text scores above another; None when one kind is missing
    suggested_threshold: float | None  # best F1
    at_suggested: ThresholdRow | None
    thresholds: tuple[ThresholdRow, ...]
    keep_rates: tuple[ThresholdRow, ...]
    calibration: CalibrationReport | None
    held_out: dict[str, Figures]  # by language; `all` is all of them
    tests: dict[str, dict[str, Figures]]  # the same of other tables, by name of the file
    errors: tuple[ScoredError, ...]  # the worst of the held-out texts
    notes: tuple[str, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    found: dict[str, Any] = field(default_factory=dict)  # what training settled: steps, epochs, what a search found
    versions: dict[str, str] = field(default_factory=dict)  # of the libraries that trained


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A student that is trained, before it is measured."""

    kind: str
    sha256: str
    score: Scorer
    versions: dict[str, str]
    found: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


Tested = Mapping[str, tuple[Sequence[Example], int]]  # by file: texts, and how many training had, which are left out


def read_tests(tables: Sequence[Path], training: Sequence[Example], config: TableConfig, clean: Clean) -> Tested:
    """Return the examples of other tables that training has not seen. Raises ConfigError for two of one name."""
    if len({table.name for table in tables}) < len(tables):
        raise ConfigError(f"tests: two tables have one name: {', '.join(sorted(table.name for table in tables))}")
    found = {}
    for table in tables:
        examples, _ = read_examples(table, config, clean)
        others = without_texts_of(examples, training)
        found[table.name] = (others, len(examples) - len(others))
    return found


def report_of(
    trained: Trained, scores: Scores, parts: Split, n_empty: int, tested: Tested, config: TableConfig
) -> TrainReport:
    """Return the report of a student, from its `scores` of the held-out texts; those of other tables are made here."""
    label = config.positive_label
    found: Measured = measured(scores, parts.held_out, label, config.error_samples)
    n_train, n_held_out = count_labels(parts.training), count_labels(parts.held_out)
    return TrainReport(
        kind=trained.kind,
        sha256=trained.sha256,
        positive_label=label,
        data_sha256=digest_of((*parts.training, *parts.held_out)),
        code_sha256=code_digest(),
        split_by=BY_SITE if any(one.site for one in (*parts.training, *parts.held_out)) else BY_TEXT,
        n_train=n_train,
        n_held_out=n_held_out,
        n_empty=n_empty,
        n_shared=parts.n_shared,
        n_uncertain=parts.n_uncertain,
        auc=area_under_curve(scores, positive_of(parts.held_out, label)),
        suggested_threshold=found.suggested_threshold,
        at_suggested=found.at_suggested,
        thresholds=found.thresholds,
        keep_rates=found.keep_rates,
        calibration=found.calibration,
        held_out=found.by_language,
        tests={
            name: figures_by_language(trained.score(rows), positive_of(rows, label), [one.language for one in rows])
            for name, (rows, _) in tested.items()
        },
        errors=found.errors,
        notes=(*trained.notes, *_notes(n_train, n_held_out, found), *_test_notes(tested)),
        settings=to_plain(config),
        found=trained.found,
        versions=trained.versions,
    )


def write_beside(report: TrainReport, scores: Scores, held_out: Sequence[Example], places: Beside, table: str) -> None:
    """Write the report, the card and, where matplotlib is and both kinds are held out, the picture."""
    picture = None
    if can_draw() and held_out:
        picture = draw({places.name: (scores, report.calibration)}, positive_of(held_out, report.positive_label))
    files = {
        places.report: (json.dumps(to_plain(report), indent=2, ensure_ascii=False) + "\n").encode(),
        places.card: card_text(report, places.name, table, places.picture.name if picture else "").encode(),
        **({places.picture: picture} if picture else {}),
    }
    if not picture:
        places.picture.unlink(missing_ok=True)  # of a former training
    for path, data in files.items():
        with placed(path) as temporary:
            temporary.write_bytes(data)


@dataclass(frozen=True)
class Beside:
    """Where what belongs to a model lies: next to a file, inside a folder."""

    name: str
    report: Path
    card: Path
    picture: Path

    @classmethod
    def of(cls, model: Path, kind: str, name: str = "") -> Beside:
        """Return the places; `name` is what the model will be called when it still lies elsewhere."""
        if kind == TRANSFORMER:
            return cls(name or model.name, model / "report.json", model / "README.md", model / "report.png")
        return cls(model.name, *(model.with_name(f"{model.name}.{suffix}") for suffix in ("json", "md", "png")))


@contextlib.contextmanager
def placed(output: Path) -> Iterator[Path]:
    """Yield a temporary file that replaces `output` when the block succeeds."""
    temporary = output.with_name(f".{output.name}.partial")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(output)
    except OSError as error:
        raise ConfigError(f"{output}: cannot be written: {error.strerror or error}") from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def code_digest() -> str:
    """Return the SHA-256 of the Python files of this package, by path."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _notes(n_train: dict[str, int], n_held_out: dict[str, int], found: Measured) -> Iterator[str]:
    most, least = max(n_train, key=lambda label: n_train[label]), min(n_train, key=lambda label: n_train[label])
    if n_train[most] > MAX_IMBALANCE * n_train[least]:
        times = n_train[most] / n_train[least]
        yield f"{most} is {times:.0f} times as frequent as {least}: choose a threshold, 0.5 means little here"
    for label in n_train:
        n = n_held_out.get(label, 0)
        if n < MIN_HELD_OUT:
            yield f"only {n} held-out texts of {label}: the figures are rough"
    if found.calibration is None:
        yield "too few held-out texts for a calibration"
    if not can_draw():
        yield "no picture: matplotlib is in the extra `train`"


def _test_notes(tested: Tested) -> Iterator[str]:
    for name, (_, n) in tested.items():
        if n:
            yield f"{name}: {n} of its texts are in the training table and left out"
