"""`make_web`: the whole small web, its archives, its lists and its truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from demo_web.archives import GARBAGE_BYTES, Capture, date_text, json_line, member, warc_record
from demo_web.cast import Cast
from demo_web.dice import scattered
from demo_web.lists import write_labels, write_lists
from demo_web.scenes import bad, copies, good
from demo_web.truth import GARBAGE, PlantedPII, RepeatedLine, Truth, TruthRecord

GZIPPED = ("crawl-00000.warc.gz", "crawl-00001.warc.gz", "crawl-00002.warc.gz")
PLAIN, WET, JSONL = "crawl-00003.warc", "crawl-00004.warc.wet.gz", "documents.jsonl"
WITH_GARBAGE, CUT = GZIPPED[0], GZIPPED[1]
MIN_PAGES = 300  # below, the special classes alone are more than the whole

_STANDARD = 1200  # pages at which each class has the size written in `_cast`


def make_web(directory: Path, seed: str = "winnow", pages: int = _STANDARD, large_body_bytes: int = 3_000_000) -> Truth:
    """Write a small web and return what is known of it.

    crawl/               archives: three .warc.gz, one of them cut short, one .warc, one WET, one JSONL
    blocklists/          UT1 layout (adult/domains, adult/urls, phishing/domains) and words.txt
    dirty_words/         LDNOOBW layout, one file a language
    quality_labels.jsonl labelled texts to train a quality classifier on (text, label: good or poor)
    truth.json           the truth, without the texts

    `pages` counts responses, WET and JSONL documents; records that hold no page come on top. The same seed and sizes
    give the same bytes. One page has a body of `large_body_bytes`. Raises ValueError when `pages` is too small.
    """
    if pages < MIN_PAGES:
        raise ValueError(f"pages: {pages} is not allowed; must be at least {MIN_PAGES}")
    cast = Cast(seed)
    lines, pii = _fill(cast, pages, large_body_bytes)
    records, files = _write_archives(cast, directory / "crawl")
    write_lists(directory)
    write_labels(directory, seed)
    truth = Truth(
        seed=seed,
        pages=pages,
        large_body_bytes=large_body_bytes,
        files=files,
        records=tuple(records),
        clusters=tuple(cast.clusters),
        lines=lines,
        pii=pii,
    )
    (directory / "truth.json").write_bytes(truth.to_json().encode())
    return truth


def _fill(cast: Cast, pages: int, large_body_bytes: int) -> tuple[tuple[RepeatedLine, ...], PlantedPII]:
    """Cast every class, each in proportion to `pages`; plain good pages make up the rest."""

    def some(standard: int) -> int:
        return max(1, standard * pages // _STANDARD)

    lines = good.add_repeated_lines(cast)
    pii = good.add_personal_data(cast, some(42))
    good.add_maths_and_code(cast, some(24))
    good.add_odd_transport(cast, some(6))
    good.add_odd_encodings(cast, some(4))
    good.add_look_alikes(cast, some(3))
    good.add_odd_records(cast, some(3))
    good.add_plain_text(cast, some(40))
    good.add_slow(cast)
    copies.add_url_copies(cast, some(24))
    copies.add_url_ties(cast, some(8))
    copies.add_url_spellings(cast, some(2))
    copies.add_payload_copies(cast, some(12))
    copies.add_exact_copies(cast, some(12))
    copies.add_near_copies(cast, some(15), some(9))
    copies.add_hard_negatives(cast, some(12))
    copies.add_revisits(cast, some(6))
    bad.add_blocked(cast, some(12))
    bad.add_foul(cast, some(14))
    bad.add_spam(cast, some(4))
    bad.add_adverts(cast, some(25))
    bad.add_unwanted_languages(cast, some(8))
    bad.add_not_pages(cast, some(5))
    bad.add_oversized(cast, large_body_bytes)
    good.add_good(cast, pages - 1 - sum(capture.kind != "revisit" for capture in cast.captures))
    return lines, pii


@dataclass(frozen=True)
class _Written:
    records: list[TruthRecord]
    data: bytes


def _write_archives(cast: Cast, folder: Path) -> tuple[list[TruthRecord], dict[str, int]]:
    """Deal the captures to the archives in scattered order and write them."""
    folder.mkdir(parents=True, exist_ok=True)
    captures = bad.around(cast, every=40)
    web = [c for c in captures if c.kind not in ("conversion", "jsonl")]
    web = scattered("demo order", web, [c.record_id for c in web])
    share = len(web) * 2 // 7  # two sevenths for each gzip archive, the last seventh for the plain one
    hands = {name: web[i * share : (i + 1) * share] for i, name in enumerate(GZIPPED)}
    hands[CUT] = [*hands[CUT], bad.truncated(cast)]
    hands[PLAIN] = web[len(GZIPPED) * share :]
    hands[WET] = [c for c in captures if c.kind == "conversion"]
    hands[JSONL] = [c for c in captures if c.kind == "jsonl"]
    records: list[TruthRecord] = []
    files: dict[str, int] = {}
    for name, hand in hands.items():
        dealt = hand if name == JSONL else [bad.warcinfo(cast, name), *hand]
        written = _archive(name, dealt)
        (folder / name).write_bytes(written.data)
        records += written.records
        files[name] = len(dealt)
    return records, files


def _archive(name: str, captures: Sequence[Capture]) -> _Written:
    """Return the bytes of one archive and the truth about its records."""
    parts: list[bytes] = []
    records: list[TruthRecord] = []
    offset = 0
    for i, capture in enumerate(captures):
        if name == WITH_GARBAGE and i == len(captures) // 2:
            records.append(_garbage(name, offset))
            parts.append(GARBAGE_BYTES)
            offset += len(GARBAGE_BYTES)
        data = _bytes(name, capture)
        if capture.page_class == "truncated":
            data = data[: len(data) // 2]
        records.append(_truth(name, offset, capture))
        parts.append(data)
        offset += len(data)
    return _Written(records, b"".join(parts))


def _bytes(name: str, capture: Capture) -> bytes:
    if name == JSONL:
        return json_line(capture)
    record = warc_record(capture)
    return record if name == PLAIN else member(record)


def _garbage(name: str, offset: int) -> TruthRecord:
    nothing = Capture(url="", record_id="", fetched_at=None, page_class="garbage", kind="garbage", fate=GARBAGE)
    return _truth(name, offset, nothing)


def _truth(file: str, offset: int, capture: Capture) -> TruthRecord:
    fate = capture.fate
    return TruthRecord(
        file=file,
        offset=offset,
        kind=capture.kind,
        page_class=capture.page_class,
        url=capture.url,
        record_id=capture.record_id,
        fetched_at=date_text(capture) if capture.fetched_at else None,
        language=capture.language,
        fate=fate.fate,
        stage=fate.stage,
        reason=fate.reason,
        rule=fate.rule,
        cluster=capture.cluster,
        text=capture.text,
    )
