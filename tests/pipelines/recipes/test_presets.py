"""Presets: the papers' own rules, and one line for a name that there is not."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from pipelines.commands.arguments.options import settings_of
from pipelines.recipes.common_crawl import CommonCrawlConfig, clean_steps
from pipelines.recipes.find import find_recipe
from schemas.errors import ConfigError
from schemas.records import Document
from transforms.step import Draft, run_steps

MAKER = find_recipe("common_crawl")
PROSE = "The keeper of the light wrote that the sea was calm and that no ship had passed since the morning.\n"


def settings(name: str) -> CommonCrawlConfig:
    made: CommonCrawlConfig = settings_of(MAKER, [Path(f"preset:{name}")], None)
    return made


def fate(name: str, text: str) -> tuple[str, str]:
    """Why a text goes under a preset ('' : it stays), and what is left of it."""
    draft = Draft(Document(id="1", text=text, url="https://example.org", language="en"))
    run_steps(clean_steps(settings(name).clean), [draft], Counter(), Counter())
    return (draft.drop.reason if draft.drop else ""), draft.document.text


def test_the_steps_of_each() -> None:
    assert sorted(MAKER.presets) == ["c4", "chat_tokens", "fineweb", "gopher"]
    assert settings("chat_tokens").clean == settings_of(MAKER, [], None).clean  # it is about tokens alone
    papers = ("c4", "gopher", "fineweb")
    steps = {name: [step.name for step in clean_steps(settings(name).clean)] for name in papers}
    assert steps == {
        "c4": ["dirty_words", "c4_lines", "c4"],
        "gopher": ["repetition", "gopher"],
        "fineweb": ["pii_density", "pii", "repetition", "gopher", "c4_lines", "c4", "fineweb"],
    }
    assert all(settings(name).lines is None for name in papers)


def test_c4_takes_every_line_for_prose() -> None:
    text = f"{PROSE}A heading\n2 cups of milk\nIt cites[0] JavaScript in a line of its own here.\n{PROSE}{PROSE}"
    assert fate("c4", text) == ("", (PROSE * 3).strip())
    assert fate("c4", f"{PROSE}Use {{name}} for the name of it.\n{PROSE}")[0] == "curly_bracket"


SENTENCES = [
    "The keeper of the light wrote that the sea was calm that morning.",
    "No ship had passed since noon, and the wind had turned to the west.",
    "A boat with three men came in before dark and asked for water.",
    "They have a letter with them that nobody on the island could read.",
    "To be sure of the date he counted the marks that he had cut in wood.",
]


def test_fineweb_has_its_sentences_and_three_words_a_line() -> None:
    assert fate("fineweb", "\n".join(SENTENCES))[0] == ""
    assert fate("fineweb", "\n".join(SENTENCES[:4]))[0] == "too_few_sentences"
    _, text = fate("fineweb", "\n".join([*SENTENCES, "Two words", "Now three words"]))
    assert text == "\n".join([*SENTENCES, "Now three words"])


def test_gopher_counts_the_first_copy() -> None:
    lines = [f"line {n} of the many that there are in it" for n in range(14)]
    assert fate("gopher", "\n".join([*lines, *lines[:3]]))[0] == "duplicate_lines"


def test_an_unknown_preset_is_one_line() -> None:
    with pytest.raises(ConfigError) as error:
        settings("finewebb")
    assert str(error.value) == (
        "preset 'finewebb': recipe common_crawl has no such preset; expected one of c4, chat_tokens, fineweb, gopher"
    )


def test_a_file_is_laid_over_a_preset(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("clean: {c4: {min_line_words: 7}}")
    laid: CommonCrawlConfig = settings_of(MAKER, [Path("preset:c4"), tmp_path / "mine.yaml"], None)
    assert laid.clean.c4 is not None
    english = laid.clean.c4.default
    assert (english.min_line_words, english.require_terminal_punctuation) == (7, True)
