"""Whatever the bytes are: nothing raised, nothing read for ever, what is intact kept. And real archives, counted."""

from __future__ import annotations

import dataclasses
import gzip
import tracemalloc
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from schemas.records import Header
from transforms.sources.items import Body, Broken, IngestConfig, Part, Skipped
from transforms.sources.read import scan

Save = Callable[[str, bytes], Path]
DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "warc"

quick = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _archive(make: SimpleNamespace, form: str) -> tuple[str, bytes, list[int]]:
    """A name, an archive of eight pages, and where each ends in it."""
    if form.startswith("arc"):
        records = [make.arc_start(), *(make.arc(f"http://a.org/{i}", make.http(b"<p>%d" % i)) for i in range(8))]
    else:
        records = [make.warc(make.http(b"<p>%d" % i), number=i) for i in range(9)]
    pack = {"gz": make.gz, "lz4": make.lz4, "zst": make.zstd}.get(form.split(".")[-1], bytes)
    members = [pack(record) for record in records]
    ends = [sum(map(len, members[: i + 1])) for i in range(9)]
    return f"a.{form}", b"".join(members), ends


FORMS = ["warc", "warc.gz", "warc.lz4", "warc.zst", "arc", "arc.gz"]


@pytest.mark.parametrize("form", FORMS)
@quick
@given(share=st.floats(0, 1))
def test_cutting_off_keeps_what_comes_before(make: SimpleNamespace, save: Save, form: str, share: float) -> None:
    name, data, ends = _archive(make, form)
    whole = make.scan_all(save(name, data))
    assert len(whole) == 9
    cut = int(share * len(data))
    items = make.scan_all(save(name, data[:cut]))
    intact = sum(end <= cut for end in ends)
    assert items[:intact] == whole[:intact]
    assert len(items) <= intact + 1
    assert (
        all(isinstance(item, Broken) for item in items[intact:]) or cut >= ends[intact] - 4
    )  # only line ends are lost


@pytest.mark.parametrize("form", FORMS)
@quick
@given(share=st.floats(0, 1, exclude_max=True), bits=st.integers(1, 255))
def test_a_flipped_byte_keeps_the_records_before_it(
    make: SimpleNamespace, save: Save, form: str, share: float, bits: int
) -> None:
    name, data, ends = _archive(make, form)
    whole = make.scan_all(save(name, data))
    at = int(share * len(data))
    items = make.scan_all(save(name, data[:at] + bytes([data[at] ^ bits]) + data[at + 1 :]))
    intact = sum(end <= at for end in ends)
    assert items[:intact] == whole[:intact]
    if form == "warc.gz":  # a checksum tells, and each record has a member: only the one that was hit is lost
        assert [item.record_id for item in items[intact + 1 :]] == [item.record_id for item in whole[intact + 1 :]]


@quick
@given(share=st.floats(0, 1, exclude_max=True), bits=st.integers(1, 255), cut=st.booleans())
def test_one_member_keeps_what_comes_before_the_break(
    make: SimpleNamespace, save: Save, share: float, bits: int, cut: bool
) -> None:
    records = [make.warc(make.http(bytes(range(97, 123)) * 90), number=i) for i in range(40)]
    data = gzip.compress(b"".join(records), 1, mtime=0)
    whole = make.scan_all(save("a.warc.gz", data))
    at = int(share * len(data))
    broken = data[:at] if cut else data[:at] + bytes([data[at] ^ bits]) + data[at + 1 :]
    given_out = len(_inflated(data[:at]))
    intact = sum(len(b"".join(records[: i + 1])) < given_out for i in range(40))
    assert make.scan_all(save("a.warc.gz", broken))[: max(0, intact - 1)] == whole[: max(0, intact - 1)]


def _inflated(data: bytes) -> bytes:
    return zlib.decompressobj(31).decompress(data)


def _found(items: Sequence[Header | Broken]) -> list[Header | Broken]:
    """Return what was read. Members are counted against records part by part, so that this count differs by split."""
    return [
        dataclasses.replace(item, row=0)
        for item in items
        if not (isinstance(item, Broken) and item.cause == "members_missing")
    ]


@pytest.mark.parametrize("form", ["warc.gz", "warc.lz4", "warc.zst", "arc.gz"])
@quick
@given(
    shares=st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=3),
    bits=st.integers(1, 255),
    cuts=st.lists(st.floats(0, 1), max_size=5),
)
def test_broken_archives_give_the_same_whatever_the_split(
    make: SimpleNamespace, save: Save, form: str, shares: list[float], bits: int, cuts: list[float]
) -> None:
    name, data, _ = _archive(make, form)
    broken = bytearray(data)
    for share in shares:
        broken[int(share * len(data))] ^= bits
    path = save(name, bytes(broken))
    whole, parts = make.scan_all(path), make.scan_all(path, sorted(int(cut * len(data)) for cut in cuts))
    assert _found(parts) == _found(whole)
    rows = [item.row for item in whole if isinstance(item, Header)]
    assert len(make.bodies(path, rows[::2])) == len(rows[::2])


@quick
@given(data=st.binary(max_size=400), name=st.sampled_from(["a.warc.gz", "a.warc", "a.arc", "a.jsonl", "a.x"]))
def test_any_bytes(make: SimpleNamespace, save: Save, data: bytes, name: str) -> None:
    for start in (b"", b"WARC/1.0\r\n", b"\x1f\x8b\x08\x00", make.gz(make.warc(make.http())), b"\x28\xb5\x2f\xfd"):
        for item in make.scan_all(save(name, start + data)):
            assert isinstance(item, (Header, Skipped, Broken))


def test_records_with_bad_headers(make: SimpleNamespace, save: Save) -> None:
    good = make.warc(make.http(), number=1)
    for bad, cause in [
        (make.warc(b"x", Content_Length=None), "malformed_header"),
        (make.warc(b"x", Content_Length="abc"), "malformed_header"),
        (make.warc(b"x", Content_Length="-5"), "malformed_header"),
        (make.warc(b"x", Content_Length="9" * 30), "malformed_header"),
        (make.warc(b"x", Content_Length="99999"), "truncated_record"),
        (b"WARC/7.0\r\nContent-Length: 1\r\n\r\nx\r\n\r\n", "malformed_header"),
        (b"hello world\r\n", "malformed_header"),
        (b"WARC/1.0\r\n" + b"x" * 3_000_000, "malformed_header"),
    ]:
        path = save("a.warc.gz", make.gz(good) + make.gz(bad) + make.gz(good))
        items = make.scan_all(path)
        assert [type(item) for item in items] == [Header, Broken, Header], bad[:80]
        assert (items[1].cause, items[1].offset) == (cause, len(make.gz(good)))
    for bad in (make.warc(b"x", Content_Length="abc"), b"hello world\r\n\r\n"):
        items = make.scan_all(save("a.warc", good + bad + good))
        assert [type(item) for item in items] == [Header, Broken, Header]
        assert items[1].offset == len(good)


def test_a_broken_record_has_its_id_and_address(make: SimpleNamespace, save: Save) -> None:
    member = make.gz(make.warc(make.http(), number=7, WARC_Target_URI="<https://a.org/>"))
    (item,) = make.scan_all(save("a.warc.gz", member[:-3]))
    assert (item.record_id, item.url, item.cause) == ("urn:uuid:00000007", "https://a.org/", "truncated_member")
    assert item.detail == f"the gzip data ends at byte {len(member) - 3} within a member"


def test_padding_and_empty_members_are_no_breaks(make: SimpleNamespace, save: Save) -> None:
    member = make.gz(make.warc(make.http()))
    for data in (
        member + make.gz(b"") + member + bytes(1000),
        member + make.gz(b"\r\n") + member,
        member + bytes(0) + member + make.gz(b"\r\n\r\n"),
    ):
        assert [type(item) for item in make.scan_all(save("a.warc.gz", data))] == [Header, Header]


def test_memory_is_bounded_by_the_body_limit(make: SimpleNamespace, save: Save) -> None:
    big = make.warc(make.http(bytes(64 << 20)))
    path = save("bomb.warc.gz", make.gz(big) + make.gz(make.warc(make.http())))
    del big
    config = IngestConfig(max_body_bytes=1 << 20)
    tracemalloc.start()
    items = list(scan(Part(str(path), 0, path.stat().st_size), config))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [type(item) for item in items] == [Skipped, Header]
    assert peak < 6 << 20


EXPECTED = {  # (pages, breaks) beside the count of all records, which the test takes itself
    "chatnoir-eu__clipped.warc.gz": (0, 1),
    "chatnoir-eu__clueweb-quirk.warc.gz": (29, 0),
    "commoncrawl__whirlwind.warc.gz": (1, 0),
    "ukwa__BL-20140325122341434-00000-32090_opera_8443.warc.gz": (6, 0),
    "ukwa__truncated_datetime.warc": (1, 0),
    "web-pages.warc.gz": (505, 0),
    "webis-de__ecosia.warc.gz": (50, 0),
}


def _archives() -> list[Path]:
    return sorted(DATA.glob("*")) if DATA.is_dir() else []


def _members(path: Path) -> int:
    data, n = path.read_bytes(), 0
    while data:
        member = zlib.decompressobj(31)
        member.decompress(data)
        data, n = member.unused_data, n + 1
    return n


@pytest.mark.skipif(not DATA.is_dir(), reason="needs shared/data/warc beside the checkout")
@pytest.mark.parametrize("path", _archives(), ids=lambda path: path.name)
def test_real_archives_hold_as_many_items_as_records(make: SimpleNamespace, path: Path) -> None:
    items = make.scan_all(path)
    if path.suffix == ".lz4":
        assert len(items) == _members(path.with_suffix(".gz"))
    elif path.name.endswith("clipped.warc.gz"):
        assert len(items) == 1
    else:
        with path.open("rb") as stream:
            records = sum(1 for _ in ArchiveIterator(stream))
        assert len(items) == records
        if path.suffix == ".gz":
            assert len(items) == _members(path)
    pages = [item for item in items if isinstance(item, Header)]
    breaks = [item for item in items if isinstance(item, Broken)]
    assert (len(pages), len(breaks)) == EXPECTED.get(path.name, (len(pages), 0))
    assert not [page.url for page in pages if "web.archive.org" in page.url or not page.url.startswith("http")]
    for body in make.bodies(path):
        assert isinstance(body, Body)
        assert body.payload.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


@pytest.mark.skipif(not DATA.is_dir(), reason="needs shared/data/warc beside the checkout")
def test_what_becomes_of_a_crawl_with_revisits(make: SimpleNamespace) -> None:
    items = make.scan_all(DATA / "ukwa__BL-20140325122341434-00000-32090_opera_8443.warc.gz")
    fates = Counter(getattr(item, "reason", "page") for item in items)
    assert fates == {"page": 6, "revisit": 55, "not_a_response": 125, "not_html": 3, "http_status": 1}
