"""What a per-document step is: the contract that rules, editors and model-backed measures share.

It stands in schemas/ because transforms/ and classifiers/ both supply steps and may not import each other. The two
usual kinds, `Filter` and `Editor`, are in transforms/step.py.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from schemas.errors import BadRecord
from schemas.records import Document


class View(Protocol):
    """The text of a draft with its measures-in-common, computed once (transforms.text_stats.TextView)."""

    @property
    def text(self) -> str: ...

    @property
    def language(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Drop:
    """What `decide` returns for a document that must go: the reason, the measured value and the limit it broke."""

    reason: str
    value: float | None = None
    limit: float | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """What `edit` returns: the new text, and how many of what it changed (`{"emails": 2}`)."""

    text: str
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Draft:
    """A document on its way through the steps of one stage; private to the stage, so the only mutable record."""

    document: Document
    make_view: Callable[[str, str], Any]  # (text, language) -> View; the only View class there is, passed in
    view: Any = None
    measures: dict[str, Any] = field(default_factory=dict)  # Stats by step name
    drop: Drop | None = None
    failure: BadRecord | None = None
    step: str = ""  # the step that dropped or failed it

    def __post_init__(self) -> None:
        self.view = self.make_view(self.document.text, self.document.language)

    @property
    def alive(self) -> bool:
        return self.drop is None and self.failure is None

    def replace_text(self, text: str) -> None:
        self.document = dataclasses.replace(self.document, text=text)
        self.view = self.make_view(text, self.document.language)

    def replace_language(self, language: str, score: float) -> None:
        self.document = dataclasses.replace(self.document, language=language, language_score=score)
        self.view = self.make_view(self.document.text, language)


class Step(Protocol):
    """What a stage needs of a step. Steps are pickled to workers: open models in `open`, not in `__init__`."""

    @property
    def name(self) -> str: ...

    @property
    def stats(self) -> type | None:
        """The Stats dataclass whose struct column, named `name`, the step adds; None for no column."""

    def open(self) -> None: ...

    def run(self, drafts: Sequence[Draft], edits: Counter[str]) -> None:
        """Set `measures`, `drop`, `failure` or the text of each draft; add what was edited to `edits`."""
