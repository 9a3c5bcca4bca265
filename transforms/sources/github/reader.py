"""The texts of selected files of repositories, with their licences."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from schemas.blocks import CODE, UNKNOWN, Blocks
from schemas.errors import BadRecord, ChangedInputError
from schemas.records import Header
from transforms.extraction.texts.hygiene import clean_unicode
from transforms.heuristics.code.comments import head_text
from transforms.sources.github.containers import entries_of, is_table
from transforms.sources.github.entries import HEAD_BYTES, Entry, decoded
from transforms.sources.github.languages import PROSE, language_of
from transforms.sources.github.licences.evidence import (
    MAX_EVIDENCE_BYTES,
    Licence,
    RepositoryLicences,
    is_evidence,
    licence_of_file,
)
from transforms.sources.github.settings import FilesConfig
from transforms.sources.items import Broken, Part
from transforms.sources.source import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHubFacts:
    """What is known of a file besides its text; '' where nothing is."""

    repository: str
    path: str  # in the repository, or in its archive
    language: str  # as Linguist names it
    licence: str  # SPDX expression
    licence_evidence: str  # SPDX tag, notice in the file, names of licence files and manifests, a table's column
    revision: str  # commit, where the archive or the table has it
    encoding: str  # utf-8, utf-16, utf-32 or other
    size: int  # bytes of the file
    stars: int | None  # of the repository, where a table has them


@dataclass(frozen=True)
class FileReader:
    """Reads files as text; code is one block of code, prose (Markdown, reStructuredText...) has the blocks it shows."""

    settings: FilesConfig
    facts: ClassVar[type | None] = GitHubFacts
    cpu_ms: ClassVar[float] = 0.5

    def open(self) -> None:
        """Nothing is held between parts."""

    def close(self) -> None:
        """Nothing is held between parts."""

    def read(self, part: Part, headers: Mapping[int, Header]) -> Iterator[Text]:
        """Yield the text of each of `headers`. ChangedInputError when the part no longer has these files."""
        missing = len(headers)
        if not missing:
            return
        licences = {} if is_table(part) else self._licences(part)
        for row, entry in enumerate(entries_of(part, self.settings)):
            header = headers.get(row)
            if header is None:
                continue
            if isinstance(entry, Broken) or entry.record_id != header.record_id:
                raise ChangedInputError(f"{part.path}: has changed since it was read first, at {header.record_id}")
            yield self._text(entry, row, licences)
            missing -= 1
            if not missing:
                return
        raise ChangedInputError(f"{part.path}: has changed since it was read first: {missing} files are gone")

    def _licences(self, part: Part) -> dict[str, RepositoryLicences]:
        """Return what the repositories of a part say of their licences, by root: the first of two passes."""
        found: dict[str, RepositoryLicences] = {}
        for entry in entries_of(part, self.settings):
            if isinstance(entry, Entry) and not entry.problem and is_evidence(entry.path):
                try:
                    data = entry.read(min(MAX_EVIDENCE_BYTES, self.settings.max_file_bytes))
                except BadRecord:
                    data = b""  # a licence file that cannot be read is one that is not recognised
                found.setdefault(entry.root, RepositoryLicences()).add(entry.path, data)
        return found

    def _text(self, entry: Entry, row: int, licences: Mapping[str, RepositoryLicences]) -> Text:
        try:
            data = entry.read(self.settings.max_file_bytes)
            text, encoding = decoded(data)
        except BadRecord as error:
            return Text(row=row, text="", size=entry.size, failure=error)
        language = language_of(entry.path, text[:HEAD_BYTES])
        text = (clean_unicode(text) if language in PROSE else text).rstrip()
        of_folder = Licence(entry.licence, entry.licence_column)
        if known := licences.get(entry.root):
            of_folder = known.of_folder(posixpath.dirname(entry.path))
        licence = licence_of_file(head_text(text, language), of_folder)
        facts = GitHubFacts(
            repository=entry.repository,
            path=entry.path,
            language=language,
            licence=licence.expression,
            licence_evidence=licence.evidence,
            revision=entry.revision,
            encoding=encoding,
            size=entry.size,
            stars=entry.stars,
        )
        blocks = UNKNOWN if language in PROSE else Blocks.of([(CODE, 0, len(text))] if text else [])
        edits = {f"read:{encoding.replace('-', '')}_files": 1} if encoding != "utf-8" else {}
        return Text(row=row, text=text, blocks=blocks, facts=facts, edits=edits, size=len(data))
