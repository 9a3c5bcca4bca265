"""One stage of steps, run in this process under some settings, and what is told of it under others."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipelines.recipes.common_crawl import CleanConfig, clean_steps
from pipelines.reports.ledger import BY, parted
from pipelines.runs.counts import DROPPED, KEPT, Counts, Fate
from pipelines.runs.folder import DataFolder, Manifest
from pipelines.runs.graph import Node, Recipe
from pipelines.stages.local import LocalStage
from pipelines.stages.of_steps import Follow
from pipelines.whatif.whatif import StageResult, WhatIf
from schemas.identity import content_id
from schemas.records import Document
from schemas.settings import overlay
from tests.pipelines.conftest import WORDS
from tests.pipelines.stages.conftest import Dataset, Done
from transforms.step import Draft, run_steps

PROSE = {
    "en": WORDS,
    "de": "der die und das in zu den mit von ist nicht ein Haus Fluss Garten Brief Fenster Markt Hafen Lehrer",
    "ru": "и в не на что с по как дом река камень сад письмо окно рынок гавань учитель музыка зима хлеб",
    "zh": " ".join("的一是不了人我在有他这为之大来以个中上们到说国和地也子时道出而要于就下得可你年生"),
}
KINDS = ("article", "listing", "forum", "")


def document(n: int) -> Document:
    """Return a text of lines that are short or long, repeated or not, items or sentences: some rule drops many."""
    dice = random.Random(n)
    language = dice.choice([*PROSE, "en", "en"])
    words = PROSE[language].split()
    lines: list[str] = []
    mark = "。" if language == "zh" else "."
    for _ in range(dice.choice([2, 4, 8, 16, 24])):
        line = " ".join(dice.choice(words) for _ in range(dice.choice([2, 5, 9, 12])))
        end = dice.choice([mark, mark, mark, "", "...", " #", ", ,"])
        lines.append(dice.choice(["", "", "", "- "]) + line + end)
        if dice.random() < dice.choice([0, 0.1, 0.4]):
            lines.append(lines[0])
    extra = dice.choice(
        [
            "",
            "",
            "Please enable JavaScript to see this page.",
            "Lorem ipsum dolor sit amet.",
            "Write to jane.roe@mail-of-jane.org or john.doe@mail-of-john.org before the end of May.",
        ]
    )
    text = "\n".join([*lines, extra]).strip()
    url = f"https://site-{n}.example/{dice.choice(['page', 'search?q=shoes', 'tag/shoes/1'])}"
    return Document(
        id=content_id("test", str(n)), text=text, url=url, source=dice.choice(["web", "forum"]), language=language,
        page_kind=dice.choice(KINDS), extraction_confidence=dice.choice([0.0, 0.3, 0.48, 0.9]),
    )  # fmt: skip


DOCUMENTS = [document(n) for n in range(300)]


def by_source_and_language(fates: Mapping[Fate, int]) -> list[dict[str, Any]]:
    """Return what became of records; nothing of what has none."""
    return parted(Counts.of({}, fates), BY)


@dataclass(frozen=True)
class Rerun:
    """What steps do to the documents, without a stage around them."""

    ends: dict[str, tuple[str, str]]  # step and reason by id; '' for what is kept
    fates: Counter[Fate]

    @staticmethod
    def of(steps: Sequence[Any]) -> Rerun:
        drafts = [Draft(document) for document in DOCUMENTS]
        run_steps(steps, drafts, Counter(), Counter())
        ends = {draft.document.id: (draft.step, draft.drop.reason if draft.drop else "") for draft in drafts}
        fates = Counter(
            Fate(draft.document.source, draft.document.language, DROPPED if draft.drop else KEPT, reason)
            for draft, (_, reason) in zip(drafts, ends.values(), strict=True)
        )
        return Rerun(ends, fates)


@dataclass
class Bench:
    """Runs of one stage over the same documents."""

    folder: Path

    def run(self, steps: Any, share: float = 1.0) -> Done:
        return Dataset(self.folder).documents(LocalStage("clean", tuple(steps), follow=Follow(share)), DOCUMENTS, 3)

    def told(self, done: Done, before: Any, after: Any, share: float = 1.0) -> tuple[WhatIf, StageResult]:
        """Return what is told of a run made by some steps, under others."""
        read = DataFolder(str(self.folder / "0" / "before" / "key"))
        upstream = Manifest(
            stage="before", key="key", version="0", upstream={}, config={}, inputs=[], parts=3, counts=Counts()
        )
        recipes = [
            Recipe("test", (Node("clean", LocalStage("clean", tuple(steps), follow=Follow(share)), ("before",)),), {})
            for steps in (before, after)
        ]
        told = WhatIf([(upstream, read), (done.manifest, done.data)], *recipes)
        told.work_out()
        return told, told.results["clean"]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture(scope="session")
def clean() -> Callable[..., list[Any]]:
    """The clean stage's steps under changed settings."""

    def steps(changes: dict[str, Any] | None = None) -> list[Any]:
        return clean_steps(overlay(CleanConfig(), changes or {}))

    return steps
