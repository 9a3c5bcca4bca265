"""The recipe `tables`: texts in JSON Lines and Parquet, C4 and other data sets, into token shards.

What the texts are is not known here, so that only rules that are right for any text are on: language identification,
personal data, copies. Llama 1 takes C4 as it is; `clean.gopher=on` and the others are there for rawer tables. Rows of
one address are often pieces of one page, so that they do not replace each other.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.recipes.one_source import OneSourceConfig, one_source
from pipelines.runs.graph import Recipe
from pipelines.stages.index import UrlConfig
from schemas.settings import section
from transforms.sources.tables.tables import Tables, TablesConfig

NAME = "tables"


@dataclass(frozen=True, kw_only=True)
class TablesRecipeConfig(OneSourceConfig):
    """Every setting of the recipe."""

    read: TablesConfig = section(TablesConfig, "which columns hold what")
    url: UrlConfig = section(
        lambda: UrlConfig(newest_per_url=False, one_per_payload=False), "copies of addresses and payloads"
    )


def recipe(config: TablesRecipeConfig) -> Recipe:
    """Return the stages of the recipe under `config`."""
    return one_source(NAME, Tables(config.source or NAME, config.read), config)
