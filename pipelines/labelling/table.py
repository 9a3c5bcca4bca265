"""The label table: a row a judged document, in Parquet, the same bytes for the same answers.

DIR/labels.parquet      the documents with a label, by id: what `winnow train-classifier` reads
DIR/unlabelled.parquet  those whose answer was malformed or refused, with the answer and the cause
DIR/manifest.json       prompt, model, sample, counts, checksums; written last
DIR/answers.jsonl       the journal: raw answers with seconds, tokens and attempts
DIR/sample.parquet      what was drawn
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from classifiers.teacher.judges.judge import Answer, Judge, chance_of, label_of, mean_label
from classifiers.teacher.prompt import JudgePrompt
from pipelines.runs.tables import TableWriter, read_batches
from schemas.records import arrow_schema, column, to_batch

LABELS, UNLABELLED, SAMPLE = "labels.parquet", "unlabelled.parquet", "sample.parquet"
MALFORMED = "malformed"
KEY = b"winnow.sample"
_ROWS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledDocument:
    """A document that was drawn."""

    id: str = column(pa.string(), "document id")
    url: str = column(pa.string(), "address; '' when it has none")
    site: str = column(pa.string(), "registered domain of the address")
    source: str = column(pa.string(), "name of the source")
    language: str = column(pa.string(), "language code; '' when unknown")
    page_kind: str = column(pa.string(), "kind of page; '' when unknown")
    stratum: str = column(pa.string(), "language/kind/band of the cheap score, `-` for what is unknown")
    weight: float = column(pa.float64(), "documents of the stratum for each one that was drawn")
    text: str = column(pa.large_string(), "the text, as much of it as is judged")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRow(SampledDocument):
    """A document that was judged."""

    prompt: str = column(pa.string(), "name of the prompt")
    prompt_version: int = column(pa.int32(), "version of its wording")
    prompt_digest: str = column(pa.string(), "hash of all of the prompt that can change an answer")
    model: str = column(pa.string(), "the teacher, as it calls itself")
    revision: str = column(pa.string(), "hash of its files, or what was given for a server's model")
    answer: str = column(pa.large_string(), "the raw answer")
    label: str | None = column(pa.string(), "the label; null without one", None, nullable=True)
    certainty: float | None = column(
        pa.float64(),
        "probability of the label among the allowed answers; null where it is not known",
        None,
        nullable=True,
    )
    probability: float | None = column(
        pa.float64(), "the same of the prompt's positive label; null of a prompt that has none", None, nullable=True
    )
    mean: float | None = column(
        pa.float64(), "mean of labels that are numbers, under their probabilities; else null", None, nullable=True
    )
    mass: float | None = column(
        pa.float64(), "probability of all allowed answers together: low when the teacher would say something else",
        None, nullable=True,
    )  # fmt: skip
    probabilities: str = column(pa.string(), "JSON: probability of each label; '' without", "")
    cause: str = column(pa.string(), "why there is no label: malformed, http_400; '' with one", "")


def write_sample(path: str, rows: Sequence[SampledDocument], key: str) -> None:
    """Write the sample of a job."""
    schema = arrow_schema(SampledDocument)
    schema = schema.with_metadata({**schema.metadata, KEY: key.encode()})
    with TableWriter(path, schema, always=True) as table:
        for at in range(0, len(rows), _ROWS):
            table.write(to_batch(SampledDocument, rows[at : at + _ROWS]).cast(schema))


def read_sample(path: str) -> list[SampledDocument]:
    """Return the sample of a job."""
    return [SampledDocument(**row) for batch in read_batches(path) for row in batch.to_pylist()]


def label_rows(
    sample: Iterable[SampledDocument], answers: Mapping[str, Answer], judge: Judge, prompt: JudgePrompt
) -> list[LabelRow]:
    """Return a row for each document of the sample, in its order."""
    return [_row(document, answers[document.id], judge, prompt) for document in sample]


def _row(document: SampledDocument, answer: Answer, judge: Judge, prompt: JudgePrompt) -> LabelRow:
    label = label_of(answer, prompt)
    plain = {name: getattr(document, name) for name in arrow_schema(SampledDocument).names}
    if not answer.cause:
        plain["text"] = document.text[: answer.chars]
    chances = json.dumps(answer.chances) if answer.chances is not None else ""
    return LabelRow(
        **plain, prompt=prompt.name, prompt_version=prompt.version, prompt_digest=prompt.digest, model=answer.model,
        revision=judge.revision, answer=answer.raw, label=label,
        certainty=chance_of(answer, label), probability=chance_of(answer, prompt.positive),
        mean=mean_label(answer, prompt), mass=answer.mass, probabilities=chances,
        cause="" if label is not None else answer.cause or MALFORMED,
    )  # fmt: skip


def write_rows(path: str, rows: Sequence[LabelRow]) -> None:
    """Write a table of judged documents; it appears whole."""
    with TableWriter(path, arrow_schema(LabelRow), always=True) as table:
        for at in range(0, len(rows), _ROWS):
            table.write(to_batch(LabelRow, rows[at : at + _ROWS]))
