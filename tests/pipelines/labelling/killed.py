"""One job of labelling in a process of its own, which a test kills."""

from __future__ import annotations

from classifiers.teacher.judges.server import ServerJudge
from classifiers.teacher.judges.settings import ServerConfig
from classifiers.teacher.prompt import load_prompt
from classifiers.teacher.sample import SampleConfig
from pipelines.labelling.documents import TableDocuments
from pipelines.labelling.job import LabelJob, label


def run(url: str, table: str, to: str) -> None:
    """Label every row of a table."""
    prompt = load_prompt("quality")
    judge = ServerJudge(url, "m", "r1", prompt, ServerConfig(concurrency=3))
    documents = TableDocuments((table,))
    label(LabelJob(documents=documents, prompt=prompt, judge=judge, count=1000, sample=SampleConfig()), to, _quiet)


def _quiet(done: int, of: int) -> None: ...
