"""What kind of page it is, by what the page says about itself: types, address, class names."""

from __future__ import annotations

import re
from collections.abc import Set
from urllib.parse import urlsplit

import numpy as np

from transforms.extraction.choice.lexicon import Lexicon, Names
from transforms.extraction.parsing.outline import LINKED_LIMIT, Outline

KINDS = ("article", "documentation", "service", "forum", "collection", "listing", "product")
ARTICLE, DOCUMENTATION, FORUM = "article", "documentation", "forum"
SERIAL = frozenset({"collection", "listing"})  # of pages that are a list of like things
SURELY = (
    1500  # thousandths of a logit by which an article that is no forum is more of one than of the other (our value)
)

_WORD = re.compile(r"[a-z]{2,}")
_NUMBER = re.compile(r"\d{3,}")
_TYPE = re.compile(r'"@type"\s*:\s*(?:\[\s*)?"(?:https?://schema\.org/)?(\w{1,40})"')
_ARTICLE = re.compile(r"\w*article|blogposting|reportage\w*", re.IGNORECASE)


def page_words(outline: Outline, url: str, names: Names) -> set[str]:
    """Return the words that tell what kind of page it is: of types, address and tags, each with the place it came from,
    and those of its class names."""
    words = {f"type {kind.lower()}" for data in outline.linked_data for kind in _TYPE.findall(data[:LINKED_LIMIT])}
    for name in ("og:type", "generator", "twitter:card", "discourse_theme_id"):
        if value := outline.metas.get(name):
            words.update(f"{name} {word}" for word in _WORD.findall(value.lower()[:80]))
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    path = parts.path.lower()[:400]
    words.update(f"host {word}" for word in (parts.netloc.lower().split(".")[:-1]))
    words.update(f"path {word}" for word in _WORD.findall(path))
    words.add(f"path depth {min(6, len([step for step in path.split('/') if step]))}")
    words.add(
        f"path hyphens {min(6, path.rpartition('/')[2].count('-') or path.rstrip('/').rpartition('/')[2].count('-'))}"
    )
    if _NUMBER.search(path):
        words.add("path number")
    if parts.query:
        words.add("path query")
    words.update(f"<{tag}>" for tag in {tag for tag, _ in outline.signatures})
    words.update(names.words)
    words.discard("\n")
    return words


def kind_scores(words: Set[str], lexicon: Lexicon) -> tuple[int, ...]:
    """Return a score in thousandths of a logit for each of KINDS."""
    row = lexicon.pages.get
    rows = [at for word in words if (at := row(word)) is not None]
    scores = lexicon.page_weights[rows].sum(axis=0) + np.array(lexicon.page_bias, np.int64)
    return tuple(scores.tolist())


def kind_of(scores: tuple[int, ...]) -> str:
    """Return the kind of page that `kind_scores` are highest for, the first of those that share the place."""
    return KINDS[scores.index(max(scores))]


def declares_article(outline: Outline) -> bool:
    """Return whether a page calls itself an article, in its head or its linked data."""
    if _ARTICLE.fullmatch(outline.metas.get("og:type", "").strip()):
        return True
    kinds = (kind for data in outline.linked_data for kind in _TYPE.findall(data[:LINKED_LIMIT]))
    return any(_ARTICLE.fullmatch(kind) for kind in kinds)


def is_surely_article(scores: tuple[int, ...]) -> bool:
    """Return whether a page is an article by its `kind_scores`, and far from a forum."""
    is_far = scores[KINDS.index(ARTICLE)] >= scores[KINDS.index(FORUM)] + SURELY
    return is_far and kind_of(scores) == ARTICLE
