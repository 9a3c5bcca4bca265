"""The extractor's lexicon: weights of words by logistic regression, learnt from pages of other sites than it serves.

Three regressions with an L2 penalty: of a block's label on the words of the elements above it, on its own first words;
of the page's kind on the page's marks. A word counts when enough sites use it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from classifiers.training.train_extractor_data import LabelledPage, block_weights
from transforms.extraction.choice.lexicon import Lexicon, Names, mark_words, text_words
from transforms.extraction.choice.page_kind import KINDS, page_words

Floats = NDArray[np.float64]
Rows = list[Counter[str]]

SCALE = 1000  # weights are thousandths of a logit
MARK_PENALTY, TEXT_PENALTY, KIND_STRENGTH = 3e-6, 2e-5, 0.03  # our values, by cross-validation
MIN_SITES, MIN_TEXT_SITES = 8, 12
MIN_KIND_WEIGHT = 25  # thousandths of a logit, of a word that is kept for any kind (our value)
MAX_STEPS = 120


@dataclass(slots=True)
class PageRows:
    """A page's examples: distinct ways from the root with their weight and label, blocks' words, the page's words."""

    site: str
    kind: int
    ways: Rows
    way_weights: Floats
    way_labels: Floats
    texts: Rows
    text_weights: Floats
    text_labels: Floats
    page: set[str]


def page_rows(page: LabelledPage) -> PageRows:
    """Return the examples of a page."""
    outline = page.outline
    steps: dict[tuple[int, int], int] = {}
    ways: Rows = []
    way_of: list[int] = []
    words_of = [mark_words(tag, mark) for tag, mark in outline.signatures]
    for signature, parent in zip(outline.signature_ids, outline.parents, strict=True):
        step = (way_of[parent] if parent >= 0 else -1, signature)
        if step not in steps:
            steps[step] = len(ways)
            above = ways[step[0]] if step[0] >= 0 else Counter[str]()
            ways.append(above + Counter(words_of[signature]))
        way_of.append(steps[step])
    weights = block_weights(page)
    at = np.array([way_of[owner] for owner in outline.owners])
    totals: Floats = np.bincount(at, weights, len(ways)).astype(np.float64)
    labels = np.bincount(at, weights * page.labels, len(ways)) / np.maximum(totals, 1e-12)
    used = np.flatnonzero(totals)
    capped = np.minimum(page.n_words, 20).astype(np.float64)
    return PageRows(
        site=page.site,
        kind=page.kind,
        ways=[ways[way] for way in used],
        way_weights=totals[used],
        way_labels=labels[used],
        texts=[Counter([*words, *map(" ".join, pairwise(words))]) for words in map(text_words, outline.texts)],
        text_weights=capped / (5 + capped.sum()),
        text_labels=page.labels,
        page=page_words(outline, page.url, Names.of(outline.signatures)),
    )


def learn_lexicon(pages: Sequence[PageRows]) -> Lexicon:
    """Return the lexicon of these pages."""
    marks = _learn_blocks(pages, "ways", "way_weights", "way_labels", MIN_SITES, MARK_PENALTY)
    texts = _learn_blocks(pages, "texts", "text_weights", "text_labels", MIN_TEXT_SITES, TEXT_PENALTY)
    words = {word: weight for word, weight in texts.items() if " " not in word}
    pairs = {(*word.split(" "),): weight for word, weight in texts.items() if " " in word}
    words |= {word: 0 for pair in pairs for word in pair if word not in words}  # a pair is looked up by known words
    return Lexicon(marks, words, cast(dict[tuple[str, str], int], pairs), *_learn_kinds(pages))


def _vocabulary(examples: Iterable[tuple[str, Iterable[str]]], min_sites: int) -> dict[str, int]:
    sites: dict[str, set[str]] = defaultdict(set)
    for site, words in examples:
        for word in words:
            sites[word].add(site)
    return {
        word: at for at, word in enumerate(sorted(word for word, found in sites.items() if len(found) >= min_sites))
    }


def _sparse(rows: Iterable[Iterable[tuple[str, int]]], vocabulary: dict[str, int]) -> Any:
    from scipy.sparse import csr_matrix

    ends, columns, values = [0], list[int](), list[int]()
    for row in rows:
        for word, count in row:
            if (at := vocabulary.get(word)) is not None:
                columns.append(at)
                values.append(count)
        ends.append(len(columns))
    shape = (len(ends) - 1, len(vocabulary))
    return csr_matrix((np.array(values, np.float64), np.array(columns), np.array(ends)), shape=shape)


def _learn_blocks(
    pages: Sequence[PageRows], rows: str, weights: str, labels: str, min_sites: int, penalty: float
) -> dict[str, int]:
    vocabulary = _vocabulary(((page.site, row) for page in pages for row in getattr(page, rows)), min_sites)
    table = _sparse((row.items() for page in pages for row in getattr(page, rows)), vocabulary)
    found = _regress(
        table,
        np.concatenate([getattr(page, labels) for page in pages]),
        np.concatenate([getattr(page, weights) for page in pages]),
        penalty,
    )
    rounded = np.round(found * SCALE).astype(int).tolist()
    return {word: weight for word, weight in zip(vocabulary, rounded, strict=True) if weight}


def _regress(table: Any, labels: Floats, weights: Floats, penalty: float) -> Floats:
    """Return the coefficients of a logistic regression on labels in 0..1; the intercept is left out."""
    from scipy.optimize import minimize

    weights = weights / weights.sum()
    turned = table.T.tocsr()

    def loss(point: Floats) -> tuple[float, Floats]:
        logits = table @ point[:-1] + point[-1]
        chances = 1 / (1 + np.exp(-np.clip(logits, -30, 30)))
        cost = (weights * (np.logaddexp(0, logits) - labels * logits)).sum()
        slope = weights * (chances - labels)
        gradient = np.append(turned @ slope + penalty * point[:-1], slope.sum())
        return float(cost + 0.5 * penalty * (point[:-1] ** 2).sum()), gradient

    start = np.zeros(table.shape[1] + 1)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": MAX_STEPS})
    return np.asarray(found.x[:-1])


def _learn_kinds(pages: Sequence[PageRows]) -> tuple[dict[str, int], NDArray[np.int64], tuple[int, ...]]:
    from sklearn.linear_model import LogisticRegression

    vocabulary = _vocabulary(((page.site, page.page) for page in pages), MIN_SITES)
    table = _sparse((((word, 1) for word in sorted(page.page)) for page in pages), vocabulary)
    fitted = LogisticRegression(C=KIND_STRENGTH, max_iter=300).fit(table, [page.kind for page in pages])
    weights = np.zeros((len(KINDS), len(vocabulary)))
    bias = np.full(len(KINDS), -9.0)  # of a kind that no page has
    found, start = fitted.coef_, fitted.intercept_
    if len(fitted.classes_) == 2:  # then scikit-learn gives one row, of the second against the first
        found, start = np.concatenate((-found, found)) / 2, np.concatenate((-start, start)) / 2
    weights[fitted.classes_] = found
    bias[fitted.classes_] = start
    rounded = np.round(weights.T * SCALE).astype(np.int64)
    telling = np.flatnonzero(np.abs(rounded).max(axis=1) >= MIN_KIND_WEIGHT)
    words = list(vocabulary)
    rows = {words[word]: row for row, word in enumerate(telling.tolist())}
    return rows, rounded[telling], tuple(np.round(bias * SCALE).astype(int).tolist())
