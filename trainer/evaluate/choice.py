"""Multiple choice by likelihood: the model answers with the choice that it finds most likely after the text.

Text and choice are tokenised together, and spaces at the end of the text count to the choice, as lm-evaluation-harness
does (`_encode_pair`, version 0.4.13); BOS comes before the text, as in the shards. Text that is too long loses its
beginning. acc compares the log-likelihoods of the choices, acc_norm those divided by their characters, acc_bytes by
their bytes of UTF-8. `nll_per_char` is that of the right choices, which scaling laws forecast (L3 section 3.2.1).
`centered` is acc with guessing at 0 and all right at 1, as in CORE (DCLM, arXiv:2406.11794): its mean over tasks can be
compared between sets of tasks with different numbers of choices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from trainer.data.batches import IGNORE
from trainer.evaluate.recovery import part_of
from trainer.evaluate.tasks import Question, Task
from trainer.evaluate.words import Words
from trainer.loop.training import Training

ROWS = 16  # choices that go through the model at once


@dataclass(frozen=True)
class Scores:
    """The results of a model on a task."""

    questions: int
    acc: float
    acc_norm: float
    acc_bytes: float
    nll_per_char: float  # nats, mean over the questions
    centered: float  # (acc - guessing) / (1 - guessing)
    domains: dict[str, float]  # acc of each domain's questions, where the task names a column of domains
    parts: list[float]  # acc of up to 32 equal stretches of the questions, for trainer.evaluate.recovery


@dataclass(frozen=True)
class Row:
    """One choice to be scored."""

    tokens: list[int]
    scored: int  # the last so many


def measure_task(training: Training, words: Words, task: Task, max_len: int) -> Scores:
    """Return the results of a run's model. All ranks call it together, and each does all of it."""
    training.model.train(False)
    rows = [row for question in task.questions for row in rows_of(words, task.delimiter, question, max_len)]
    found = log_likelihoods(training.model, rows, training.ranks.device)
    training.model.train()
    return score(task.questions, found)


def rows_of(words: Words, delimiter: str, question: Question, max_len: int) -> list[Row]:
    """Return what has to be scored for a question, a row for each choice."""
    text = question.text.rstrip()
    rest = question.text[len(text) :] + delimiter
    before = words.encode(text) if text else []
    rows = []
    for choice in question.choices:
        whole = words.encode(text + rest + choice)
        scored = max(1, len(whole) - len(before))
        rows.append(Row([words.facts.bos_id, *whole][-max_len:], min(scored, max_len - 1)))
    return rows


def log_likelihoods(model: nn.Module, rows: Sequence[Row], device: torch.device) -> list[float]:
    """Return the log-likelihood of the scored tokens of each row, in nats."""
    found: list[float] = []
    with torch.no_grad():
        for start in range(0, len(rows), ROWS):
            found += _some(model, rows[start : start + ROWS], device)
    return found


def _some(model: nn.Module, rows: Sequence[Row], device: torch.device) -> list[float]:
    """Rows are padded on the right, where none of their tokens attends."""
    longest = max(len(row.tokens) for row in rows)
    tokens = torch.zeros((len(rows), longest), dtype=torch.int64)
    labels = torch.full_like(tokens, IGNORE)
    for n, row in enumerate(rows):
        end = len(row.tokens)
        tokens[n, :end] = torch.tensor(row.tokens)
        labels[n, end - row.scored - 1 : end - 1] = tokens[n, end - row.scored : end]
    positions = torch.arange(longest).expand(len(rows), -1)
    losses = model(
        input_ids=tokens.to(device), position_ids=positions.to(device), use_cache=False,
        next_tokens=labels.to(device), each=True,
    )  # fmt: skip
    return [-float(loss) for loss in losses.double().sum(1)]


def score(questions: Sequence[Question], found: Sequence[float]) -> Scores:
    """Return accuracies and likelihood, given the log-likelihood of each choice in order; ties go to the first."""
    hits = np.zeros((len(questions), 3))
    per_char = np.zeros(len(questions))
    at = 0
    for n, question in enumerate(questions):
        mine = np.array(found[at : at + len(question.choices)])
        at += len(question.choices)
        chars = np.array([len(choice) for choice in question.choices])
        lengths = (1, chars, np.array([len(choice.encode()) for choice in question.choices]))
        hits[n] = [int(np.argmax(mine / length)) == question.answer for length in lengths]
        per_char[n] = -mine[question.answer] / chars[question.answer]
    acc, acc_norm, acc_bytes = hits.mean(0).tolist()
    guessing = float(np.mean([1 / len(question.choices) for question in questions]))
    domains = np.array([question.domain for question in questions])
    by_domain = {str(name): float(hits[domains == name, 0].mean()) for name in np.unique(domains) if name}
    places = np.array([part_of(n, len(questions)) for n in range(len(questions))])
    parts = (np.bincount(places, hits[:, 0]) / np.bincount(places)).tolist()
    return Scores(
        len(questions), acc, acc_norm, acc_bytes, float(per_char.mean()), (acc - guessing) / (1 - guessing), by_domain,
        parts,
    )  # fmt: skip
