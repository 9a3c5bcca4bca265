"""`winnow whatif` on a run of the whole recipe."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipelines.runs.folder import RunFolder
from pipelines.runs.plan import VERSION
from pipelines.whatif.pairs import NOT_MEASURED
from tests.pipelines.conftest import Call
from transforms.tokens.tokenizer import TokenizerConfig, load


@pytest.fixture
def whatif(call: Call, small_run: Path) -> Any:
    def ask(*words: object) -> dict[str, Any]:
        said = call("whatif", small_run, *words, "--json")
        assert (said.code, said.err) == (0, "")
        found: dict[str, Any] = said.json
        return found

    return ask


def stage(book: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in book["stages"] if one["name"] == name)
    return found


def test_what_goes_is_gone_from_later_stages_with_its_tokens(whatif: Any, small_run: Path, call: Call) -> None:
    book = whatif("--set", "clean.gopher.min_words=135", "--samples", 99)
    (goes,) = [row for row in book["changes"] if row["change"] == "goes" and row["stage"] == "web/clean"]
    assert (goes["step"], goes["new_step"], goes["new_reason"]) == ("", "gopher", "too_few_words")
    samples = [row for row in book["samples"] if row["change"] == "goes" and row["stage"] == "web/clean"]
    assert 0 < len(samples) == goes["documents"] < 9
    assert all(len(row["text"].split()) < 135 == row["limit"] for row in samples)
    clean, dedup = stage(book, "web/clean"), stage(book, "dedup")
    assert clean["kept"]["before"] - clean["kept"]["after"] == goes["documents"]
    assert dedup["conditional"]
    shown = call("show", small_run, "--limit", 0, "--json").json
    kept = {row["id"] for row in shown} & {row["id"] for row in samples}
    assert goes["kept_at_end"] == len(kept) > 0
    tokens = sum(json.loads(line)["n_tokens"] for line in tokens_of(small_run) if json.loads(line)["id"] in kept)
    assert goes["tokens"] == tokens


def tokens_of(run: Path) -> list[str]:
    from pipelines.reports.records import rows_of

    data = next(data for manifest, data in RunFolder(str(run)).committed() if manifest.stage == "tokenize")
    return [json.dumps(row) for row in rows_of(data, "tokens", ["id", "n_tokens"])]


def test_the_language_rule_is_told_too_and_what_arrives_is_undecided(whatif: Any) -> None:
    book = whatif("--set", "language.keep=[en,de]")
    (comes,) = book["changes"]
    assert (comes["change"], comes["step"], comes["reason"]) == ("comes", "language_id", "language_not_kept")
    assert [group["language"] for group in comes["groups"]] == ["de"]
    assert (comes["documents"], comes["tokens"], comes["estimated_tokens"]) == (2, 0, None)  # no text of them is stored
    assert stage(book, "web/extract")["kept"]["after"] == stage(book, "web/extract")["kept"]["before"] + 2
    assert stage(book, "web/clean")["arrive"] == 2
    assert [row["text"] for row in book["samples"]] == [None, None]


def test_the_tokens_of_what_comes_are_estimated_by_stored_texts(whatif: Any, small_run: Path) -> None:
    changes = ("gopher.min_words=3", "gopher.min_stop_words=1", "c4.min_sentences=1", "fineweb=off", "junk=off")
    book = whatif(*(word for change in changes for word in ("--set", f"clean.{change}")))
    found = [(row["change"], row["new_step"], row["new_reason"], row["documents"]) for row in book["changes"]]
    assert found == [("comes", "", "", 1), ("undecided", "c4", NOT_MEASURED, 1)]  # one of both was measured to the end
    texts = [row["text"] for row in book["samples"]]
    assert texts == ["This is a short text, and it says so.", "There is not much to read on this page."]
    data = next(data for manifest, data in RunFolder(str(small_run)).committed() if manifest.stage == "tokenize")
    tokenizer = load(Path(data.root, "tokenizer.json").read_bytes(), "t", TokenizerConfig())
    estimates = [row["estimated_tokens"] for row in book["changes"]]
    assert estimates == [len(tokenizer.encode_batch(texts[:1])[0]), None]


@pytest.mark.parametrize(
    ("changes", "not_told", "later"),
    [
        (["index.url.one_per_payload=false"], "web/index: web/index.url.one_per_payload: True -> False", []),
        (["extract.put_title=false"], "web/extract: web/extract.reader.extract.put_title: True -> False", []),
        (["mix.token_budget=5"], "", ["mix.mix.token_budget: "]),
    ],
)
def test_what_only_a_run_can_tell_is_said(whatif: Any, changes: list[str], not_told: str, later: list[str]) -> None:
    book = whatif(*(word for change in changes for word in ("--set", change)))
    assert book["changes"] == []
    assert [line.startswith(not_told) for line in book["not_told"]][:1] == ([True] if not_told else [])
    assert [line.startswith(start) for line, start in zip(book["later"], later, strict=True)] == [True] * len(later)
    undecided = {one["name"]: one["undecided"] for one in book["stages"]}
    assert bool(undecided["dedup"]) == bool(not_told)


def test_for_a_person(call: Call, small_run: Path) -> None:
    out = call("whatif", small_run, "--set", "clean.gopher.min_words=135", "--samples", 1).out
    for part in ("clean.gopher.min_words: 50 -> 135", "would keep", "gopher: too_few_words", "language", "(limit 135)"):
        assert part in out, part
    out = call("whatif", small_run, "--set", "clean.gopher.min_words=50").out
    assert "these are the settings that the run was made with" in out
    assert "no document would come or go" in out


def test_what_cannot_be_asked_is_one_line(call: Call, small_run: Path, tmp_path: Path) -> None:
    for words, message in (
        ([], "what if what? give --set KEY=VALUE, or --config FILE"),
        (["--set", "clean.gofer.min_words=3"], "clean.gofer: unknown setting; did you mean clean.gopher?"),
        (["--set", "clean.gopher.min_words=-1"], "clean.gopher.min_words: -1 is not allowed; must be >= 0"),
    ):
        said = call("whatif", small_run, *words)
        assert (said.code, said.err) == (2, f"winnow: {message}\n")
    (other := shutil.copytree(small_run, tmp_path / "other") / "config.yaml").write_text("clean: {gofer: off}\n")
    said = call("whatif", other.parent, "--set", "clean.gopher.min_words=3")
    assert said.code == 1
    assert said.err.startswith(f"winnow: {other}: are settings of another Winnow (clean.gofer: unknown setting; ")
    other.write_text(
        "clean: {gopher: {min_words: 40}}\n" + small_run.joinpath("config.yaml").read_text().partition("clean:")[0]
    )
    said = call("whatif", other.parent, "--set", "clean.gopher.min_words=3")
    assert "was made with other settings than this run's (" in said.err
    RunFolder(str(tmp_path / "begun")).open("common_crawl", VERSION, ["web/index"])
    said = call("whatif", tmp_path / "begun", "--set", "clean.gopher.min_words=3")
    assert said.err == f"winnow: {tmp_path / 'begun'}: is not finished; run it to its end first\n"
