"""Recipes of one source: their stages, their defaults, and a run on the command line from the first to a later one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.recipes import tables, wikipedia
from pipelines.recipes.find import find_recipe, make_recipe
from schemas.errors import ConfigError
from schemas.settings import overlay

Call = Callable[..., Any]
LAST = ["dedup", "tokenize", "mix", "shards"]
SMALL = ("--set", "tokenizer.vocab_size=300", "--set", "shards.row_tokens=64")


def stages(name: str, changes: dict[str, Any]) -> list[str]:
    maker = find_recipe(name)
    return [node.id for node in make_recipe(maker, overlay(maker.settings(), changes)).nodes]


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        ("wikipedia", {}, ["wikipedia/index", "wikipedia/read", *LAST]),
        ("wikipedia", {"clean": {"gopher": "on"}}, ["wikipedia/index", "wikipedia/read", "wikipedia/clean", *LAST]),
        ("books", {}, ["books/index", "books/read", *LAST]),
        ("arxiv", {"lines": "on"}, ["arxiv/index", "arxiv/read", *LAST]),
        ("tables", {}, ["tables/index", "tables/read", "tables/clean", *LAST]),
        ("tables", {"dedup": {"exact": False, "near": False}},
         ["tables/index", "tables/read", "tables/clean", *LAST[1:]])
    ],
)  # fmt: skip
def test_stages(name: str, changes: dict[str, Any], expected: list[str]) -> None:
    assert stages(name, changes) == expected


def test_rules_that_are_off_can_be_switched_on_with_the_defaults_of_the_web() -> None:
    config = overlay(tables.TablesRecipeConfig(), {"clean": {"c4": "on", "pii": "off"}, "lines": "on"})
    assert [step.name for step in tables.recipe(config).node("tables/clean").stage.steps] == ["c4_lines", "c4"]
    (dedup,) = [node.stage for node in tables.recipe(config).nodes if node.id == "dedup"]
    assert [survey.name for survey in dedup.surveys][-1] == "lines"
    assert [step.name for step in dedup.steps][-1] == "c4_after_lines"


def test_the_source_has_the_name_that_is_asked_for() -> None:
    assert list(wikipedia.recipe(wikipedia.WikipediaConfig()).sources) == ["wikipedia"]
    assert list(wikipedia.recipe(wikipedia.WikipediaConfig(source="dewiki")).sources) == ["dewiki"]


@pytest.mark.parametrize("name", ["arxiv", "books"])
def test_no_book_or_paper_is_dropped_for_an_uncertain_language(name: str) -> None:
    assert find_recipe(name).settings().language.min_score == 0


def test_a_choice_by_a_score_that_nobody_gives_is_refused() -> None:
    with pytest.raises(ConfigError, match="this recipe has no quality classifier"):
        overlay(wikipedia.WikipediaConfig(), {"dedup": {"keep": "best_score"}})


def dump(path: Path, pages: dict[int, str]) -> Path:
    head = "<mediawiki xml:lang='de'><siteinfo><dbname>dewiki</dbname></siteinfo>"
    texts = (
        f"<page><title>Seite {n}</title><ns>0</ns><id>{n}</id>"
        f"<revision><id>{n}</id><text>{text}</text></revision></page>\n"
        for n, text in pages.items()
    )
    path.write_text(head + "".join(texts) + "</mediawiki>", encoding="utf-8")
    return path


def test_a_run_and_a_later_run_over_what_is_new(command: Call, call: Call, tmp_path: Path) -> None:
    """The language is the dump's own, numbers tell stubs of one template apart, and a second run compares with them."""
    stub = (
        "Der Fluss ist ein linker Nebenfluss im Norden des Landes mit einer Länge von {0} Kilometern bei {0} Metern. "
    )
    pages = {1: stub.format(17) * 3, 2: stub.format(23) * 3, 3: "#REDIRECT [[X]]"}
    first = dump(tmp_path / "dewiki-1.xml", pages)
    out = tmp_path / "out"
    settings = ("--set", "read.title=false", *SMALL)
    done = command("run", "--recipe", "wikipedia", "--input", first, "--output", out, *settings)
    assert done.code == 0, done.out + done.err
    index, read, dedup, *_ = call("ledger", out, "--by", "source,language", "--json").json["stages"]
    assert (index["kept"], index["dropped"], index["failed"]) == (2, {"redirect": 1}, {})
    assert read["by"] == [{"source": "wikipedia", "language": "de", "kept": 2, "dropped": {}, "failed": {}}]
    assert dedup["kept"] == 2
    assert "Nebenfluss" in call("show", out).out

    second = dump(tmp_path / "dewiki-2.xml", {8: pages[1], 9: "Ein anderer Text über etwas ganz anderes."})
    more = command("run", "--new", "--input", first, second, "--output", out, *settings)
    assert more.code == 0, more.out + more.err
    later = call("ledger", out, "--run", "1", "--json").json["stages"]
    assert (later[0]["read"], later[2]["dropped"], later[2]["kept"]) == (2, {"text_in_earlier_run": 1}, 1)
