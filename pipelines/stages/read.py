"""The texts of a source: the selected records are read again and become documents; steps run on each at once."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import storage
from pipelines.runs.folder import DataFolder
from pipelines.runs.stage import KEEP_EDITS, StageContext, StageResult, resources_of, settings_of
from pipelines.runs.tables import (
    BATCH_ROWS,
    DraftBatch,
    FateWriter,
    in_its_file,
    measured_by,
    read_headers,
    read_part,
)
from pipelines.runs.upstream import Tables
from pipelines.stages.located import UNREADABLE, located, to_the_last
from pipelines.stages.of_steps import KeepEdits, language_facts, open_steps
from pipelines.stages.parts import PartWork, run_parts
from schemas.errors import BadRecord, ChangedInputError, InputError
from schemas.identity import content_id
from schemas.records import Document, Header, arrow_schema
from transforms.sources.items import Part
from transforms.sources.source import Source, Text
from transforms.sources.strings import storable_path
from transforms.step import Draft, Drop, Step, run_steps
from transforms.text.blank_lines import without_blank_runs

READ = "read"  # the step that is to blame for what cannot be read
EXTRACT = "extract_text"  # in the CPU seconds of the stage: turning bytes into text


@dataclass(frozen=True)
class ReadStage:
    """Selected headers in, documents out; `steps` run on each text, language identification first among them."""

    source: Source
    steps: tuple[Step, ...] = ()
    name: str = "read"
    keep_edits: KeepEdits = field(default_factory=KeepEdits)  # of `steps`
    reads: ClassVar[str] = "headers"
    kept_table: ClassVar[str] = "documents"

    @property
    def settings(self) -> dict[str, Any]:
        reading = {"source": self.source.name, "reader": self.source.reader.settings}
        return {**reading, **settings_of(self.steps), KEEP_EDITS: self.keep_edits.share}

    @property
    def resources(self) -> list[str]:
        return resources_of(self.steps)

    @property
    def code(self) -> list[Any]:
        return [type(self), type(self.source), type(self.source.reader), *self.steps]

    def prepare(self) -> None:
        open_steps(self.steps)

    def run(self, context: StageContext) -> StageResult:
        parts = context.upstream.parts
        work = _ReadWork(
            context.stage, self.source, self.steps, self.keep_edits, context.upstream.tables, context.target,
            context.skip_unreadable,
        )  # fmt: skip
        run_parts(context, parts, work, context.rows * self.source.reader.cpu_ms / 1000)
        return StageResult(parts, language_facts(self.steps))


def document_id(source: str, header: Header, archive: str) -> str:
    """Return the id of the document that a record becomes; `header` has the offset in the file `archive`."""
    fetched = header.fetched_at.isoformat() if header.fetched_at else ""
    # A row of a table without an address is identified by its place: ids of rows often begin at 0 in each file.
    place = "" if header.url else f"{archive.rsplit('/', 1)[-1]}:{header.offset}"
    return content_id(source, header.record_id, header.url, fetched, header.digest, place)


def _check_unchanged(checksums: Mapping[str, str]) -> None:
    """Raise InputError when an archive is no longer the file that the index stage read."""
    archive = next((path for path, checksum in checksums.items() if storage.fingerprint(path) != checksum), None)
    if archive is not None:
        raise ChangedInputError(f"{archive}: has changed since it was indexed; run again")


@dataclass
class _ReadWork(PartWork):
    stage: str
    source: Source
    steps: Sequence[Step]
    keep_edits: KeepEdits
    tables: Tables
    target: DataFolder
    skip_unreadable: bool

    def open(self) -> None:
        self.source.reader.open()
        open_steps(self.steps)

    def close(self) -> None:
        self.source.reader.close()

    def run(self, part: int, verdicts: dict[str, list[bytes]]) -> Iterator[Any]:
        path = self.tables.part("headers", part)
        place, checksums = read_part(path)
        facts = self.source.reader.facts
        measured = {**({self.source.kind: facts} if facts else {}), **measured_by(self.steps)}
        schema = arrow_schema(Document)
        with FateWriter(
            self.target,
            self.stage,
            part,
            "documents",
            schema,
            measured=measured,
            with_dropped=True,
            keeps_edits=self.keep_edits,
        ) as fates:
            headers = {header.row: header for batch in read_headers(path) for header in batch}
            if headers:
                fates.counts.read[self.source.name] += len(headers)
            for drafts in self._drafts(place, checksums, headers, fates):
                counts = fates.counts
                run_steps(self.steps, [draft for draft in drafts if draft.alive], counts.edits, counts.cpu_ns)
                fates.write(DraftBatch(drafts))
        storage.write_atomic(self.target.done(part), fates.counts.to_json())
        yield from ()

    def _texts(self, place: Part, checksums: Mapping[str, str], headers: Mapping[int, Header]) -> Iterator[Text]:
        """Yield a text for each header, a failure for those that the archive does not give if that may be."""
        left = dict(headers)

        def read() -> Iterator[Text]:
            _check_unchanged(checksums)
            for text in self.source.reader.read(place, headers):
                del left[text.row]
                yield text
            _check_unchanged(checksums)

        def lost(error: InputError) -> Iterator[Text]:
            return (Text(row=row, text="", failure=BadRecord(UNREADABLE, str(error))) for row in left)

        return to_the_last(read(), lost if self.skip_unreadable else None)

    def _drafts(
        self, place: Part, checksums: Mapping[str, str], headers: dict[int, Header], fates: FateWriter
    ) -> Iterator[list[Draft]]:
        drafts: list[Draft] = []
        counts = fates.counts
        read = self._texts(place, checksums, headers)
        texts = located(read, lambda text: headers[text.row].offset, place, self.stage)
        while True:
            started = time.thread_time_ns()
            text = next(texts, None)
            counts.cpu_ns[READ] += time.thread_time_ns() - started
            if text is None:
                break
            counts.cpu_ns[READ] -= text.own_ns
            counts.cpu_ns[EXTRACT] += text.cpu_ns
            counts.edits.update(text.edits)
            drafts.append(self._draft(headers[text.row], text, place))
            if len(drafts) == BATCH_ROWS:
                yield drafts
                drafts = []
        yield drafts

    def _draft(self, header: Header, text: Text, place: Part) -> Draft:
        draft = Draft(self._document(*in_its_file(header, place), text))
        if text.failure is not None:
            draft.failure, draft.step = text.failure, READ
        elif not text.text.strip():
            draft.drop, draft.step = Drop("no_text", text.size, None), READ
        if text.facts is not None:
            draft.measures[self.source.kind] = text.facts
        return draft

    def _document(self, header: Header, archive: str, text: Text) -> Document:
        words, blocks = without_blank_runs(text.text, text.blocks)
        return Document(
            id=document_id(self.source.name, header, archive),
            text=words,
            url=header.url,
            source=self.source.name,
            fetched_at=header.fetched_at,
            language=text.language,
            record_id=header.record_id,
            archive=storable_path(archive),
            offset=header.offset,
            length=header.length,
            page_kind=text.page_kind,
            extraction_confidence=text.extraction_confidence,
            blocks=blocks,
            metadata=text.metadata,
        )
