"""The texts of a reference: plain text, tables, archives and Wikipedia dumps, by the sources of runs."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import itertools
import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import storage
from classifiers.steps.language import IdentifyLanguage
from schemas.errors import InputError
from schemas.identity import content_id
from schemas.records import Document, Header
from transforms.extraction.extract import ExtractConfig
from transforms.extraction.texts.hygiene import clean_text
from transforms.sources.items import Broken, IngestConfig
from transforms.sources.source import Source
from transforms.sources.web.archives import WebArchives
from transforms.sources.web.page_reader import PageReader, PageReading
from transforms.sources.wikipedia.reader import ArticleReader
from transforms.sources.wikipedia.settings import WikipediaReadConfig, WikipediaScanConfig
from transforms.sources.wikipedia.source import Wikipedia
from transforms.step import Draft
from transforms.text.view import split_words

_PLAIN: Final = ".txt"
_DUMP: Final = (".xml", ".xml.bz2", ".xml.gz")
NAME: Final = "reference"
_BATCH: Final = 64


@dataclass(frozen=True)
class ReferenceFile:
    """A file that texts were taken from."""

    path: str
    sha256: str
    n_texts: int


def read_reference(path: str, language: str, text_column: str, piece_words: int) -> Iterator[Document]:
    """Yield the texts of one file, all taken to be in `language`. InputError when it cannot be read."""
    if posixpath.basename(path).lower().endswith(_PLAIN):
        yield from _plain(path, language, piece_words)
    else:
        yield from read_source(_source_of(path, text_column), path, language)


def identified(
    documents: Iterable[Document], language: str, identifier: IdentifyLanguage
) -> Iterator[tuple[Document, bool]]:
    """Yield each document, and whether a language identifier takes it to be in a language, by its own limit."""
    waiting = iter(documents)
    while some := list(itertools.islice(waiting, _BATCH)):
        # What a reference is taken to be would be believed: the step asks only where a source does not know.
        drafts = [Draft(dataclasses.replace(document, language="")) for document in some]
        identifier.run(drafts, Counter())
        found = (draft.alive and draft.document.language == language for draft in drafts)
        yield from zip(some, found, strict=True)


def sha256_of(path: str) -> str:
    with storage.open_read(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]


def _plain(path: str, language: str, piece_words: int) -> Iterator[Document]:
    try:
        text = clean_text(storage.read_bytes(path).decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: cannot be read: not UTF-8 (byte {error.start})") from None
    for number, piece in enumerate(pieces(text, piece_words)):
        yield Document(id=content_id(NAME, piece), text=piece, source=NAME, language=language, offset=number)


def pieces(text: str, min_words: int) -> list[str]:
    """Cut a text at line ends into pieces of at least so many words; what is left goes to the last. 0: whole."""
    if not min_words:
        return [text] if text.strip() else []
    found: list[list[str]] = [[]]
    n_words = 0
    for line in text.split("\n"):
        if n_words >= min_words and line.strip():
            found.append([])
            n_words = 0
        found[-1].append(line)
        n_words += len(split_words(line))
    if len(found) > 1 and n_words < min_words:
        last = found.pop()
        found[-1] += last
    return list(filter(None, ("\n".join(lines).strip() for lines in found)))


def _source_of(path: str, text_column: str) -> Source:
    if path.lower().endswith(_DUMP):
        return Wikipedia(NAME, WikipediaScanConfig(), ArticleReader(WikipediaReadConfig()))
    ingest = IngestConfig(text_column=text_column, keep_plain_text=True)
    return WebArchives(NAME, ingest, PageReader(PageReading(ingest=ingest, extract=ExtractConfig())))


def read_source(source: Source, path: str, language: str) -> Iterator[Document]:
    """Yield the texts that a source reads from a file, in this process: no shuffle, no run.

    A part may have none: those of a dump are cut by bytes, and one may hold talk pages alone.
    """
    size = storage.size(path)
    reader = source.reader
    n_found, n_headers = 0, 0
    broken: Broken | None = None
    reader.open()
    with contextlib.closing(reader):
        for part in source.parts([(path, size)]):
            found = list(source.scan(part))
            headers = {item.row: item for item in found if isinstance(item, Header)}
            n_found, n_headers = n_found + len(found), n_headers + len(headers)
            broken = broken or next((item for item in found if isinstance(item, Broken)), None)
            for text in reader.read(part, headers):
                if text.failure is None and text.text.strip():
                    header = headers[text.row]
                    yield Document(
                        id=content_id(NAME, header.record_id, header.url, text.text), text=text.text, url=header.url,
                        source=NAME, language=language, page_kind=text.page_kind,
                        extraction_confidence=text.extraction_confidence, blocks=text.blocks,
                    )  # fmt: skip
    if n_found and not n_headers:
        detail = (broken.detail or broken.cause) if broken else "no text in it"
        raise InputError(f"{path}: cannot be read as a reference: {detail}")
