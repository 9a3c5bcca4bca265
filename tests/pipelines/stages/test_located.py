"""A source that raises instead of giving an item: the error names file, byte and stage."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from pipelines.runs.tables import part_entry, part_of
from pipelines.stages.located import located
from schemas.errors import BadRecord, RunError
from transforms.sources.items import Part


def test_the_place_is_named() -> None:
    def items() -> Iterator[int]:
        yield from (0, 17)
        raise BadRecord("odd_record", "it is odd")

    given = []
    with pytest.raises(RunError) as raised:
        given.extend(located(items(), int, Part("/data/a\udce9.warc", 0, 9), "web/index"))
    message = str(raised.value)
    assert "\n" not in message
    for part in ("/data/a\\xe9.warc", "byte 17", "web/index", "odd_record"):
        assert part in message


def test_items_come_as_they_are() -> None:
    assert list(located([3, 1], int, Part("a", 0, 9), "b")) == [3, 1]


def test_a_byte_of_a_part_of_several_files_is_named_by_its_file() -> None:
    part = Part.of_files([("a", 10), ("empty", 0), ("b", 5)])
    assert (part.path, part.start, part.end, part.paths) == ("a", 0, 16, ["a", "empty", "b"])
    assert part.starts == [0, 10, 11]
    assert [part.locate(offset) for offset in (0, 9, 10, 11, 15, 16)] == [
        ("a", 0), ("a", 9), ("empty", 0), ("b", 0), ("b", 4), ("b", 5)
    ]  # fmt: skip
    assert part_of(json.loads(json.dumps(part_entry(part, {"a": "1", "empty": "2", "b": "3"})))) == (
        part, {"a": "1", "empty": "2", "b": "3"}
    )  # fmt: skip
    one = Part.of_files([("a", 10)])
    assert one == Part("a", 0, 10)
    assert part_of(part_entry(one, {"a": "1"})) == (one, {"a": "1"})
    assert one.locate(7) == ("a", 7)
