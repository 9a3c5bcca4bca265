"""`winnow show`: documents, rejected and failed records, by everything a person may ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipelines.runs.folder import RunFolder
from pipelines.runs.plan import VERSION

Call = Any


@pytest.fixture
def show(call: Call, small_run: Path) -> Any:
    """Return what `winnow show RUN ... --json` prints."""

    def run(*words: object) -> list[dict[str, Any]]:
        said = call("show", small_run, *words, "--json")
        assert (said.code, said.err) == (0, "")
        found: list[dict[str, Any]] = said.json
        return found

    return run


def test_documents_are_those_of_the_last_stage_that_has_them(show: Any) -> None:
    found = show("--limit", 0)
    assert len(found) == 9
    assert {(row["table"], row["stage"]) for row in found} == {("documents", "dedup")}
    assert all(row["text"] and row["url"] and row["language"] == "en" for row in found)
    assert {"gopher", "c4", "fineweb", "repetition", "near_copies"} <= set(found[0])


def test_a_stage_shows_its_documents(show: Any) -> None:
    assert len(show("--stage", "web/extract", "--limit", 0)) == 12
    assert len(show("--stage", "web/clean", "--limit", 0)) == 10
    assert {row["stage"] for row in show("--stage", "web/extract")} == {"web/extract"}
    assert show("--stage", "web/index") == []


def test_the_limit_is_ten_unless_told(show: Any) -> None:
    assert len(show("--stage", "web/extract")) == 10
    assert len(show("--stage", "web/extract", "--limit", 3)) == 3


def test_a_reason_finds_rejections_with_the_text_that_was_rejected(show: Any) -> None:
    rejections = show("--reason", "language_not_kept")
    assert {(row["table"], row["stage"], row["language"]) for row in rejections} == {("rejected", "web/extract", "de")}
    assert len(rejections) == 2
    (copy,) = show("--reason", "exact_copy")
    assert copy["stage"] == "dedup"
    (kept,) = show("--id", copy["detail"])
    assert kept["text"] == copy["text"]


def test_a_cause_finds_failures(show: Any, jsonl: Path) -> None:
    (failure,) = show("--reason", "malformed_json")
    assert (failure["table"], failure["stage"], failure["archive"]) == ("failed", "web/index", str(jsonl))
    assert failure["offset"] == jsonl.read_bytes().index(b"{broken")


def test_an_id_or_how_it_begins_finds_a_document_and_a_rejection(show: Any) -> None:
    document = show("--limit", 1)[0]
    assert [row["id"] for row in show("--id", document["id"])] == [document["id"]]
    assert document["id"] in [row["id"] for row in show("--id", document["id"][:12])]
    rejection = show("--table", "rejected", "--stage", "dedup")[0]
    assert [row["reason"] for row in show("--id", rejection["id"])] == ["exact_copy"]


def test_the_id_of_an_archived_record_finds_what_became_of_it(show: Any) -> None:
    fates = {}
    for n in (*range(12), 14):
        for row in show("--id", f"row-{n:02d}"):
            fates[n] = row.get("reason") or row["table"]
    short = {fates.pop(10), fates.pop(11)}
    assert short <= {"too_few_words", "too_few_sentences", "too_few_terminal_lines", "language_not_kept"}
    assert fates == {
        **dict.fromkeys(range(2, 8), "documents"), 0: "same_payload", 1: "exact_copy", 8: "documents", 9: "documents",
        14: "documents"
    }  # fmt: skip


def test_language_and_address_narrow_it_down(show: Any) -> None:
    assert len(show("--table", "rejected", "--language", "de", "--limit", 0)) == 2
    assert [row["url"] for row in show("--url", "site-3.")] == ["https://site-3.example/page"]


def test_a_random_sample_is_the_same_each_time_and_another_with_another_seed(show: Any) -> None:
    def ids(*words: object) -> list[str]:
        return [row["id"] for row in show("--random", 3, *words)]

    assert ids() == ids()
    assert len(set(ids())) == 3
    assert {tuple(ids("--seed", seed)) for seed in range(5)} != {tuple(ids())}
    assert len(show("--random", 100)) == 9


def test_a_table_shows_all_its_stages(show: Any) -> None:
    assert {row["stage"] for row in show("--table", "rejected", "--limit", 0)} >= {
        "web/index",
        "web/extract",
        "web/clean",
        "dedup",
    }
    assert [row["cause"] for row in show("--table", "failed")] == ["malformed_json"]


def test_personal_data_is_shown_replaced(show: Any) -> None:
    (row,) = show("--id", "row-14")
    assert "jane.roe@mail-of-jane.org" not in row["text"]
    assert "@example." in row["text"]


def test_a_person_sees_facts_and_text(call: Call, small_run: Path) -> None:
    said = call("show", small_run, "--reason", "exact_copy", "--chars", 40)
    assert said.code == 0
    for part in ("reason: exact_copy", "stage: dedup", "url: https://site-1.example/page", " more characters)"):
        assert part in said.out
    assert "more characters" not in call("show", small_run, "--limit", 1, "--chars", 0).out
    assert call("show", small_run, "--id", "nothing-like-it").out == "no such record\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--table", "rejects"],
            "--table rejects: no such table; allowed: documents, rejected, failed, dropped, edits",
        ),
        (["--table", "edits", "--language", "en"], "--table edits: has neither languages nor addresses"),
        (["--stage", "cleen"], "--stage cleen: not in this run; allowed: web/index, web/extract, web/clean"),
        (["--token", "0:0"], "--token 0:0: expected SHARD:ROW:POSITION"),
        (["--token", "7:0:0"], "no such shard; this run has 1"),
        (["--token", "0:99:0"], "the shard has rows 0 to "),
        (["--token", "0:0:512"], "the row has positions 0 to 511"),
    ],
)
def test_what_is_not_there_is_named(call: Call, small_run: Path, words: list[str], message: str) -> None:
    said = call("show", small_run, *words)
    assert said.code == 1
    assert message in said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--diff", "row-09", "--table", "edits"], "--table does not go with --diff"),
        (["--diff", "row-09", "--stage", "web/clean"], "--stage does not go with --diff"),
        (["--diff", "row-09", "--limit", 3], "--limit does not go with --diff"),
        (["--near", "too_few_words", "--id", "row-09"], "--id does not go with --near"),
        (["--near", "too_few_words", "--random", 3], "--random does not go with --near"),
        (["--near", "too_few_words", "--chars", 0], "--chars does not go with --near"),
    ],
)
def test_an_option_that_would_be_ignored_is_refused(
    call: Call, small_run: Path, words: list[object], message: str
) -> None:
    said = call("show", small_run, *words)
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert message in said.err


def test_every_token_of_a_row_leads_to_its_document(show: Any, small_run: Path) -> None:
    chain = {manifest.stage: (manifest, data) for manifest, data in RunFolder(str(small_run)).committed()}
    manifest, data = chain["shards"]
    path = f"{data.root}/{manifest.facts['shards'][0]['path']}"
    row = pq.ParquetFile(path).read().slice(0, 1).to_pylist()[0]
    start = 0
    for end, doc_id, offset in zip(row["doc_ends"], row["doc_ids"], row["doc_offsets"], strict=True):
        for position in {start, end - 1}:
            (found,) = show("--token", f"{path}:0:{position}")
            assert (found["document_id"], found["token_of_document"]) == (doc_id, offset + position - start)
            assert found["token_id"] == row["tokens"][position]
            assert found["url"].startswith("https://site-")
            assert found["record_id"].startswith("row-")
        start = end
    told = Path(path).name
    assert show("--token", f"{told}:0:0") == show("--token", "0:0:0")


def test_padding_has_no_document(show: Any, small_run: Path) -> None:
    manifest = RunFolder(str(small_run)).manifest("shards")
    assert manifest is not None
    (shard,) = manifest.facts["shards"]
    assert shard["padding"] > 0, "the tokens happen to fill the last row: choose another length"
    (found,) = show("--token", f"0:{shard['rows'] - 1}:511")
    assert (found["table"], found["id"]) == ("padding", "")


def test_a_run_without_commits_says_so(call: Call, tmp_path: Path) -> None:
    RunFolder(str(tmp_path)).open("common_crawl", VERSION, ["web/index"])
    said = call("show", tmp_path)
    assert (said.code, said.err) == (1, "winnow: nothing is committed yet\n")
    assert call("ledger", tmp_path).out == "nothing is committed yet\n"
    assert call("ledger", tmp_path, "--json").json["stages"] == []
