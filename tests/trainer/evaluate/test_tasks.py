from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.errors import ConfigError, InputError
from trainer.evaluate.tasks import Question, make_question, read_task

ROWS = [
    {"question": "The capital of France is", "choices": ["Paris", "Rome"], "answer": 0},
    {"question": "2 + 2 =", "choices": ["3", "5", "4"], "answer": 2},
]
TASK: dict[str, Any] = {
    "task": "facts", "dataset_path": "json", "dataset_kwargs": {"data_files": {"test": "facts.jsonl"}},
    "test_split": "test", "output_type": "multiple_choice", "doc_to_text": "{{question}}",
    "doc_to_choice": "choices", "doc_to_target": "answer", "metadata": {"version": 1},
    "metric_list": [{"metric": "acc"}],
}  # fmt: skip
SHOTS: dict[str, Any] = {"num_fewshot": 1, "fewshot_config": {"sampler": "first_n"}}


def write(folder: Path, rows: list[Any] | None = None, **changes: Any) -> Path:
    plain = {key: value for key, value in {**TASK, **changes}.items() if value is not None}
    (folder / "facts.jsonl").write_text("\n".join(map(json.dumps, ROWS if rows is None else rows)) + "\n")
    path = folder / "facts.yaml"
    path.write_text(yaml.safe_dump(plain))
    return path


def test_a_task_is_read(tmp_path: Path) -> None:
    task = read_task(write(tmp_path))
    assert (task.name, task.delimiter) == ("facts", " ")
    assert task.questions == (
        Question("The capital of France is", ("Paris", "Rome"), 0), Question("2 + 2 =", ("3", "5", "4"), 2),
    )  # fmt: skip


def test_solved_examples_come_before_a_question(tmp_path: Path) -> None:
    """As lm-evaluation-harness 0.4.13 builds its prompts; a question is never its own example."""
    own = read_task(write(tmp_path, **SHOTS, description="Facts.\n"))
    assert [question.text for question in own.questions] == [
        "Facts.\n2 + 2 = 4\n\nThe capital of France is", "Facts.\nThe capital of France is Paris\n\n2 + 2 =",
    ]  # fmt: skip
    train = [{"question": f"{n} =", "choices": ["0", "1"], "answer": n} for n in range(2)]
    (tmp_path / "train.jsonl").write_text("\n".join(map(json.dumps, train)) + "\n")
    files = {"data_files": {"test": "facts.jsonl", "train": "train.jsonl"}}
    shots = {"num_fewshot": 2, "fewshot_config": {"sampler": "first_n", "split": "train"}, "fewshot_delimiter": "|"}
    task = read_task(write(tmp_path, dataset_kwargs=files, target_delimiter=": ", **shots))
    assert task.questions[0].text == "0 =: 0|1 =: 1|The capital of France is"


def test_a_question_tells_its_domain(tmp_path: Path) -> None:
    rows = [{**row, "field": field} for row, field in zip(ROWS, ("places", "sums"), strict=True)]
    task = read_task(write(tmp_path, rows, metadata={"domain": "field"}))
    assert [question.domain for question in task.questions] == ["places", "sums"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"doc_to_text": "question"}, Question("Q", ("x", "y"), 1)),
        ({"doc_to_text": "Is {{question}}?\n"}, Question("Is Q?\n", ("x", "y"), 1)),
        ({"doc_to_choice": ["no", "yes"]}, Question("Q", ("no", "yes"), 1)),
        ({"doc_to_choice": {"A": "no", "B": "yes"}}, Question("Q", ("no", "yes"), 1)),
        ({"doc_to_choice": "{{[a, b]}}"}, Question("Q", ("x", "y"), 1)),
        ({"doc_to_target": "{{right}}"}, Question("Q", ("x", "y"), 1)),
        ({"doc_to_target": "{{b}}"}, Question("Q", ("x", "y"), 1)),
        ({"doc_to_target": 0}, Question("Q", ("x", "y"), 0)),
    ],
)
def test_what_a_row_becomes(changes: dict[str, Any], expected: Question) -> None:
    row = {"question": "Q", "choices": ["x", "y"], "answer": 1, "a": "x", "b": "y", "right": "1"}
    assert make_question({**TASK, **changes}, row) == expected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"output_type": "generate_until"}, "output_type: 'generate_until' is not allowed; must be 'multiple_choice'"),
        ({"num_fewshot": -1}, "num_fewshot: -1 is not allowed; must be a number of at least 0"),
        ({"num_fewshot": 1}, "fewshot_config: sampler must be 'first_n'; examples drawn at random are not supported"),
        (SHOTS | {"num_fewshot": 2}, "num_fewshot: 2 is not allowed; there are 1 examples"),
        ({"fewshot_config": {"sampler": "first_n", "samples": []}}, "fewshot_config: samples: not supported; it would"),
        ({"metadata": {"domain": "field"}}, "line 1: metadata.domain: no column 'field'"),
        ({"doc_to_target": None}, "doc_to_target is missing"),
        ({"gen_prefix": "Answer."}, "gen_prefix: not supported; it would change what is measured"),
        ({"dataset_kwargs": {}}, "data_files must name one file for the split 'test'"),
        ({"dataset_kwargs": {"data_files": {"test": "absent.jsonl"}}}, "absent.jsonl: cannot be read: No such file"),
        ({"rows": []}, "facts.jsonl: no rows"),
        ({"rows": [ROWS[0], {"question": "?", "choices": ["a"], "answer": 0}]}, "line 2: doc_to_choice: 1 choices; at"),
        ({"rows": [{"question": "?", "choices": ["a", "b"], "answer": 2}]}, "line 1: doc_to_target: 2 is neither a ch"),
        ({"rows": [{"question": "?", "choices": "no list", "answer": 0}]}, "facts.jsonl: line 1: "),
        ({"rows": [[1]]}, "facts.jsonl: line 1 is not a JSON object but list"),
        ({"rows": [{"choices": ["a", "b"], "answer": 0}]}, "line 1: 'question' is undefined"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises((ConfigError, InputError)) as caught:
        read_task(write(tmp_path, **changes))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_task(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_task(tmp_path / "absent.yaml")
    (tmp_path / "list.yaml").write_text("- a\n")
    with pytest.raises(ConfigError, match="expected a mapping, found list"):
        read_task(tmp_path / "list.yaml")
    (tmp_path / "bad.yaml").write_text("a: [")
    with pytest.raises(ConfigError, match="not valid YAML"):
        read_task(tmp_path / "bad.yaml")
