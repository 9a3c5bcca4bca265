"""The demo's run against the truth about its web, figure by figure."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

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


def test_the_readmes_figures_are_those_of_the_demo(demo: Any) -> None:
    """`make docs` after `make demo` writes them."""
    from docs.generate import README, demo_block, with_block

    readme = README.read_text(encoding="utf-8")
    assert demo_block(demo.folder) in readme
    assert with_block(readme, demo_block(demo.folder)) == readme
    assert readme.count("\n") <= 200
