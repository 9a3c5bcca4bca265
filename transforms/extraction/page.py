"""A page's main content: parse, walk, features, forest, decision, text."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from selectolax.lexbor import LexborHTMLParser

from transforms.extraction.decide import decide, probabilities
from transforms.extraction.declared import add_declared
from transforms.extraction.features import features_of
from transforms.extraction.metadata import published_date, title_of
from transforms.extraction.model import Model, shipped_model
from transforms.extraction.page_kind import KINDS, kind_scores, page_words
from transforms.extraction.tex import tex_dialect
from transforms.extraction.walk import Outline, outline
from transforms.extraction.write import Block, blocks_to_write, text_of


@dataclass(frozen=True, slots=True)
class Extracted:
    """A page's main content and what the page says about itself; '' where it says nothing."""

    text: str
    blocks: tuple[Block, ...]
    title: str
    language: str  # as declared, for instance "en-GB": a hint
    published: str  # ISO 8601 date
    kind: str  # one of page_kind.KINDS
    confidence: float  # expected word F1 of the choice of blocks, 0..1


def outline_of(source: str) -> Outline:
    """Return the blocks of a page's source, with the texts it declares."""
    page = outline(LexborHTMLParser(source))
    add_declared(page)
    return page


def extract_source(source: str, url: str = "", model: Model | None = None) -> Extracted:
    """Return the main content of a page's source. The page's URL helps to tell its kind."""
    model = model or shipped_model()
    page = outline_of(source)
    scores = kind_scores(page_words(page, url), model.lexicon)
    kind = KINDS[int(np.argmax(scores))]
    kept, confidence = _kept(page, scores, model)
    blocks = tuple(blocks_to_write(page, kept, tex_dialect(source)))
    return Extracted(text_of(blocks), blocks, title_of(page), page.language, published_date(page), kind, confidence)


def _kept(page: Outline, scores: tuple[int, ...], model: Model) -> tuple[list[int], float]:
    if not page.texts:
        return [], 0.0
    features = features_of(page, model.lexicon, scores)
    place = {name: at for at, name in enumerate(features.names)}
    table = features.table[[place[name] for name in model.columns]]
    kept, confidence = decide(probabilities(model.forest.scores(table)), features.words)
    return np.flatnonzero(kept).tolist(), confidence
