"""The texts of selected articles of a dump."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from schemas.errors import BadRecord, ChangedInputError, InputError
from schemas.records import Header
from storage.files import open_read
from transforms.sources.items import Part
from transforms.sources.source import Text
from transforms.sources.wikipedia.dump import read_pages
from transforms.sources.wikipedia.page import Page, parse_page
from transforms.sources.wikipedia.settings import MAX_PAGE_BYTES, WikipediaReadConfig
from transforms.sources.wikipedia.site import Site
from transforms.sources.wikipedia.streams import Break
from transforms.sources.wikipedia.wikitext.markup import plain_text


@dataclass(frozen=True, slots=True, kw_only=True)
class WikipediaFacts:
    """What is known of an article besides its text."""

    title: str
    page_id: int
    revision_id: int
    wiki: str  # the wiki's name in the dump: enwiki
    namespace: int
    n_links: int  # to other articles, in what is read
    n_references: int  # footnotes
    n_categories: int


@dataclass(frozen=True)
class ArticleReader:
    """Reads wikitext as plain text with blocks."""

    settings: WikipediaReadConfig
    facts: ClassVar[type | None] = WikipediaFacts
    cpu_ms: ClassVar[float] = 10.0  # an article of 60 kB of wikitext

    def open(self) -> None:
        """Nothing is held between parts."""

    def close(self) -> None:
        """Nothing is held between parts."""

    def read(self, part: Part, headers: Mapping[int, Header]) -> Iterator[Text]:
        """Yield the text of each of `headers`. InputError when the part no longer has these pages in these rows."""
        missing = len(headers)
        if not missing:
            return
        with open_read(part.path) as stream:
            site, pages = read_pages(stream, part, MAX_PAGE_BYTES)
            for row, raw in enumerate(pages):
                header = headers.get(row)
                if header is None:
                    continue
                if isinstance(raw, Break):
                    raise _changed(part, raw.offset)
                try:
                    page = parse_page(raw, site)
                except BadRecord:
                    raise _changed(part, raw.offset) from None
                if page.text is None or f"{site.dbname}:{page.page_id}" != header.record_id:
                    raise _changed(part, raw.offset)
                yield self._text(row, page, site)
                missing -= 1
                if not missing:
                    return
        raise ChangedInputError(f"{part.path}: has changed since it was read first: {missing} records are gone")

    def _text(self, row: int, page: Page, site: Site) -> Text:
        wikitext = page.text or ""
        article = plain_text(wikitext, page.title, site, self.settings)
        facts = WikipediaFacts(
            title=page.title,
            page_id=page.page_id,
            revision_id=page.revision_id,
            wiki=site.dbname,
            namespace=page.namespace,
            n_links=article.counts["links"],
            n_references=article.counts["references"],
            n_categories=article.counts["categories"],
        )
        return Text(
            row=row,
            text=article.text,
            blocks=article.blocks,
            language=site.language,
            facts=facts,
            edits={name: n for name, n in sorted(article.counts.items()) if name.endswith("_removed")},
            size=len(wikitext.encode()),
        )


def _changed(part: Part, offset: int) -> InputError:
    return ChangedInputError(f"{part.path}: has changed since it was read first, at byte {offset}")
