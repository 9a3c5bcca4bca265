"""One job of labelling, from documents to the table: drawn, judged, written; it goes on where it was killed.

What a folder holds is decided by the job's key: the documents, the sample's settings, the prompt's digest, the model
and its revision. The same job started again does nothing, or asks only what has no answer on record; another job is
refused.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import storage
from classifiers.teacher.journal import Journal
from classifiers.teacher.judges.judge import Answer, Judge, Question
from classifiers.teacher.prompt import JudgePrompt
from classifiers.teacher.sample import SampleConfig, draw, score_cuts
from pipelines.export.folder import entry_of
from pipelines.labelling.documents import Documents
from pipelines.labelling.table import (
    KEY,
    LABELS,
    SAMPLE,
    UNLABELLED,
    LabelRow,
    SampledDocument,
    label_rows,
    read_sample,
    write_rows,
    write_sample,
)
from pipelines.locks.lock import NAME, locked
from pipelines.runs.plan import VERSION
from pipelines.runs.tables import read_schema
from schemas.errors import InputError, RunError
from schemas.identity import content_id
from schemas.settings import to_plain

FORMAT = 1  # of a folder of labels
MANIFEST, ANSWERS = "manifest.json", "answers.jsonl"


@dataclass(frozen=True, kw_only=True)
class LabelJob:
    """What is asked for."""

    documents: Documents
    prompt: JudgePrompt
    judge: Judge
    count: int
    sample: SampleConfig
    asked_with: Mapping[str, Any] = field(default_factory=dict)  # settings of the judge that may change an answer

    @property
    def sample_key(self) -> str:
        plain = [FORMAT, self.documents.identity(), self.count, to_plain(self.sample)]
        return content_id(json.dumps(plain, sort_keys=True))

    def key(self, sample_key: str) -> str:
        judged = [self.prompt.digest, self.judge.model, self.judge.revision, dict(self.asked_with)]
        return content_id(sample_key, json.dumps(judged, sort_keys=True))


def label(job: LabelJob, to: str, tell: Callable[[int, int], None]) -> tuple[dict[str, Any], bool]:
    """Write the labels of a job into the local folder `to`; return its manifest, and whether anything was written.

    `tell` is called with the documents that are judged and all there are. RunError for a folder that holds another job,
    InputError when there is no document.
    """
    sample_key = job.sample_key
    key = job.key(sample_key)
    with locked(to):
        done = _manifest(to)
        if done is not None:
            if done.get("key") == key:
                return done, False
            raise RunError(f"{to}: holds the labels of another job; give a new folder")
        _refuse_others(to)
        with Journal(storage.local_path(f"{to}/{ANSWERS}"), key) as journal:
            sample = _sample(job, to, sample_key)
            tell(len(journal.answers), len(sample))
            for answers in job.judge.judge([Question(one.id, one.text) for one in sample], journal.answers):
                journal.add(answers)
                tell(len(journal.answers), len(sample))
            return _written(job, to, key, sample, journal.answers), True


def _refuse_others(to: str) -> None:
    ours = {ANSWERS, SAMPLE, LABELS, UNLABELLED, NAME}
    for name in storage.list_names(to):
        if name not in ours and not name.startswith("."):
            raise RunError(f"{to}: holds {name}, which is not of a job of labelling; give a new folder")


def _manifest(to: str) -> dict[str, Any] | None:
    path = f"{to}/{MANIFEST}"
    if not storage.exists(path):
        return None
    try:
        plain = json.loads(storage.read_bytes(path))
    except ValueError:
        plain = None
    if not isinstance(plain, dict) or "prompt" not in plain:
        raise RunError(f"{path}: is not the manifest of labels; give a new folder")
    return plain


def _sample(job: LabelJob, to: str, sample_key: str) -> list[SampledDocument]:
    """Return the sample, drawn anew unless it lies in the folder."""
    path = f"{to}/{SAMPLE}"
    if not storage.exists(path) or (read_schema(path).metadata or {}).get(KEY) != sample_key.encode():
        rows = _drawn(job)
        if not rows:
            raise InputError("there is no document to label")
        write_sample(path, rows, sample_key)
    return read_sample(path)


def _drawn(job: LabelJob) -> list[SampledDocument]:
    config, scored = job.sample, job.sample.score
    found = ((one.id, one.language, one.score) for one in job.documents.candidates(scored)) if scored else iter(())
    cuts = score_cuts(found, config)
    drawn = draw(job.documents.candidates(scored), job.count, cuts, config)
    texts = {row["id"]: row for row in job.documents.rows([one.candidate for one in drawn])}
    return [
        SampledDocument(
            id=one.candidate.id, site=one.candidate.site, stratum=one.stratum, weight=one.weight,
            **{name: texts[one.candidate.id][name] for name in ("url", "source", "language", "page_kind")},
            text=texts[one.candidate.id]["text"][: config.max_chars],
        )
        for one in drawn
    ]  # fmt: skip


def _written(
    job: LabelJob, to: str, key: str, sample: Sequence[SampledDocument], answers: Mapping[str, Answer]
) -> dict[str, Any]:
    rows = label_rows(sample, answers, job.judge, job.prompt)
    tables = {LABELS: [row for row in rows if row.label is not None], UNLABELLED: [r for r in rows if r.label is None]}
    for name, some in tables.items():
        write_rows(f"{to}/{name}", some)
    manifest = {
        "format": FORMAT, "key": key, "winnow": VERSION,
        "prompt": {"name": job.prompt.name, "version": job.prompt.version, "digest": job.prompt.digest},
        "model": {"name": job.judge.model, "revision": job.judge.revision, **job.asked_with},
        "sample": {"count": job.count, **to_plain(job.sample), "documents": job.documents.identity()},
        "counts": _counts(rows), "files": {name: entry_of(storage.read_bytes(f"{to}/{name}")) for name in tables},
    }  # fmt: skip
    storage.write_atomic(f"{to}/{MANIFEST}", (json.dumps(manifest, indent=1, sort_keys=True) + "\n").encode())
    return manifest


def _counts(rows: Sequence[LabelRow]) -> dict[str, Any]:
    """Return judged = labelled + unlabelled, by label, by cause, by stratum."""
    labels = Counter(row.label for row in rows if row.label is not None)
    return {
        "judged": len(rows), "labelled": sum(labels.values()), "by_label": dict(sorted(labels.items())),
        "unlabelled": dict(sorted(Counter(row.cause for row in rows if row.label is None).items())),
        "by_stratum": dict(sorted(Counter(row.stratum for row in rows).items())),
    }  # fmt: skip


def spent(to: str) -> dict[str, float]:
    """Return seconds, tokens and attempts of a finished job, added up from its journal."""
    key = (_manifest(to) or {}).get("key", "")
    with Journal(storage.local_path(f"{to}/{ANSWERS}"), key) as journal:
        plain = [dataclasses.asdict(answer) for answer in journal.answers.values()]
    sums = {name: sum(one[name] for one in plain) for name in ("prompt_tokens", "output_tokens", "seconds", "attempts")}
    return {**sums, "without_tokens": sum(not one["prompt_tokens"] for one in plain)}
