"""Wikitext to plain text with blocks: the passes in their order, each linear in the page."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from schemas.blocks import HEADING, Blocks
from transforms.extraction.texts.hygiene import clean_unicode
from transforms.sources.pieces import Piece, without_sections, write
from transforms.sources.wikipedia.names import CONVERTED
from transforms.sources.wikipedia.settings import WikipediaReadConfig
from transforms.sources.wikipedia.site import NO_SITE, Site
from transforms.sources.wikipedia.wikitext.article import pieces_of
from transforms.sources.wikipedia.wikitext.brackets import resolve_brackets
from transforms.sources.wikipedia.wikitext.extensions import take_extensions
from transforms.sources.wikipedia.wikitext.inline import choose_variants, plain_tags
from transforms.sources.wikipedia.wikitext.marks import UNWANTED, Context
from transforms.sources.wikipedia.wikitext.tables import drop_html_tables, take_tables


@dataclass(frozen=True, slots=True)
class Article:
    """What is read of a page."""

    text: str
    blocks: Blocks
    counts: Counter[str]  # links, references, categories, and what was removed


def plain_text(wikitext: str, title: str, site: Site = NO_SITE, config: WikipediaReadConfig | None = None) -> Article:
    """Return the text of a page; '' when there is only markup in it, regardless of its title."""
    config = config or WikipediaReadConfig()
    context = Context(title=title, site=site)
    text = take_extensions(UNWANTED.sub("", wikitext.replace("\r\n", "\n")), context)
    if site.dbname.partition("wiki")[0] in CONVERTED:
        text = choose_variants(text)
    text = resolve_brackets(drop_html_tables(text, context), context)
    text = plain_tags(take_tables(text, config.tables == "keep", context))
    pieces = without_sections(pieces_of(text, context), frozenset(map(str.lower, config.drop_sections)))
    if pieces and config.title and title:
        pieces = [Piece(HEADING, clean_unicode(title), 1), *pieces]
    written, blocks = write(pieces)
    return Article(written, blocks, context.counts)
