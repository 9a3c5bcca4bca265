"""The recipe `arxiv`: submissions in LaTeX into token shards.

Llama 1 (arXiv:2302.13971, section 2.1, after Lewkowycz et al. 2022): everything before the first section and the
bibliography go, comments too, definitions are expanded inline. It names no filter. Rules for web pages would count
LaTeX as symbols, so every heuristic is off; e-mail addresses are in front of the first section. Papers are near copies
above 90% overlap, as books are, and numbers tell them apart; of the versions of a paper, one address, the newest stays.
"""

from __future__ import annotations

from dataclasses import dataclass

from classifiers.steps.language import LanguageConfig
from pipelines.recipes.common_crawl import CleanConfig, DedupConfig
from pipelines.recipes.one_source import OneSourceConfig, any_certainty, no_heuristics, one_source
from pipelines.runs.graph import Recipe
from schemas.settings import section
from transforms.dedup.minhash import MinHashConfig
from transforms.sources.arxiv.reader import PaperReader
from transforms.sources.arxiv.settings import ArxivReadConfig, ArxivScanConfig
from transforms.sources.arxiv.source import Arxiv

NAME = "arxiv"


@dataclass(frozen=True, kw_only=True)
class ArxivConfig(OneSourceConfig):
    """Every setting of the recipe."""

    scan: ArxivScanConfig = section(ArxivScanConfig, "which submissions")
    read: ArxivReadConfig = section(ArxivReadConfig, "from LaTeX to text")
    language: LanguageConfig | None = section(
        any_certainty, "language identification of texts whose source does not declare it", optional=True
    )
    clean: CleanConfig = section(no_heuristics, "privacy, safety and heuristics")
    dedup: DedupConfig = section(
        lambda: DedupConfig(minhash=MinHashConfig(min_similarity=0.81, keep_numbers=True)), "copies of whole papers"
    )


def recipe(config: ArxivConfig) -> Recipe:
    """Return the stages of the recipe under `config`."""
    reader = PaperReader(config.read, config.scan)
    return one_source(NAME, Arxiv(config.source or NAME, config.scan, reader), config)
