"""What a source is: a kind of corpus, read part by part, headers first.

A source is scanned once for what its headers say (no text is parsed), and read once more for the texts that are still
wanted. Both go through a part in the same order, so that a record's `row`, its ordinal in the part, is its address.

The two passes are two objects, each with its own settings and code, because what one of them depends on must not redo
the other: a `Source` scans, its `reader` reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from schemas.blocks import UNKNOWN, Blocks
from schemas.errors import BadRecord
from schemas.records import Header
from transforms.sources.items import Broken, Part, Skipped


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """The text of one record, as a reader gives it."""

    row: int
    text: str  # '' when nothing readable is in the record
    blocks: Blocks = UNKNOWN
    language: str = ""  # as the source knows it, an ISO 639 code; '' leaves it to the language identifier
    page_kind: str = ""
    extraction_confidence: float = 0.0  # word F1 that the extractor expects; 0 unknown
    metadata: str = ""  # JSON of what a row of a table has besides what the settings name
    facts: Any = None  # an instance of the reader's `facts`
    edits: Mapping[str, int] = field(default_factory=dict)  # counted like an editor's, for the ledger
    size: int = 0  # bytes that were parsed
    cpu_ns: int = 0  # CPU time of turning bytes into text, in this process and others
    own_ns: int = 0  # of which in the reader's own thread
    failure: BadRecord | None = None  # the record cannot be read; its text is ''


class Reader(Protocol):
    """Reads the texts of selected records. Instances pickle; what costs to open is opened in `open`."""

    facts: ClassVar[type | None]  # frozen dataclass of bool, int, float, str or X | None: a struct column
    cpu_ms: ClassVar[float]  # of one record, roughly: decides whether more worker processes are worth their start

    @property
    def settings(self) -> Any:
        """What `read` depends on: a settings dataclass."""

    def open(self) -> None:
        """Open models and processes; once in a worker."""

    def close(self) -> None:
        """Let go of what `open` took."""

    def read(self, part: Part, headers: Mapping[int, Header]) -> Iterator[Text]:
        """Yield, in order of rows, the text of each of `headers` (by row, as `scan` of the same part gave them).

        Raises InputError when the file is no longer the one that was scanned.
        """


class Source(Protocol):
    """One corpus. Instances are plain values that pickle."""

    kind: ClassVar[str]  # web, tables, wikipedia...: also the name of the column of its facts
    # A source may have `formats: ClassVar[str]`, the names of those it reads, for a person whose files are in none, and
    # `leaves_out(path)`: which files of an input folder are not its own, by their path in it; without it, hidden ones.

    @property
    def name(self) -> str:
        """The corpus, as the mix and every table know it."""

    @property
    def settings(self) -> Any:
        """What `parts` and `scan` depend on: a settings dataclass."""

    @property
    def reader(self) -> Reader: ...

    def parts(self, files: Sequence[tuple[str, int]]) -> list[Part]:
        """Return the parts of some files, (path, bytes) each, by path and place."""

    def scan(self, part: Part) -> Iterator[Header | Skipped | Broken]:
        """Yield one item for each record of a part, `row` counting from 0: its header, why it is left out, or what
        broke. Nothing is raised for bytes; InputError when the file cannot be read at all."""
