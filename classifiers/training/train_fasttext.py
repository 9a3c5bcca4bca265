"""Train a fastText classifier on a table of labelled texts, and measure it on texts it has not seen.

Defaults are those of fastText's own trainer (lr 0.1, dim 100, epoch 5, minCount 1) with word pairs, as DCLM's quality
classifier (arXiv:2406.11794, section 4.4). Deviation: `bucket`, the rows that word pairs share, follows the data up to
fastText's fixed 2,000,000, with which the smallest model has 800 MB, in the file and in each worker.

The same table and settings give the same bytes in any order of the rows: texts are cut and cleaned as in
scoring (`one_line`), split and ordered by keyed hashes (examples.py), and trained in one thread with a fixed seed
(fasttext_process.py); so is a quantized model. (fastText is compiled for the machine it is installed on; another
processor may round otherwise.)
"""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from classifiers.models.fasttext_model import LABEL_PREFIX, FastTextModel, one_line
from classifiers.training.examples import (
    Example,
    TableConfig,
    check_labels,
    count_labels,
    read_examples,
    split,
)
from classifiers.training.fasttext_process import search, train_to
from classifiers.training.figures import Scores
from classifiers.training.student import (
    FASTTEXT,
    Beside,
    Trained,
    TrainReport,
    placed,
    read_tests,
    report_of,
    write_beside,
)
from schemas.errors import ConfigError
from schemas.identity import keyed_fraction
from schemas.settings import setting, validate
from storage.pinned_files import file_sha256

MAX_BUCKET = 2_000_000  # fastText's default
MIN_BUCKET = 10_000
VALIDATION = 0.2  # share of the training sites or texts that a search for settings is judged by; ours


@dataclass(frozen=True, kw_only=True)
class TrainConfig(TableConfig):
    """The table's columns, fastText's parameters and the held-out part."""

    lr: float = setting(0.1, "learning rate", gt=0.0, le=10.0)
    dim: int = setting(100, "size of the word vectors", ge=1, le=10_000)
    epoch: int = setting(5, "passes over the texts", ge=1)
    word_ngrams: int = setting(2, "longest run of words that is a feature", ge=1, le=10)
    min_count: int = setting(1, "times a word must occur", ge=1)
    bucket: int = setting(0, "rows for runs of words; 0: words of the table, 10,000 to 2,000,000", ge=0, le=100_000_000)
    min_subword: int = setting(0, "shortest run of characters that is a feature; 0: none", ge=0, le=20)
    max_subword: int = setting(0, "longest run of characters that is a feature; 0: none", ge=0, le=20)
    loss: str = setting("softmax", "fastText loss", choices=("softmax", "hs", "ova", "ns"))
    autotune_s: int = setting(
        0, "seconds of fastText's search for settings; another search may find others; 0: none", ge=0, le=86_400
    )
    quantize: bool = setting(False, "compress the model (product quantization, retrained)")

    def __post_init__(self) -> None:
        super().__post_init__()
        validate(self)
        if bool(self.min_subword) != bool(self.max_subword) or self.min_subword > self.max_subword:
            raise ConfigError(
                f"max_subword: {self.max_subword} is not allowed with min_subword {self.min_subword}; "
                "must be at least as much, or 0 where that is 0"
            )


def train_classifier(table: Path, output: Path, config: TrainConfig, tests: Sequence[Path] = ()) -> TrainReport:
    """Train on `table` (JSON lines, CSV, TSV or Parquet), write the model to `output`, a report and a card next to it.

    The report is `output` + `.json`, the card `output` + `.md`, the picture `output` + `.png` (with matplotlib).
    `tests` are tables with the same columns, whose texts are only scored. Raises ConfigError, one line, for a table or
    settings that cannot be used.
    """
    examples, n_empty = read_examples(table, config, one_line)
    parts = split(examples, config)
    check_labels(count_labels(parts.training), table, config.positive_label)
    tested = read_tests(tests, parts.training, config, one_line)
    with placed(output) as temporary:
        found = _train(parts.training, temporary, config)
        trained = Trained(
            kind=FASTTEXT,
            sha256=file_sha256(temporary),
            score=_Scorer(FastTextModel(temporary), config),
            versions={"fasttext": version("fasttext")},
            found=found,
            notes=_notes(),
        )
        scores = trained.score(parts.held_out)
        report = report_of(trained, scores, parts, n_empty, tested, config)
    write_beside(report, scores, parts.held_out, Beside.of(output, FASTTEXT), table.name)
    return report


def _train(examples: Sequence[Example], target: Path, config: TrainConfig) -> dict[str, Any]:
    """Write the model to `target` and return the settings that a search found."""
    n_words = sum(len(one.text.split()) for one in examples)
    arguments = {
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
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = _written(folder / "examples.txt", examples)
        found = _search(examples, folder, config) if config.autotune_s else {}
        quantize = {"input": table, "retrain": True, "thread": 1, "verbose": 0} if config.quantize else None
        train_to(target, {**arguments, **found, "input": table}, folder, quantize)
    return found


def _search(examples: Sequence[Example], folder: Path, config: TrainConfig) -> dict[str, Any]:
    """Return the settings that are best on a part of the training texts, as autotune finds them in its time."""
    salt = f"classifier/validation/{config.seed}"
    apart = [one for one in examples if keyed_fraction(salt, one.group) < VALIDATION]
    others = [one for one in examples if keyed_fraction(salt, one.group) >= VALIDATION]
    if not apart or not others:
        raise ConfigError("autotune_s: too few sites or texts to hold a part back for the search")
    arguments = {
        "input": _written(folder / "search.txt", others),
        "autotuneValidationFile": _written(folder / "validation.txt", apart),
        "autotuneDuration": config.autotune_s,
        "loss": config.loss,
        "seed": config.seed,
        "thread": 1,
        "verbose": 0,
    }
    return search(arguments, folder)


def _written(path: Path, examples: Sequence[Example]) -> str:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{LABEL_PREFIX}{one.label} {one.text}\n" for one in examples)
    return str(path)


@dataclass(frozen=True)
class _Scorer:
    model: FastTextModel
    config: TrainConfig

    def __call__(self, examples: Sequence[Example]) -> Scores:
        """Return the scores of already prepared texts, 0 for one without a known word."""
        texts = [one.text for one in examples]
        predictions = self.model.predict_batch(texts, len(self.model.labels), self.config.max_chars)
        return np.array([dict(found).get(self.config.positive_label, 0.0) for found in predictions], dtype=np.float64)


def _notes() -> tuple[str, ...]:
    if platform.libc_ver()[0] == "glibc":
        return ()
    return ("without glibc fastText's start is not defined: training again may give another model",)
