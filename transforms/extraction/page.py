"""A page's main content: parse, walk, features, forest, decision, corrections, text."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

import numpy as np
from selectolax.lexbor import LexborHTMLParser

from transforms.extraction.choice.decide import decide, probabilities
from transforms.extraction.choice.features import features_of
from transforms.extraction.choice.lexicon import Names
from transforms.extraction.choice.model import Model, shipped_model
from transforms.extraction.choice.page_kind import kind_of, kind_scores, page_words
from transforms.extraction.corrections.order import corrected
from transforms.extraction.declared.dates import published_date
from transforms.extraction.declared.metadata import declared_language, description_of
from transforms.extraction.declared.texts import add_declared
from transforms.extraction.declared.titles import title_of
from transforms.extraction.extracted import Extracted
from transforms.extraction.formulas.tex import TexDialect, tex_dialect
from transforms.extraction.parsing.outline import Outline
from transforms.extraction.parsing.walk import outline
from transforms.extraction.texts.write import blocks_to_write, text_of


def outline_of(source: str | bytes) -> Outline:
    """Return the blocks of a page's source (as bytes: UTF-8), with the texts it declares."""
    page = outline(LexborHTMLParser(source))
    add_declared(page)
    return page


def extract_source(
    source: str, url: str = "", model: Model | None = None, *, comments: bool = False, utf8: bytes | None = None
) -> Extracted:
    """Return the main content of a page's source. The page's URL helps to tell its kind. `comments`: with what readers
    wrote under it when it is an article, or under its posts when it is a forum; reviews of a product, a forum's posts
    and comments on them with code or formulas are content in any case. `utf8`: the source's bytes where they are at
    hand, which saves encoding them for the parser."""
    model = model or shipped_model()
    with _no_collection():
        page = outline_of(source if utf8 is None else utf8)
        return _extract(page, tex_dialect(source), url, model, comments=comments)


def _extract(page: Outline, dialect: TexDialect, url: str, model: Model, *, comments: bool) -> Extracted:
    names = Names.of(page.signatures)
    scores = kind_scores(page_words(page, url, names), model.lexicon)
    kept, confidence = np.zeros(len(page.texts), np.bool_), 0.0
    if page.texts:
        features = features_of(page, names, model.lexicon, scores)
        chance = probabilities(model.forest.scores(features.columns(model.columns)))
        kept, confidence = decide(chance, features.words)
        kept = corrected(page, kept, chance, features, scores, comments=comments)
    text, blocks = text_of(blocks_to_write(page, np.flatnonzero(kept).tolist(), dialect))
    title, is_heading = title_of(page, url)
    date, is_unreadable = published_date(page)
    return Extracted(
        text, blocks, title, declared_language(page), date, kind_of(scores), confidence, description_of(page),
        is_heading, is_unreadable,
    )  # fmt: skip


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Let the garbage collector rest: a page's lists and tuples hold no cycles, and looking for some takes 4%."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
