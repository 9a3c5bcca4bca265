"""The recipe `common_crawl`: archives of the web into token shards, in the order of the Llama 3 report, section 3.1.

    index      URL step, on headers alone: blocklists, newest copy of each URL, one of each payload
    extract    main text of the pages that are left; language identification
    clean      personal data, dirty words, then the heuristics in FineWeb's order: Gopher, C4, FineWeb
    dedup      equal texts, then near copies by MinHash over the whole corpus
    lines      lines that stand more than six times in a bucket of 30M documents
    score      fastText quality classifier, if there is one
    tokenize   BOS + text + EOS, by a byte-level BPE trained on a sample, or one from a file
    mix        shares by source, language and quality band; copies of each document by a keyed hash of its id
    shards     global shuffle and packing into rows of one length

The report lists its steps and is silent about their order beyond that; each departure of a single rule from its source
stands in the rule's own file. The mix comes after tokenization because its budget and shares are counted in tokens.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import storage
from classifiers.steps.language import IdentifyLanguage, LanguageConfig
from classifiers.steps.quality import QualityConfig, ScoreQuality
from pipelines.runs.runner import Recipe
from pipelines.runs.stage import Stage
from pipelines.stages.copies import CopiesConfig, CopiesStage
from pipelines.stages.documents import DocumentStage
from pipelines.stages.extract import ExtractStage
from pipelines.stages.index import IndexConfig, IndexStage
from pipelines.stages.lines import LinesStage
from pipelines.stages.mix import MixStage
from pipelines.stages.shards import ShardsStage
from pipelines.stages.tokens import TokenizeStage
from schemas.errors import ConfigError
from schemas.settings import section, setting, validate
from transforms.dedup.frequent_lines import LinesConfig
from transforms.extraction.extract import ExtractConfig
from transforms.heuristics import c4, fineweb, gopher, repetition
from transforms.mixing.mix import MixConfig
from transforms.safety import pii
from transforms.safety.blocklist import BlocklistConfig
from transforms.safety.dirty_words import DirtyWordsConfig, FilterDirtyWords
from transforms.step import Editor, Filter
from transforms.tokens.token_rows import ShardConfig
from transforms.tokens.tokenizer import TokenizerConfig

NAME = "common_crawl"


@dataclass(frozen=True, kw_only=True)
class CleanConfig:
    """Settings of the clean stage, in the order of its steps."""

    pii: pii.PiiConfig = section(pii.PiiConfig, "personal data, found as spans and replaced")
    dirty_words: DirtyWordsConfig = section(DirtyWordsConfig, "dirty words by list")
    repetition: repetition.RepetitionConfig = section(repetition.RepetitionConfig, "Gopher's repetition rules")
    gopher: gopher.GopherConfig = section(gopher.GopherConfig, "Gopher's quality rules")
    c4: c4.C4Config = section(c4.C4Config, "C4's line and page rules")
    fineweb: fineweb.FineWebConfig = section(fineweb.FineWebConfig, "FineWeb's rules")


@dataclass(frozen=True, kw_only=True)
class CommonCrawlConfig:
    """Every setting of the recipe."""

    source: str = setting("common_crawl", "name of the source in ids, mix and shards")
    index: IndexConfig = section(IndexConfig, "URL step, on headers alone")
    extract: ExtractConfig = section(ExtractConfig, "main text of HTML pages")
    language: LanguageConfig = section(LanguageConfig, "language identification")
    clean: CleanConfig = section(CleanConfig, "privacy, safety and heuristics")
    dedup: CopiesConfig = section(CopiesConfig, "copies of whole documents")
    lines: LinesConfig = section(LinesConfig, "lines that stand in too many documents")
    quality: QualityConfig = section(QualityConfig, "fastText quality classifier")
    tokenizer: TokenizerConfig = section(TokenizerConfig, "tokenizer: trained here, or from a file")
    mix: MixConfig = section(MixConfig, "what share of the tokens comes from where")
    shards: ShardConfig = section(ShardConfig, "rows and shards of tokens")

    def __post_init__(self) -> None:
        validate(self)
        if self.dedup.keep == "best_score" and not self.quality.model_path:
            raise ConfigError("dedup.keep: 'best_score' is not allowed without quality.model_path")


def files_below(path: str) -> list[str]:
    """Return the files of a local directory, or the one file that `path` is; '' has none. A stage's key holds them."""
    if not path:
        return []
    local = str(Path(path).expanduser()) if storage.is_local(path) else path
    return (storage.list_files(local) if storage.is_local(local) else []) or [local]


def list_files(config: BlocklistConfig) -> list[str]:
    """Return the files of all block lists."""
    plain = (
        config.domains_files, config.urls_files, config.words_files, config.soft_words_files, config.substrings_files,
    )  # fmt: skip
    return [file for path in itertools.chain(config.directories, *plain) for file in files_below(path)]


def recipe(config: CommonCrawlConfig) -> Recipe:
    """Return the stages of the recipe under `config`."""
    clean = config.clean
    copies: tuple[Stage, ...] = (
        CopiesStage(config.dedup),
        LinesStage(
            settings={"lines": config.lines, "c4": clean.c4},
            lines=config.lines,
            steps=(Filter("c4_after_lines", c4.measure_page, c4.decide_page, clean.c4),),
        ),
    )
    scorer = DocumentStage("score", settings=config.quality, steps=(ScoreQuality(config.quality),))
    score: tuple[Stage, ...] = (scorer,) if config.quality.model_path else ()
    return Recipe(
        NAME,
        (
            IndexStage(config.index, config.source, resources=list_files(config.index.blocklist)),
            ExtractStage(
                settings={
                    "source": config.source,
                    "ingest": config.index.ingest,
                    "extract": config.extract,
                    "language": config.language,
                },
                extract=config.extract,
                ingest=config.index.ingest,
                source_name=config.source,
                steps=(IdentifyLanguage(config.language),),
            ),
            DocumentStage(
                "clean",
                settings=clean,
                steps=(
                    Editor("pii", pii.redact, clean.pii),
                    FilterDirtyWords(clean.dirty_words),
                    Filter("repetition", repetition.measure, repetition.decide, clean.repetition),
                    Filter("gopher", clean.gopher.measure, gopher.decide, clean.gopher),
                    Editor("c4_lines", c4.edit_lines, clean.c4),
                    Filter("c4", c4.measure_page, c4.decide_page, clean.c4),
                    Filter("fineweb", fineweb.measure, fineweb.decide, clean.fineweb),
                ),
                resources=files_below(clean.dirty_words.directory),
                cpu_ms=3.0,
            ),
            # The best copy of a cluster can only be kept when the scores are there before the copies are found.
            *((*score, *copies) if config.dedup.keep == "best_score" else (*copies, *score)),
            TokenizeStage(
                {"tokenizer": config.tokenizer, "quality_bands": config.mix.quality_bands},
                config.tokenizer,
                config.mix,
                resources=files_below(config.tokenizer.path),
            ),
            MixStage(config.mix),
            ShardsStage(config.shards),
        ),
    )
