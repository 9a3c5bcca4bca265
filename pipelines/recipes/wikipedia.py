"""The recipe `wikipedia`: XML dumps of MediaWiki into token shards.

The language is the dump's own word. Llama 1 (arXiv:2302.13971, section 2.1) removes "hyperlinks, comments and other
formatting boilerplate" and names no filter: articles are written and reviewed by people. So every heuristic is off.
Stubs about places or species are made from one template and differ in a name and a number: near copies are those that
share nine tenths of their shingles, and numbers tell them apart (both ours).
"""

from __future__ import annotations

from dataclasses import dataclass

from classifiers.steps.language import LanguageConfig
from pipelines.recipes.common_crawl import CleanConfig, DedupConfig
from pipelines.recipes.one_source import OneSourceConfig, no_heuristics, one_source
from pipelines.runs.graph import Recipe
from schemas.settings import section
from transforms.dedup.minhash import MinHashConfig
from transforms.sources.wikipedia.reader import ArticleReader
from transforms.sources.wikipedia.settings import WikipediaReadConfig, WikipediaScanConfig
from transforms.sources.wikipedia.source import Wikipedia

NAME = "wikipedia"


@dataclass(frozen=True, kw_only=True)
class WikipediaConfig(OneSourceConfig):
    """Every setting of the recipe."""

    scan: WikipediaScanConfig = section(WikipediaScanConfig, "which pages of the dumps")
    read: WikipediaReadConfig = section(WikipediaReadConfig, "from wikitext to text")
    language: LanguageConfig | None = section(
        LanguageConfig, "language identification of wikis that declare no language", optional=True, off=True
    )
    clean: CleanConfig = section(no_heuristics, "privacy, safety and heuristics")
    dedup: DedupConfig = section(
        lambda: DedupConfig(minhash=MinHashConfig(min_similarity=0.9, keep_numbers=True)), "copies of whole documents"
    )


def recipe(config: WikipediaConfig) -> Recipe:
    """Return the stages of the recipe under `config`."""
    source = Wikipedia(config.source or NAME, config.scan, ArticleReader(config.read))
    return one_source(NAME, source, config)
