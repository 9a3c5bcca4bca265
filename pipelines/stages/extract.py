"""Pages to documents: the selected records are read again, their main text is extracted and its language identified."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import storage
from pipelines.runs.folder import DataFolder
from pipelines.runs.stage import PartCounts, StageContext, StageResult
from pipelines.runs.tables import BATCH_ROWS, DraftBatch, FateWriter, read_headers, read_schema, with_steps
from pipelines.stages.parts import PartWork, run_parts
from schemas.errors import BadRecord, InputError
from schemas.identity import content_id
from schemas.records import Document, Header, arrow_schema
from transforms.extraction.extract import ExtractConfig, PageText, TextExtractor
from transforms.extraction.texts.hygiene import clean_text
from transforms.sources import Broken, IngestConfig, Part, read_bodies
from transforms.step import Draft, Drop, Step, run_steps

CPU_MS = {"winnow": 12.0, "trafilatura": 45.0, "resiliparse": 6.0}  # of a page, roughly
SECOND_OPINION = "extract_text:second_opinion"  # pages whose text trafilatura wrote for want of confidence


@dataclass(frozen=True)
class ExtractStage:
    """Selected pages in, documents out; `steps` run on each text, language identification first among them."""

    settings: Any
    extract: ExtractConfig
    ingest: IngestConfig
    source_name: str
    steps: tuple[Step, ...]
    resources: Sequence[str] = ()
    name: ClassVar[str] = "extract"
    kept_table: ClassVar[str] = "documents"

    def prepare(self) -> None:
        for step in self.steps:
            step.open()

    def run(self, context: StageContext) -> StageResult:
        assert context.upstream is not None  # noqa: S101
        parts = context.upstream.parts
        work = _ExtractWork(self, context.source, context.target)
        run_parts(context, parts, work, context.rows * CPU_MS.get(self.extract.engine, 45.0) / 1000)
        return StageResult(parts)


def document_id(source: str, page: Header, archive: str) -> str:
    """Return the id of the document that a page becomes."""
    fetched = page.fetched_at.isoformat() if page.fetched_at else ""
    # A row of a table without an address is told apart by its place: ids of rows often begin at 0 in each file.
    place = "" if page.url else f"{archive.rsplit('/', 1)[-1]}:{page.offset}"
    return content_id(source, page.record_id, page.url, fetched, page.digest, place)


def _check_unchanged(archive: str, checksum: str) -> None:
    """Raise InputError when an archive is no longer the file that the index stage read."""
    if storage.fingerprint(archive) != checksum:
        raise InputError(f"{archive}: has changed since it was indexed; run again")


@dataclass
class _ExtractWork(PartWork):
    stage: ExtractStage
    source: DataFolder
    target: DataFolder
    extractor: TextExtractor | None = field(default=None, repr=False)

    def open(self) -> None:
        self.extractor = TextExtractor(self.stage.extract)
        for step in self.stage.steps:
            step.open()

    def close(self) -> None:
        if self.extractor is not None:
            self.extractor.close()
            self.extractor = None

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "extractor": None}

    def run(self, part: int, verdicts: dict[str, list[bytes]]) -> Iterator[Any]:
        path = self.source.part("pages", part)
        archive, start, end, checksum = json.loads(read_schema(path).metadata[b"winnow.part"])
        place = Part(archive, start, end)
        _check_unchanged(archive, checksum)
        steps = self.stage.steps
        schema = with_steps(arrow_schema(Document), steps)
        with FateWriter(self.target, "extract", part, "documents", schema) as fates:
            pages = {page.row: page for batch in read_headers(path) for page in batch}
            fates.counts.read = len(pages)
            for drafts in self._drafts(place, pages, fates):
                run_steps(steps, [draft for draft in drafts if draft.alive], fates.counts.edits, fates.counts.cpu_ns)
                fates.write(DraftBatch(drafts, None), schema, steps)
        _check_unchanged(archive, checksum)
        storage.write_atomic(self.target.done(part), fates.counts.to_json())
        yield from ()

    def _drafts(self, place: Part, pages: dict[int, Header], fates: FateWriter) -> Iterator[list[Draft]]:
        drafts: list[Draft] = []
        cpu_ns = fates.counts.cpu_ns
        bodies = read_bodies(place, sorted(pages), self.stage.ingest)
        while True:
            started = time.thread_time_ns()
            row, body = next(bodies, (-1, None))
            cpu_ns["read"] += time.thread_time_ns() - started
            if body is None:
                break
            drafts.append(self._draft(pages[row], body, place.path, fates.counts))
            if len(drafts) == BATCH_ROWS:
                yield drafts
                drafts = []
        yield drafts

    def _draft(self, page: Header, body: Any, archive: str, counts: PartCounts) -> Draft:
        if isinstance(body, Broken):
            return self._failed(page, archive, BadRecord(body.cause, body.detail))
        assert self.extractor is not None  # noqa: S101
        started = time.thread_time_ns()
        try:
            if page.kind == "html":
                found, child_s = self.extractor.extract(body.payload, body.charset or page.charset, page.url)
                counts.cpu_ns["extract_text"] += int(child_s * 1e9)
                counts.edits.update([SECOND_OPINION] * found.is_second)
            else:
                found = PageText(clean_text(body.payload.decode("utf-8", "replace")))
        except BadRecord as error:
            return self._failed(page, archive, error)
        finally:
            counts.cpu_ns["extract_text"] += time.thread_time_ns() - started
        draft = Draft(self._document(page, archive, found))
        if not found.text.strip():
            draft.drop, draft.step = Drop("no_text", len(body.payload), None), "extract_text"
        return draft

    def _document(self, page: Header, archive: str, found: PageText) -> Document:
        return Document(
            id=document_id(self.stage.source_name, page, archive),
            text=found.text,
            url=page.url,
            source=self.stage.source_name,
            fetched_at=page.fetched_at,
            record_id=page.record_id,
            archive=archive,
            offset=page.offset,
            length=page.length,
            page_kind=found.kind,
            extraction_confidence=found.confidence,
            blocks=found.blocks,
        )

    def _failed(self, page: Header, archive: str, error: BadRecord) -> Draft:
        draft = Draft(self._document(page, archive, PageText("")))
        draft.failure, draft.step = error, "extract_text"
        return draft
