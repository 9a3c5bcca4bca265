"""`winnow show --near`: the documents on both sides of a limit."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, cast

import pytest

from pipelines.reports.near import _Rule
from pipelines.runs.folder import DataFolder, Manifest
from tests.pipelines.conftest import SETTINGS, Call, sentences

N_LINES = (2, 3, 4, 5, 6, 8, 10, 12)  # of about eleven words each


@pytest.fixture(scope="module")
def run(command: Call, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run over texts of several lengths, a near copy of the longest, and German ones."""
    folder = tmp_path_factory.mktemp("near")
    german = "Der alte Mann ging am Morgen langsam über die Brücke und kaufte auf dem Markt ein frisches Brot."
    rows = [{"text": sentences(n, n), "id": f"en-{n:02d}", "url": f"https://a.example/{n}"} for n in N_LINES]
    longest = rows[-1]
    rows.append({**longest, "text": f"{longest['text']} Menu", "id": "en-copy", "url": "https://b.example/copy"})
    rows += [
        {"text": "\n".join(f"{german[:-1]} Nummer {n} {i}." for i in range(n)), "id": f"de-{n:02d}"}
        for n in (1, 2, 3, 4)
    ]
    (folder / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    settings = {
        **SETTINGS,
        "language": {},
        "clean": {"repetition": "off"},
        "measure_dropped": 1,
    }
    (folder / "small.yaml").write_text(json.dumps(settings))
    given = ("--input", folder / "in.jsonl", "--output", folder / "run", "--config", folder / "small.yaml")
    said = command("run", *given)
    assert said.code == 0, said.out + said.err
    return folder / "run"


@pytest.fixture
def near(call: Call, run: Path) -> Any:
    def ask(*words: object) -> list[dict[str, Any]]:
        said = call("show", run, "--near", *words, "--json")
        assert (said.code, said.err) == (0, "")
        found: list[dict[str, Any]] = said.json
        return found

    return ask


def test_a_reason_shows_both_sides_in_the_order_of_the_measure(near: Any) -> None:
    found = near("too_few_words", "--limit", 2)
    assert [row["side"] for row in found] == ["outside", "outside", "inside", "inside"]
    values = [row["value"] for row in found]
    assert values == sorted(values)
    assert {(row["stage"], row["step"], row["measure"], row["limit"]) for row in found} == {
        ("web/clean", "gopher", "n_words", 50)
    }
    assert values[1] < 50 <= values[2]
    assert [row["fate"] for row in found[:2]] == ["too_few_words"] * 2
    assert all(row["value"] == len(row["text"].split()) for row in found)


def test_the_nearest_are_shown_and_all_of_them_on_demand(near: Any) -> None:
    every = near("too_few_words", "--limit", 0)
    few = near("too_few_words", "--limit", 1)
    outside = [row["value"] for row in every if row["side"] == "outside"]
    inside = [row["value"] for row in every if row["side"] == "inside"]
    assert [row["value"] for row in few] == [max(outside), min(inside)]
    assert len(every) == len(N_LINES) + 1 + 4  # the near copy, and the German ones
    assert near("too_few_words", "--limit", 0) == every


def test_a_limit_that_nobody_has_set(near: Any) -> None:
    found = near("gopher.n_words=80", "--limit", 3)
    assert {row["limit"] for row in found} == {80}
    assert [row["side"] for row in found] == ["below"] * 3 + ["above"] * 3
    assert all((row["value"] < 80) == (row["side"] == "below") for row in found)
    assert [row["value"] for row in near("gopher.n_words=80", "--language", "de", "--limit", 0)] == sorted(
        len(row["text"].split()) for row in near("gopher.n_words=80", "--language", "de", "--limit", 0)
    )


def test_limits_may_differ_by_language() -> None:
    manifest, data = cast("Manifest", None), DataFolder("")
    limits = {"en": Counter({50.0: 9}), "zh": Counter({30.0: 2, 20.0: 2}), "de": Counter({50.0: 1})}
    rule = _Rule(0, manifest, data, "gopher", "too_few_words", limits=limits, is_lower=True)
    assert [rule.limit_of(language) for language in ("en", "zh", "fr", "")] == [50, 20, 50, 50]
    assert [rule.side(value, 50) for value in (49, 50, 51)] == ["outside", "inside", "inside"]
    rule.is_lower = False
    assert [rule.side(value, 50) for value in (49, 50, 51)] == ["inside", "inside", "outside"]


def test_one_step_in_two_stages(near: Any) -> None:
    assert {row["stage"] for row in near("c4_after_lines.n_sentences=5")} == {"dedup"}
    assert {row["stage"] for row in near("c4.n_sentences=5", "--stage", "web/clean")} == {"web/clean"}


def test_for_a_person(call: Call, run: Path) -> None:
    out = call("show", run, "--near", "too_few_words", "--limit", 1).out.splitlines()
    assert out[0] == "web/clean  gopher.n_words, limit 50"
    assert out[1].split()[1] == "too_few_words"
    assert out[2].startswith("----------  50")
    assert out[3].split()[1] != "too_few_words"
    assert call("show", run, "--near", "gopher.n_words=50", "--language", "xx").out == "no such document\n"


def test_values_that_are_no_measure_are_shown_by_themselves(near: Any, call: Call, run: Path) -> None:
    found = near("near_copy")
    assert {(row["stage"], row["step"], row["measure"], row["fate"]) for row in found} == {
        ("dedup", "near_copies", "", "near_copy")
    }
    assert all(row["value"] >= row["limit"] and row["text"] for row in found)
    out = call("show", run, "--near", "near_copy").out
    assert out.startswith("dedup  near_copies, limit ")
    assert " (kept documents have no such measure)\n" in out


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("nonsense", "--near nonsense: no document was dropped for it; reasons with a limit: "),
        ("language_not_kept", "--near language_not_kept: has no limit: it is there or not; reasons with a limit: "),
        ("gopher=3", "--near gopher=3: expected a reason, or STEP.MEASURE=LIMIT, for example gopher.n_words=50"),
        ("gopher.n_words=many", "--near gopher.n_words=many: expected a reason, or STEP.MEASURE=LIMIT"),
        ("gofer.n_words=3", "--near gofer.n_words=3: no step 'gofer' with measures; there are c4, c4_after_lines, "),
        (
            "gopher.words=3",
            "--near gopher.words=3: gopher has no measure 'words'; there are n_words, n_lines, mean_word_chars",
        ),
        ("c4.has_lorem_ipsum=1", "c4 has no measure 'has_lorem_ipsum'; there are n_sentences"),
    ],
)
def test_what_there_is_not_is_one_line(call: Call, small_run: Path, asked: str, message: str) -> None:
    said = call("show", small_run, "--near", asked)
    assert said.code == 1
    assert message in said.err
    assert said.err.count("\n") == 1


def test_a_stage_that_there_is_not(call: Call, small_run: Path) -> None:
    said = call("show", small_run, "--near", "gopher.n_words=50", "--stage", "cleen")
    assert said.err.startswith("winnow: --stage cleen: not in this run; allowed: web/index")
