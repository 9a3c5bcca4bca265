"""Multiple-choice tasks in the format of lm-evaluation-harness: a YAML file over a JSONL table.

    task: capitals
    dataset_path: json
    dataset_kwargs: {data_files: {test: capitals.jsonl}}    # relative to the YAML file, or to the working folder
    test_split: test
    output_type: multiple_choice
    doc_to_text: "{{question}}"                             # a Jinja template, or the name of a column
    doc_to_choice: choices                                  # a list, a column, or a template that renders a list
    doc_to_target: answer                                   # number of the right choice, its text, or a template
    num_fewshot: 2                                          # solved examples before each question (0 without this key)
    fewshot_config: {sampler: first_n, split: train}        # the first rows of a split, but the question itself
    metadata: {domain: subject}                             # Winnow's: the column that scores are split by

These keys mean what they mean in version 0.4.13 of the harness, and `lm-eval --include_path FOLDER --tasks capitals`
takes the file as it is. A key that would change the figures and is not among them is refused; so are examples drawn at
random, the harness's default, which depend on the order in which it runs its tasks.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jinja2
import yaml
from jinja2.sandbox import ImmutableSandboxedEnvironment

from schemas.errors import ConfigError, InputError
from storage import json_lines

NEEDED = ("task", "dataset_kwargs", "doc_to_text", "doc_to_choice", "doc_to_target")
FIXED = {"output_type": "multiple_choice", "dataset_path": "json"}
WITHOUT_EFFECT = ("tag", "metric_list", "task_alias")  # all metrics are always reported
OPTIONAL = (
    "test_split", "validation_split", "target_delimiter", "metadata", "num_fewshot", "fewshot_config", "fewshot_split",
    "fewshot_delimiter", "description",
)  # fmt: skip
_TEMPLATES = ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)


@dataclass(frozen=True)
class Question:
    """One question of a task."""

    text: str
    choices: tuple[str, ...]
    answer: int
    domain: str = ""  # '' where the task names no column of domains


@dataclass(frozen=True)
class Task:
    """A named list of questions."""

    name: str
    delimiter: str  # between text and choice
    questions: tuple[Question, ...]


def read_task(path: Path) -> Task:
    """Return the task of a YAML file. ConfigError, InputError: the file, the key or the row, and what is wrong."""
    plain = _read_yaml(path)
    _check_keys(plain, path)
    split = plain.get("test_split") or plain.get("validation_split")
    asked = _questions(plain, _table_path(plain, path, split))
    description = str(plain.get("description") or "")
    solved = _solved(plain, path, split, asked)
    questions = []
    for question in asked:
        before = "".join(_shots(solved, question, plain, path))
        questions.append(replace(question, text=description + before + question.text))
    return Task(str(plain["task"]), str(plain.get("target_delimiter", " ")), tuple(questions))


def _questions(plain: Mapping[str, Any], table: Path) -> list[Question]:
    found = []
    for number, row in json_lines.read_objects(table):
        try:
            found.append(make_question(plain, row))
        except (jinja2.TemplateError, ValueError, SyntaxError, TypeError) as error:
            raise ConfigError(f"{table}: line {number}: {error}") from None
    if not found:
        raise InputError(f"{table}: no rows")
    return found


def _solved(plain: Mapping[str, Any], path: Path, split: Any, asked: list[Question]) -> list[Question]:
    """Return the rows that examples are taken from: those of another split, or the task's own."""
    config = plain.get("fewshot_config") or {}
    other = (config.get("split") if isinstance(config, dict) else None) or plain.get("fewshot_split") or split
    return (
        asked if other == split or not plain.get("num_fewshot") else _questions(plain, _table_path(plain, path, other))
    )


def _shots(solved: Sequence[Question], question: Question, plain: Mapping[str, Any], path: Path) -> list[str]:
    """Return the examples that come before a question, as text: the first rows, but the question itself."""
    wanted = plain.get("num_fewshot") or 0
    shots = list(itertools.islice((row for row in solved if row != question), wanted))
    if len(shots) < wanted:
        raise ConfigError(f"{path}: num_fewshot: {wanted} is not allowed; there are {len(shots)} examples")
    delimiter, after = plain.get("target_delimiter", " "), plain.get("fewshot_delimiter", "\n\n")
    return [f"{shot.text}{delimiter}{shot.choices[shot.answer]}{after}" for shot in shots]


def make_question(task: Mapping[str, Any], row: Mapping[str, Any]) -> Question:
    """Return the question of a row. ValueError when its choices or its answer are none."""
    choices = _choices(task["doc_to_choice"], row)
    if len(choices) < 2:
        raise ValueError(f"doc_to_choice: {len(choices)} choices; at least 2 are needed")
    answer = _answer(_value(task["doc_to_target"], row), choices)
    column = (task.get("metadata") or {}).get("domain")
    if column is not None and column not in row:
        raise ValueError(f"metadata.domain: no column {column!r}")
    return Question(str(_value(task["doc_to_text"], row)), choices, answer, "" if column is None else str(row[column]))


def _value(wanted: Any, row: Mapping[str, Any]) -> Any:
    """Return a column, what a template renders to, or the constant itself."""
    if not isinstance(wanted, str):
        return wanted
    return row[wanted] if wanted in row else _TEMPLATES.from_string(wanted).render(**row)


def _choices(wanted: Any, row: Mapping[str, Any]) -> tuple[str, ...]:
    if isinstance(wanted, dict):
        wanted = list(wanted.values())
    found = _value(wanted, row)
    if isinstance(found, str):
        found = ast.literal_eval(found)
    if not isinstance(found, list) or not all(isinstance(choice, str) and choice for choice in found):
        raise ValueError("doc_to_choice: must give a list of texts, none empty")
    return tuple(found)


def _answer(found: Any, choices: tuple[str, ...]) -> int:
    if isinstance(found, str):
        if found in choices:
            return choices.index(found)
        found = int(found) if found.strip().isdecimal() else -1
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found < len(choices):
        raise ValueError(f"doc_to_target: {found!r} is neither a choice nor a number from 0 to {len(choices) - 1}")
    return found


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        plain = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(plain, dict):
        raise ConfigError(f"{path}: expected a mapping, found {type(plain).__name__}")
    return plain


def _check_keys(plain: Mapping[str, Any], path: Path) -> None:
    missing = [key for key in NEEDED if key not in plain]
    if missing:
        raise ConfigError(f"{path}: {missing[0]} is missing")
    for key, allowed in FIXED.items():
        if plain.get(key, allowed) != allowed:
            raise ConfigError(f"{path}: {key}: {plain[key]!r} is not allowed; must be {allowed!r}")
    unknown = sorted(plain.keys() - {*NEEDED, *FIXED, *WITHOUT_EFFECT, *OPTIONAL})
    if unknown:
        raise ConfigError(f"{path}: {unknown[0]}: not supported; it would change what is measured")
    _check_shots(plain, path)


def _check_shots(plain: Mapping[str, Any], path: Path) -> None:
    wanted, config = plain.get("num_fewshot", 0), plain.get("fewshot_config")
    if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 0:
        raise ConfigError(f"{path}: num_fewshot: {wanted!r} is not allowed; must be a number of at least 0")
    if wanted and (not isinstance(config, dict) or config.get("sampler") != "first_n"):
        raise ConfigError(
            f"{path}: fewshot_config: sampler must be 'first_n'; examples drawn at random are not supported"
        )
    unknown = sorted(config.keys() - {"sampler", "split"}) if isinstance(config, dict) else []
    if unknown:
        raise ConfigError(f"{path}: fewshot_config: {unknown[0]}: not supported; it would change what is measured")
    if not isinstance(plain.get("metadata") or {}, dict):
        raise ConfigError(f"{path}: metadata: expected a mapping")


def _table_path(plain: Mapping[str, Any], path: Path, split: Any) -> Path:
    files = plain["dataset_kwargs"].get("data_files") if isinstance(plain["dataset_kwargs"], dict) else None
    named = files.get(split) if isinstance(files, dict) else files
    if not isinstance(named, str):
        raise ConfigError(f"{path}: dataset_kwargs: data_files must name one file for the split {split!r}")
    relative = path.parent / named
    return relative if relative.exists() else Path(named)
