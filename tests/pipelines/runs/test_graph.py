"""Recipes as graphs: ids by branch, and what cannot work refused in one line when the recipe is built."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pipelines.runs.graph import Flow, Recipe, branch, merge, route
from pipelines.stages.index import IndexStage
from pipelines.stages.local import LocalStage
from pipelines.stages.mix import MixStage
from pipelines.stages.read import ReadStage
from pipelines.stages.survey import SurveyStage
from schemas.errors import ConfigError
from transforms.dedup.exact_copies import KeepConfig, exact_copies
from transforms.dedup.frequent_lines import LinesConfig
from transforms.dedup.line_survey import FrequentLines
from transforms.heuristics import gopher
from transforms.heuristics.gopher import GopherConfig
from transforms.mixing.mix import MixConfig
from transforms.safety.site_density import SiteDensityConfig, site_density
from transforms.sources.tables.tables import Tables, TablesConfig
from transforms.sources.wikipedia.reader import ArticleReader
from transforms.sources.wikipedia.settings import WikipediaReadConfig, WikipediaScanConfig
from transforms.sources.wikipedia.source import Wikipedia
from transforms.step import Filter

A, B = Tables("a", TablesConfig()), Tables("b", TablesConfig())


def step(name: str) -> Filter[Any, Any]:
    return Filter(name, gopher.measure, gopher.decide, GopherConfig())


def started(name: str, source: Tables) -> Flow:
    return branch(name, source) | IndexStage(source) | ReadStage(source)


def test_ids_are_paths_and_a_merge_has_none() -> None:
    flow = merge(started("x", A), started("y", B) | LocalStage("clean", ())) | LocalStage("clean", ())
    recipe = Recipe.of("two", flow)
    assert [(node.id, node.upstream) for node in recipe.nodes] == [
        ("x/index", ()), ("x/read", ("x/index",)), ("y/index", ()), ("y/read", ("y/index",)),
        ("y/clean", ("y/read",)), ("clean", ("x/read", "y/clean")),
    ]  # fmt: skip
    assert recipe.sources == {"a": A, "b": B}
    assert [node.source for node in recipe.nodes] == ["a", "", "b", "", "", ""]


def test_a_rule_that_is_off_adds_nothing() -> None:
    assert (started("x", A) | None).nodes == started("x", A).nodes


def test_routes_part_a_flow_and_may_meet_again() -> None:
    parts = route(started("x", A), str, ("code", "prose"))
    flow = merge(parts["code"] | LocalStage("clean", ()), parts["prose"] | LocalStage("clean", ()))
    ids = [node.id for node in Recipe.of("parted", flow | LocalStage("all", ())).nodes]
    assert ids == ["x/index", "x/read", "x/code/clean", "x/prose/clean", "all"]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: started("x", A) | ReadStage(A), "stage x/read: there are two of this name"),
        (lambda: merge(started("x", A), started("x", B)), "stage x/index: there are two of this name"),
        (
            lambda: Recipe.of("r", started("x", A) | LocalStage("c", (step("one"), step("one")))),
            "step one: there are two",
        ),
        (lambda: Recipe.of("r", started("x", A) | LocalStage("c", (step("text"),))), "has something of this name"),
        (
            lambda: Recipe.of("r", started("x", A) | LocalStage("c", (step("keep_edits"),))),
            "has something of this name",
        ),
        (lambda: SurveyStage("d", (), (step("x"),)), "stage d: has steps but no survey"),
        (lambda: Recipe.of("r", started("x", A) | LocalStage("c", (step("Mine!"),))), "a name is lower-case letters"),
        (lambda: started("x", A) | LocalStage("Clean It", ()), "a name is lower-case letters"),
        (lambda: branch("a/b", A), "a name is lower-case letters"),
        (lambda: Flow() | LocalStage("clean", ()), "reads nothing; begin with branch"),
        (lambda: merge(branch("x", A)), "a branch without a stage has nothing to merge"),
        (lambda: Recipe.of("r", branch("x", A) | IndexStage(B)), "must read its source"),
        (lambda: Recipe.of("r", Flow()), "has no source"),
        (lambda: route(started("x", A), str, ("one", "one")), "expected different names"),
        (lambda: merge(route(started("x", A), str, ("one",))["one"]), "takes documents but has no stage"),
    ],
)
def test_what_cannot_work_is_refused(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(ConfigError) as error:
        make()
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_two_branches_of_one_source_name_are_refused() -> None:
    other = Tables("a", TablesConfig(text_column="body"))
    with pytest.raises(ConfigError, match="source a: two branches read a source of this name"):
        Recipe.of("r", merge(started("x", A), started("y", other)) | LocalStage("clean", ()))


def test_a_stage_knows_the_columns_of_all_that_it_reads() -> None:
    one = started("x", A) | LocalStage("clean", (step("mine"),))
    recipe = Recipe.of("r", merge(one, started("y", B)) | LocalStage("last", ()))
    assert recipe.node("last").measures == {"mine": step("mine").stats}
    assert recipe.node("x/clean").measures == recipe.node("y/read").measures == {}


def test_a_lambda_is_refused_when_the_recipe_is_built() -> None:
    rule = Filter("mine", lambda view: None, gopher.decide, GopherConfig())
    with pytest.raises(ConfigError, match=r"Filter mine: a lambda .* cannot be imported by workers"):
        Recipe.of("r", started("x", A) | LocalStage("clean", (rule,)))


def test_a_branch_of_a_route_that_nobody_takes_is_refused() -> None:
    parts = route(started("x", A), str, ("code", "prose"))
    with pytest.raises(ConfigError, match="nothing takes branch prose of the route after x/read"):
        Recipe.of("r", parts["code"] | LocalStage("clean", ()))


def test_a_stage_that_would_read_everything_cannot_be_the_first_of_a_routes_branch() -> None:
    parts = route(started("x", A), str, ("code", "prose"))
    with pytest.raises(ConfigError, match="x/code/dedup: cannot take part of a flow; begin with a LocalStage"):
        _ = parts["code"] | SurveyStage("dedup", (exact_copies(KeepConfig()),))


def untold(view: Any):  # type: ignore[no-untyped-def]
    return view


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: merge(started("clean", A)) | LocalStage("clean", ()), "stage clean: has the name of a branch (clean/"),
        (lambda: started("runs", A), "a run has a folder runs for something else"),
        (lambda: merge(started("x", A)) | LocalStage("logs", ()), "a run has a folder logs for something else"),
        (lambda: branch("x", A) | ReadStage(A), "stage x/read: reads headers; an IndexStage is the first"),
        (lambda: branch("x", A) | IndexStage(A) | LocalStage("c", ()), "reads documents, but x/index writes headers"),
        (lambda: started("x", A) | MixStage(MixConfig()), "stage x/mix: reads tokens, but x/read writes documents"),
        (lambda: merge(started("x", A), started("y", Tables("a", TablesConfig()))) | LocalStage("c", ()), "use route"),
        (
            lambda: merge(started("x", A) | LocalStage("c", (step("one"),))) | LocalStage("d", (step("one"),)),
            "stage d: step one: an earlier stage has a column of this name",
        ),
        (
            lambda: started("x", A) | LocalStage("c", (Filter("bare", untold, gopher.decide, None),)),
            "must be annotated",
        ),
    ],
)
def test_what_would_damage_a_run_is_refused(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(ConfigError) as error:
        Recipe.of("r", make())
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: merge(started("x", A), started("x", A)), "stage x/index: there are two"),
        (lambda: merge(*[started("x", A)] * 2), "stage x/read is given twice"),
        (lambda: merge([started("x", A)]), "expected branches, found list"),  # type: ignore[arg-type]
        (lambda: started("x", A) | step("one"), "expected a stage after `|`, found Filter"),  # type: ignore[arg-type]
        (lambda: started("x", A) | LocalStage, "expected a stage after `|`, found LocalStage"),  # type: ignore[arg-type]
        (lambda: SurveyStage("d", (FrequentLines(LinesConfig()), exact_copies(KeepConfig()))), "must be the last"),
    ],
)
def test_what_is_no_part_of_a_graph_is_refused(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(ConfigError) as error:
        make()
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("step_name", "measure", "said"),
    [
        ("gopher", "n_words", None),
        ("dirty_words", "n_words", r"needs dirty_words\.n_words, which no step before it measures; .*gopher\.n_words"),
        ("gopher", "n_word", r"needs gopher\.n_word, which .*; expected one like gopher\.n_words"),
    ],
)
def test_a_survey_of_a_measure_that_nobody_takes_is_refused(step_name: str, measure: str, said: str | None) -> None:
    sites = SurveyStage("sites", (site_density(SiteDensityConfig(step=step_name, measure=measure)),))
    bare, measured = started("x", A), started("y", B) | LocalStage("clean", (step("gopher"),))
    if said is None:
        assert Recipe.of("r", merge(bare, measured) | sites).node("sites")  # null where a branch has none
    else:
        with pytest.raises(ConfigError, match=said):
            Recipe.of("r", merge(bare, measured) | sites)


def test_a_step_named_like_the_facts_of_its_source_is_refused() -> None:
    wiki = Wikipedia("wiki", WikipediaScanConfig(), ArticleReader(WikipediaReadConfig()))
    flow = branch("wiki", wiki) | IndexStage(wiki) | ReadStage(wiki) | LocalStage("clean", (step("wikipedia"),))
    with pytest.raises(ConfigError, match="an earlier stage has a column of this name"):
        Recipe.of("r", flow)
