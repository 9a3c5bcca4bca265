"""The small web: same bytes for a seed, and a truth that other readers confirm."""

from __future__ import annotations

import collections
import gzip
import hashlib
import io
import ipaddress
import json
import zlib
from datetime import datetime
from pathlib import Path

import pytest
import trafilatura
from warcio.archiveiterator import ArchiveIterator

from demo_web import Truth, make_web, read_truth
from demo_web.texts import Article, jaccard
from demo_web.truth import newest

INTACT = ("crawl-00002.warc.gz", "crawl-00003.warc", "crawl-00004.warc.wet.gz")


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    folder = tmp_path_factory.mktemp("web")
    return folder, make_web(folder)


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_bytes(tmp_path: Path) -> None:
    truths = [
        make_web(tmp_path / name, seed, pages=300, large_body_bytes=20_000)
        for name, seed in zip("abc", "ssz", strict=True)
    ]
    a, b, c = (files_of(tmp_path / name) for name in "abc")
    assert truths[0] == truths[1]
    assert a == b
    assert a.keys() == c.keys()
    assert not {r.record_id for r in truths[0].records if r.record_id} & {r.record_id for r in truths[2].records}


def test_every_python_writes_the_same_web(web: tuple[Path, Truth]) -> None:
    """Pinned from Python 3.11, 3.12 and 3.13; another implementation of deflate (zlib-ng) may pack otherwise."""
    files = files_of(web[0])
    assert hashlib.sha256(files["quality_labels.jsonl"]).hexdigest()[:16] == "01c57f6b2cfca3da"
    if zlib.ZLIB_RUNTIME_VERSION.startswith("1.") and "ng" not in zlib.ZLIB_RUNTIME_VERSION:
        whole = b"".join(files[name] for name in sorted(files))
        assert hashlib.sha256(whole).hexdigest()[:16] == "e9c92c0ddccd5e54"


def test_files(web: tuple[Path, Truth]) -> None:
    folder, _ = web
    assert set(files_of(folder)) == {
        "blocklists/adult/domains",
        "blocklists/adult/urls",
        "blocklists/phishing/domains",
        "blocklists/words.txt",
        "crawl/crawl-00000.warc.gz",
        "crawl/crawl-00001.warc.gz",
        "crawl/crawl-00002.warc.gz",
        "crawl/crawl-00003.warc",
        "crawl/crawl-00004.warc.wet.gz",
        "crawl/documents.jsonl",
        *(f"dirty_words/{code}" for code in ("de", "en", "es", "fr", "ru")),
        "quality_labels.jsonl",
        "truth.json",
    }


def test_pages_count_what_holds_a_page(web: tuple[Path, Truth]) -> None:
    _, truth = web
    kinds = collections.Counter(record.kind for record in truth.records)
    assert kinds["response"] + kinds["conversion"] + kinds["jsonl"] == truth.pages == 1200
    assert kinds["garbage"] == 1
    assert kinds["warcinfo"] == 5
    assert sum(truth.files.values()) == len(truth.records) - 1
    assert sum(truth.classes().values()) == sum(truth.fates().values()) == len(truth.records)


def test_too_few_pages_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="pages: 299 is not allowed; must be at least 300"):
        make_web(tmp_path, pages=299)


def test_a_large_body_smaller_than_a_page_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="large_body_bytes: 10 is too small"):
        make_web(tmp_path, pages=300, large_body_bytes=10)


def test_truth_json_reads_back_without_the_texts(web: tuple[Path, Truth]) -> None:
    folder, truth = web
    again = read_truth(folder / "truth.json")
    assert again.to_json() == truth.to_json()
    assert (again.clusters, again.lines, again.pii) == (truth.clusters, truth.lines, truth.pii)
    assert all(record.text == () for record in again.records)
    plain = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    assert plain["classes"] == truth.classes()
    assert plain["fates"] == truth.fates()


def test_record_ids_are_unique_and_dates_differ_but_for_ties(web: tuple[Path, Truth]) -> None:
    _, truth = web
    ids = [record.record_id for record in truth.records if record.kind != "garbage"]
    assert len(set(ids)) == len(ids)
    pages = [r for r in truth.records if r.kind in ("response", "conversion", "jsonl") and r.fetched_at]
    dates = collections.Counter(record.fetched_at for record in pages if record.page_class != "url_tie")
    assert max(dates.values()) == 1


@pytest.mark.parametrize("name", INTACT)
def test_warcio_finds_every_record_of_an_intact_archive(web: tuple[Path, Truth], name: str) -> None:
    folder, truth = web
    found, wrong = [], set()
    with (folder / "crawl" / name).open("rb") as stream:
        for record in ArchiveIterator(stream, check_digests=True):
            record.raw_stream.read()
            found.append((record.rec_type, record.rec_headers["WARC-Record-ID"].strip("<>")))
            if record.digest_checker.passed is False:
                wrong.add(found[-1][1])
    # warcio takes the digest of a chunked payload with its chunks; WARC 1.1 means the entity without them.
    chunked = {record.record_id for record in truth.of_class("good_chunked", "good_gzip_chunked")}
    assert wrong <= chunked
    assert found == [(record.kind, record.record_id) for record in truth.records if record.file == name]


def test_offsets_point_at_records(web: tuple[Path, Truth]) -> None:
    folder, truth = web
    for name in truth.files:
        data = (folder / "crawl" / name).read_bytes()
        records = [record for record in truth.records if record.file == name]
        for record in records:
            start = data[record.offset : record.offset + 70_000]
            if record.kind == "garbage":
                assert start.startswith(b"\x00\xffthis is no record")
                continue
            head = zlib.decompressobj(31).decompress(start, 2_000) if name.endswith(".gz") else start[:2_000]
            assert record.record_id.encode() in head


def test_the_cut_archive_ends_inside_its_last_member(web: tuple[Path, Truth]) -> None:
    folder, truth = web
    (cut,) = truth.of_class("truncated")
    assert (cut.fate, cut.reason) == ("failed", "truncated_member")
    data = (folder / "crawl" / cut.file).read_bytes()
    with pytest.raises(EOFError):
        gzip.decompress(data[cut.offset :])
    whole = gzip.decompress(data[: cut.offset])
    assert whole.count(b"WARC/1.0\r\n") == truth.files[cut.file] - 1


def test_clusters_name_the_newest_of_smallest_id(web: tuple[Path, Truth]) -> None:
    _, truth = web
    by_id = {record.record_id: record for record in truth.records}
    for cluster in truth.clusters:
        members = [by_id[member] for member in cluster.members]
        latest = max(member.fetched_at or "" for member in members)
        assert cluster.kept == min(member.record_id for member in members if member.fetched_at == latest)
        assert [m.record_id for m in members if m.fate == "kept"] == [cluster.kept]
        assert {member.cluster for member in members} == {cluster.name}
    ties = [cluster for cluster in truth.clusters if cluster.kind == "url_tie"]
    assert all(len({by_id[member].fetched_at for member in cluster.members}) == 1 for cluster in ties)
    assert len(ties) == 8


def test_newest_breaks_ties_by_the_smallest_id() -> None:
    old, new = datetime(2020, 1, 1), datetime(2021, 1, 1)  # noqa: DTZ001  the zone is of no matter here
    assert newest([(old, "a"), (new, "c"), (new, "b")]) == "b"


def test_url_copies_share_an_address_and_spellings_do_not(web: tuple[Path, Truth]) -> None:
    _, truth = web
    by_id = {record.record_id: record for record in truth.records}
    for cluster in truth.clusters:
        urls = {by_id[member].url for member in cluster.members}
        if cluster.kind in ("url_copy", "url_tie"):
            assert len(urls) == 1
        else:
            assert len(urls) == len(cluster.members)
    wanted = [r.url for r in truth.records if r.kind == "response" and r.fate == "kept" and r.cluster is None]
    assert len(set(wanted)) == len(wanted)


def article(record_text: tuple[str, ...]) -> Article:
    return Article("en", "", record_text)


def test_near_copies_are_near_and_hard_negatives_are_not(web: tuple[Path, Truth]) -> None:
    _, truth = web
    by_id = {record.record_id: record for record in truth.records}
    near = [cluster for cluster in truth.clusters if cluster.kind.startswith("near_copy")]
    assert all(0.92 <= value <= 0.98 for cluster in near for value in cluster.similarity)
    for cluster in near:
        if cluster.kind == "near_copy_chain":
            texts = [article(by_id[member].text) for member in cluster.members]
            assert jaccard(texts[0], texts[-1]) < min(cluster.similarity)
            assert jaccard(texts[0], texts[1]) == pytest.approx(cluster.similarity[0], abs=1e-4)
    negatives = [article(record.text) for record in truth.of_class("hard_negative")]
    pairs = [jaccard(*negatives[i : i + 2]) for i in range(0, len(negatives), 2)]
    by_quotation = collections.Counter(
        sum(line in other.text for line in record.text)
        for i, record in enumerate(truth.of_class("hard_negative"))
        for other in truth.of_class("hard_negative")[i + 1 :]
    )
    assert max(pairs) <= 0.3
    assert by_quotation[1] == by_quotation[2] == 6


def test_no_two_plain_pages_are_alike(web: tuple[Path, Truth]) -> None:
    _, truth = web
    for language in ("en", "de", "fr", "es", "ru"):
        texts = [article(record.text) for record in truth.of_class(f"good_{language}")[:16]]
        assert max(jaccard(a, b) for i, a in enumerate(texts) for b in texts[:i]) < 0.2


def test_exact_copies_and_payload_copies(web: tuple[Path, Truth]) -> None:
    _, truth = web
    by_id = {record.record_id: record for record in truth.records}
    for cluster in truth.clusters:
        if cluster.kind in ("exact_copy", "payload_copy"):
            assert len({by_id[member].text for member in cluster.members}) == 1


def test_repeated_lines_stand_in_as_many_pages_as_the_truth_says(web: tuple[Path, Truth]) -> None:
    _, truth = web
    counts: collections.Counter[str] = collections.Counter()
    for record in truth.records:
        if record.fate == "kept":
            counts.update("".join("0" if c.isdigit() else c for c in line.lower()) for line in record.text)
    planted = {"".join("0" if c.isdigit() else c for c in line.line.lower()): line for line in truth.lines}
    assert {line: counts[line] for line in planted} == {line: plan.copies for line, plan in planted.items()}
    assert [line.copies for line in truth.lines] == [9, 8, 6, 8]
    assert [line.dropped for line in truth.lines] == [True, True, False, False]
    assert max(n for line, n in counts.items() if line not in planted) <= 2


def test_each_planted_literal_stands_in_one_kept_page(web: tuple[Path, Truth]) -> None:
    _, truth = web
    text = "\n".join(line for record in truth.records if record.fate == "kept" for line in record.text)
    pii = truth.pii
    for literals in (pii.emails, pii.ipv4, pii.ipv6, pii.private_ip):
        assert len(set(literals)) == len(literals) >= 21
        assert all(text.count(literal) == 1 for literal in literals)
    assert text.count("@") == len(pii.emails)
    assert all(ipaddress.ip_address(literal).is_global for literal in (*pii.ipv4, *pii.ipv6))
    assert all(ipaddress.ip_address(literal).is_private for literal in pii.private_ip)


def test_the_oversized_page_has_the_size_asked_for(tmp_path: Path) -> None:
    truth = make_web(tmp_path, pages=300, large_body_bytes=54_321)
    (large,) = truth.of_class("oversized")
    data = (tmp_path / "crawl" / large.file).read_bytes()[large.offset :]
    records = ArchiveIterator(io.BytesIO(data))
    assert len(next(records).content_stream().read()) == truth.large_body_bytes == 54_321


def test_trafilatura_finds_the_articles_and_nothing_around_them(web: tuple[Path, Truth]) -> None:
    folder, truth = web
    name = "crawl-00003.warc"
    plain = ("good_en", "good_de", "good_fr", "good_es", "good_ru", "exact_copy", "hard_negative", "good_pii")
    wanted = {record.record_id: record for record in truth.of_class(*plain) if record.file == name}
    seen = 0
    with (folder / "crawl" / name).open("rb") as stream:
        for record in ArchiveIterator(stream):
            known = wanted.get(record.rec_headers["WARC-Record-ID"].strip("<>"))
            if known is None:
                continue
            text = trafilatura.extract(record.content_stream().read().decode(), include_comments=False) or ""
            lines = text.split("\n")
            assert tuple(lines[-len(known.text) :]) == known.text
            assert len(lines) <= len(known.text) + 1  # the title
            seen += 1
    assert seen == len(wanted) > 40


def test_labels_are_balanced_and_no_pages(web: tuple[Path, Truth]) -> None:
    folder, truth = web
    rows = [json.loads(line) for line in (folder / "quality_labels.jsonl").read_text(encoding="utf-8").splitlines()]
    assert collections.Counter(row["label"] for row in rows) == {"good": 750, "poor": 750}
    texts = [row["text"] for row in rows]
    assert len(set(texts)) == len(texts)
    assert not set(texts) & {"\n".join(record.text) for record in truth.records}


def test_blocked_addresses_are_in_the_lists(web: tuple[Path, Truth]) -> None:
    folder, truth = web
    domains = (folder / "blocklists" / "adult" / "domains").read_text(encoding="utf-8").split()
    for record in truth.of_class("adult_domain"):
        host = record.url.split("/")[2].split(":")[0].lower()
        assert any(host == domain or host.endswith(f".{domain}") for domain in domains)
    words = (folder / "blocklists" / "words.txt").read_text(encoding="utf-8").split()
    assert all(any(word in record.url.lower() for word in words) for record in truth.of_class("blocked_word"))
    others = [record for record in truth.records if record.reason is None or not record.reason.startswith("blocked")]
    assert not any(word in record.url.lower() for record in others for word in words)
