"""The recipe `common_crawl`: archives of the web into token shards, in the order of the Llama 3 report, section 3.1.

    web/index    headers alone: blocklists, newest copy of each URL, one of each payload
    web/extract  main text of the pages that are left; language identification
    web/clean    personal data, dirty words, the heuristics in FineWeb's order (Gopher, C4, FineWeb), with lines that
                 repeat themselves, pages that are no documents, quality and toxicity score
    dedup        sites of much personal data or of toxic texts if asked for, equal texts, near copies by MinHash over
                 the whole corpus, lines that occur in too many documents
    quality_bin  off by default: several quality scores as one bin
    perplexity   off by default: how unlike clean text documents read; head, middle and tail by language
    kl           off by default: documents whose tokens are unlike those of the corpus
    signals      off by default: RedPajama-v2's quality signals as columns
    tokenize     BOS + text + EOS, by a byte-level BPE trained on a sample, or one from a file
    mix          shares by source, language and quality band; copies of each document by a keyed hash of its id
    shards       global shuffle and packing into rows of one length

The report lists its steps and is silent about their order beyond that; each deviation of a single rule from its source
is named in the rule's own file. The mix comes after tokenization because its budget and shares are counted in tokens.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from classifiers.models.transformer_files import is_folder_model
from classifiers.steps.by_transformer import CPU_MS, quality_step, toxicity_step
from classifiers.steps.language import IdentifyLanguage, LanguageConfig
from classifiers.steps.quality import QualityConfig, ScoreQuality
from classifiers.steps.quality_bins import QualityBinsConfig, QualityBinsFit
from classifiers.steps.redpajama import RedPajamaConfig, RedPajamaSignals
from classifiers.steps.toxicity import ToxicityConfig, toxicity_sites
from pipelines.runs.graph import Recipe, branch, merge
from pipelines.stages.fit import FitStage
from pipelines.stages.index import IndexStage, UrlConfig
from pipelines.stages.local import LocalStage
from pipelines.stages.mix import MixStage
from pipelines.stages.of_steps import Follow, KeepEdits
from pipelines.stages.read import ReadStage
from pipelines.stages.shards import ShardsStage
from pipelines.stages.survey import MAX_ROUNDS, SurveyStage
from pipelines.stages.tokens import TokenizeStage
from schemas.errors import ConfigError
from schemas.settings import PerLanguage, section, setting, validate
from transforms.dedup.exact_copies import KEEP, KeepConfig, exact_copies
from transforms.dedup.frequent_lines import LinesConfig
from transforms.dedup.line_survey import FrequentLines
from transforms.dedup.minhash import MinHashConfig
from transforms.dedup.near_copy_survey import NearCopies, NearCopiesConfig
from transforms.extraction.extract import ExtractConfig
from transforms.heuristics import c4, fineweb, gopher, languages, ngram_lines, repetition
from transforms.heuristics.junk import FilterJunk, JunkConfig
from transforms.heuristics.kl.token_kl import NONE, KlConfig, TokenKlFit
from transforms.heuristics.perplexity.perplexity import PerplexityConfig, PerplexityFit
from transforms.mixing.mix import MixConfig
from transforms.safety.blocklist_files import BlocklistConfig
from transforms.safety.dirty_words import DirtyWordsConfig, FilterDirtyWords
from transforms.safety.pii import density
from transforms.safety.pii.columns import RedactColumns
from transforms.safety.pii.redact import PiiConfig, redact
from transforms.safety.site_density import SiteDensityConfig, site_density
from transforms.sources.items import IngestConfig
from transforms.sources.source import Source
from transforms.sources.web.archives import WebArchives
from transforms.sources.web.page_reader import PageReader, PageReading
from transforms.step import Editor, Filter, Step
from transforms.survey import Survey
from transforms.tokens.token_rows import ShardConfig
from transforms.tokens.tokenizer import TokenizerConfig

NAME = "common_crawl"


@dataclass(frozen=True, kw_only=True)
class IndexConfig:
    """Settings of the index stage."""

    ingest: IngestConfig = section(IngestConfig, "what is read from archives")
    blocklist: BlocklistConfig = section(BlocklistConfig, "lists of domains, addresses and words that are not wanted")
    url: UrlConfig = section(UrlConfig, "copies of addresses and payloads")


@dataclass(frozen=True, kw_only=True)
class CleanConfig:
    """Settings of the clean stage, in the order of its steps; each can be switched off."""

    pii: PiiConfig | None = section(PiiConfig, "personal data by kind, found as spans and replaced", optional=True)
    dirty_words: DirtyWordsConfig | None = section(DirtyWordsConfig, "dirty words by list", optional=True)
    repetition: PerLanguage[repetition.RepetitionConfig] | None = section(
        lambda: PerLanguage(repetition.RepetitionConfig(), languages.repetition_limits()),
        "Gopher's repetition rules",
        optional=True,
    )
    gopher: PerLanguage[gopher.GopherConfig] | None = section(
        lambda: PerLanguage(gopher.GopherConfig(), languages.gopher_limits()), "Gopher's quality rules", optional=True
    )
    ngram_lines: ngram_lines.NgramLinesConfig | None = section(
        ngram_lines.NgramLinesConfig, "lines that repeat themselves", optional=True
    )
    c4: PerLanguage[c4.C4Config] | None = section(
        lambda: PerLanguage(c4.C4Config(), languages.c4_limits()), "C4's line and page rules", optional=True
    )
    fineweb: PerLanguage[fineweb.FineWebConfig] | None = section(
        lambda: PerLanguage(fineweb.FineWebConfig(), languages.fineweb_limits()), "FineWeb's rules", optional=True
    )
    junk: PerLanguage[JunkConfig] | None = section(
        lambda: PerLanguage(JunkConfig(), languages.junk_limits()), "pages that are no documents", optional=True
    )


@dataclass(frozen=True, kw_only=True)
class DedupConfig:
    """Settings of copies of whole documents."""

    exact: bool = setting(True, "drop all but one of equal texts")
    near: bool = setting(True, "drop all but one of each cluster of near copies (Llama 3, 3.1.1: global MinHash)")
    keep: str = setting(
        "newest", "which copy stays; ties go to the smaller id (ours: the report does not say)", choices=KEEP
    )
    rounds: int = setting(
        4, "rounds of connected components in one graph; doubled when they do not suffice", ge=1, le=MAX_ROUNDS
    )
    minhash: MinHashConfig = section(MinHashConfig, "signatures of near copies")

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, kw_only=True)
class CommonCrawlConfig:
    """Every setting of the recipe."""

    source: str = setting("common_crawl", "name of the source in ids, mix and shards")
    measure_dropped: float = setting(
        0.1, "share of dropped documents, by id, whose later measures are taken too; 1: all", ge=0, le=1
    )
    keep_edits: float = setting(
        1.0, "share of documents, by id, of whose edits the table `edits` tells; 1: all", ge=0, le=1
    )
    index: IndexConfig = section(IndexConfig, "URL step, on headers alone")
    extract: ExtractConfig = section(ExtractConfig, "main text of HTML pages")
    language: LanguageConfig = section(LanguageConfig, "language identification")
    clean: CleanConfig = section(CleanConfig, "privacy, safety and heuristics")
    pii_sites: SiteDensityConfig | None = section(
        density.pii_sites, "sites of much personal data, dropped whole (Llama 3, 3.1.1)", optional=True, off=True
    )
    dedup: DedupConfig = section(DedupConfig, "copies of whole documents")
    lines: LinesConfig | None = section(LinesConfig, "lines that occur in too many documents", optional=True)
    quality: QualityConfig = section(QualityConfig, "quality classifier")
    quality_more: dict[str, QualityConfig] = setting(
        {}, "further quality classifiers; each NAME adds a column quality_NAME and takes the settings of quality"
    )
    quality_bins: QualityBinsConfig = section(QualityBinsConfig, "several quality scores as one bin, for the mix")
    toxicity: ToxicityConfig = section(ToxicityConfig, "toxicity classifier")
    toxicity_sites: SiteDensityConfig | None = section(
        toxicity_sites,
        "sites of texts that are toxic on average, dropped whole (ours)",
        optional=True,
        off=True,
    )
    perplexity: PerplexityConfig = section(
        PerplexityConfig, "how unlike clean text documents read: CCNet's head, middle and tail"
    )
    kl: KlConfig = section(KlConfig, "documents whose tokens are unlike those of the corpus")
    redpajama: RedPajamaConfig | None = section(
        RedPajamaConfig, "RedPajama-v2's quality signals as columns", optional=True, off=True
    )
    tokenizer: TokenizerConfig = section(TokenizerConfig, "tokenizer: trained here, or from a file")
    mix: MixConfig = section(MixConfig, "what share of the tokens comes from where")
    shards: ShardConfig = section(ShardConfig, "rows and shards of tokens")

    def __post_init__(self) -> None:
        validate(self)
        if self.dedup.keep == "best_score" and not self.quality.model_path:
            raise ConfigError("dedup.keep: 'best_score' is not allowed without quality.model_path")
        for name, one in self.quality_more.items():
            if not re.fullmatch("[a-z][a-z0-9_]*", name) or not one.model_path:
                raise ConfigError(f"quality_more.{name}: expected a name of a-z, 0-9 and _, and a model_path")
        stored = [ScoreQuality.name] if self.quality.model_path else []
        stored += [f"quality_{name}" for name in self.quality_more]
        for column in self.quality_bins.scores:
            if column not in stored:
                known = ", ".join(stored) or "none"
                raise ConfigError(f"quality_bins.scores: no classifier scores into {column!r}; there are: {known}")
        if self.toxicity_sites and not self.toxicity.model_path:
            raise ConfigError("toxicity_sites: is not allowed without toxicity.model_path; must be off")


def column_steps(clean: CleanConfig, source: Source) -> list[Step]:
    """Return what comes before all other steps of a clean stage: whatever these drop, its columns are clean.

    The kind of a source is the name of the column of its facts.
    """
    facts = (source.kind,) if source.reader.facts else ()
    return [RedactColumns("pii_columns", clean.pii, facts)] if clean.pii else []


def clean_steps(clean: CleanConfig) -> list[Step]:
    """Return the steps on one web document, in order, without the rules that are switched off."""
    steps: list[Step] = []
    if clean.pii:
        limits = ("max_spans", "columns")
        steps.append(Filter(density.PII_DENSITY, density.measure, density.decide, clean.pii, limits=limits))
        steps.append(Editor("pii", redact, clean.pii, limits=limits))
    if clean.dirty_words:
        steps.append(FilterDirtyWords(clean.dirty_words))
    if clean.repetition:
        steps.append(Filter("repetition", repetition.measure, repetition.decide, clean.repetition))
    if clean.gopher:
        steps.append(Filter("gopher", gopher.measure, gopher.decide, clean.gopher))
    if clean.ngram_lines:
        steps.append(Editor("ngram_lines", ngram_lines.edit, clean.ngram_lines))
    if clean.c4:
        steps.append(Editor("c4_lines", c4.edit_lines, clean.c4))
        steps += again_steps(clean, "")
    if clean.fineweb:
        steps.append(Filter("fineweb", fineweb.measure, fineweb.decide, clean.fineweb))
    if clean.junk:
        steps.append(FilterJunk(clean.junk))
    return steps


def again_steps(clean: CleanConfig, after: str) -> list[Step]:
    """Return the steps that judge what is left of a page when lines have gone from it."""
    steps: list[Step] = []
    if clean.c4:
        steps.append(Filter(f"c4{after}", c4.measure_page, c4.decide_page, clean.c4))
    if clean.gopher and clean.gopher.default.count_again:
        steps.append(Filter(f"words{after}", gopher.measure_length, gopher.decide_length, clean.gopher))
    return steps


def surveys_of(config: CommonCrawlConfig) -> list[Survey]:
    """Return the rules across documents, in order, without those that are switched off."""
    dedup = config.dedup
    surveys: list[Survey] = []
    if config.pii_sites:
        surveys.append(site_density(config.pii_sites, "pii_sites"))
    if config.toxicity_sites:
        surveys.append(site_density(config.toxicity_sites, "toxicity_sites"))
    if dedup.exact:
        surveys.append(exact_copies(KeepConfig(keep=dedup.keep)))
    if dedup.near:
        surveys.append(NearCopies(NearCopiesConfig(keep=dedup.keep, minhash=dedup.minhash)))
    if config.lines:
        surveys.append(FrequentLines(config.lines))
    return surveys


def recipe(config: CommonCrawlConfig) -> Recipe:
    """Return the stages of the recipe under `config`."""
    clean, index = config.clean, config.index
    follow, keep = Follow(config.measure_dropped), KeepEdits(config.keep_edits)
    reader = PageReader(PageReading(ingest=index.ingest, extract=config.extract))
    source = WebArchives(config.source, index.ingest, reader)
    score: list[Step] = [quality_step(config.quality)] if config.quality.model_path else []
    score += [quality_step(one, f"quality_{name}") for name, one in config.quality_more.items()]
    if config.toxicity.model_path:
        score.append(toxicity_step(config.toxicity))
    steps = (*column_steps(clean, source), *clean_steps(clean), *score)
    cpu_ms = 3.0 + CPU_MS * sum(is_folder_model(one.settings.model_path) for one in score)
    web = (
        branch("web", source)
        | IndexStage(source, index.url, index.blocklist)
        | ReadStage(source, (IdentifyLanguage(config.language),), name="extract")
        | LocalStage("clean", steps, cpu_ms=cpu_ms, follow=follow, keep_edits=keep)
    )
    again = again_steps(clean, "_after_lines") if config.lines else []
    docs = merge(web) | SurveyStage("dedup", tuple(surveys_of(config)), tuple(again), config.dedup.rounds, follow, keep)
    if config.quality_bins.scores:
        docs = docs | FitStage(QualityBinsFit(config.quality_bins))
    if config.perplexity.judge != NONE:
        docs = docs | FitStage(PerplexityFit(config.perplexity))
    if config.kl.judge != NONE:
        docs = docs | FitStage(TokenKlFit.of(config.kl, config.tokenizer))
    if config.redpajama:
        signals = RedPajamaSignals(config.redpajama, has_perplexity=config.perplexity.judge != NONE)
        docs = docs | LocalStage("signals", (signals,), cpu_ms=5.0, follow=follow, keep_edits=keep)
    docs = docs | TokenizeStage(config.tokenizer) | MixStage(config.mix) | ShardsStage(config.shards)
    return Recipe.of(NAME, docs, config)
