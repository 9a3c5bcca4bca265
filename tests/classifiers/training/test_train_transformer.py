from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from classifiers.models.transformer_files import folder_sha256
from classifiers.training.train_transformer import TransformerTrainConfig, train_transformer
from schemas.errors import ConfigError
from tests.classifiers.tiny_roberta import Student


@pytest.fixture
def train(student: Student, tmp_path: Path) -> Callable[..., object]:
    def train(output: Path, rows: list[dict[str, object]] | None = None, **changes: object) -> object:
        table = tmp_path / "t.jsonl"
        table.write_text("".join(json.dumps(row) + "\n" for row in (student.rows if rows is None else rows)))
        return train_transformer(table, output, dataclasses.replace(student.config, **changes))  # type: ignore[arg-type]

    return train


def test_what_was_planted_is_learned_and_the_folder_is_whole(student: Student) -> None:
    report = student.report
    assert report.auc is not None
    assert report.auc > 0.9
    assert report.sha256 == folder_sha256(student.folder)
    assert report.found["validation_losses"] == sorted(report.found["validation_losses"], reverse=True)
    names = {path.name for path in student.folder.iterdir()}
    assert names == {
        "README.md", "config.json", "model.safetensors", "report.json", "report.png", "tokenizer.json",
        "tokenizer_config.json",
    }  # fmt: skip
    assert json.loads((student.folder / "report.json").read_text())["kind"] == "transformer"
    card = (student.folder / "README.md").read_text()
    assert card.startswith(f"# {student.folder.name}\n\nA transformers classifier (transformers ")
    assert [path.name for path in student.folder.parent.iterdir() if path.name.startswith(".")] == []


def test_the_same_rows_in_any_order_give_the_same_bytes(
    student: Student, train: Callable[..., object], tmp_path: Path
) -> None:
    rows = random.Random(1).sample(student.rows, len(student.rows))
    assert train(tmp_path / "m", rows) == student.report
    other = train(tmp_path / "m", rows, seed=1, epochs=1)  # takes the place of the former
    assert folder_sha256(tmp_path / "m") != student.report.sha256
    assert other.found["epochs"] == 1  # type: ignore[attr-defined]


def test_training_stops_when_the_validation_gets_worse(train: Callable[..., object], tmp_path: Path) -> None:
    rng = random.Random(2)
    rows = [
        {"text": " ".join(rng.choice("abcdefgh") for _ in range(12)), "label": rng.choice(("good", "bad"))}
        for _ in range(120)
    ]
    found = train(tmp_path / "m", rows, epochs=30, lr=1e-2, validation=0.3).found  # type: ignore[attr-defined]
    losses = found["validation_losses"]
    assert found["epochs"] < 30
    assert found["best_epoch"] == losses.index(min(losses)) + 1
    assert found["epochs"] == found["best_epoch"] + 1  # the patience


def test_the_teachers_probability_is_learned(student: Student, train: Callable[..., object], tmp_path: Path) -> None:
    """A teacher that is never surer than .7 has a student that is not, either."""
    rows = [{**row, "p": 0.7 if row["label"] == "good" else 0.3} for row in student.rows]
    report = train(tmp_path / "m", rows, probability_column="p")
    assert report.auc > 0.9  # type: ignore[attr-defined]
    scores = [row.threshold for row in report.thresholds if row.kept > 0]  # type: ignore[attr-defined]
    assert max(scores) < 0.8
    assert max(row.threshold for row in student.report.thresholds if row.kept > 0) > 0.8
    more = [*rows, *({"text": f"text {n}", "label": "other", "p": None} for n in range(30))]
    with pytest.raises(ConfigError, match="probability_column: is not allowed with 3 labels"):
        train(tmp_path / "m", more, probability_column="p")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"base_model": ""}, "base_model: '' is not allowed; expected a folder"),
        ({"base_model": "nowhere"}, "model nowhere: is no folder of a transformers model"),
        ({"base_model": "hf://a/b@main"}, "expected hf://OWNER/NAME@COMMIT"),
        ({"device": "cuda"}, "device: 'cuda' is not allowed: torch finds no GPU here"),
        ({"validation": 0.5, "holdout": 0.9}, "validation: too few sites or texts"),
    ],
)
def test_what_cannot_be_trained_is_one_line(
    train: Callable[..., object], tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    rows: list[dict[str, object]] = [{"text": f"text {n}", "label": ("good", "bad")[n % 2]} for n in range(20)]
    if changes.get("device") == "cuda" and __import__("torch").cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(ConfigError, match=message) as error:
        train(tmp_path / "m", rows, **changes)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "m").exists()


def test_a_place_that_cannot_be_written(student: Student, train: Callable[..., object], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"file/m: cannot be written: (Not a directory|File exists)"):
        train(tmp_path / "file" / "m")


def test_settings_go_with_the_table(student: Student) -> None:
    with pytest.raises(ConfigError, match="min_certainty"):
        TransformerTrainConfig(min_certainty=0.9)
