"""Tables of JSON lines made elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import ConfigError, InputError
from storage.json_lines import objects, read_objects


def test_empty_lines_are_passed_over_and_counted() -> None:
    assert list(objects(['{"a": 1}\n', "\n", '{"a": 2}'], "t")) == [(1, {"a": 1}), (3, {"a": 2})]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "t: line 2 is not JSON: "),
        ("[1]", "t: line 2 is not a JSON object but list"),
        ("7", "object but int"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_wrong_line_is_named(line: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        list(objects(["{}", line], "t"))
    assert "\n" not in str(caught.value)


def test_a_line_ends_at_its_line_feed(tmp_path: Path) -> None:
    table = tmp_path / "t.jsonl"
    table.write_bytes('{"a": "x\u2028y\x85z"}\r\n{"a": 2}\n'.encode())
    assert list(read_objects(table)) == [(1, {"a": "x\u2028y\x85z"}), (2, {"a": 2})]


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.jsonl: cannot be read: No such file"):
        read_objects(tmp_path / "none.jsonl")
    (tmp_path / "t.jsonl").write_bytes(b"\xff")
    with pytest.raises(InputError, match=r"t\.jsonl: cannot be read: not UTF-8"):
        read_objects(tmp_path / "t.jsonl")
