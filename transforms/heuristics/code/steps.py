"""The rules on code as steps: each looks up the file's language, and its path, in what the source stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from schemas.records import Document
from schemas.settings import section
from transforms.heuristics.code import data_files, generated, shape
from transforms.heuristics.code.licence_header import edit_header
from transforms.step import Draft, Drop, Step

FACTS = "github"  # the column of the source's facts


@dataclass(frozen=True, kw_only=True)
class LicenceHeaderConfig:
    """The editor of licence headers has no settings of its own."""


@dataclass(frozen=True, kw_only=True)
class CodeConfig:
    """The rules on code, in order; each can be switched off."""

    licence_header: LicenceHeaderConfig | None = section(
        LicenceHeaderConfig, "licence texts at the head of files, taken away", optional=True
    )
    generated: generated.GeneratedConfig | None = section(
        generated.GeneratedConfig, "files that say that a program has written them", optional=True
    )
    data: data_files.DataConfig | None = section(data_files.DataConfig, "data and markup", optional=True)
    shape: shape.ShapeConfig | None = section(shape.ShapeConfig, "lines and characters", optional=True)


def of(draft: Draft, fact: str) -> str:
    """Return a fact of a file: of the stage that reads it, or stored by it. '' when the document is no file."""
    facts = draft.measures.get(FACTS)
    if facts is not None:
        return str(getattr(facts, fact))
    stored = draft.stored[FACTS] if draft.stored is not None else None
    return str(stored[fact]) if stored else ""


@dataclass(frozen=True)
class CodeFilter:
    """Measure with the file's facts, then decide."""

    name: str
    measure: Callable[..., Any]  # text, facts -> stats
    decide: Callable[[Any, Any], Drop | None]
    settings: Any
    stats: type
    facts: tuple[str, ...] = ("language",)  # of the source's facts, given to `measure` in this order
    resources: Sequence[str] = field(default=())

    def open(self) -> None:
        """Nothing to open."""

    def run(self, drafts: Sequence[Draft], edits: Counter[str]) -> None:
        for draft in drafts:
            stats = self.measure(draft.document.text, *(of(draft, fact) for fact in self.facts))
            draft.measures[self.name] = stats
            draft.drop = self.decide(stats, self.settings)

    @property
    def measured_with(self) -> frozenset[str]:
        return frozenset()

    def redecide(self, stats: Any, document: Document, script: str) -> Drop | None:
        return self.decide(stats, self.settings)


@dataclass(frozen=True)
class EditLicenceHeader:
    """Takes licence headers away."""

    settings: LicenceHeaderConfig
    name: str = "licence_header"
    resources: Sequence[str] = field(default=())
    stats: ClassVar[type | None] = None

    def open(self) -> None:
        """Nothing to open."""

    def run(self, drafts: Sequence[Draft], edits: Counter[str]) -> None:
        for draft in drafts:
            edit = edit_header(draft.document.text, of(draft, "language"))
            edits.update({f"{self.name}:{what}": n for what, n in edit.counts.items() if n})
            draft.apply(edit)


def code_rules(config: CodeConfig) -> tuple[Step, ...]:
    """Return the rules that are on, in order. What a file says of itself is read before its licence goes."""
    steps: list[Step] = []
    if config.generated:
        steps.append(
            CodeFilter(
                "code_generated", generated.measure, generated.decide, config.generated, generated.GeneratedStats
            )
        )
    if config.licence_header:
        steps.append(EditLicenceHeader(config.licence_header))
    if config.data:
        facts = ("language", "path")
        steps.append(
            CodeFilter("code_data", data_files.measure, data_files.decide, config.data, data_files.DataStats, facts)
        )
    if config.shape:
        steps.append(CodeFilter("code_shape", shape.measure, shape.decide, config.shape, shape.ShapeStats))
    return tuple(steps)
