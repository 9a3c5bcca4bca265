"""What a judge is: it is asked about texts and returns answers, a few at a time, so that each can be put on record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from classifiers.teacher.prompt import JudgePrompt

DIGITS = 6  # of a stored probability: batches of another size change the seventh


class Question(NamedTuple):
    """A document that is judged."""

    id: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a judge answered about one document."""

    id: str
    raw: str  # as it was written; of a judge that gives probabilities alone the most probable answer
    chances: Mapping[str, float] | None = None  # by label: softmax over the allowed answers; None: not known
    mass: float | None = None  # probability that the model gives to the allowed answers together
    chars: int = 0  # characters of the text that were judged, from its start
    model: str = ""  # as the judge itself calls it
    cause: str = ""  # why there is no answer: `http_400`; '' where there is one
    prompt_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    attempts: int = 1


class Judge(Protocol):
    """Someone who judges."""

    @property
    def model(self) -> str:
        """The model's name."""

    @property
    def revision(self) -> str:
        """What tells this state of the model from another."""

    def judge(self, questions: Sequence[Question], known: Mapping[str, Answer]) -> Iterator[list[Answer]]:
        """Yield the answers to the questions that are not known yet. Each is asked for again if it is not stored."""


def label_of(answer: Answer, prompt: JudgePrompt) -> str | None:
    """Return the label of an answer; None of a malformed answer or none."""
    return None if answer.cause else prompt.parse(answer.raw)


def chance_of(answer: Answer, label: str | None) -> float | None:
    """Return the probability of a label among the allowed answers; None where it is not known."""
    return None if answer.chances is None or not label else answer.chances.get(label)


def mean_label(answer: Answer, prompt: JudgePrompt) -> float | None:
    """Return the mean of labels that are numbers, under their probabilities; None where it is not known."""
    if answer.chances is None or not prompt.is_numeric:
        return None
    return round(sum(int(label) * chance for label, chance in answer.chances.items()), DIGITS)
