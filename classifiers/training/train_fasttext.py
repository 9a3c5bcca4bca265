"""Train a fastText classifier on a table of labelled texts, and measure it on texts it has not seen.

Defaults are those of fastText's own trainer (lr 0.1, dim 100, epoch 5, minCount 1) with word pairs, as DCLM's quality
classifier (arXiv:2406.11794, section 4.4). Deviation: `bucket`, the rows that word pairs share, follows the data up to
fastText's fixed 2,000,000, with which the smallest model has 800 MB, in the file and in each worker.

The same table and settings give the same bytes in any order of the rows: texts are cut and cleaned as in
scoring (`one_line`), split and ordered by keyed hashes, and trained in one thread with a fixed seed. Equal texts fall
on the same side of the held-out split. (fastText is compiled for the machine it is installed on; another processor
may round otherwise.)

fastText 0.9.3 with one thread sets only the first tenth of its input matrix (DenseMatrix::uniformThread) and trains on
whatever the rest of that memory held: other bytes each time, or "Encountered NaN". So it runs in a process whose
allocator hands out zeros; rows that start at zero learn from the first example they are in.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from classifiers.models.fasttext_model import LABEL_PREFIX, FastTextModel, one_line
from classifiers.models.label_scores import SCORED_CHARS
from classifiers.models.text_forms import FORMS, RAW, in_form
from classifiers.training.card import card_text
from classifiers.training.figures import (
    REPORTED_THRESHOLDS,
    Figures,
    Flags,
    Scores,
    ThresholdRow,
    area_under_curve,
    at_threshold,
    best_threshold,
    figures_by_language,
)
from classifiers.training.labelled_table import read_rows
from schemas.errors import ConfigError
from schemas.identity import keyed_fraction, keyed_hash
from schemas.settings import setting, to_plain, validate
from storage.pinned_files import file_sha256

Row = tuple[str, str, str]  # label, line, language

MAX_BUCKET = 2_000_000  # fastText's default
MIN_BUCKET = 10_000
ZEROED_MEMORY = "255"  # glibc fills new memory with the complement of MALLOC_PERTURB_
MIN_HELD_OUT = 30  # of a label; below, the measured figures say little
MAX_IMBALANCE = 10.0  # most frequent label to least frequent

# The model leaves through a pipe: fastText itself does not notice a full disk.
_TRAINER = """
import json, sys
import fasttext
fasttext.train_supervised(**json.loads(sys.argv[1])).save_model("/dev/stdout")
"""


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """The table's columns, fastText's parameters and the held-out part."""

    text_column: str = setting("text", "column of the text")
    label_column: str = setting("label", "column of the label: a word or a whole number")
    language_column: str = setting("", "column of the language, by which figures are told apart; '': none")
    positive_label: str = setting("good", "label whose probability is the score")
    lr: float = setting(0.1, "learning rate", gt=0.0, le=10.0)
    dim: int = setting(100, "size of the word vectors", ge=1, le=10_000)
    epoch: int = setting(5, "passes over the texts", ge=1)
    word_ngrams: int = setting(2, "longest run of words that is a feature", ge=1, le=10)
    min_count: int = setting(1, "times a word must occur", ge=1)
    bucket: int = setting(0, "rows for runs of words; 0: words of the table, 10,000 to 2,000,000", ge=0, le=100_000_000)
    min_subword: int = setting(0, "shortest run of characters that is a feature; 0: none", ge=0, le=20)
    max_subword: int = setting(0, "longest run of characters that is a feature; 0: none", ge=0, le=20)
    loss: str = setting("softmax", "fastText loss", choices=("softmax", "hs", "ova", "ns"))
    text_form: str = setting(RAW, "raw, or words: lower case, marks apart; the same as in scoring", choices=FORMS)
    max_chars: int = setting(SCORED_CHARS, "characters from the start of a text; the same as in scoring", ge=100)
    holdout: float = setting(0.1, "share of the texts kept apart for measuring, by hash", ge=0.0, le=0.9)
    seed: int = setting(0, "of the split, the order and fastText", ge=0, le=2**31 - 1)

    def __post_init__(self) -> None:
        validate(self)
        if bool(self.min_subword) != bool(self.max_subword) or self.min_subword > self.max_subword:
            raise ConfigError(
                f"max_subword: {self.max_subword} is not allowed with min_subword {self.min_subword}; "
                "must be at least as much, or 0 where that is 0"
            )


@dataclass(frozen=True, kw_only=True)
class TrainReport:
    """What was trained, and its figures on the held-out texts."""

    sha256: str  # of the model file: goes into the settings that use it
    positive_label: str
    n_train: dict[str, int]  # texts, by label
    n_held_out: dict[str, int]
    n_empty: int  # texts without a word, left out
    auc: float | None  # chance that a positive text scores above another; None when one kind is missing
    suggested_threshold: float | None  # best F1
    at_suggested: ThresholdRow | None
    thresholds: tuple[ThresholdRow, ...]
    held_out: dict[str, Figures]  # by language; `all` is all of them
    tests: dict[str, dict[str, Figures]]  # the same of other tables, by name of the file
    notes: tuple[str, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    fasttext_version: str = ""


def train_classifier(table: Path, output: Path, config: TrainConfig, tests: Sequence[Path] = ()) -> TrainReport:
    """Train on `table` (JSON lines, CSV, TSV or Parquet), write the model to `output`, a report and a card next to it.

    The report is `output` + `.json`, the card `output` + `.md`. `tests` are tables with the same columns, whose texts
    are only scored. Raises ConfigError, one line, for a table or settings that cannot be used.
    """
    rows, n_empty = _prepared(table, config)
    held_out = [row for row in rows if keyed_fraction(f"classifier/held-out/{config.seed}", row[1]) < config.holdout]
    apart = set(held_out)
    training = [row for row in rows if row not in apart]
    _check_labels(_count(training), table, config)
    tested = {test.name: _test_rows(test, training, config) for test in tests}
    if len(tested) < len(tests):
        raise ConfigError(f"tests: two tables have one name: {', '.join(sorted(test.name for test in tests))}")
    with _placed(output) as temporary:
        _train(training, temporary, config)
        report = _report(temporary, training, held_out, n_empty, tested, config)
    beside = {
        "json": json.dumps(to_plain(report), indent=2, ensure_ascii=False) + "\n",
        "md": card_text(report, output.name, table.name),
    }
    for suffix, text in beside.items():
        with _placed(output.with_name(f"{output.name}.{suffix}")) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return report


def _report(
    model_file: Path,
    training: Sequence[Row],
    held_out: Sequence[Row],
    n_empty: int,
    tested: Mapping[str, tuple[Sequence[Row], int]],
    config: TrainConfig,
) -> TrainReport:
    scores, positive = _scores(model_file, held_out, config)
    suggested = best_threshold(scores, positive)
    n_train, n_held_out = _count(training), _count(held_out)
    return TrainReport(
        sha256=file_sha256(model_file),
        positive_label=config.positive_label,
        n_train=n_train,
        n_held_out=n_held_out,
        n_empty=n_empty,
        auc=area_under_curve(scores, positive),
        suggested_threshold=suggested,
        at_suggested=None if suggested is None else at_threshold(scores, positive, suggested),
        thresholds=tuple(at_threshold(scores, positive, t) for t in REPORTED_THRESHOLDS),
        held_out=figures_by_language(scores, positive, _languages(held_out)),
        tests={
            name: figures_by_language(*_scores(model_file, rows, config), _languages(rows))
            for name, (rows, _) in tested.items()
        },
        notes=(*_notes(n_train, n_held_out), *_test_notes({name: n for name, (_, n) in tested.items()})),
        settings=to_plain(config),
        fasttext_version=version("fasttext"),
    )


def _languages(rows: Sequence[Row]) -> list[str]:
    return [language for _, _, language in rows]


def _prepared(table: Path, config: TrainConfig) -> tuple[list[Row], int]:
    """Return the row of every text with a word, in the order of a keyed hash, and how many texts had none."""
    rows, n_empty = [], 0
    columns = (config.text_column, config.label_column, *filter(None, [config.language_column]))
    for text, label, language in read_rows(table, columns):
        line = one_line(in_form(text, config.text_form, config.max_chars), config.max_chars)
        if line.strip(" \t\r\v\f\0"):
            rows.append((label, line, language))
        else:
            n_empty += 1
    salt = f"classifier/order/{config.seed}"
    return sorted(rows, key=lambda row: (keyed_hash(salt, row[1]), row)), n_empty


def _test_rows(table: Path, training: Sequence[Row], config: TrainConfig) -> tuple[list[Row], int]:
    """Return the rows of a test table that are not among the training, and how many are."""
    rows, _ = _prepared(table, config)
    learned = {line for _, line, _ in training}
    others = [row for row in rows if row[1] not in learned]
    return others, len(rows) - len(others)


def _count(rows: Sequence[Row]) -> dict[str, int]:
    return dict(sorted(Counter(label for label, _, _ in rows).items()))


def _check_labels(n_train: dict[str, int], table: Path, config: TrainConfig) -> None:
    found = ", ".join(f"{label} ({n})" for label, n in n_train.items()) or "none"
    if len(n_train) < 2:
        raise ConfigError(f"{table}: training needs texts of at least two labels; found: {found}")
    if config.positive_label not in n_train:
        raise ConfigError(f"positive_label: {config.positive_label!r} is not a label of {table}; found: {found}")


@contextlib.contextmanager
def _placed(output: Path) -> Iterator[Path]:
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


def _train(rows: Sequence[Row], target: Path, config: TrainConfig) -> None:
    n_words = sum(len(line.split()) for _, line, _ in rows)
    with tempfile.TemporaryDirectory() as folder:
        examples = Path(folder) / "examples.txt"
        with examples.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{LABEL_PREFIX}{label} {line}\n" for label, line, _ in rows)
        arguments = {
            "input": str(examples),
            "lr": config.lr,
            "dim": config.dim,
            "epoch": config.epoch,
            "wordNgrams": config.word_ngrams,
            "minCount": config.min_count,
            "bucket": config.bucket or min(max(n_words, MIN_BUCKET), MAX_BUCKET),
            "minn": config.min_subword,
            "maxn": config.max_subword,
            "loss": config.loss,
            "seed": config.seed,
            "thread": 1,
            "verbose": 0,
        }
        _run_trainer(arguments, Path(folder), target)


def _run_trainer(arguments: dict[str, Any], folder: Path, target: Path) -> None:
    """Train in a process of its own, with memory that starts as zeros, and copy the model it prints to `target`."""
    environment = {**os.environ, "MALLOC_PERTURB_": ZEROED_MEMORY}
    environment.pop("LD_PRELOAD", None)  # another allocator would not know the variable
    command = [sys.executable, "-c", _TRAINER, json.dumps(arguments)]
    complaints = folder / "stderr.txt"
    with (
        complaints.open("wb") as stderr,
        target.open("wb") as model,
        subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=stderr) as child,
    ):
        shutil.copyfileobj(cast(BinaryIO, child.stdout), model)
    if child.returncode != 0:
        lines = complaints.read_text(encoding="utf-8", errors="replace").split("\n")
        messages = [line.strip() for line in lines if line.strip()] or [f"exit status {child.returncode}"]
        raise ConfigError(f"fastText cannot train with these settings: {messages[-1]}")


def _scores(model_file: Path, rows: Sequence[Row], config: TrainConfig) -> tuple[Scores, Flags]:
    """Return the scores of already prepared rows, 0 for one without a known word, and which are positive."""
    model = FastTextModel(model_file)
    predictions = model.predict_batch([line for _, line, _ in rows], len(model.labels), config.max_chars)
    scores = [dict(found).get(config.positive_label, 0.0) for found in predictions]
    positive = [label == config.positive_label for label, _, _ in rows]
    return np.array(scores, dtype=np.float64), np.array(positive, dtype=bool)


def _notes(n_train: dict[str, int], n_held_out: dict[str, int]) -> tuple[str, ...]:
    notes = []
    most, least = max(n_train, key=lambda label: n_train[label]), min(n_train, key=lambda label: n_train[label])
    if n_train[most] > MAX_IMBALANCE * n_train[least]:
        times = n_train[most] / n_train[least]
        notes.append(f"{most} is {times:.0f} times as frequent as {least}: choose a threshold, 0.5 means little here")
    few = {label: n_held_out.get(label, 0) for label in n_train if n_held_out.get(label, 0) < MIN_HELD_OUT}
    notes += [f"only {n} held-out texts of {label}: the figures are rough" for label, n in few.items()]
    if platform.libc_ver()[0] != "glibc":
        notes.append("without glibc fastText's start is not defined: training again may give another model")
    return tuple(notes)


def _test_notes(n_shared: Mapping[str, int]) -> Iterator[str]:
    for name, n in n_shared.items():
        if n:
            yield f"{name}: {n} of its texts are in the training table and left out"
