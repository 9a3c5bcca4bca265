"""The demo's run against the truth about its web, figure by figure."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from transforms.tokens.tokenizer import TokenizerConfig, load

STAGES = ("web/index", "web/extract", "web/clean", "dedup", "tokenize", "mix", "shards")
WITH_TEXTS = STAGES[:4]
HEURISTICS = {  # the rule a spam page is made for -> reasons that a page of its kind may be removed for
    "too_few_words": {"too_few_words", "too_few_terminal_lines", "duplicate_5_grams", "too_many_short_lines"},
    "mean_word_too_long": {"words_too_long"},
    "too_many_hashes": {"too_many_hashes"},
    "too_many_ellipsis_lines": {"too_many_ellipsis_lines"},
    "too_many_bullets": {"too_many_bullet_lines"},
    "too_few_stop_words": {"too_few_stop_words"},
    "too_few_alphabetic_words": {"too_few_alphabetic_words"},
    "repeated_ngrams": {"top_2_gram", "top_3_gram", "top_4_gram", "duplicate_5_grams"},
    "repeated_lines": {"duplicate_lines", "duplicate_line_chars"},
    "top_ngram": {"top_2_gram", "top_3_gram"},
    "lorem_ipsum": {"lorem_ipsum"},
    "curly_bracket": {"curly_bracket"},
    "too_few_lines_with_punctuation": {"too_few_terminal_lines"},
    "too_many_short_lines": {"too_many_short_lines"},
    "too_few_sentences": {"too_few_sentences"},
}


@pytest.fixture(scope="module")
def fates(demo: Any) -> dict[tuple[str, int], list[dict[str, Any]]]:
    """What the rules made of each record, by archive and offset."""
    found: dict[tuple[str, int], list[dict[str, Any]]] = {}
    tables = [(stage, table) for stage in WITH_TEXTS for table in ("rejected", "failed")]
    for stage, table in [*tables, ("dedup", "documents")]:
        for row in demo.rows(stage, table):
            fate = {"documents": "kept", "rejected": "dropped", "failed": "failed"}[table]
            if row.get("reason") == "quality_too_low":  # the truth is about rules
                fate = "kept"
            entry = {**row, "fate": fate, "at": stage, "why": row.get("reason") or row.get("cause")}
            found.setdefault((Path(row["archive"]).name, row["offset"]), []).append(entry)
    return found


@pytest.fixture(scope="module")
def documents(demo: Any) -> dict[str, dict[str, Any]]:
    """The documents that the tokenizer read, by id."""
    return {row["id"]: row for row in demo.rows("dedup", "documents")}


@pytest.fixture(scope="module")
def rows(demo: Any) -> list[dict[str, Any]]:
    """All rows of all shards, in order."""
    return [row for file in demo.shard_files() for row in pq.ParquetFile(file).read().to_pylist()]


# --- every record has exactly the fate that the truth gives it


def test_every_record_has_exactly_one_fate(web: Any, fates: dict[Any, Any]) -> None:
    assert set(fates) == {(record.file, record.offset) for record in web.truth.records}
    assert {len(entries) for entries in fates.values()} == {1}


def test_every_record_of_known_fate_has_it(web: Any, fates: dict[Any, Any]) -> None:
    wrong = []
    for record in web.truth.records:
        found = fates[record.file, record.offset][0]
        if record.fate is None:
            continue
        stage = None if found["fate"] == "kept" else found["at"]
        same = found["fate"] == record.fate and (record.fate == "kept" or stage == record.stage)
        if not same or (record.reason and found["why"] != record.reason):
            wrong.append((record, found["fate"], stage, found["why"]))
    assert wrong == []


def test_spam_is_removed_by_the_heuristic_it_is_made_for(web: Any, fates: dict[Any, Any]) -> None:
    seen = Counter()
    for record in web.truth.records:
        if record.page_class.startswith("spam_"):
            assert fates[record.file, record.offset][0]["why"] in HEURISTICS[record.rule], record
            seen[record.rule] += 1
    assert set(seen) == set(HEURISTICS)


def test_rejections_say_measure_and_limit(demo: Any) -> None:
    for row in demo.rows("web/clean", "rejected"):
        assert row["step"]
        if row["reason"] not in ("lorem_ipsum", "curly_bracket"):  # which are there or not
            assert row["value"] is not None
            assert row["limit"] is not None
            assert row["value"] != row["limit"], row


def test_every_cluster_keeps_its_newest_copy_and_the_others_name_it(web: Any, demo: Any) -> None:
    ids = {row["record_id"]: row["id"] for row in demo.rows("web/extract", "documents")}
    names = {document_id: record_id for record_id, document_id in ids.items()}
    kept = {row["record_id"] for row in demo.rows("dedup", "documents")}
    losers = {row["id"]: row for row in demo.rows("web/index", "rejected")}
    losers |= {names[row["id"]]: row for row in demo.rows("dedup", "rejected")}
    for cluster in web.truth.clusters:
        assert cluster.kept in kept
        for member in set(cluster.members) - {cluster.kept}:
            assert member not in kept
            # A header step names the record by 128 bits of its UUID, a later one the document.
            keeper = losers[member]["detail"]
            assert keeper in (cluster.kept.removeprefix("urn:uuid:").replace("-", ""), ids[cluster.kept])


def test_the_size_of_a_cluster_of_near_copies_stands_beside_its_keeper(web: Any, demo: Any) -> None:
    sizes = {row["record_id"]: row["near_copies"]["size"] for row in demo.rows("dedup", "documents")}
    for cluster in web.truth.clusters:
        if cluster.kind.startswith("near_copy"):
            assert sizes[cluster.kept] == len(cluster.members), cluster.name


def test_near_copies_report_their_similarity(demo: Any) -> None:
    near = [row for row in demo.rows("dedup", "rejected") if row["reason"] == "near_copy"]
    assert near
    assert all(row["limit"] <= row["value"] <= 1 for row in near)


def test_the_classifier_keeps_good_pages_and_drops_adverts(web: Any, documents: dict[str, Any]) -> None:
    kept = {row["record_id"] for row in documents.values()}
    good = [r for r in web.truth.records if r.fate == "kept" and r.page_class not in ("good_maths", "good_code")]
    lost = [r.page_class for r in good if r.record_id not in kept]
    adverts = web.truth.of_class("advert")
    assert len(lost) <= 0.01 * len(good), lost
    assert sum(r.record_id not in kept for r in adverts) >= len(adverts) / 2
    assert all(row["quality"]["score"] >= 0.5 for row in documents.values())


# --- texts


def test_texts_are_the_articles_and_not_what_surrounds_them(web: Any, demo: Any) -> None:
    texts = {row["record_id"]: row["text"] for row in demo.rows("web/clean", "documents")}
    blocks = found = 0
    for record in web.truth.records:
        if record.page_class.startswith("good_") and record.page_class[5:] in ("en", "de", "fr", "es", "ru"):
            blocks += len(record.text)
            found += sum(block in texts[record.record_id] for block in record.text)
    assert found == blocks > 2000
    whole = "\n".join(texts.values())
    for boilerplate in ("Log in", "birdy", "facetome", "pinly", "You may also like", "<p>", "&amp;", "Contact"):
        assert boilerplate not in whole, boilerplate


def test_a_text_has_its_title_once_and_no_needless_blank_lines(demo: Any) -> None:
    pages = [row for row in demo.rows("web/extract", "documents") if row["web"]]  # the others were text
    titled = [row for row in pages if row["text"].startswith(row["web"]["title"] + "\n\n")]
    assert len(titled) >= 0.99 * len(pages) > 500
    assert demo.manifest("web/extract").counts.edits["extract_text:titles"] >= len(titled)  # of dropped pages, too
    for row in titled:
        first = row["blocks"][0]
        assert (first["kind"], first["start"], first["end"]) == ("heading", 0, len(row["web"]["title"]))
        assert row["text"].count(row["web"]["title"] + "\n") == 1
    for stage in WITH_TEXTS[1:]:
        for row in demo.rows(stage, "documents"):
            assert row["text"] == row["text"].strip("\n")
            assert "\n\n\n" not in row["text"] or any(block["kind"] == "code" for block in row["blocks"])


def test_languages_are_right(web: Any, demo: Any) -> None:
    languages = {row["record_id"]: row["language"] for row in demo.rows("web/extract", "documents")}
    pages = [r for r in web.truth.records if r.record_id in languages and r.page_class.startswith("good_")]
    assert [r.record_id for r in pages if languages[r.record_id] != r.language] == []
    assert {row["language"] for row in demo.rows("web/extract", "documents")} == {"en", "de", "fr", "es", "ru"}


def test_odd_encodings_and_codings_leave_no_trace(web: Any, demo: Any) -> None:
    texts = {row["record_id"]: row["text"] for row in demo.rows("web/extract", "documents")}
    classes = ("utf16", "windows_1251", "windows_1252", "undeclared_utf8", "gzip_body", "gzip_chunked", "chunked",
               "lying_headers", "malformed_status")  # fmt: skip
    records = web.truth.of_class(*(f"good_{name}" for name in classes))
    assert len(records) >= 40
    for record in records:
        assert all(block in texts[record.record_id] for block in record.text), record.page_class


def test_repeated_lines_are_gone_or_stay(web: Any, demo: Any) -> None:
    kept = {row["id"]: row["text"] for row in demo.rows("dedup", "documents")}
    texts = [row["text"] for row in demo.rows("web/clean", "documents") if row["id"] in kept]
    before = [line for text in texts for line in text.split("\n") if line]  # a blank line goes with the line before it
    after = [line for text in kept.values() for line in text.split("\n") if line]
    for line in web.truth.lines:
        assert sum(before.count(variant) for variant in line.variants) == line.copies
        assert sum(after.count(variant) for variant in line.variants) == (0 if line.dropped else line.copies)
    dropped = [line for line in web.truth.lines if line.dropped]
    edits = demo.manifest("dedup").counts.edits
    assert edits["lines:frequent_lines"] == sum(line.copies for line in dropped) == len(before) - len(after)
    assert edits["lines:frequent_line_chars"] == sum(map(len, before)) - sum(map(len, after))


# --- personal data


def test_planted_addresses_are_counted_and_gone_from_every_text(web: Any, demo: Any) -> None:
    pii = web.truth.pii
    edits = demo.manifest("web/clean").counts.edits
    assert edits["pii:emails"] == len(pii.emails)
    assert edits["pii:ip_addresses"] == len(pii.ipv4) + len(pii.ipv6)
    extracted = "\n".join(row["text"] for row in demo.rows("web/extract", "documents"))
    assert [literal for literal in (*pii.emails, *pii.ipv4, *pii.ipv6) if literal not in extracted] == []
    for stage in STAGES[2:4]:
        text = "\n".join(row["text"] for row in demo.rows(stage, "documents"))
        assert [literal for literal in (*pii.emails, *pii.ipv4, *pii.ipv6) if literal in text] == [], stage
        assert [literal for literal in pii.private_ip if literal not in text] == [], stage


def test_no_personal_data_in_what_a_person_or_a_program_is_told(
    web: Any, demo: Any, winnow: Callable[..., str]
) -> None:
    pii = web.truth.pii
    words = [*pii.emails, *pii.ipv4, *pii.ipv6]
    told = [demo.printed, winnow("ledger", demo.folder), winnow("ledger", demo.folder, "--json")]
    told.append(winnow("plan", "--input", web.crawl, "--output", demo.folder, *web.options, "--json"))
    kinds = (".json", ".log", ".yaml")
    files = [file for file in demo.folder.rglob("*") if file.suffix in kinds and file.name != "tokenizer.json"]
    told += [file.read_text(encoding="utf-8") for file in files]
    for stage in STAGES:
        told += [repr(demo.rows(stage, table)) for table in ("rejected", "failed", "dropped", "edits")]
    assert {row["step"] for stage in WITH_TEXTS for row in demo.rows(stage, "edits")} >= {"pii", "lines"}
    assert [word for word in words if any(word in text for text in told)] == []


# --- ledger


def test_the_ledger_balances_and_each_stage_reads_what_the_one_before_kept(
    web: Any, demo: Any, winnow: Callable[..., str]
) -> None:
    book = json.loads(winnow("ledger", demo.folder, "--json"))
    assert [stage["name"] for stage in book["stages"]] == list(STAGES)
    for stage in book["stages"]:
        lost = sum(stage["dropped"].values()) + sum(stage["failed"].values())
        assert stage["read"] == stage["kept"] + lost, stage["name"]
    for one, other in itertools.pairwise(book["stages"]):
        assert other["read"] == one["kept"]
    assert book["stages"][0]["read"] == len(web.truth.records)


def test_the_ledgers_figures_are_those_of_the_truth(web: Any, demo: Any) -> None:
    wanted: dict[str, Counter[str]] = {stage: Counter() for stage in WITH_TEXTS}
    for record in web.truth.records:
        if record.fate == "dropped" and record.reason:
            wanted[record.stage][record.reason] += 1
    for stage in ("web/index", "web/extract", "dedup"):
        assert demo.manifest(stage).counts.dropped == dict(wanted[stage])
    clean = demo.manifest("web/clean").counts.dropped
    assert clean["too_many_dirty_words"] == wanted["web/clean"]["too_many_dirty_words"]
    assert demo.manifest("web/index").counts.failed == {"not_a_member": 1, "truncated_member": 1}


# --- tokens


def test_shards_decode_to_exactly_the_texts_as_often_as_the_mix_took_them(
    demo: Any, documents: dict[str, Any], rows: list[dict[str, Any]]
) -> None:
    tokens: dict[str, list[int]] = {}
    pieces = Counter()
    for row in rows:
        start = 0
        for end, doc_id, offset in zip(row["doc_ends"], row["doc_ids"], row["doc_offsets"], strict=True):
            if doc_id:
                pieces[doc_id] += end - start
                if offset == len(tokens.setdefault(doc_id, [])):
                    tokens[doc_id] += row["tokens"][start:end]
                else:  # a further copy says the same
                    have = tokens[doc_id][offset : offset + end - start]
                    assert have == row["tokens"][start:end][: len(have)]
            start = end
    taken = {row["id"]: row["copies"] for row in demo.rows("mix", "mixed")}
    lengths = {row["id"]: row["n_tokens"] for row in demo.rows("mix", "mixed")}
    assert pieces == {doc_id: copies * lengths[doc_id] for doc_id, copies in taken.items()}
    manifest, data = demo.stages()["tokenize"]
    config = TokenizerConfig(vocab_size=4096)
    tokenizer = load(Path(data.root, "tokenizer.json").read_bytes(), "tokenizer.json", config)
    assert set(taken) <= set(documents)
    for doc_id, found in tokens.items():
        assert (found[0], found[-1]) == (tokenizer.bos_id, tokenizer.eos_id)
        assert not {tokenizer.bos_id, tokenizer.eos_id} & set(found[1:-1])
        assert tokenizer.decode(found[1:-1]) == documents[doc_id]["text"]
    assert manifest.facts["tokenizer"]["sha256"] == tokenizer.sha256


def test_rows_are_full_and_only_the_last_is_padded(demo: Any, rows: list[dict[str, Any]]) -> None:
    eos = demo.manifest("tokenize").facts["tokenizer"]["eos_id"]
    for n, row in enumerate(rows):
        assert len(row["tokens"]) == row["doc_ends"][-1] == 2048
        assert row["doc_ends"] == sorted(set(row["doc_ends"]))
        assert ("" in row["doc_ids"]) <= (n == len(rows) - 1)
    last = rows[-1]
    if last["doc_ids"][-1] == "":
        start = last["doc_ends"][-2]
        assert set(last["tokens"][start:]) == {eos}
        assert last["doc_ids"].count("") == 1


def test_the_cut_of_a_row_is_told_and_goes_on_in_the_next(rows: list[dict[str, Any]]) -> None:
    assert any(row["cut"] for row in rows)
    for row, after in itertools.pairwise(rows):
        if row["cut"]:
            starts = [0, *row["doc_ends"]]
            length = row["doc_ends"][-1] - starts[-2]
            assert after["doc_ids"][0] == row["doc_ids"][-1]
            assert after["doc_offsets"][0] == row["doc_offsets"][-1] + length
        else:
            assert after["doc_offsets"][0] == 0


def test_shards_say_what_they_hold(demo: Any) -> None:
    facts = demo.manifest("tokenize").facts["tokenizer"]
    book = {shard["path"]: shard for shard in demo.manifest("shards").facts["shards"]}
    _, data = demo.stages()["shards"]
    for path, told in book.items():
        file = pq.ParquetFile(f"{data.root}/{path}")
        metadata = {key.decode(): value.decode() for key, value in file.schema_arrow.metadata.items()}
        assert metadata["winnow.tokenizer_sha256"] == facts["sha256"]
        assert metadata["winnow.schema_version"] == "1"
        assert int(metadata["winnow.real_tokens"]) == told["tokens"]
        assert int(metadata["winnow.total_tokens"]) == told["tokens"] + told["padding"] == told["rows"] * 2048
        assert file.metadata.num_rows == told["rows"]


def test_the_wanted_and_the_reached_mix_are_told(demo: Any) -> None:
    mix = demo.manifest("mix").facts["mix"]
    assert mix["reached_tokens"] == sum(shard["tokens"] for shard in demo.manifest("shards").facts["shards"])
    languages = {row["name"]: row for row in mix["rows"] if row["axis"] == "language"}
    assert languages["en"]["wanted_share"] == 0.5
    assert languages["de"]["wanted_share"] == 0.15
    for row in languages.values():
        assert row["reached_share"] == pytest.approx(row["wanted_share"], abs=0.02), row["name"]
    assert sum(row["reached_share"] for row in languages.values()) == pytest.approx(1)
    assert mix["budget"] == pytest.approx(mix["reached_tokens"], rel=0.02)


# --- from a token back to its record


def _trace(winnow: Callable[..., str], demo: Any, where: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = json.loads(winnow("show", demo.folder, "--token", where, "--json"))
    assert len(found) == 1
    return found[0]


def test_a_token_leads_back_to_its_document_and_its_record(
    web: Any, demo: Any, rows: list[dict[str, Any]], winnow: Callable[..., str]
) -> None:
    records = {(record.file, record.offset): record for record in web.truth.records}
    files = demo.shard_files()
    last = pq.ParquetFile(files[-1]).metadata.num_rows - 1
    end_of_text = (rows[-1]["doc_ends"][-2] if rows[-1]["doc_ids"][-1] == "" else 2048) - 1
    cases = [("0:0:0", 0, 0), ("0:0:2047", 0, 2047), (f"{files[0]}:1:7", 1, 7),
             (f"{len(files) - 1}:{last}:{end_of_text}", len(rows) - 1, end_of_text)]  # fmt: skip
    for where, row, position in cases:
        found = _trace(winnow, demo, where)
        number = next(n for n, end in enumerate(rows[row]["doc_ends"]) if position < end)
        start = [0, *rows[row]["doc_ends"]][number]
        assert found["token_id"] == rows[row]["tokens"][position]
        assert found["document_id"] == found["id"] == rows[row]["doc_ids"][number]
        assert found["token_of_document"] == rows[row]["doc_offsets"][number] + position - start
        record = records[Path(found["archive"]).name, found["offset"]]
        assert (found["record_id"], found["url"]) == (record.record_id, record.url)
    assert found["token_id"] == demo.manifest("tokenize").facts["tokenizer"]["eos_id"]


def test_padding_leads_nowhere(demo: Any, rows: list[dict[str, Any]], winnow: Callable[..., str]) -> None:
    assert rows[-1]["doc_ids"][-1] == "", "the demo's tokens happen to fill the last row: choose another length"
    files = demo.shard_files()
    row = pq.ParquetFile(files[-1]).metadata.num_rows - 1
    found = _trace(winnow, demo, f"{len(files) - 1}:{row}:2047")
    assert (found["table"], found["id"]) == ("padding", "")
    assert "text" not in found


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("0:0", "expected SHARD:ROW:POSITION"),
        ("0:0:2048", "the row has positions 0 to 2047"),
        ("0:9999999:0", "the shard has rows 0 to "),
        ("99999:0:0", "no such shard"),
        ("0:-1:0", "expected SHARD:ROW:POSITION"),
    ],
)
def test_a_place_that_is_none_is_refused(demo: Any, winnow: Callable[..., str], where: str, message: str) -> None:
    printed = winnow("show", demo.folder, "--token", where, check=False)
    assert message in printed
    assert printed.startswith("winnow: ")
    assert printed.count("\n") == 1
