"""What the recipes of one source share: the stages after the texts are read, and their settings.

    NAME/index     headers alone: what the source leaves out, copies of addresses
    NAME/join      of a source whose documents are several records: which belong together
    NAME/read      the texts; language identification where the source does not declare a language
    NAME/clean     personal data, dirty words, the heuristics: those that suit the source, the others off
    dedup          equal texts, near copies, lines that occur in too many documents
    tokenize, mix, shards

A recipe adds its source and the defaults that suit it. Rules made for web pages (sentences at line ends, buttons,
menus) take good text from encyclopaedias, books and papers, so each recipe says which of them are on by default.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from classifiers.steps.language import IdentifyLanguage, LanguageConfig
from pipelines.recipes.common_crawl import CleanConfig, DedupConfig, again_steps, clean_steps, column_steps
from pipelines.runs.graph import Recipe, branch, merge
from pipelines.runs.stage import Stage
from pipelines.stages.index import IndexStage, UrlConfig
from pipelines.stages.join import JoinStage
from pipelines.stages.local import LocalStage
from pipelines.stages.mix import MixStage
from pipelines.stages.of_steps import Follow, KeepEdits
from pipelines.stages.read import ReadStage
from pipelines.stages.shards import ShardsStage
from pipelines.stages.survey import SurveyStage
from pipelines.stages.tokens import TokenizeStage
from schemas.errors import ConfigError
from schemas.settings import section, setting, validate
from transforms.dedup.exact_copies import KeepConfig, exact_copies
from transforms.dedup.frequent_lines import LinesConfig
from transforms.dedup.line_survey import FrequentLines
from transforms.dedup.near_copy_survey import NearCopies, NearCopiesConfig
from transforms.mixing.mix import MixConfig
from transforms.sources.join import Join
from transforms.sources.source import Source
from transforms.step import Step
from transforms.survey import Survey
from transforms.tokens.token_rows import ShardConfig
from transforms.tokens.tokenizer import TokenizerConfig


def no_heuristics() -> CleanConfig:
    """Return the settings of the clean stage with every rule switched off."""
    return CleanConfig(
        pii=None, dirty_words=None, repetition=None, gopher=None, ngram_lines=None, c4=None, fineweb=None, junk=None
    )


def privacy_only() -> CleanConfig:
    """Return the settings of the clean stage with personal data alone."""
    return replace(no_heuristics(), pii=CleanConfig().pii)


def any_certainty() -> LanguageConfig:
    """Return the settings of language identification without a limit: a paper full of formulas, or a dictionary, is no
    page in a language that nobody can tell."""
    return LanguageConfig(min_score=0.0)


@dataclass(frozen=True, kw_only=True)
class OneSourceConfig:
    """Settings of every recipe of one source; a recipe adds those of its source and has its own defaults."""

    source: str = setting("", "name of the source in ids, mix and shards; '': that of the recipe")
    measure_dropped: float = setting(
        0.1, "share of dropped documents, by id, whose later measures are taken too; 1: all", ge=0, le=1
    )
    keep_edits: float = setting(
        1.0, "share of documents, by id, of whose edits the table `edits` tells; 1: all", ge=0, le=1
    )
    url: UrlConfig = section(UrlConfig, "copies of addresses and payloads")
    language: LanguageConfig | None = section(
        LanguageConfig, "language identification of texts whose source does not declare it", optional=True
    )
    clean: CleanConfig = section(privacy_only, "privacy, safety and heuristics")
    dedup: DedupConfig = section(DedupConfig, "copies of whole documents")
    lines: LinesConfig | None = section(LinesConfig, "lines that occur in too many documents", optional=True, off=True)
    tokenizer: TokenizerConfig = section(TokenizerConfig, "tokenizer: trained here, or from a file")
    mix: MixConfig = section(MixConfig, "what share of the tokens comes from where")
    shards: ShardConfig = section(ShardConfig, "rows and shards of tokens")

    def __post_init__(self) -> None:
        validate(self)
        if self.dedup.keep == "best_score":
            raise ConfigError("dedup.keep: 'best_score' is not allowed: this recipe has no quality classifier")


def surveys_of(config: OneSourceConfig) -> list[Survey]:
    """Return the rules across documents, in order, without those that are switched off."""
    dedup = config.dedup
    surveys: list[Survey] = []
    if dedup.exact:
        surveys.append(exact_copies(KeepConfig(keep=dedup.keep)))
    if dedup.near:
        surveys.append(NearCopies(NearCopiesConfig(keep=dedup.keep, minhash=dedup.minhash)))
    if config.lines:
        surveys.append(FrequentLines(config.lines))
    return surveys


def one_source(
    name: str,
    source: Source,
    config: OneSourceConfig,
    *,
    join: Join | None = None,
    facts_rules: Sequence[Step] = (),
    own_rules: Sequence[Step] = (),
    joined: Stage | None = None,
) -> Recipe:
    """Return the recipe `name`, which reads one source, under `config`.

    `join` brings records together before they are read; `facts_rules` look at what the source says of a text, right
    where it is read; `own_rules` run in the clean stage, before the rules on texts of `config`; `joined` makes other
    documents of those that copies have left.
    """
    follow, keep = Follow(config.measure_dropped), KeepEdits(config.keep_edits)
    language = (IdentifyLanguage(config.language),) if config.language else ()
    steps = (*column_steps(config.clean, source), *own_rules, *clean_steps(config.clean))
    docs = (
        branch(name, source)
        | IndexStage(source, config.url)
        | (JoinStage(source, join) if join else None)
        | ReadStage(source, (*facts_rules, *language))
        | (LocalStage("clean", steps, cpu_ms=3.0, follow=follow, keep_edits=keep) if steps else None)
    )
    again = again_steps(config.clean, "_after_lines") if config.lines else []
    surveys = tuple(surveys_of(config))
    docs = merge(docs) | SurveyStage("dedup", surveys, tuple(again), config.dedup.rounds, follow, keep) | joined
    docs = docs | TokenizeStage(config.tokenizer) | MixStage(config.mix) | ShardsStage(config.shards)
    return Recipe.of(name, docs, config)
