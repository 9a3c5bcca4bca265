"""The texts of selected papers."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from schemas.errors import ChangedInputError
from schemas.records import Header
from transforms.sources.arxiv.identity import identity_of
from transforms.sources.arxiv.latex.paper import read_paper
from transforms.sources.arxiv.main_file import main_file
from transforms.sources.arxiv.settings import ArxivReadConfig, ArxivScanConfig
from transforms.sources.arxiv.submissions import Submission, submissions
from transforms.sources.items import Part
from transforms.sources.source import Text
from transforms.sources.strings import storable


@dataclass(frozen=True, slots=True, kw_only=True)
class ArxivFacts:
    """What is known of a paper besides its text; '' and 0 for what is not."""

    arxiv_id: str
    version: int
    category: str  # the archive, of an old id: hep-th
    year: int  # in which it was first submitted
    title: str
    main_file: str
    n_files: int  # of TeX, definitions and bibliography
    n_formulas: int
    missing_files: str  # that it reads and does not have, separated by commas


@dataclass(frozen=True)
class PaperReader:
    """Reads submissions as the text of their paper, with blocks. `scan` are the source's own settings."""

    settings: ArxivReadConfig
    scan: ArxivScanConfig
    facts: ClassVar[type | None] = ArxivFacts
    cpu_ms: ClassVar[float] = 60.0  # a paper of 80 kB of LaTeX

    def open(self) -> None:
        """Nothing is held between parts."""

    def close(self) -> None:
        """Nothing is held between parts."""

    def read(self, part: Part, headers: Mapping[int, Header]) -> Iterator[Text]:
        """Yield the text of each of `headers`. InputError when the part has other submissions in these rows by now."""
        missing = len(headers)
        if not missing:
            return
        for row, submission in enumerate(submissions(part, self.scan)):
            if row not in headers:
                continue
            main = "" if submission.failure or submission.reason else main_file(submission.files)
            if not main:
                break
            yield self._text(row, submission, main)
            missing -= 1
            if not missing:
                return
        raise ChangedInputError(f"{part.path}: has changed since it was read first: {missing} records are gone")

    def _text(self, row: int, submission: Submission, main: str) -> Text:
        started = time.thread_time_ns()
        paper = read_paper(submission.files, main, self.settings)
        spent = time.thread_time_ns() - started
        found = identity_of(submission.name)
        facts = ArxivFacts(
            arxiv_id=found.id,
            version=found.version,
            category=found.category,
            year=found.year,
            title=paper.title,
            main_file=storable(main),
            n_files=len(submission.files),
            n_formulas=paper.n_formulas,
            missing_files=storable(", ".join(sorted(set(paper.missing)))[:400]),
        )
        edits = {name: n for name, n in sorted(paper.counts.items()) if n and not name.startswith("commands_")}
        return Text(
            row=row, text=paper.text, blocks=paper.blocks, facts=facts, edits=edits,
            size=sum(map(len, submission.files.values())), cpu_ns=spent, own_ns=spent,
        )  # fmt: skip
