"""Pages with gold text, as the trainer of the extractor reads them: outline, labels, site, fold.

A folder holds `html/NAME.html.gz` and `ground-truth/NAME.json` (WCXB's layout, schema 2.0). Pages of a site stay on one
side of every split, which is a keyed hash of the site's name.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from classifiers.training.train_extractor_labels import label_blocks, words_of
from schemas.errors import ConfigError
from schemas.identity import keyed_fraction, keyed_hash
from transforms.extraction.choice.page_kind import KINDS
from transforms.extraction.page import outline_of
from transforms.extraction.parsing.names import names
from transforms.extraction.parsing.outline import Outline
from transforms.extraction.texts.decoding import decode_html

# Second-level labels under which countries register names: a site there has three labels. Not the whole public suffix
# list: a wrong guess only joins two sites, or parts two of one owner.
_SECOND_LEVEL = names("ac co com edu gob gov mil ne net or org")


@dataclass(frozen=True, slots=True)
class LabelledPage:
    """A page, what of it is content, and which part of the data it belongs to."""

    name: str
    url: str
    site: str
    kind: int  # place in KINDS
    gold: str
    outline: Outline
    labels: NDArray[np.float64]  # share of each block's words that the gold holds
    n_words: NDArray[np.int64]  # of each block
    n_gold: int

    def held_out(self, fraction: float) -> bool:
        """Return whether the page is kept aside as a test when this fraction of the sites is."""
        return keyed_fraction("extractor-test", self.site) < fraction

    def fold(self, n_folds: int) -> int:
        """Return the page's fold in a cross-validation by site."""
        return keyed_hash("extractor-fold", self.site) % n_folds


def site_of(url: str) -> str:
    """Return the registered name of a URL's host, or nearly."""
    labels = (urlsplit(url).hostname or "").split(".")
    long = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL
    return ".".join(labels[-3 if long else -2 :])


def read_pages(folder: Path) -> list[LabelledPage]:
    """Return the pages of a folder that have gold text and blocks, by name. Raises ConfigError naming the file."""
    files = sorted((folder / "ground-truth").glob("*.json"))
    if not files:
        raise ConfigError(f"{folder}: no ground-truth/*.json there")
    pages = [_read_page(folder, file) for file in files]
    return [page for page in pages if page is not None]


def _read_page(folder: Path, file: Path) -> LabelledPage | None:
    try:
        truth: dict[str, Any] = json.loads(file.read_text("utf-8"))
        url, kind = truth["url"], KINDS.index(truth["_internal"]["page_type"]["primary"])
        gold = truth["ground_truth"].get("main_content") or ""
        payload = gzip.decompress((folder / "html" / f"{file.stem}.html.gz").read_bytes())
    except (OSError, EOFError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{file}: not a page of the layout: {type(error).__name__}: {error}") from None
    outline = outline_of(decode_html(payload))
    if not gold.strip() or not outline.texts:
        return None
    return LabelledPage(
        name=file.stem,
        url=url,
        site=site_of(url),
        kind=kind,
        gold=gold,
        outline=outline,
        labels=np.array(label_blocks(outline.texts, gold)),
        n_words=np.array([len(words_of(text)) for text in outline.texts], np.int64),
        n_gold=len(words_of(gold)),
    )


def block_weights(page: LabelledPage) -> NDArray[np.float64]:
    """Return what each block of a page counts in training.

    A wrong block costs F1 about its share of gold and choice together; 0.3 of the page's words stand for a part of the
    boilerplate that could be chosen, and a fifth of the page's weight goes to its blocks evenly (our choice).
    """
    words = page.n_words.astype(np.float64)
    weights: NDArray[np.float64] = words / (page.n_gold + 0.3 * words.sum()) + 0.2 / len(words)
    return weights
