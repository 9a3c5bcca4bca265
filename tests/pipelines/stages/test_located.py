"""A source that raises instead of giving an item: the error names file, byte and stage."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipelines.stages.located import located
from schemas.errors import BadRecord, RunError


def test_the_place_is_named() -> None:
    def items() -> Iterator[int]:
        yield from (0, 17)
        raise BadRecord("odd_record", "it is odd")

    given = []
    with pytest.raises(RunError) as raised:
        given.extend(located(items(), int, "/data/a\udce9.warc", "web/index"))
    message = str(raised.value)
    assert "\n" not in message
    for part in ("/data/a\\xe9.warc", "byte 17", "web/index", "odd_record"):
        assert part in message


def test_items_come_as_they_are() -> None:
    assert list(located([3, 1], int, "a", "b")) == [3, 1]
