"""The recipe `books`: editions of Project Gutenberg, plain text or HTML, into token shards.

A book stays one document until its tokens. The language is what the edition's head says; others are identified. Llama 1
(arXiv:2302.13971, section 2.1) performs "deduplication at the book level, removing books with more than 90% content
overlap", and does not tell how overlap is counted. Here it is the share of a book's shingles that the other one has:
two books of one length that share 90% of them have a Jaccard similarity of .9 / 1.1 = .818, which is estimated by 256
hashes (standard deviation .024) in 32 bands, so that hardly a pair is missed. The longest edition stays.
"""

from __future__ import annotations

from dataclasses import dataclass

from classifiers.steps.language import LanguageConfig
from pipelines.recipes.common_crawl import CleanConfig, DedupConfig
from pipelines.recipes.one_source import OneSourceConfig, any_certainty, no_heuristics, one_source
from pipelines.runs.graph import Recipe
from schemas.settings import section
from transforms.dedup.minhash import MinHashConfig
from transforms.sources.books.reader import BookReader
from transforms.sources.books.settings import BooksReadConfig, BooksScanConfig
from transforms.sources.books.source import Books

NAME = "books"
OVERLAP = MinHashConfig(n_hashes=256, bands=32, rows=8, min_similarity=0.81)


@dataclass(frozen=True, kw_only=True)
class BooksConfig(OneSourceConfig):
    """Every setting of the recipe."""

    scan: BooksScanConfig = section(BooksScanConfig, "which editions")
    read: BooksReadConfig = section(BooksReadConfig, "from an edition to the text of its book")
    language: LanguageConfig | None = section(
        any_certainty, "language identification of texts whose source does not declare it", optional=True
    )
    clean: CleanConfig = section(no_heuristics, "privacy, safety and heuristics")
    dedup: DedupConfig = section(
        lambda: DedupConfig(keep="longest", minhash=OVERLAP), "copies of whole books: above 90% overlap (Llama 1)"
    )


def recipe(config: BooksConfig) -> Recipe:
    """Return the stages of the recipe under `config`."""
    return one_source(NAME, Books(config.source or NAME, config.scan, BookReader(config.read)), config)
