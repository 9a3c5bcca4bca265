from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest

from classifiers.evaluation.ensemble import MAXIMUM, MEAN, combined, quantiles
from classifiers.evaluation.evaluate import EvaluateConfig, evaluate, write_evaluation
from classifiers.training.figures import ALL, area_under_curve, auc_difference_interval
from classifiers.training.train_fasttext import TrainConfig, train_classifier
from schemas.errors import ConfigError
from tests.classifiers.tiny_roberta import Student

NAN = float("nan")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory, student: Student) -> Path:
    """Labelled texts with two columns: `cheap` says a little of the label, `loss` the contrary."""
    rng = random.Random(3)
    rows = [
        {**row, "cheap": rng.gauss(1.0 if row["label"] == "good" else 0.0, 1.0), "loss": None if n % 50 == 0 else
         rng.gauss(0.0 if row["label"] == "good" else 2.0, 1.0)}
        for n, row in enumerate(student.rows)
    ]  # fmt: skip
    path = tmp_path_factory.mktemp("evaluate") / "t.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_quantiles_by_hand() -> None:
    known = np.array([1.0, 2.0, 2.0, 3.0])
    found = quantiles(np.array([0.0, 1.0, 2.0, 2.5, 9.0, NAN]), known)
    assert found[:5].tolist() == [0.0, 0.125, 0.5, 0.75, 1.0]
    assert np.isnan(found[5])


def test_combined_by_hand() -> None:
    rows = [np.array([0.1, NAN, 0.6, NAN]), np.array([0.3, 0.2, 0.2, NAN])]
    assert combined(rows, MAXIMUM).tolist()[:3] == [0.3, 0.2, 0.6]
    assert combined(rows, MEAN).tolist()[:3] == pytest.approx([0.2, 0.2, 0.4])
    assert np.isnan(combined(rows, MAXIMUM)[3])
    assert np.isnan(combined(rows, MEAN)[3])


def test_models_columns_and_ensembles_side_by_side(student: Student, table: Path, tmp_path: Path) -> None:
    fast = tmp_path / "fast.bin"
    small = TrainConfig(dim=8, epoch=5, lr=0.5, bucket=1000, holdout=0.0, text_form="words", site_column="")
    sha256 = train_classifier(table, fast, small).sha256
    models, columns = [str(student.folder), str(fast)], ["cheap", "-loss"]
    report, picture = evaluate(table, models, columns, [MAXIMUM, MEAN], EvaluateConfig())
    series = {one.name: one for one in report.series}
    assert list(series) == ["student", "fast.bin", "cheap", "-loss", "ensemble:max", "ensemble:mean"]
    assert [series[name].sha256 for name in ("student", "fast.bin", "cheap")] == [student.report.sha256, sha256, ""]
    areas = {name: one.measured.by_language[ALL].auc for name, one in series.items()}
    assert areas["cheap"] == pytest.approx(0.76, abs=0.08)  # one standard deviation apart
    assert areas["-loss"] == pytest.approx(0.92, abs=0.05)  # two
    assert (areas["fast.bin"] or 0) > 0.95
    assert series["-loss"].n_unscored == 5
    assert series["cheap"].measured.calibration is None  # no probability
    assert series["fast.bin"].measured.calibration is not None
    cheap = series["cheap"]
    assert cheap.auc_difference is not None
    assert cheap.auc_difference_high is not None
    assert cheap.auc_difference_high < 0  # less than the student, for sure
    write_evaluation(report, picture, tmp_path / "report")
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == ["README.md", "report.json", "report.png"]
    text = (tmp_path / "report" / "README.md").read_text()
    assert text.startswith("# t.jsonl\n\n240 texts, 120 of them `good`.")
    assert "| -loss | column | 0." in text


def test_a_model_reads_texts_as_its_training_did(table: Path, tmp_path: Path) -> None:
    """Trained on lower case, marks apart: without its report beside it, it would not know these words."""
    model = tmp_path / "m.bin"
    small = TrainConfig(dim=8, epoch=9, lr=0.5, bucket=1000, holdout=0.0, text_form="words", positive_label="bad")
    train_classifier(table, model, small)
    rows = [json.loads(line) for line in table.read_text().splitlines()]
    loud = tmp_path / "loud.jsonl"
    loud.write_text("".join(json.dumps({**row, "text": row["text"].upper().replace(" ", "!")}) + "\n" for row in rows))
    config = EvaluateConfig(positive_label="bad")
    [known] = evaluate(loud, [str(model)], [], [], config)[0].series
    assert (known.measured.by_language[ALL].auc or 0) > 0.95
    model.with_name("m.bin.json").unlink()
    [unknown] = evaluate(loud, [str(model)], [], [], EvaluateConfig(positive_label="bad", model_label="bad"))[0].series
    assert (unknown.measured.by_language[ALL].auc or 0) < 0.9


def test_the_paired_interval_is_narrower_than_that_of_two_areas() -> None:
    generator = np.random.default_rng(0)
    positive = np.arange(400) % 2 == 0
    common = generator.normal(positive.astype(float))
    first, second = common + generator.normal(0, 0.1, 400), common + generator.normal(0, 0.1, 400) + 0.05 * positive
    found = auc_difference_interval(second, first, positive)
    assert found is not None
    difference, low, high = found
    areas = area_under_curve(second, positive), area_under_curve(first, positive)
    assert difference == pytest.approx((areas[0] or 0) - (areas[1] or 0))
    assert low < difference < high
    assert high - low < 0.03  # each area alone has .09
    assert auc_difference_interval(first, second, np.ones(400, dtype=bool)) is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"models": ["gone.bin"]}, "model gone.bin: no such file or folder"),
        ({"columns": ["text"]}, "row 1: the text is '.*', not a number"),
        ({"columns": ["gone"]}, "row 1 has no column 'gone'"),
        ({"columns": ["cheap"], "ensembles": ["mean"]}, "ensemble: needs at least two models or columns"),
        ({"columns": ["cheap", "loss"], "ensembles": ["median"]}, "ensemble: 'median' is not allowed"),
        ({"columns": ["cheap", "cheap"]}, "two models or columns have the name 'cheap'"),
        ({"columns": ["cheap"], "positive_label": "fine"}, "needs texts with and without the label 'fine'; found: bad"),
    ],
)
def test_what_cannot_be_evaluated_is_one_line(table: Path, given: dict[str, object], message: str) -> None:
    settings = {name: given.pop(name) for name in ("positive_label",) if name in given}
    call = {"models": [], "columns": [], "ensembles": [], **given, "config": EvaluateConfig(**settings)}  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=message) as error:
        evaluate(table, **call)  # type: ignore[arg-type]
    assert "\n" not in str(error.value)
