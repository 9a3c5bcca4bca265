"""What a student learns from: labelled texts of a table, each once on the side of training or of the held-out ones.

A held-out part drawn text by text flatters a student of web pages: pages of one site share their words, so that it
may know the site, not the quality. Where the table has a site, all texts of a site are held out or none. A text that
occurs on both sides is left out of training.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from classifiers.models.label_scores import SCORED_CHARS
from classifiers.models.text_forms import FORMS, RAW, in_form
from classifiers.training.labelled_table import label_of, number_of, read_columns, text_of, word_of
from schemas.errors import ConfigError
from schemas.identity import content_id, keyed_fraction, keyed_hash
from schemas.settings import setting, validate

SITE = "site"  # of the label table; a table without it is split by text
BY_SITE, BY_TEXT = "site", "text"
BELOW = "below"  # label of a grade below `positive_from`

Clean = Callable[[str, int], str]  # (text, max_chars) -> the text as a kind of model reads it


@dataclass(frozen=True, kw_only=True)
class TableConfig:
    """The table's columns, which texts are used, and what is held out; common to all kinds of students."""

    text_column: str = setting("text", "column of the text")
    label_column: str = setting("label", "column of the label: a word or a whole number")
    language_column: str = setting("", "column of the language, by which figures are told apart; '': none")
    site_column: str = setting(
        SITE, "column of the site, held out as a whole; '': split by text, as without a column `site`"
    )
    probability_column: str = setting("", "column of the teacher's probability of the positive label; '': none")
    min_certainty: float = setting(
        0.0, "probability that the teacher must give its answer, for a text to be learned from", ge=0.0, le=1.0
    )
    positive_label: str = setting("good", "label whose probability is the score")
    positive_from: int | None = setting(
        None, "labels are whole numbers, positive from this one on (FineWeb-Edu: 3); null: labels as they are"
    )
    text_form: str = setting(RAW, "raw, or words: lower case, marks apart; the same as in scoring", choices=FORMS)
    max_chars: int = setting(SCORED_CHARS, "characters from the start of a text; the same as in scoring", ge=100)
    holdout: float = setting(0.1, "share of the sites or texts kept apart for measuring, by hash", ge=0.0, le=0.9)
    error_samples: int = setting(5, "worst errors of each kind that the card quotes", ge=0, le=100)
    seed: int = setting(0, "of the split, the order and the training", ge=0, le=2**31 - 1)

    def __post_init__(self) -> None:
        validate(self)
        if self.positive_from is not None and self.positive_label == BELOW:
            raise ConfigError(f"positive_label: {BELOW!r} is not allowed with positive_from")
        if self.min_certainty and not self.probability_column:
            raise ConfigError(
                f"min_certainty: {self.min_certainty} is not allowed without a probability_column; must be 0"
            )


class Example(NamedTuple):
    """A labelled text, cut and cleaned as in scoring."""

    label: str
    text: str
    language: str
    site: str
    probability: float | None  # of the positive label, by the teacher

    @property
    def group(self) -> str:
        """What is held out as a whole."""
        return self.site or self.text


class Split(NamedTuple):
    """The two sides of a table, each in the order of a keyed hash."""

    training: list[Example]
    held_out: list[Example]
    n_shared: int  # texts left out of training because a held-out site has the same
    n_uncertain: int  # and because the teacher was not sure of them


def read_examples(table: Path, config: TableConfig, clean: Clean) -> tuple[list[Example], int]:
    """Return every text with a word, in the order of a keyed hash, and how many texts had none.

    Raises ConfigError, one line, for a table that cannot be used.
    """
    required = [config.text_column, config.label_column]
    required += [name for name in (config.language_column, config.probability_column) if name]
    optional = [SITE] if config.site_column == SITE else []
    if config.site_column and not optional:
        required.append(config.site_column)
    examples, n_empty = [], 0
    for where, row in read_columns(table, required, optional):
        text = text_of(row[config.text_column], where)
        line = clean(in_form(text, config.text_form, config.max_chars), config.max_chars)
        label = _graded(label_of(row[config.label_column], where), config, where)
        language = word_of(row[config.language_column], where, "language") if config.language_column else ""
        site = word_of(row.get(config.site_column), where, "site") if config.site_column else ""
        probability = None
        if config.probability_column:
            probability = number_of(row[config.probability_column], where, "probability")
            if probability is not None and not 0 <= probability <= 1:
                raise ConfigError(f"{where}: the probability is {probability:g}; must be >= 0, <= 1")
        if line.strip(" \n\t\r\v\f\0"):
            examples.append(Example(label, line, language, site, probability))
        else:
            n_empty += 1
    return in_keyed_order(examples, f"classifier/order/{config.seed}"), n_empty


def in_keyed_order(examples: Iterable[Example], salt: str) -> list[Example]:
    """Return the examples in an order that depends on them and the salt alone."""
    return sorted(
        examples, key=lambda one: (keyed_hash(salt, one.text), one[:4], one.probability is None, one.probability or 0.0)
    )


def split(examples: Sequence[Example], config: TableConfig) -> Split:
    """Return which examples are learned from and which are held out."""
    salt = f"classifier/held-out/{config.seed}"
    held_out = [one for one in examples if keyed_fraction(salt, one.group) < config.holdout]
    groups, texts = {one.group for one in held_out}, {one.text for one in held_out}
    others = [one for one in examples if one.group not in groups]
    apart = [one for one in others if one.text not in texts]
    training = [one for one in apart if _is_certain(one, config.min_certainty)]
    return Split(training, held_out, len(others) - len(apart), len(apart) - len(training))


def without_texts_of(examples: Sequence[Example], training: Sequence[Example]) -> list[Example]:
    """Return the examples whose text is not among the training's."""
    learned = {one.text for one in training}
    return [one for one in examples if one.text not in learned]


def count_labels(examples: Sequence[Example]) -> dict[str, int]:
    """Return the number of texts by label."""
    return dict(sorted(Counter(one.label for one in examples).items()))


def check_labels(n_train: dict[str, int], table: Path, positive_label: str) -> None:
    """Raise ConfigError unless there are two labels, one of them the positive."""
    found = ", ".join(f"{label} ({n})" for label, n in n_train.items()) or "none"
    if len(n_train) < 2:
        raise ConfigError(f"{table}: training needs texts of at least two labels; found: {found}")
    if positive_label not in n_train:
        raise ConfigError(f"positive_label: {positive_label!r} is not a label of {table}; found: {found}")


def digest_of(examples: Iterable[Example]) -> str:
    """Return the SHA-256 of the examples as a set with repetitions: their order in the table does not count."""
    each = sorted(content_id(*one[:4], repr(one.probability)) for one in examples)
    return hashlib.sha256("".join(each).encode()).hexdigest()


def _graded(label: str, config: TableConfig, where: str) -> str:
    """Return the positive label or BELOW for a grade, any other label as it is."""
    if config.positive_from is None:
        return label
    try:
        grade = int(label)
    except ValueError:
        raise ConfigError(f"{where}: {label!r} is not a whole number, as positive_from asks for") from None
    return config.positive_label if grade >= config.positive_from else BELOW


def _is_certain(one: Example, least: float) -> bool:
    return one.probability is None or max(one.probability, 1 - one.probability) >= least
