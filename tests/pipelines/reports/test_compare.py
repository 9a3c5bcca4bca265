"""`winnow compare`: what came and went between two runs over the same inputs."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pipelines.reports.compare import _Run
from pipelines.runs.folder import RunFolder
from pipelines.runs.plan import VERSION
from tests.pipelines.conftest import SETTINGS, Call, rows

NOTICE = rows()[9]["text"].rsplit("\n", 1)[1]  # a line that the rules of C4 take away
WORDS = Counter(NOTICE.split())


@pytest.fixture(scope="module")
def other(jsonl: Path, command: Call, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run over a copy of the inputs in another place, as another source, with other rules and a block list."""
    folder = tmp_path_factory.mktemp("other")
    shutil.copy(jsonl, folder / jsonl.name)
    (folder / "domains").write_text("site-3.example\n")
    settings = {
        **SETTINGS,
        "source": "rows",
        "clean": {"c4": "off", "gopher": "off", "fineweb": "off", "junk": "off"},
        "index": {"blocklist": {"domains_files": [str(folder / "domains")]}},
        "lines": "off",
    }
    (folder / "other.yaml").write_text(json.dumps(settings))
    said = command("run", "--input", folder / jsonl.name, "--output", folder / "run", "--config", folder / "other.yaml")
    assert said.code == 0, said.out + said.err
    return folder / "run"


@pytest.fixture
def compare(call: Call) -> Any:
    def run(*words: object) -> dict[str, Any]:
        said = call("compare", *words, "--json")
        assert (said.code, said.err) == (0, "")
        found: dict[str, Any] = said.json
        return found

    return run


def test_a_run_is_like_itself(compare: Any, small_run: Path) -> None:
    book = compare(small_run, small_run)
    assert (book["a"]["kept"], book["both"]["documents"], book["both"]["equal"]) == (9, 9, 9)
    assert (book["both"]["changed"], book["only_a"]["documents"], book["only_b"]["documents"]) == (0, 0, 0)
    assert book["inputs"] == {"both": 1, "only_a": 0, "only_b": 0}
    assert book["settings"] == []


def test_what_is_kept_in_one_alone_says_why_the_other_dropped_it(compare: Any, small_run: Path, other: Path) -> None:
    book = compare(small_run, other, "--samples", 9)
    rules = {side: Counter() for side in ("only_a", "only_b")}
    for side, counts in rules.items():
        for row in book[side]["samples"]:
            counts[row["stage"], row["reason"], row["url"]] += 1
        assert sum(rule["documents"] for rule in book[side]["rules"]) == book[side]["documents"] == counts.total()
    assert ("web/index", "blocked_domain", "https://site-3.example/page") in rules["only_a"]
    short = [
        row for row in book["only_b"]["samples"] if row["url"] in {f"https://site-{n}.example/page" for n in (10, 11)}
    ]
    assert len(short) == 2
    assert {row["stage"] for row in short} == {"web/clean"}
    assert all(row["value"] < row["limit"] and row["text"].startswith("Th") for row in short)


def test_numbers_add_up_and_groups_are_told(compare: Any, small_run: Path, other: Path) -> None:
    book = compare(small_run, other)
    for side in ("a", "b"):
        assert book[side]["kept"] == book["both"]["documents"] + book[f"only_{side}"]["documents"]
    for name, source in (("both", "common_crawl"), ("only_a", "common_crawl"), ("only_b", "rows")):
        groups = book[name]["groups"]
        assert sum(group["documents"] for group in groups) == book[name]["documents"]
        assert {group["source"] for group in groups} <= {source}
        assert {group["language"] for group in groups} <= {"en"}
    assert "web/index.blocklist.domains_files: [] -> " in " ".join(book["settings"])
    assert any(line.startswith("web/clean.gopher: gone") for line in book["settings"])


def test_texts_kept_in_both_are_compared_word_by_word(compare: Any, small_run: Path, other: Path) -> None:
    both = compare(small_run, other)["both"]
    assert both["equal"] + both["changed"] == both["documents"]
    assert both["changed"] == 1  # of the notice, which the other run has not cut
    assert (both["words_gone"], both["words_new"], both["often_new"]) == (0, WORDS.total(), WORDS)
    (sample,) = both["samples"]
    assert [change["replacement"].strip() for change in sample["changes"]] == [NOTICE]
    assert sample["url"] == "https://site-9.example/page"


def test_the_other_way_round(compare: Any, small_run: Path, other: Path) -> None:
    one, two = compare(small_run, other), compare(other, small_run)
    assert (one["only_a"]["rules"], one["only_b"]["rules"]) == (two["only_b"]["rules"], two["only_a"]["rules"])
    assert one["both"]["words_new"] == two["both"]["words_gone"]
    assert compare(small_run, other) == one


def test_for_a_person(call: Call, small_run: Path, other: Path) -> None:
    out = call("compare", small_run, other, "--samples", 1).out
    for part in (
        f"A: {small_run}", "1 input in both, 0 in A alone, 0 in B alone", "only in A: why not in B", "blocked_domain",
        "only in B: why not in A", "language", f"{{+{NOTICE}+}}",
    ):  # fmt: skip
        assert part in out, part
    assert "https://" not in call("compare", small_run, other, "--samples", 0).out


def test_a_rerun_is_compared_with_what_it_replaced(
    command: Call, call: Call, compare: Any, small_run: Path, jsonl: Path, config: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(small_run, tmp_path / "run")
    given = ("--input", jsonl, "--output", folder, "--config", config)
    assert command("run", *given, "--set", "clean.c4.javascript_lines=keep").code == 0
    book = compare(f"{folder}@former", folder)
    assert book["both"]["often_new"] == WORDS
    assert book["settings"] == [
        f"{step}.javascript_lines: notices -> keep"
        for step in ("dedup.c4_after_lines", "web/clean.c4", "web/clean.c4_lines")
    ]
    assert call("ledger", folder, "--json").json["former"]["stages"][0] == "web/clean"
    assert "former result kept: web/clean, dedup" in call("ledger", folder).out
    assert call("show", f"{folder}@former", "--id", "row-09", "--json").json[0]["text"].endswith(".")
    plan = call("plan", *given, "--json").json
    assert plan["former"]["bytes"] > 0
    said = call("drop-former", folder)
    assert said.out.startswith(f"{folder}: dropped web/clean, dedup, ")
    for name in ("compare", "ledger"):
        said = call(name, f"{folder}@former", *([folder] if name == "compare" else []))
        assert (said.code, said.err) == (1, f"winnow: {folder}: keeps no former result\n")
    assert call("ledger", folder, "--json").json["former"] is None
    said = call("run", "--input", jsonl, "--output", f"{folder}@former", "--config", config)
    assert "it can be looked at, not run" in said.err


def test_what_cannot_be_compared_is_one_line(
    call: Call, command: Call, small_run: Path, config: Path, tmp_path: Path
) -> None:
    said = call("compare", small_run, tmp_path / "nothing")
    assert (said.code, said.err) == (
        1,
        f"winnow: {tmp_path / 'nothing'}: no Winnow run here (winnow.json is missing)\n",
    )
    RunFolder(str(tmp_path / "begun")).open("common_crawl", VERSION, ["web/index"])
    said = call("compare", tmp_path / "begun", small_run)
    assert said.err == f"winnow: {tmp_path / 'begun'}: is not finished; run it to its end before it is compared\n"
    (tmp_path / "in.jsonl").write_text('{"text": "Another text, of another file.", "id": "1"}\n')
    given = ("--input", tmp_path / "in.jsonl", "--output", tmp_path / "foreign", "--config", config)
    assert (
        command("run", *given, "--set", "clean.gopher=off", "--set", "clean.c4=off", "--set", "clean.fineweb=off").code
        == 0
    )
    said = call("compare", small_run, tmp_path / "foreign")
    assert said.err == (
        f"winnow: {small_run} and {tmp_path / 'foreign'}: have read other inputs, so there is nothing to compare\n"
    )


def test_a_record_whose_id_was_personal_is_known_by_what_replaced_it() -> None:
    run = _Run("a", {}, {"rows.jsonl": 0})
    documents, headers = run.key("rows.jsonl", 7, "name8556@example.com"), run.key("rows.jsonl", 7, "jo@host.com")
    assert documents == headers != run.key("rows.jsonl", 7, "al@host.com")
    assert run.key("other.jsonl", 7, "jo@host.com") is None
