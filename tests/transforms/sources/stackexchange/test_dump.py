"""Posts.xml: each row once, whatever the parts; what is broken costs itself."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schemas.records import Header
from tests.transforms.sources.stackexchange.conftest import answer, dump, post
from transforms.sources.items import Broken, Part, Skipped
from transforms.sources.stackexchange.dump import CHUNK_BYTES
from transforms.sources.stackexchange.reader import ThreadReader
from transforms.sources.stackexchange.settings import PostsConfig, ThreadConfig
from transforms.sources.stackexchange.source import StackExchange

Write = Callable[..., Path]


def scan(path: Path, cuts: tuple[int, ...] = (), **settings: Any) -> list[Any]:
    source = StackExchange("se", PostsConfig(**settings), ThreadReader(ThreadConfig()))
    bounds = [0, *cuts, path.stat().st_size]
    parts = [list(source.scan(Part(str(path), start, end))) for start, end in itertools.pairwise(bounds)]
    assert all([item.row for item in part] == list(range(len(part))) for part in parts)
    return [item for part in parts for item in part]


def text_of(path: Path, header: Header) -> str:
    reader = ThreadReader(ThreadConfig())
    return next(reader.read(Part(str(path), 0, path.stat().st_size), {header.row: header})).text


def test_a_row_is_read_once_whatever_the_parts(write_dump: Write) -> None:
    """Also with rows longer than a chunk, and with parts that begin within a row."""
    dice = random.Random(1)
    bodies = ["<p>row</p>" * dice.choice((1, 40, 30_000)) for _ in range(12)]
    path = write_dump(*(post(n, body=body) for n, body in enumerate(bodies, 1)))
    size = path.stat().st_size
    assert size > 4 * CHUNK_BYTES
    whole = [(item.record_id, item.offset, item.length) for item in scan(path)]
    assert [record_id for record_id, _, _ in whole] == [f"coffee:{n}" for n in range(1, 13)]
    data = path.read_bytes()
    assert all(
        data[at : at + length].startswith(b"<row ") and data[at:][:length].endswith(b"/>") for _, at, length in whole
    )
    for n_cuts in (1, 3, 30):
        cuts = tuple(sorted(dice.sample(range(1, size), n_cuts)))
        assert [(item.record_id, item.offset, item.length) for item in scan(path, cuts)] == whole
    edges = tuple(at + shift for _, at, _ in whole[1:4] for shift in (0, 1, 4))  # at, and within, `<row`
    assert [item.record_id for item in scan(path, edges)] == [name for name, _, _ in whole]


def test_references_that_xml_forbids_cost_nothing(write_dump: Write) -> None:
    """An XML parser stops at `&#x1;`, `&nbsp;` and a bare `&`; what is escaped twice is unescaped once."""
    raw = post(1).replace("Text.", "a&#x1;b&#0;c&nbsp;d R&D &amp;lt;x&amp;gt; &amp;amp;amp; \x02e")
    path = write_dump(raw, post(2))
    first, second = scan(path)
    assert isinstance(first, Header)
    assert isinstance(second, Header)
    assert text_of(path, first) == "ab\ufffdc d R&D <x> &amp; e"


def test_what_is_broken_costs_its_row_alone(write_dump: Write) -> None:
    path = write_dump(
        post(1), post(2).replace('" Body', " Body"), post(3).replace('Id="3"', "", 1),
        answer(4, 1).replace("ParentId", "P"),
        '  <row Id="5" PostTypeId="1" Body="cut off\n', post(6),
    )  # fmt: skip
    found = [(type(item), item.record_id, getattr(item, "cause", "")) for item in scan(path)]
    assert found == [
        (Header, "coffee:1", ""), (Broken, "coffee:2", "malformed_row"), (Broken, "", "malformed_row"),
        (Broken, "coffee:4", "malformed_row"), (Broken, "coffee:5", "truncated_row"), (Header, "coffee:6", ""),
    ]  # fmt: skip


def test_a_dump_that_ends_within_a_row(write_dump: Write) -> None:
    path = write_dump(post(1), post(2))
    path.write_bytes(path.read_bytes()[:-40])
    assert [(type(item), item.record_id) for item in scan(path)] == [(Header, "coffee:1"), (Broken, "coffee:2")]


@pytest.mark.parametrize("repeat", [300, 90_000])  # within a chunk, and over several
def test_a_post_that_is_too_large(write_dump: Write, repeat: int) -> None:
    path = write_dump(post(1), post(2, body="<p>x</p>" * repeat), post(3))
    items = scan(path, max_post_bytes=1024)
    assert [item.record_id for item in items] == ["coffee:1", "coffee:2", "coffee:3"]
    assert isinstance(items[1], Skipped)
    assert (items[1].reason, items[1].limit) == ("oversized_post", 1024)
    assert items[1].value == items[2].offset - items[1].offset


def test_why_posts_are_left_out(write_dump: Write) -> None:
    path = write_dump(
        post(1), post(2, 4), post(3, 5), post(4, body=" \n"), post(5, DeletionDate="2020-01-01T00:00:00.000"),
        answer(6, 1, -3), answer(7, 1, 2),
    )  # fmt: skip
    items = scan(path, min_answer_score=0)
    assert [(item.record_id, item.reason, item.detail) for item in items if isinstance(item, Skipped)] == [
        ("coffee:2", "post_type", "4"), ("coffee:3", "post_type", "5"), ("coffee:4", "no_text", ""),
        ("coffee:5", "deleted", ""), ("coffee:6", "answer_score", ""),
    ]  # fmt: skip
    assert (items[5].value, items[5].limit) == (-3, 0)
    assert isinstance(scan(path, keep_deleted=True)[4], Header)


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"7z\xbc\xaf\x27\x1c\0\4rest", "packed_dump"),
        (b"BZh91AY&SY", "packed_dump"),
        (dump(post(1)).decode().encode("utf-16"), "unsupported_encoding"),
        (b"", "empty_file"),
        (b"<html></html>", "not_a_dump"),
    ],
)
def test_files_that_are_no_dump(tmp_path: Path, data: bytes, cause: str) -> None:
    path = tmp_path / "Posts.xml"
    path.write_bytes(data)
    assert [item.cause for item in scan(path)] == [cause]
    assert "\n" not in scan(path)[0].detail
    if data:
        assert [item.cause for item in scan(path, (len(data) // 2,))] == [cause]  # once, not for each part
