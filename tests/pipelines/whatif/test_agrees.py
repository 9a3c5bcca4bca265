"""What is told of other settings is what a run under them gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.whatif.pairs import NOT_MEASURED
from pipelines.whatif.tally import COMES, GOES, UNDECIDED
from pipelines.whatif.whatif import WhatIf
from tests.pipelines.stages.conftest import Done
from tests.pipelines.whatif.conftest import DOCUMENTS, Bench, Rerun, by_source_and_language

Steps = Callable[..., list[Any]]

# Looser and stricter limits of one rule and of several, rules switched off, limits by language and by script.
CHANGES: list[dict[str, Any]] = [
    {"gopher": {"min_words": 20}},
    {"gopher": {"min_words": 90}},
    {"gopher": {"max_hashes_per_word": 1.0, "max_ellipsis_line_fraction": 0.05}},
    {"repetition": {"max_duplicate_line_fraction": 1.0, "max_top_2_gram_fraction": 1.0, "max_top_3_gram_fraction": 1}},
    {"repetition": "off"},
    {"fineweb": {"min_terminal_line_fraction": 0.6, "max_short_line_fraction": 0.2}},
    {"c4": {"min_sentences": 9, "drop_lorem_ipsum": False}, "fineweb": "off"},
    {"junk": {"max_commas_per_word": 0.02, "drop_search_results": False}},
    {"junk": {"min_confidence": {"listing": 0.2}}, "gopher": {"min_words": 10}, "c4": {"min_sentences": 1}},
    {"gopher": {"by_language": {"de": {"min_words": 5}, "Hani": {"min_words": 150}, "other": {"min_words": 70}}}},
    {"gopher": "off", "repetition": "off", "junk": "off"},
    {"pii": {"max_spans": {"emails": 1}}},
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, clean: Steps) -> tuple[Bench, Done]:
    """A run that has measured every dropped document by all later rules."""
    bench = Bench(tmp_path_factory.mktemp("whole"))
    return bench, bench.run(clean())


def documents_of(told: WhatIf, change: str) -> int:
    return sum(tally.documents.total() for rule, tally in told.tallies.items() if rule.change == change)


def test_many_documents_are_kept_and_many_rules_drop_some(whole: tuple[Bench, Done]) -> None:
    counts = whole[1].manifest.counts
    assert counts.kept > 40
    assert len(counts.dropped) >= 10


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_the_numbers_are_those_of_a_rerun(whole: tuple[Bench, Done], clean: Steps, change: dict[str, Any]) -> None:
    bench, done = whole
    lost = {row["id"]: (row["step"], row["reason"]) for row in done.rows("rejected")}
    again = Rerun.of(clean(change))
    told, result = bench.told(done, clean(), clean(change))
    assert result.undecided == 0
    assert by_source_and_language(result.fates) == by_source_and_language(again.fates)
    moved = Counter(
        (lost.get(name, ("", "")), end) for name, end in again.ends.items() if lost.get(name, ("", "")) != end
    )
    rules = {
        ((rule.step, rule.reason), (rule.new_step, rule.new_reason)): tally for rule, tally in told.tallies.items()
    }
    assert {pair: tally.documents.total() for pair, tally in rules.items()} == moved
    assert moved


def test_the_numbers_are_those_of_a_rerun_of_the_stage(whole: tuple[Bench, Done], clean: Steps, tmp_path: Path) -> None:
    bench, done = whole
    again = Bench(tmp_path).run(clean(CHANGES[9]))
    told, result = bench.told(done, clean(), clean(CHANGES[9]))
    assert by_source_and_language(result.fates) == by_source_and_language(dict(again.manifest.counts.items()))
    kept = [{row["id"] for row in one.rows("documents")} for one in (done, again)]
    numbers = [documents_of(told, kind) for kind in (COMES, GOES)]
    assert numbers == [len(kept[1] - kept[0]), len(kept[0] - kept[1])]
    assert min(numbers) > 0


def test_what_was_not_measured_is_undecided_and_the_rest_agrees(bench: Bench, clean: Steps) -> None:
    change = {"gopher": {"min_words": 10}, "repetition": {"max_top_2_gram_fraction": 1.0}}
    done = bench.run(clean(), 0.3)
    told, result = bench.told(done, clean(), clean(change), 0.3)
    assert 0 < result.undecided < len(DOCUMENTS) / 2
    assert {rule.new_reason for rule in told.tallies if rule.change == UNDECIDED} == {NOT_MEASURED}
    again = Rerun.of(clean(change)).fates
    assert result.fates <= again  # what is told is true
    assert (again - result.fates).total() == result.undecided  # and what is not told is counted
    assert documents_of(told, COMES) > 0


@pytest.mark.parametrize(
    ("change", "step", "cause", "before"),
    [
        ({"gopher": {"by_blocks": False}}, "gopher", "measures by by_blocks", ("repetition",)),
        ({"c4": {"javascript_lines": "keep"}}, "c4_lines", "edits by javascript_lines", ("repetition", "gopher")),
        ({"pii": "off"}, "pii", "has edited, and would not", ()),
        (
            {"gopher": {"by_language": {"de": {"stop_words": ["und"]}}}},
            "gopher",
            "measures by stop_words",
            ("repetition",),
        ),
    ],
)
def test_what_a_rule_measures_or_edits_by_is_undecided(
    whole: tuple[Bench, Done], clean: Steps, change: dict[str, Any], step: str, cause: str, before: tuple[str, ...]
) -> None:
    """Undecided is every document that reaches the step, and in each language no other."""
    bench, done = whole
    told, result = bench.told(done, clean(), clean(change))
    assert {(rule.change, rule.new_step, rule.new_reason) for rule in told.tallies} == {(UNDECIDED, step, cause)}
    languages = {"de"} if "by_language" in str(change) else {document.language for document in DOCUMENTS}
    gone = {row["id"] for row in done.rows("rejected") if row["step"] in before}
    reach = Counter(one.language for one in DOCUMENTS if one.id not in gone and one.language in languages)
    found = Counter(group.language for tally in told.tallies.values() for group in tally.documents.elements())
    assert found == reach
    assert result.undecided == reach.total() > 0


def test_a_limit_that_only_other_settings_read_leaves_the_editor_alone(whole: tuple[Bench, Done], clean: Steps) -> None:
    bench, done = whole
    told, result = bench.told(done, clean(), clean({"c4": {"min_sentences": 12}}))
    assert result.undecided == 0
    assert told.tallies


def test_the_same_settings_change_nothing(whole: tuple[Bench, Done], clean: Steps) -> None:
    bench, done = whole
    told, result = bench.told(done, clean(), clean())
    assert (told.tallies, result.undecided) == ({}, 0)
    assert result.fates == dict(done.manifest.counts.items())
