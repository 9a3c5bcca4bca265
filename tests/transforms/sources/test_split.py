"""Every record exactly once, whatever the split: transforms.sources.members and formats.plan_parts."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from schemas.records import Header
from storage.files import remove_tree, write_atomic
from transforms.sources.formats import plan_parts
from transforms.sources.items import Broken, IngestConfig, Part
from transforms.sources.read import read_bodies, scan

DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "warc"


def _records(make: SimpleNamespace, n: int = 12) -> list[bytes]:
    noise = random.Random(7)
    bodies = [make.HTML + noise.randbytes(noise.randrange(2000)) for _ in range(n)]
    return [make.warc(kind="warcinfo"), *(make.warc(make.http(body), number=i) for i, body in enumerate(bodies))]


def _unrowed(items: list) -> list:
    return [dataclasses.replace(item, row=0) for item in items]


def _every_split(make: SimpleNamespace, path: Path) -> list:
    whole = make.scan_all(path)
    size = path.stat().st_size
    for step in (1, 7, 100, 1000, size // 3, size // 2, size - 1):
        cuts = list(range(step, size, step)) if size / step < 60 else list(range(step, size, size // 60))
        assert _unrowed(make.scan_all(path, cuts)) == _unrowed(whole), f"cut every {step}"
    for cut in range(0, size + 1, max(1, size // 150)):
        assert _unrowed(make.scan_all(path, [cut])) == _unrowed(whole), f"cut at {cut}"
    return whole


@pytest.mark.parametrize("pack", ["gz", "lz4", "zstd"])
def test_member_for_each_record(make: SimpleNamespace, save: Callable[[str, bytes], Path], pack: str) -> None:
    members = [getattr(make, pack)(record) for record in _records(make)]
    items = _every_split(make, save(f"a.warc.{pack}", b"".join(members)))
    assert [item.offset for item in items] == [sum(map(len, members[:i])) for i in range(13)]
    assert [type(item) for item in items[1:]] == [Header] * 12


@pytest.mark.parametrize("pack", ["gz", "lz4", "zstd"])
def test_one_member_for_the_whole_file(make: SimpleNamespace, save: Callable[[str, bytes], Path], pack: str) -> None:
    items = _every_split(make, save(f"a.warc.{pack}", getattr(make, pack)(b"".join(_records(make)))))
    assert len(items) == 13
    assert {item.offset for item in items} == {0}


def test_members_cut_anywhere(make: SimpleNamespace, save: Callable[[str, bytes], Path]) -> None:
    data = b"".join(_records(make))
    blocks = [make.gz(data[i : i + 700]) for i in range(0, len(data), 700)]
    items = _every_split(make, save("bgzip.warc.gz", b"".join(blocks)))
    starts = {sum(map(len, blocks[:i])) for i in range(len(blocks))}
    assert len(items) == 13
    assert {item.offset for item in items} <= starts


def test_archives_put_one_behind_the_other(make: SimpleNamespace, save: Callable[[str, bytes], Path]) -> None:
    records = _records(make, 6)
    each = b"".join(make.gz(record) for record in records)
    items = _every_split(make, save("both.warc.gz", each + make.gz(b"".join(records)) + each))
    assert len(items) == 21


def test_plain_archive_is_read_by_the_first_part(make: SimpleNamespace, save: Callable[[str, bytes], Path]) -> None:
    records = _records(make)
    items = _every_split(make, save("a.warc", b"".join(records)))
    assert [item.offset for item in items] == [sum(map(len, records[:i])) for i in range(13)]


def test_arc_members(make: SimpleNamespace, save: Callable[[str, bytes], Path]) -> None:
    records = [make.arc_start(), *(make.arc(f"http://a.org/{i}", make.http()) for i in range(8))]
    items = _every_split(make, save("a.arc.gz", b"".join(map(make.gz, records))))
    assert [item.url for item in items] == ["filedesc://old.arc", *(f"http://a.org/{i}" for i in range(8))]


@pytest.mark.parametrize("broken", ["cut", "flipped", "header", "garbage"])
def test_a_break_is_reported_once(make: SimpleNamespace, save: Callable[[str, bytes], Path], broken: str) -> None:
    members = [make.gz(record) for record in _records(make)]
    at = sum(map(len, members[:5]))
    if broken == "cut":
        members[5] = members[5][: len(members[5]) // 2]
    elif broken == "flipped":
        middle = len(members[5]) // 2
        members[5] = members[5][:middle] + bytes([members[5][middle] ^ 255]) + members[5][middle + 1 :]
    elif broken == "header":
        members[5] = b"\0\0\0" + members[5][3:]
    else:
        members[5] = b"this is not gzip" * 30
    items = _every_split(make, save("a.warc.gz", b"".join(members)))
    assert [(item.offset, type(item)) for item in items if isinstance(item, Broken)] == [(at, Broken)]
    assert len(items) == 13
    assert [item.url[-1] for item in items[6:]] == list("5678901")


def test_parts_of_a_real_archive_hold_its_records_once(make: SimpleNamespace) -> None:
    if not DATA.is_dir():
        pytest.skip("needs shared/data/warc beside the checkout")
    for name in ("commoncrawl__whirlwind.warc.gz", "allenai__sample-0001.warc.gz", "chatnoir-eu__warcfile.warc.lz4"):
        path = DATA / name
        whole = make.scan_all(path)
        for n in (2, 5, 40):
            size = path.stat().st_size
            assert _unrowed(make.scan_all(path, [size * i // n for i in range(1, n)])) == _unrowed(whole)


def test_rows_address_the_same_records_in_both_readings(
    make: SimpleNamespace, save: Callable[[str, bytes], Path]
) -> None:
    path = save("a.warc.gz", b"".join(make.gz(record) for record in _records(make)))
    config = IngestConfig()
    size = path.stat().st_size
    for part in (Part(str(path), 0, size // 2), Part(str(path), size // 2, size)):
        pages = [item for item in scan(part, config) if isinstance(item, Header)]
        for chosen in ([], pages[::2], pages[-1:], pages):
            rows = [page.row for page in chosen]
            found = list(read_bodies(part, rows, config))
            assert [row for row, _ in found] == rows
            for page, (_, body) in zip(chosen, found, strict=True):
                assert page.length == len(make.http(body.payload))


def test_plan_cuts_into_sixteen_parts_of_a_mebibyte_at_least() -> None:
    mib = 1 << 20
    assert plan_parts([("b.warc.gz", 3 * mib), ("a.warc.gz", mib)], 64 * mib) == [
        Part("a.warc.gz", 0, mib),
        Part("b.warc.gz", 0, mib),
        Part("b.warc.gz", mib, 2 * mib),
        Part("b.warc.gz", 2 * mib, 3 * mib),
    ]
    assert len(plan_parts([("a.warc.gz", 160 * mib)], 64 * mib)) == 16
    assert len(plan_parts([("a.warc.gz", 160 * mib)], 5 * mib)) == 32
    assert plan_parts([("a.warc.gz", mib + 1)], 64 * mib) == [
        Part("a.warc.gz", 0, mib // 2),
        Part("a.warc.gz", mib // 2, mib + 1),
    ]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a.warc.gz", 4), ("a.WARC.GZ", 4), ("a.warc.wet.gz", 4), ("a.arc.gz", 4), ("a.warc.lz4", 4), ("a.warc.zst", 4),
        ("a.jsonl", 4), ("a.parquet", 4), ("https://x.org/a.warc.gz?key=1", 4),
        ("a.warc", 1), ("a.arc", 1), ("a.jsonl.gz", 1), ("a.jsonl.zst", 1), ("a.gz", 1), ("a", 1),
    ],
)  # fmt: skip
def test_plan_cuts_what_can_be_cut(name: str, parts: int) -> None:
    assert len(plan_parts([(name, 4 << 20)], 1 << 20)) == parts


def test_plan_of_empty_files_and_of_none() -> None:
    assert plan_parts([], 1 << 20) == []
    assert plan_parts([("a.warc.gz", 0)], 1 << 20) == [Part("a.warc.gz", 0, 0)]


def test_archive_in_another_store(make: SimpleNamespace) -> None:
    data = b"".join(make.gz(record) for record in _records(make))
    write_atomic("memory://store/a.warc.gz", data)
    items = [
        item
        for start, end in ((0, 3000), (3000, len(data)))
        for item in scan(Part("memory://store/a.warc.gz", start, end), IngestConfig())
    ]
    assert [item.url[-1] for item in items[1:]] == list("012345678901")
    remove_tree("memory://store")
