"""What a source is: a kind of corpus, read part by part, headers first.

A source is scanned once for what its headers say (no text is parsed), and read once more for the texts that are still
wanted. Both go through a part in the same order, so that a record's `row`, its ordinal in the part, is its address.

An instance has a name (the corpus, as the mix and every table know it) and settings in two groups, because what one
pass reads must not redo the other: `settings` are those of `parts` and `scan`, `reading` those of `read`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from schemas.blocks import UNKNOWN, Blocks
from schemas.records import Header
from transforms.sources.items import Broken, Part, Skipped


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """The text of one record, as `read` gives it."""

    row: int
    text: str  # '' when nothing readable is in the record
    blocks: Blocks = UNKNOWN
    language: str = ""  # as the source knows it, an ISO 639 code; '' leaves it to the language identifier
    page_kind: str = ""
    extraction_confidence: float = 0.0  # word F1 that the extractor expects; 0 unknown
    facts: Any = None  # an instance of the source's `facts`
    edits: Mapping[str, int] = field(default_factory=dict)  # counted like an editor's, for the ledger
    size: int = 0  # bytes that were parsed
    cpu_ns: int = 0  # spent in a process that is not the reader's own


class Source(Protocol):
    """One corpus. Instances are plain values that pickle; what costs to open is opened in `open`."""

    kind: ClassVar[str]  # web, tables, wikipedia...: the name of the column of its facts
    facts: ClassVar[type | None]  # frozen dataclass of bool, int, float, str or X | None; None for no such column
    cpu_ms: ClassVar[float]  # of reading one record, roughly: decides whether more worker processes are worth it

    @property
    def name(self) -> str: ...

    @property
    def settings(self) -> Any:
        """What `parts` and `scan` depend on: a settings dataclass."""

    @property
    def reading(self) -> Any:
        """What `read` depends on: a settings dataclass."""

    def parts(self, files: Sequence[tuple[str, int]]) -> list[Part]:
        """Return the parts of some files, (path, bytes) each, by path and place."""

    def scan(self, part: Part) -> Iterator[Header | Skipped | Broken]:
        """Yield one item for each record of a part, `row` counting from 0: its header, why it is left out, or what
        broke. Nothing is raised for bytes; InputError when the file cannot be read at all."""

    def open(self) -> None:
        """Open models and processes for `read`; once in a worker."""

    def close(self) -> None:
        """Let go of what `open` took."""

    def read(self, part: Part, headers: Mapping[int, Header]) -> Iterator[Text | Broken]:
        """Yield, in order of rows, the text of each of `headers` (by row, as `scan` of the same part gave them), or
        what is wrong with it. InputError when the file is no longer the one that was scanned."""
