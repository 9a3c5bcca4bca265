"""The recipe `stackexchange`: dumps of StackExchange into token shards, a question with its answers a document.

    stackexchange/index   posts that are questions or answers; of two dumps of a site the newer state of a post
    stackexchange/join    the 28 largest sites if asked for; answers are found for their questions
    stackexchange/read    title, question, answers by score; which questions are kept; language identification

Source: Llama 1 (arXiv:2302.13971), section 2.1. What it does not say is a setting, labelled as ours. The heuristics are
off: posts are written and voted on by people, many are short or mostly code.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.recipes.one_source import OneSourceConfig, one_source
from pipelines.runs.graph import Recipe
from pipelines.stages.index import UrlConfig
from schemas.settings import section
from transforms.sources.stackexchange.reader import ThreadReader
from transforms.sources.stackexchange.rules import filter_threads
from transforms.sources.stackexchange.settings import PostsConfig, SitesConfig, ThreadConfig, ThreadRulesConfig
from transforms.sources.stackexchange.source import StackExchange, ThreadJoin

NAME = "stackexchange"


@dataclass(frozen=True, kw_only=True)
class StackExchangeConfig(OneSourceConfig):
    """Every setting of the recipe."""

    posts: PostsConfig = section(PostsConfig, "what is read from dumps")
    sites: SitesConfig = section(SitesConfig, "which sites")
    thread: ThreadConfig = section(ThreadConfig, "a question and its answers as one text")
    rules: ThreadRulesConfig = section(ThreadRulesConfig, "which questions are kept")
    url: UrlConfig = section(lambda: UrlConfig(one_per_payload=False), "copies of addresses and payloads")


def recipe(config: StackExchangeConfig) -> Recipe:
    """Return the stages of the recipe under `config`."""
    source = StackExchange(config.source or NAME, config.posts, ThreadReader(config.thread))
    join = ThreadJoin(config.sites, config.posts.site)
    return one_source(NAME, source, config, join=join, facts_rules=(filter_threads(config.rules),))
